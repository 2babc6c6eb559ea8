import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { runMutants } from './mutant-series.ts';
import { mutants } from './mutants.ts';

// `npm run simulate:mutants` shows for each deliberate fault how many seeds it took to be caught; with
// `recipes` for those of recipes alone, or with names.
const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
  allowPositionals: true,
});

const wanted = mutants.filter(({ name, recipe }) => {
  if (positionals.length === 0 || positionals.includes(name)) return true;
  return positionals.includes('recipes') && recipe !== undefined;
});
const fates = await runMutants({
  trials: wanted.map((mutant) => ({ mutant, seedsMax: Number(values.seeds) })),
  from: Number(values.from),
  jobs: Number(values.jobs),
  onFate: ({ name }, { seeds, verdict }) => {
    const count = seeds === null ? '   -' : String(seeds).padStart(4);
    console.log(`${count} ${name.padEnd(28)} ${verdict.slice(0, 120)}`);
  },
});
const alive = wanted.filter(({ name }) => fates.get(name)?.isCaught !== true);
const names = alive.map(({ name }) => name).join(', ');
const caught = wanted.length - alive.length;
console.log(
  `${caught} of ${wanted.length} mutants are caught${alive.length > 0 ? `; not ${names}` : ''}`,
);
if (alive.length > 0) process.exitCode = 1;
