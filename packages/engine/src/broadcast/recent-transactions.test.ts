import assert from 'node:assert/strict';
import test from 'node:test';
import { asZxid, makeZxid, type Zxid } from '@meerkat/protocol';
import fc from 'fast-check';
import { RecentTransactions } from './recent-transactions.ts';

/** A transaction of `length` bytes, all of them `zxid % 251`. */
function add(recent: RecentTransactions, zxid: number, length = 40): void {
  const bytes = new Uint8Array(length + 7).fill(zxid % 251);
  recent.add(bytes, 3, 3 + length, asZxid(zxid));
  bytes.fill(255);
}

function bodyOf(recent: RecentTransactions, number: number): Uint8Array {
  return recent.blockOf(number).subarray(recent.bodyStart(number), recent.bodyEnd(number));
}

test('each transaction is kept as a PROPOSAL packet', () => {
  const recent = new RecentTransactions(10, 1e6);
  recent.add(Uint8Array.of(9, 1, 2, 3, 9), 1, 4, makeZxid(5, 6));
  const packet = recent.blockOf(0).subarray(recent.packetStart(0), recent.packetEnd(0));
  assert.equal(
    Buffer.from(packet).toString('hex'),
    `00000002${'0000000500000006'}00000003010203ffffffff`,
  );
});

test('what is committed is kept up to a count, what is proposed always', () => {
  const recent = new RecentTransactions(3, 1e9);
  for (let zxid = 1; zxid <= 10; zxid++) add(recent, zxid);
  assert.equal(recent.outstandingCount, 10);
  assert.equal(recent.hasCommitted, false);
  for (let i = 0; i < 6; i++) recent.commitNext();
  assert.equal(recent.zxidOf(recent.first), 4);
  assert.equal(recent.zxidOf(recent.committedEnd - 1), 6);
  assert.equal(recent.newestZxid, 10);
  assert.equal(recent.outstandingCount, 4);
  assert.equal(recent.outstandingBytes, 4 * (16 + 40 + 4));
  recent.clear();
  assert.equal(recent.outstandingBytes, 0);
});

test('what is committed is kept up to so many bytes, but for the last', () => {
  const recent = new RecentTransactions(1000, 1000);
  for (let zxid = 1; zxid <= 5; zxid++) {
    add(recent, zxid, 480);
    recent.commitNext();
  }
  assert.equal(recent.end - recent.first, 2);
  add(recent, 6, 5000);
  recent.commitNext();
  assert.equal(recent.end - recent.first, 1);
  assert.equal(recent.zxidOf(recent.first), 6);
});

test('a ring that grows holds what it held, wherever it had begun', () => {
  const recent = new RecentTransactions(900, 1e9);
  let zxid = 0;
  for (; zxid < 1500; ) {
    add(recent, ++zxid);
    recent.commitNext();
  }
  for (; zxid < 6000; ) add(recent, ++zxid);
  for (let number = recent.first; number < recent.end; number++) {
    const each = recent.zxidOf(number);
    assert.equal(each, number + 1);
    assert.equal(bodyOf(recent, number)[20], each % 251);
  }
});

test('a transaction as long as a block, or longer, has a block of its own', () => {
  const recent = new RecentTransactions(10, 1e9);
  for (const [zxid, length] of [100, 300_000, 262_124, 262_125, 100].entries()) {
    add(recent, zxid + 1, length);
  }
  const lengths = [0, 1, 2, 3, 4].map((number) => bodyOf(recent, number).length);
  assert.deepEqual(lengths, [100, 300_000, 262_124, 262_125, 100]);
  for (let number = 0; number < 5; number++) {
    assert.ok(bodyOf(recent, number).every((byte) => byte === number + 1));
  }
});

test('bytes that were asked for stay what they were, whatever is added', () => {
  const recent = new RecentTransactions(2, 1e9);
  add(recent, 1);
  const body = bodyOf(recent, 0);
  for (let zxid = 2; zxid < 20_000; zxid++) {
    add(recent, zxid);
    recent.commitNext();
  }
  assert.ok(body.every((byte) => byte === 1));
});

test('a hole is refused, the beginning of a later epoch is none', () => {
  const recent = new RecentTransactions(10, 1e9);
  add(recent, makeZxid(1, 5));
  assert.equal(recent.mayFollow(makeZxid(1, 6)), true);
  assert.equal(recent.mayFollow(makeZxid(1, 7)), false);
  assert.equal(recent.mayFollow(makeZxid(1, 5)), false);
  assert.equal(recent.mayFollow(makeZxid(4, 1)), true);
  assert.equal(recent.mayFollow(makeZxid(2, 2)), false);
  assert.throws(() => add(recent, makeZxid(1, 7)), /follows the one before/);
});

test('a zxid is found, or the first behind it', () => {
  const recent = new RecentTransactions(100, 1e9);
  const zxids: readonly Zxid[] = [makeZxid(1, 8), makeZxid(1, 9), makeZxid(3, 1), makeZxid(3, 2)];
  for (const zxid of zxids) add(recent, zxid);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: 0, max: 12 }),
      (epoch, counter) => {
        const zxid = makeZxid(epoch, counter);
        const expected = zxids.filter((each) => each < zxid).length;
        assert.equal(recent.numberFrom(zxid), expected);
        assert.equal(recent.has(zxid), zxids.includes(zxid));
      },
    ),
  );
});

test('what was cleared is forgotten, and anything may follow', () => {
  const recent = new RecentTransactions(10, 1e9);
  for (let zxid = 1; zxid < 2000; zxid++) add(recent, zxid);
  recent.clear();
  assert.equal(recent.newestZxid, -1);
  assert.equal(recent.outstandingCount, 0);
  add(recent, makeZxid(7, 7));
  recent.commitNext();
  assert.equal(recent.zxidOf(recent.first), makeZxid(7, 7));
  assert.equal(recent.text, '0x700000007 to 0x700000007');
});
