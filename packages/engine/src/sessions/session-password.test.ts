import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSessionPassword, passwordBytes, writeSessionPassword } from './session-password.ts';

/** Session ids and passwords as `java.util.Random` of OpenJDK 17 makes them. */
const pairs = [
  ['0000000000000001', '054cc74a37327db215e702e20c73f005'],
  ['0100000000000000', 'f22acd4a97e69d6d20a49bb638eadb38'],
  ['1000195d5a2b0000', '571272b6982ad5518d7e2818a1d88e30'],
  ['01019a8b2c3d0001', 'ac75ab3452f8027e9482d8c41fc2abff'],
  ['ffffffffffffffff', '20f62cb5648dc2d771471c8a2486a9ee'],
  ['8000000000000001', '054cc74a37327db215e702e20c73f005'],
  ['7fffffffffffffff', '20f62cb5648dc2d771471c8a2486a9ee'],
  ['ff00000000000000', 'f22acd4a97e69d6d20a49bb638eadb38'],
  ['00000000b3415c00', '60b420bb3851d9d47acb933dbe70399b'],
  ['00000000b3415c01', '73d51abbd89cb8196f0efb6892f94d68'],
  ['0fffffffffffffff', '20f62cb5648dc2d771471c8a2486a9ee'],
  ['123456789abcdef0', '88b9f5cf1eb77589c42b0fe23e96263d'],
  ['0000000080000000', 'f2aa03be9766d2722024f618386a6468'],
  ['000000007fffffff', '2076a528640d114571c7889b2406dcd4'],
  ['fedcba9876543210', '1b53de74bbdff3fd1dc6e32479791d61'],
] as const;

function idOf(hex: string): [number, number] {
  return [Number.parseInt(hex.slice(0, 8), 16) | 0, Number.parseInt(hex.slice(8), 16) | 0];
}

test("passwords are bit for bit those of Java's generator", () => {
  for (const [id, password] of pairs) {
    const bytes = new Uint8Array(passwordBytes + 2);
    writeSessionPassword(...idOf(id), bytes, 1);
    assert.equal(Buffer.from(bytes.subarray(1, 17)).toString('hex'), password, id);
    assert.equal(bytes[0], 0);
    assert.equal(bytes[17], 0);
  }
});

test('a password is accepted for its session, as a whole, and for no other', () => {
  for (const [id, password] of pairs) {
    const bytes = Uint8Array.from(Buffer.from(password, 'hex'));
    assert.ok(isSessionPassword(...idOf(id), bytes), id);
    for (let at = 0; at < bytes.length; at++) {
      const wrong = bytes.slice();
      wrong[at] = (wrong[at] as number) ^ 1;
      assert.ok(!isSessionPassword(...idOf(id), wrong), id);
    }
    assert.ok(!isSessionPassword(...idOf(id), bytes.subarray(0, 15)));
    assert.ok(!isSessionPassword(...idOf(id), null));
  }
});

test('session 0 has no password', () => {
  const bytes = new Uint8Array(passwordBytes);
  writeSessionPassword(0, 0, bytes, 0);
  assert.ok(!isSessionPassword(0, 0, bytes));
});
