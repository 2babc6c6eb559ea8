import assert from 'node:assert/strict';
import test from 'node:test';
import { type ElectionReport, ElectionSimulation } from './election-simulation.ts';

const seeds = 500;

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
  for (let seed = 1; seed <= seeds; seed++) {
    const report = run(seed);
    healedMs.push(report.healedAfterMs);
    elections += report.elections;
  }
  healedMs.sort((a, b) => a - b);
  t.diagnostic(
    `${elections} decisions; healed after ${healedMs[seeds / 2]} ms, at most ${healedMs.at(-1)}`,
  );
  assert.ok(elections > 5 * seeds);
});

test('a seed repeats itself', () => {
  const [one, two] = [new ElectionSimulation(7), new ElectionSimulation(7)];
  assert.deepEqual(one.run(), two.run());
  assert.deepEqual(one.trace, two.trace);
});
