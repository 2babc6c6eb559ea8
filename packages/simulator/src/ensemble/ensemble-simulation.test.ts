import assert from 'node:assert/strict';
import test from 'node:test';
import { EnsembleSimulation } from './ensemble-simulation.ts';
import { runSeries, type SeedOutcome } from './seed-series.ts';
import { summarize } from './series-summary.ts';

/** `ENSEMBLE_SEEDS=first..last` runs others: `ENSEMBLE_SEEDS=17..17` one that failed. */
const range = (process.env.ENSEMBLE_SEEDS ?? '1..30').split('..').map(Number);
const [first = 1, last = first] = range;

test(`ensembles keep every promise through faults, and serve after them: seeds ${first} to ${last}`, async (t) => {
  const outcomes = await runSeries({ from: first, count: last - first + 1 });
  for (const line of summarize(outcomes)) t.diagnostic(line);
  assertKept(outcomes);
  assert.ok(outcomes.length > 0);
  for (const { seed, report } of outcomes) assert.ok((report?.transactions ?? 0) > 0, `${seed}`);
});

test('a server that is alone keeps every promise through faults', async () => {
  const count = Math.max(5, Math.ceil((last - first + 1) / 10));
  assertKept(await runSeries({ from: first, count, overrides: { voters: 1, observers: 0 } }));
});

/** Names the seeds that failed, and tells the end of the first ones. */
function assertKept(outcomes: readonly SeedOutcome[]): void {
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  const told = failed.slice(0, failuresTold).map(({ seed, failure }) => {
    return `seed ${seed}: ${failure?.message}\n${failure?.tail.join('\n')}`;
  });
  const seeds = failed.map(({ seed }) => seed).join(' ');
  assert.equal(failed.length, 0, `${failed.length} seeds fail: ${seeds}\n${told.join('\n\n')}`);
}

/** Each comes with the end of its trace. */
const failuresTold = 3;

test('a seed repeats itself, bit for bit', () => {
  const [one, two] = [new EnsembleSimulation(7), new EnsembleSimulation(7)];
  assert.deepEqual(one.run(), two.run());
  assert.deepEqual(one.trace.lines, two.trace.lines);
});
