import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 as crc32OfNode, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import {
  adler32,
  crc32,
  crc32Finish,
  crc32Initial,
  crc32Update,
  crc32UpdateInt,
  crc32UpdateLong,
} from './checksums.ts';

/** zlib ends its stream with the Adler-32 of what it holds. */
function adler32OfNode(bytes: Uint8Array): number {
  return deflateSync(bytes, { level: 0 }).subarray(-4).readUInt32BE();
}

test('known values', () => {
  const bytes = new TextEncoder().encode('Wikipedia');
  assert.equal(adler32(bytes), 0x11e60398);
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.equal(adler32(new Uint8Array(0)), 1);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

test('the largest sums stay exact', () => {
  for (const length of [3839, 3840, 3841, 5552, 65521, 1_000_003]) {
    const bytes = new Uint8Array(length).fill(255);
    assert.equal(adler32(bytes), adler32OfNode(bytes));
    assert.equal(crc32(bytes), crc32OfNode(bytes));
  }
});

test('any bytes, whole and in two parts, as zlib has them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9000 }), fc.nat(), (bytes, cut) => {
      const middle = cut % (bytes.length + 1);
      assert.equal(adler32(bytes), adler32OfNode(bytes));
      assert.equal(crc32(bytes), crc32OfNode(bytes));
      const first = adler32(bytes, 0, middle);
      assert.equal(adler32(bytes, middle, bytes.length, first), adler32OfNode(bytes));
      const register = crc32Update(crc32Initial, bytes, 0, middle);
      const finished = crc32Finish(crc32Update(register, bytes, middle, bytes.length));
      assert.equal(finished, crc32OfNode(bytes));
    }),
    { numRuns: 60 },
  );
});

test('integers count as their four or eight bytes, big-endian', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.integer(), (register, value, low) => {
      const bytes = new Uint8Array(8);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, value);
      view.setInt32(4, low);
      assert.equal(crc32UpdateInt(register, value), crc32Update(register, bytes, 0, 4));
      assert.equal(crc32UpdateLong(register, value, low), crc32Update(register, bytes, 0, 8));
    }),
  );
});
