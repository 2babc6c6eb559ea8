import assert from 'node:assert/strict';
import test from 'node:test';
import { type EnsembleReport, EnsembleSimulation } from './ensemble-simulation.ts';

/** `ENSEMBLE_SEEDS=first..last` runs others: `ENSEMBLE_SEEDS=17..17` one that failed. */
const range = (process.env.ENSEMBLE_SEEDS ?? '1..60').split('..').map(Number);
const [first = 1, last = first] = range;
/** Servers that are alone, whatever the seed would have drawn. */
const alone = { voters: 1, observers: 0 };

function run(seed: number, overrides: object): EnsembleReport {
  const simulation = new EnsembleSimulation(seed, overrides);
  try {
    return simulation.run();
  } catch (error) {
    const lines = simulation.trace.lines.slice(-60).join('\n');
    throw new Error(`seed ${seed}: ${String(error)}\n${lines}`, { cause: error });
  }
}

test(`a server that is alone keeps every promise through faults, seeds ${first} to ${last}`, (t) => {
  let transactions = 0;
  let simulatedMs = 0;
  for (let seed = first; seed <= last; seed++) {
    const report = run(seed, alone);
    transactions += report.transactions;
    simulatedMs += report.simulatedMs;
  }
  t.diagnostic(`${transactions} transactions in ${Math.round(simulatedMs / 1000)} virtual seconds`);
  assert.ok(transactions > 100);
});

test('a seed repeats itself, bit for bit', () => {
  const [one, two] = [new EnsembleSimulation(7, alone), new EnsembleSimulation(7, alone)];
  assert.deepEqual(one.run(), two.run());
  assert.deepEqual(one.trace.lines, two.trace.lines);
});
