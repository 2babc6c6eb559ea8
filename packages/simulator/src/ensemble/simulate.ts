import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { simulateRecipe, simulateRecipes } from '../recipes/simulate-recipes.ts';
import { type EnsembleReport, EnsembleSimulation } from './ensemble-simulation.ts';

// `npm run simulate -- --seed N` runs one ensemble and prints what happens; `--seeds 1000 --from K` runs many.
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    voters: { type: 'string' },
    recipes: { type: 'boolean', default: false },
    recipe: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const usage = `npm run simulate -- --seed N              runs one seed and prints what happens
npm run simulate -- --seeds 1000 --from K  runs many, with a line for each that fails and a summary
  --recipes                                processes that use recipes, each seed one of them
  --recipe NAME                            all seeds this one
  --until-failure                          ends with the first that fails
  --voters N                               so many voting members; 1 is a server that is alone`;

const overrides =
  values.voters === undefined ? {} : { voters: Number(values.voters), observers: 0 };

if (values.help) console.log(usage);
else if (values.recipes || values.recipe !== undefined) await runRecipes();
else if (values.seed !== undefined) runOne(Number(values.seed));
else runMany(Number(values.from), Number(values.seeds));

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

function runMany(from: number, count: number): void {
  const beganMs = performance.now();
  const reports: EnsembleReport[] = [];
  const failures = new Map<string, number[]>();
  for (let seed = from; seed < from + count; seed++) {
    try {
      reports.push(new EnsembleSimulation(seed, overrides).run());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const rule = message.split(':', 1)[0] ?? message;
      failures.set(rule, [...(failures.get(rule) ?? []), seed]);
      console.log(`seed ${seed} fails: ${message}`);
      if (values['until-failure']) break;
    }
    progress(seed - from + 1, count, failures.size, beganMs);
  }
  summarize(reports, failures, performance.now() - beganMs);
  if (failures.size > 0) process.exitCode = 1;
}

function progress(done: number, count: number, kinds: number, beganMs: number): void {
  if (!process.stderr.isTTY && done % 100 !== 0) return;
  const seconds = ((performance.now() - beganMs) / 1000).toFixed(0);
  const end = process.stderr.isTTY ? '\r' : '\n';
  process.stderr.write(`${done} of ${count} seeds, ${kinds} kinds of failures, ${seconds} s${end}`);
}

function summarize(
  reports: readonly EnsembleReport[],
  failures: ReadonlyMap<string, readonly number[]>,
  elapsedMs: number,
): void {
  const sum = (of: (report: EnsembleReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const faults = new Map<string, number>();
  for (const report of reports) {
    for (const [kind, count] of report.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  }
  const failed = [...failures.values()].reduce((total, seeds) => total + seeds.length, 0);
  const healed = reports.map(({ healedAfterMs }) => healedAfterMs).sort((a, b) => a - b);
  const simulatedMs = sum((report) => report.simulatedMs);
  const list = [...faults]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => `${count} ${kind}`);
  console.log(`faults: ${list.join(', ')}`);
  console.log(
    `${reports.length + failed} seeds, ${failed} failed; ${(simulatedMs / 3_600_000).toFixed(1)} h simulated in ` +
      `${(elapsedMs / 1000).toFixed(0)} s (${(simulatedMs / elapsedMs).toFixed(0)} x, one of ${availableParallelism()} cores); ` +
      `${sum((report) => report.transactions)} transactions, ${sum((report) => report.replies)} replies, ` +
      `${sum((report) => report.events)} events, ${sum((report) => report.epochs)} epochs; ` +
      `healed after ${healed[healed.length >> 1] ?? 0} ms, at most ${healed.at(-1) ?? 0}`,
  );
  for (const [rule, seeds] of failures)
    console.log(`${seeds.length} x ${rule}: ${seeds.join(' ')}`);
}
