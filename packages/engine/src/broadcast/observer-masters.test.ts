import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObserverMasters } from './observer-masters.ts';

/** Draws always the last. */
const last = { below: (bound: number): number => bound - 1 };

test('an observer goes from one follower to the next, and never to the leader', () => {
  const masters = new ObserverMasters(last);
  const tried = [1, 2, 3, 4].map(() => masters.next([1, 2, 3], 2));
  assert.deepEqual(tried, [3, 1, 3, 1]);
});

test('all have had their turn when the list is at its end', () => {
  const masters = new ObserverMasters(last);
  assert.equal(masters.isExhausted, true);
  masters.next([1, 2, 3], 2);
  assert.equal(masters.isExhausted, false);
  masters.next([1, 2, 3], 2);
  assert.equal(masters.isExhausted, true);
});

test('the order is drawn anew when the voters change', () => {
  const masters = new ObserverMasters(last);
  masters.next([1, 2, 3], 2);
  assert.equal(masters.next([1, 2, 3, 4], 2), 4);
});

test('a leader without followers is observed itself', () => {
  const masters = new ObserverMasters(last);
  assert.equal(masters.next([7], 7), null);
  assert.equal(masters.next([], 7), null);
});
