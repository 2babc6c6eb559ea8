import assert from 'node:assert/strict';
import test from 'node:test';
import { digestHashOf } from './digest-hash.ts';

function hashed(algorithm: string): string | undefined {
  const bytes = digestHashOf(algorithm)?.(Buffer.from('super:test'));
  return bytes && Buffer.from(bytes).toString('base64');
}

test('digestHashOf() knows hashes by their Java names', () => {
  assert.equal(hashed('SHA1'), 'D/InIHSb7yEEbrWz8b9l71RjZJU=');
  assert.equal(hashed('SHA-1'), hashed('SHA1'));
  assert.equal(digestHashOf('SHA-256')?.(Buffer.from('')).length, 32);
  assert.equal(digestHashOf('SHA3-512')?.(Buffer.from('')).length, 64);
  assert.equal(digestHashOf('MD5')?.(Buffer.from('')).length, 16);
  assert.equal(digestHashOf('CRC32'), null);
});
