import assert from 'node:assert/strict';
import test from 'node:test';
import type { EnsembleSettings } from './ensemble-settings.ts';
import { type EnsembleReport, EnsembleSimulation } from './ensemble-simulation.ts';

/** `ENSEMBLE_SEEDS=first..last` runs others: `ENSEMBLE_SEEDS=17..17` one that failed. */
const range = (process.env.ENSEMBLE_SEEDS ?? '1..30').split('..').map(Number);
const [first = 1, last = first] = range;

function run(seed: number, overrides: Partial<EnsembleSettings>): EnsembleReport {
  const simulation = new EnsembleSimulation(seed, overrides);
  try {
    return simulation.run();
  } catch (error) {
    const lines = simulation.trace.lines.slice(-60).join('\n');
    throw new Error(`seed ${seed}: ${String(error)}\n${lines}`, { cause: error });
  }
}

test(`ensembles keep every promise through faults, and serve after them: seeds ${first} to ${last}`, (t) => {
  let transactions = 0;
  let simulatedMs = 0;
  let epochs = 0;
  for (let seed = first; seed <= last; seed++) {
    const report = run(seed, {});
    transactions += report.transactions;
    simulatedMs += report.simulatedMs;
    epochs += report.epochs;
  }
  const seconds = Math.round(simulatedMs / 1000);
  t.diagnostic(`${transactions} transactions in ${epochs} epochs and ${seconds} virtual seconds`);
  assert.ok(transactions > 100);
});

test('a server that is alone keeps every promise through faults', () => {
  for (let seed = 1; seed <= 5; seed++) run(seed, { voters: 1, observers: 0 });
});

test('a seed repeats itself, bit for bit', () => {
  const [one, two] = [new EnsembleSimulation(7), new EnsembleSimulation(7)];
  assert.deepEqual(one.run(), two.run());
  assert.deepEqual(one.trace.lines, two.trace.lines);
});
