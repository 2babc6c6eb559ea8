import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteError, JuteWriter, OpCode, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { ObserverRequests } from './observer-requests.ts';
import { PacketType, type ReceivedPacket } from './quorum-packet.ts';

/** A REQUEST; `size` is what it says to be long. */
function request(
  type: number,
  options: { xid?: number; size?: number; sessionHi?: number } = {},
): ReceivedPacket {
  const writer = new JuteWriter(64);
  writer.writeInt(options.sessionHi ?? 1);
  writer.writeInt(2);
  writer.writeInt(options.xid ?? 1);
  writer.writeInt(type);
  const dataEnd = writer.length;
  writer.writeInt(-1);
  return {
    type: PacketType.request,
    zxid: -1 as Zxid,
    bytes: writer.toBytes(),
    dataStart: 0,
    dataEnd,
    authStart: dataEnd,
    end: options.size ?? writer.length,
  };
}

test('what the leader would hang up on is not passed on', () => {
  const requests = new ObserverRequests(true);
  assert.match(requests.take(request(99), 0) ?? '', /operation with code 99/);
  assert.match(requests.take(request(OpCode.getData), 0) ?? '', /operation with code 4/);
  const extended = request(OpCode.createSession, { sessionHi: 0xff << 24 });
  assert.match(requests.take(extended, 0) ?? '', /extended type/);
  assert.equal(new ObserverRequests(false).take(extended, 0), null);
  const ids = request(OpCode.create);
  ids.bytes[19] = 1;
  assert.throws(() => requests.take(ids, 0), JuteError);
  assert.equal(requests.bytes, 0);
});

test('writes count until they are committed, and at the bound no more are passed on', () => {
  const requests = new ObserverRequests(false);
  const size = ensembleLimits.forwardedBytesMax / 2;
  for (let xid = 1; xid <= 3; xid++) {
    assert.equal(requests.take(request(OpCode.setData, { xid, size }), 0), null);
  }
  assert.match(
    requests.take(request(OpCode.setData), 0) ?? '',
    /bytes of observers are not committed/,
  );
  // Somebody else's, and one that is not the oldest, change nothing.
  requests.committed(1, 2, 2);
  requests.committed(7, 2, 1);
  assert.equal(requests.bytes, 3 * size);
  requests.committed(1, 2, 1);
  assert.equal(requests.bytes, 2 * size);
  assert.equal(requests.take(request(OpCode.setData, { xid: 4 }), 0), null);
  for (let xid = 2; xid <= 4; xid++) requests.committed(1, 2, xid);
  assert.equal(requests.bytes, 0);
});

test('thousands of writes, one after the other, leave nothing behind', () => {
  const requests = new ObserverRequests(false);
  for (let xid = 0; xid < 5000; xid++) {
    requests.take(request(OpCode.create, { xid }), 0);
    if (xid >= 10) requests.committed(1, 2, xid - 10);
  }
  for (let xid = 4990; xid < 5000; xid++) requests.committed(1, 2, xid);
  assert.equal(requests.bytes, 0);
});

test('syncs are passed on while not too many are under way', () => {
  const requests = new ObserverRequests(false);
  const { forwardedQuestionsMax } = ensembleLimits;
  assert.equal(requests.take(request(OpCode.sync), forwardedQuestionsMax - 1), null);
  assert.match(
    requests.take(request(OpCode.sync), forwardedQuestionsMax) ?? '',
    /questions are under way/,
  );
});
