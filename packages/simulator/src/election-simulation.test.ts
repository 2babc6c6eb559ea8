import assert from 'node:assert/strict';
import test from 'node:test';
import { type ElectionReport, ElectionSimulation } from './election-simulation.ts';

/** `ELECTION_SEEDS=first..last` runs others: `ELECTION_SEEDS=17..17` one that failed. */
const range = (process.env.ELECTION_SEEDS ?? '1..500').split('..').map(Number);
const [first = 1, last = first] = range;
const seeds = last - first + 1;

function run(seed: number): ElectionReport {
  const simulation = new ElectionSimulation(seed);
  try {
    return simulation.run();
  } catch (error) {
    const lines = simulation.trace.slice(-60).join('\n');
    throw new Error(`seed ${seed}: ${String(error)}\n${lines}`, { cause: error });
  }
}

test(`${seeds} ensembles keep the rules of elections and find a leader when nothing fails any more`, (t) => {
  const healedMs: number[] = [];
  let elections = 0;
  for (let seed = first; seed <= last; seed++) {
    const report = run(seed);
    healedMs.push(report.healedAfterMs);
    elections += report.elections;
  }
  healedMs.sort((a, b) => a - b);
  t.diagnostic(
    `${elections} decisions; healed after ${healedMs[seeds >> 1]} ms, at most ${healedMs.at(-1)}`,
  );
  assert.ok(elections > seeds);
});

test('a seed repeats itself', () => {
  const [one, two] = [new ElectionSimulation(7), new ElectionSimulation(7)];
  assert.deepEqual(one.run(), two.run());
  assert.deepEqual(one.trace, two.trace);
});
