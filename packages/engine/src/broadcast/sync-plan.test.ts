import assert from 'node:assert/strict';
import test from 'node:test';
import { asZxid, makeZxid } from '@meerkat/protocol';
import { RecentTransactions } from './recent-transactions.ts';
import { planSync } from './sync-plan.ts';

const z = makeZxid;
const body = new Uint8Array(40);

/** Transactions in memory, the last `proposed` of them not committed. */
function recentOf(zxids: readonly number[], proposed = 0): RecentTransactions {
  const recent = new RecentTransactions(500, 1e9);
  for (const zxid of zxids) recent.add(body, 0, body.length, asZxid(zxid));
  for (let i = 0; i < zxids.length - proposed; i++) recent.commitNext();
  return recent;
}

/** The plan in short: what is told first, its zxid, and which of the transactions in memory follow. */
function plan(
  peer: number,
  recent: RecentTransactions,
  options: { lastProcessed?: number; isOnDisk?: boolean } = {},
): string {
  const last = recent.hasCommitted ? recent.zxidOf(recent.committedEnd - 1) : 0;
  const lastProcessed = asZxid(options.lastProcessed ?? last);
  const { kind, zxid, from, disk } = planSync(
    asZxid(peer),
    lastProcessed,
    recent,
    () => options.isOnDisk ?? false,
  );
  const next = from === recent.end ? 'nothing' : recent.zxidOf(from).toString(16);
  return `${kind} ${zxid.toString(16)}, ${disk ? 'the logs, ' : ''}then ${next}`;
}

const epochTwo = recentOf([z(2, 1), z(2, 2), z(2, 3), z(2, 4)]);

test('who stands where the leader stands gets an empty difference', () => {
  assert.equal(plan(z(2, 4), epochTwo), 'DIFF 200000004, then nothing');
  // The beginning of the leader's own epoch, where it stands before its first transaction.
  assert.equal(plan(z(3, 0), epochTwo, { lastProcessed: z(3, 0) }), 'DIFF 300000000, then nothing');
  assert.equal(plan(0, recentOf([]), { lastProcessed: 0 }), 'DIFF 0, then nothing');
});

test('what is only proposed follows, whatever else is sent', () => {
  const recent = recentOf([z(2, 1), z(2, 2), z(2, 3)], 1);
  assert.equal(plan(z(2, 2), recent), 'DIFF 200000002, then 200000003');
  assert.equal(plan(z(2, 1), recent), 'DIFF 200000002, then 200000002');
  assert.equal(plan(z(1, 7), recent), 'SNAP 200000002, then 200000003');
  // Not committed, so the learner's own may be another leader's: it is cut off and sent again.
  assert.equal(plan(z(2, 3), recent), 'TRUNC 200000002, then 200000003');
});

test('who is ahead of all that is committed is cut back', () => {
  assert.equal(plan(z(2, 9), epochTwo), 'TRUNC 200000004, then nothing');
  assert.equal(plan(z(3, 9), epochTwo), 'TRUNC 200000004, then nothing');
});

test('who stands at the beginning of a later epoch is not cut back: no log has it', () => {
  assert.equal(plan(z(3, 0), epochTwo), 'SNAP 200000004, then nothing');
});

test('who is within what memory holds gets what follows', () => {
  assert.equal(plan(z(2, 1), epochTwo), 'DIFF 200000004, then 200000002');
  assert.equal(plan(z(2, 3), epochTwo), 'DIFF 200000004, then 200000004');
});

test('who stands at the beginning of an epoch has all before it', () => {
  const recent = recentOf([z(1, 8), z(1, 9), z(3, 1), z(3, 2)]);
  assert.equal(plan(z(3, 0), recent), 'DIFF 300000002, then 300000001');
  assert.equal(plan(z(2, 0), recent), 'DIFF 300000002, then 300000001');
});

test('who has a transaction of an earlier epoch that nobody else has gets everything: no cut goes across epochs', () => {
  const recent = recentOf([z(1, 1), z(1, 2), z(1, 3), z(2, 1)]);
  assert.equal(plan(z(1, 4), recent), 'SNAP 200000001, then nothing');
});

test('who stands at the beginning of the epoch that memory begins with is behind it', () => {
  assert.equal(plan(z(2, 0), epochTwo), 'SNAP 200000004, then nothing');
  assert.equal(
    plan(z(2, 0), epochTwo, { isOnDisk: true }),
    'DIFF 200000004, the logs, then 200000001',
  );
});

test('who is behind what memory holds gets the logs if they go on from there, else everything', () => {
  assert.equal(plan(z(1, 9), epochTwo), 'SNAP 200000004, then nothing');
  assert.equal(
    plan(z(1, 9), epochTwo, { isOnDisk: true }),
    'DIFF 200000004, the logs, then 200000001',
  );
  assert.equal(plan(0, epochTwo, { isOnDisk: true }), 'DIFF 200000004, the logs, then 200000001');
});

test('the logs are looked at only when nothing in memory will do', () => {
  const refuse = (): boolean => assert.fail('the logs were looked at');
  for (const peer of [z(2, 1), z(2, 4), z(2, 9), z(3, 0), -1]) {
    planSync(asZxid(peer), z(2, 4), epochTwo, refuse);
  }
});

test('who has no database gets everything, even from a leader that has nothing yet', () => {
  assert.equal(plan(-1, epochTwo, { isOnDisk: true }), 'SNAP 200000004, then nothing');
  assert.equal(plan(-1, recentOf([]), { lastProcessed: 0 }), 'SNAP 0, then nothing');
  assert.equal(plan(-7, recentOf([])), 'SNAP 0, then nothing');
});

test('a leader with nothing in memory sends everything to whoever is not where it is', () => {
  const options = { lastProcessed: z(2, 4) };
  assert.equal(plan(z(2, 3), recentOf([]), options), 'SNAP 200000004, then nothing');
  // Java cuts here; the state as a whole is as right, and needs nothing of the learner's log.
  assert.equal(plan(z(2, 9), recentOf([]), options), 'SNAP 200000004, then nothing');
});
