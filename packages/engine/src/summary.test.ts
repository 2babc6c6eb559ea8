import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencySummary, Summary } from './summary.ts';

test('nothing is 0 in every respect', () => {
  const { count, sum, min, max } = new Summary();
  assert.deepEqual([count, sum, min, max], [0, 0, 0, 0]);
  assert.equal(new LatencySummary().quantile(0.5), 0);
});

test('quantiles are those of the sorted times, to 64 ms above a second', () => {
  const times = fc.array(fc.integer({ min: 0, max: 60_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, fc.constantFrom(0.5, 0.95, 0.99, 0.999), (values, share) => {
      const summary = new LatencySummary();
      for (const value of values) summary.add(value);
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.ceil(values.length * share) - 1] ?? -1;
      const told = summary.quantile(share);
      if (exact < 1024) assert.equal(told, exact);
      else assert.ok(told <= exact && exact - told < 64, `${told} for ${exact}`);
      assert.equal(summary.count, values.length);
      assert.equal(summary.min, sorted[0]);
      assert.equal(summary.max, sorted.at(-1));
      assert.equal(
        summary.sum,
        values.reduce((sum, value) => sum + value, 0),
      );
    }),
  );
});

test('times beyond all steps count, and a reset forgets them', () => {
  const summary = new LatencySummary();
  summary.add(10_000_000);
  assert.equal(summary.quantile(0.5), 1023 * 64);
  summary.reset();
  summary.add(3);
  assert.equal(summary.quantile(0.999), 3);
  assert.deepEqual([summary.count, summary.max], [1, 3]);
});
