import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeInitialMessage, InitialMessageReader } from './initial-message.ts';

const addresses = [
  { host: '10.0.0.1', port: 3888 },
  { host: '::1', port: 3889 },
];

function read(bytes: Uint8Array, pieceBytes = bytes.length): InitialMessageReader {
  const reader = new InitialMessageReader();
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    reader.push(bytes, at, Math.min(bytes.length, at + pieceBytes));
  }
  return reader;
}

function hex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

test('the first message has the bytes that Java writes', () => {
  assert.equal(
    Buffer.from(encodeInitialMessage(3, addresses, false)).toString('latin1'),
    `\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\x03\0\0\0\x0d10.0.0.1:3888`,
  );
  assert.equal(
    Buffer.from(encodeInitialMessage(3, addresses, true)).toString('latin1'),
    `\xff\xff\xff\xff\xff\xff\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x1810.0.0.1:3888|[::1]:3889`,
  );
});

test('it is read in pieces of any size, and no further', () => {
  const bytes = encodeInitialMessage(3, addresses, true);
  for (let pieceBytes = 1; pieceBytes <= bytes.length; pieceBytes++) {
    assert.deepEqual(read(bytes, pieceBytes).message, { sid: 3, addresses });
  }
  const reader = new InitialMessageReader();
  const followed = Buffer.concat([bytes, Buffer.from('more')]);
  assert.equal(reader.push(followed, 0, followed.length), bytes.length);
});

test('an id alone is the message of old servers; the largest is an observer without an id', () => {
  assert.deepEqual(read(hex('0000000000000007')).message, { sid: 7, addresses: [] });
  assert.deepEqual(read(hex('7fffffffffffffff')).message, { sid: null, addresses: [] });
  const observer = hex(`ffffffffffff0000 7fffffffffffffff 00000003 613a31`);
  assert.deepEqual(read(observer).message, { sid: null, addresses: [{ host: 'a', port: 1 }] });
});

test('addresses that mean every interface are left out', () => {
  const wild = ['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].map((host) => ({ host, port: 1 }));
  assert.deepEqual(read(encodeInitialMessage(1, wild, true)).message, { sid: 1, addresses: [] });
});

test('what is no first message says why', () => {
  const malformed: readonly [string, RegExp][] = [
    ['ffffffffffff0002', /its protocol version is -65534/],
    ['7ffffffffffffffe', /its id is/],
    ['ffffffffffff0000 8000000000000001 00000003 613a31', /its id is/],
    ['ffffffffffff0000 0000000000000001 00000000', /its addresses have 0 bytes/],
    ['ffffffffffff0000 0000000000000001 00000801', /its addresses have 2049 bytes/],
    ['ffffffffffff0000 0000000000000001 00000003 613a78', /an address in it is none/],
    ['ffffffffffff0000 0000000000000001 00000001 61', /an address in it is none/],
    ['ffffffffffff0000 0000000000000001 00000007 613a39393939 39', /an address in it is none/],
  ];
  for (const [bytes, reason] of malformed) assert.match(read(hex(bytes)).malformed ?? '', reason);
});
