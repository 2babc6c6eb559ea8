import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeNotification, encodeNotification, type Notification } from './notification.ts';
import { noCandidate, PeerState } from './vote.ts';

const vote: Notification = {
  state: PeerState.looking,
  leader: 3,
  zxid: 0x5_0000_0007,
  electionEpoch: 9,
  peerEpoch: 5,
  version: 2,
  configText: 'server.1=a:1:2:participant\nversion=0',
};

function decode(bytes: Uint8Array): ReturnType<typeof decodeNotification> {
  return decodeNotification(bytes, 0, bytes.length);
}

function body(notification: Notification): Buffer {
  return Buffer.from(encodeNotification(notification).subarray(4));
}

test('a notification has the bytes that Java writes, its length in front', () => {
  const frame = Buffer.from(encodeNotification({ ...vote, configText: 'v' }));
  assert.equal(
    frame.toString('hex'),
    '0000002d' +
      '00000000' +
      '0000000000000003' +
      '0000000500000007' +
      '0000000000000009' +
      '0000000000000005' +
      '00000002' +
      '0000000176',
  );
});

test('what was written is read again, also for one who stands for nobody', () => {
  assert.deepEqual(decode(body(vote)), vote);
  const observer = { ...vote, leader: noCandidate, zxid: noCandidate, peerEpoch: noCandidate };
  assert.deepEqual(decode(body(observer)), observer);
  assert.equal(body(observer).subarray(4, 12).toString('hex'), '8000000000000000');
  const empty = { ...vote, zxid: -1, configText: 'größer: \u20ac' };
  assert.deepEqual(decode(body(empty)), empty);
});

test('the forms of older servers are read: 28 bytes, 40 bytes, a version without configuration', () => {
  const bytes = body(vote);
  assert.deepEqual(decode(bytes.subarray(0, 28)), { ...vote, version: 0, configText: null });
  const forty = bytes.subarray(0, 40);
  assert.deepEqual(decode(forty), { ...vote, version: 0, configText: null });
  const versionOne = Buffer.concat([forty, Buffer.from('xx')]);
  versionOne.writeInt32BE(1, 36);
  assert.deepEqual(decode(versionOne), { ...vote, version: 1, configText: null });
});

test('what is no notification says why', () => {
  const changed = (at: number, value: number): Buffer => {
    const bytes = body(vote);
    bytes.writeInt32BE(value, at);
    return bytes;
  };
  const bytes = body(vote);
  const malformed: readonly [Uint8Array, RegExp][] = [
    [bytes.subarray(0, 27), /it has 27 bytes/],
    [bytes.subarray(0, 39), /it has 39 bytes/],
    [bytes.subarray(0, 43), /its configuration has -1 bytes/],
    [bytes.subarray(0, bytes.length - 1), /its configuration has 36 bytes/],
    [changed(40, -5), /its configuration has -5 bytes/],
    [changed(40, 0x7fffffff), /its configuration has 2147483647 bytes/],
    [changed(0, 4), /its state is 4/],
    [changed(0, -1), /its state is -1/],
    [changed(4, 0x7fffffff), /a number in it is out of bounds/],
    [changed(20, 0x00100000), /its round is/],
    [changed(20, -2), /its round is/],
  ];
  for (const [message, reason] of malformed) {
    const decoded = decode(message);
    assert.ok('malformed' in decoded, reason.source);
    assert.match(decoded.malformed, reason);
  }
});

test('no bytes at all do harm', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 80 }),
      fc.integer({ min: 0, max: 3 }),
      (bytes, state) => {
        if (bytes.length > 44) bytes.set([0, 0, 0, state, 0, 0, 0, 0]);
        decode(bytes);
      },
    ),
  );
});
