import { parseArgs } from 'node:util';
import { mutants } from './mutants.ts';
import { MutationRun } from './mutation-run.ts';

// `npm run simulate:mutants` shows for each deliberate fault how many seeds it took to be caught.
const { values, positionals } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
  },
  allowPositionals: true,
});

const wanted = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const run = new MutationRun();
const alive: string[] = [];
try {
  for (const mutant of wanted) {
    const { seeds, isCaught, verdict } = run.run(mutant, Number(values.seeds), Number(values.from));
    if (!isCaught) alive.push(mutant.name);
    const count = seeds === null ? '   -' : String(seeds).padStart(4);
    console.log(`${count} ${mutant.name.padEnd(28)} ${verdict.slice(0, 120)}`);
  }
} finally {
  run.close();
}
const caught = wanted.length - alive.length;
console.log(
  `${caught} of ${wanted.length} mutants are caught${alive.length > 0 ? `; not ${alive.join(', ')}` : ''}`,
);
if (alive.length > 0) process.exitCode = 1;
