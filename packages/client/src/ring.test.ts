import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Ring } from './ring.ts';

test('a ring gives items back in the order they came, whatever the pushes and shifts', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 500 }), (steps) => {
      const ring = new Ring<number>();
      const model: number[] = [];
      steps.forEach((push, i) => {
        if (push) {
          ring.push(i);
          model.push(i);
        } else {
          assert.equal(ring.peek(), model[0]);
          assert.equal(ring.shift(), model.shift());
        }
        assert.equal(ring.length, model.length);
      });
    }),
  );
});
