import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { simulateRecipe, simulateRecipes } from '../recipes/simulate-recipes.ts';
import { EnsembleSimulation } from './ensemble-simulation.ts';
import { runSeries, type SeedOutcome } from './seed-series.ts';
import { summarize } from './series-summary.ts';

// `npm run simulate -- --seed N` runs one ensemble and prints what happens; `--seeds 1000 --from K` runs many.
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    voters: { type: 'string' },
    spares: { type: 'string' },
    recipes: { type: 'boolean', default: false },
    recipe: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const usage = `npm run simulate -- --seed N              runs one seed and prints what happens
npm run simulate -- --seeds 1000 --from K  runs many, with a line for each that fails and a summary
  --jobs N                                 so many seeds at a time; as many as there are cores by default
  --recipes                                processes that use recipes, each seed one of them
  --recipe NAME                            all seeds this one
  --until-failure                          ends with the first that fails
  --voters N                               so many voting members; 1 is a server that is alone
  --spares N                               members that may be added; 0 where the members never change`;

const overrides = {
  ...(values.voters === undefined ? {} : { voters: Number(values.voters), observers: 0 }),
  ...(values.spares === undefined ? {} : { spares: Number(values.spares) }),
};

if (values.help) console.log(usage);
else if (values.recipes || values.recipe !== undefined) await runRecipes();
else if (values.seed !== undefined) runOne(Number(values.seed));
else await runMany(Number(values.from), Number(values.seeds));

async function runRecipes(): Promise<void> {
  const { seed, recipe } = values;
  const print = (line: string): void => console.log(line);
  if (seed !== undefined) {
    if (!(await simulateRecipe(Number(seed), recipe, print))) process.exitCode = 1;
    return;
  }
  const [from, count] = [Number(values.from), Number(values.seeds)];
  const untilFailure = values['until-failure'];
  if ((await simulateRecipes({ from, count, recipe, untilFailure, print })) > 0)
    process.exitCode = 1;
}

function runOne(seed: number): void {
  const simulation = new EnsembleSimulation(seed, overrides);
  for (const line of simulation.trace.lines) console.log(line);
  simulation.trace.onLine = (line) => console.log(line);
  try {
    const report = simulation.run();
    const faults = [...report.faults].map(([kind, count]) => `${count} ${kind}`).join(', ');
    console.log(
      `seed ${seed} keeps all promises: ${report.transactions} transactions, ${report.replies} replies, ` +
        `${report.events} watch events, ${report.epochs} epochs, healed after ${report.healedAfterMs} ms; ` +
        `faults: ${faults}; hash ${report.hash}`,
    );
  } catch (error) {
    console.log(`seed ${seed} fails: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
  }
}

async function runMany(from: number, count: number): Promise<void> {
  const beganMs = performance.now();
  const secondsPassed = (): number => (performance.now() - beganMs) / 1000;
  const jobs = Number(values.jobs);
  const untilFailure = values['until-failure'];
  let failed = 0;
  const onDone = ({ seed, failure }: SeedOutcome, done: number): void => {
    if (failure !== undefined) {
      failed += 1;
      console.log(`seed ${seed} fails: ${failure.message}`);
    }
    progress(done, count, failed, secondsPassed());
  };
  const outcomes = await runSeries({ from, count, overrides, jobs, untilFailure, onDone });
  for (const line of summarize(outcomes)) console.log(line);
  const simulatedMs = outcomes.reduce((sum, { report }) => sum + (report?.simulatedMs ?? 0), 0);
  const seconds = secondsPassed();
  const ratio = (simulatedMs / 1000 / seconds).toFixed(0);
  console.log(`${ratio} x real time: ${seconds.toFixed(0)} s, jobs: ${jobs}`);
  if (failed > 0) process.exitCode = 1;
}

function progress(done: number, count: number, failed: number, seconds: number): void {
  if (!process.stderr.isTTY && done % 100 !== 0) return;
  const end = process.stderr.isTTY ? '\r' : '\n';
  process.stderr.write(
    `${done} of ${count} seeds, ${failed} failed, ${seconds.toFixed(0)} s${end}`,
  );
}
