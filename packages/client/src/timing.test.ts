import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timingOf } from './timing.ts';

test('timingOf() follows ClientCnxn', () => {
  assert.deepEqual(timingOf(30_000, 3), {
    readTimeoutMs: 20_000,
    connectTimeoutMs: 10_000,
    expirationTimeoutMs: 40_000,
    pingIdleMs: 9000,
  });
  assert.equal(timingOf(2000, 1).pingIdleMs, 666);
  assert.equal(timingOf(4000, 1).pingIdleMs, 1001);
  assert.equal(timingOf(60_000, 1).pingIdleMs, 10_000);
});
