import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FirstInFirstOut } from './first-in-first-out.ts';

test('it is an array of which the first goes first, whatever is pushed and taken', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer(), { nil: null })), (steps) => {
      const queue = new FirstInFirstOut<number>();
      const model: number[] = [];
      for (const step of steps) {
        if (step === null) assert.equal(queue.shift(), model.shift());
        else {
          queue.push(step);
          model.push(step);
        }
        assert.equal(queue.first, model[0]);
        assert.equal(queue.length, model.length);
      }
    }),
  );
});

test('thousands that come and go leave nothing behind, and none is lost', () => {
  const queue = new FirstInFirstOut<number>();
  let taken = 0;
  for (let i = 0; i < 10_000; i++) {
    queue.push(i);
    if (i % 3 > 0) assert.equal(queue.shift(), taken++);
  }
  while (queue.length > 0) assert.equal(queue.shift(), taken++);
  assert.equal(taken, 10_000);
  assert.equal(queue.shift(), undefined);
});
