import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.ts';

test('an empty histogram answers zero', () => {
  const histogram = new Histogram();
  assert.equal(histogram.percentileUs(50), 0);
  assert.equal(histogram.meanUs, 0);
  assert.equal(histogram.maxUs, 0);
});

test('small values are exact', () => {
  const histogram = new Histogram();
  for (let value = 1; value <= 1000; value++) histogram.record(value);
  assert.equal(histogram.percentileUs(50), 500);
  assert.equal(histogram.percentileUs(99.9), 999);
  assert.equal(histogram.percentileUs(100), 1000);
  assert.equal(histogram.minUs, 1);
  assert.equal(histogram.meanUs, 500.5);
});

test('values out of range move to its ends', () => {
  const histogram = new Histogram();
  histogram.record(-5);
  histogram.record(1e15);
  assert.equal(histogram.minUs, 0);
  assert.equal(histogram.maxUs, 4294967295);
  assert.equal(histogram.percentileUs(100), 4294967295);
});

test('any percentile is within 0.1 % above the exact one', () => {
  const values = fc.array(fc.integer({ min: 0, max: 4_000_000_000 }), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (latencies, percent) => {
      const histogram = new Histogram();
      for (const latency of latencies) histogram.record(latency);
      const sorted = latencies.toSorted((a, b) => a - b);
      const rank = Math.max(1, Math.ceil((sorted.length * percent) / 100));
      const exact = sorted[rank - 1] as number;
      const found = histogram.percentileUs(percent);
      assert.ok(found >= exact && found <= exact * 1.001 + 1, `${found} for ${exact}`);
    }),
  );
});

test('adding two is recording into one', () => {
  const [one, other, both] = [new Histogram(), new Histogram(), new Histogram()];
  for (const value of [5, 70_000]) {
    one.record(value);
    both.record(value);
  }
  for (const value of [3, 900_000_000]) {
    other.record(value);
    both.record(value);
  }
  one.add(other);
  for (const percent of [0, 25, 50, 75, 100]) {
    assert.equal(one.percentileUs(percent), both.percentileUs(percent));
  }
  assert.equal(one.meanUs, both.meanUs);
  assert.equal(one.minUs, 3);
});
