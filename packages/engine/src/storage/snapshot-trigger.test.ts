import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SnapshotTrigger } from './snapshot-trigger.ts';

const lowest = { below: () => 0 };
const highest = { below: (bound: number) => bound - 1 };

/** Transactions of 100 bytes until a snapshot is due. */
function countUntilDue(trigger: SnapshotTrigger): number {
  for (let count = 1; ; count++) if (trigger.count(1, 100)) return count;
}

test('a snapshot is due after half of snapCount at least and after all of it at most', () => {
  const early = new SnapshotTrigger(1000, -1, lowest);
  assert.equal(countUntilDue(early), 501);
  assert.equal(countUntilDue(early), 501);
  assert.equal(countUntilDue(new SnapshotTrigger(1000, -1, highest)), 1000);
  assert.equal(countUntilDue(new SnapshotTrigger(0, -1, highest)), 2);
});

test('a snapshot is due when the log has grown', () => {
  assert.equal(countUntilDue(new SnapshotTrigger(1e6, 1024 * 1024, lowest)), 5243);
  assert.equal(countUntilDue(new SnapshotTrigger(1e6, 1024 * 1024, highest)), 10476);
});
