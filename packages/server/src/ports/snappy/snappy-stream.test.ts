import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { packBlock, packedBytesMax, unpackBlock } from './snappy-block.ts';
import { SnappyStreamReader, SnappyStreamWriter } from './snappy-stream.ts';

/** What snappy-java 1.1.8.3 made of six such lines. */
const javaStream = Buffer.from(
  'glNOQVBQWQAAAAABAAAAAQAAADSSAxRoZWxsbyCmBgBIc25hcHNob3Qgb2YgYSB0cmVlCqY9AAkq/kMA/kMA/kMA/kMAekMA',
  'base64',
);
const line = 'hello hello hello hello hello hello hello hello snapshot of a tree\n';

function unpack(packed: Uint8Array): Buffer {
  let at = 0;
  const reader = new SnappyStreamReader((target) => {
    const count = Math.min(target.length, packed.length - at);
    target.set(packed.subarray(at, at + count));
    at += count;
    return count;
  });
  const pieces: Buffer[] = [];
  for (let piece = reader.next(); piece !== null; piece = reader.next()) {
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}

function pack(...pieces: Uint8Array[]): Buffer {
  const writer = new SnappyStreamWriter();
  return Buffer.concat([...pieces.flatMap((piece) => writer.write(piece)), ...writer.end()]);
}

test('SnappyStreamReader unpacks what snappy-java wrote', () => {
  assert.equal(unpack(javaStream).toString(), line.repeat(6));
});

test('SnappyStreamReader goes over a header in the middle', () => {
  assert.equal(unpack(Buffer.concat([javaStream, javaStream])).toString(), line.repeat(12));
});

test('SnappyStreamReader refuses a stream that is cut anywhere', () => {
  for (let end = 0; end < javaStream.length; end++) {
    if (end === 16) continue; // The header alone is an empty stream.
    assert.throws(() => unpack(javaStream.subarray(0, end)), { name: 'SnappyError' });
  }
});

test('SnappyStreamWriter writes the header even when there is nothing else', () => {
  assert.equal(pack().toString('hex'), '82534e41505059000000000100000001');
});

test('what SnappyStreamWriter packs, in any pieces, comes back', () => {
  const large = Buffer.alloc(100_000, 'a tree of znodes, ');
  assert.deepEqual(unpack(pack(large.subarray(0, 7), large.subarray(7))), large);
  assert.ok(pack(large).length < 10_000);
});

test('a block comes back for any bytes', () => {
  const repetitive = fc
    .array(fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(30)), { maxLength: 30 })
    .map((runs) => Buffer.concat(runs.flatMap(([bytes, n]) => Array<Uint8Array>(n).fill(bytes))));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), repetitive), (bytes) => {
      const packed = new Uint8Array(packedBytesMax(bytes.length));
      const end = packBlock(bytes, 0, bytes.length, packed, 0);
      const back = new Uint8Array(bytes.length);
      assert.equal(unpackBlock(packed.subarray(0, end), back), bytes.length);
      assert.deepEqual(Buffer.from(back), Buffer.from(bytes));
    }),
    { numRuns: 300 },
  );
});

test('a damaged block ends in a SnappyError or other bytes, never in more than its length', () => {
  const packed = new Uint8Array(packedBytesMax(line.length * 6));
  const source = Buffer.from(line.repeat(6));
  const end = packBlock(source, 0, source.length, packed, 0);
  fc.assert(
    fc.property(fc.nat(end - 1), fc.nat(255), (at, byte) => {
      const damaged = packed.slice(0, end);
      damaged[at] = byte;
      const target = new Uint8Array(source.length);
      try {
        assert.ok(unpackBlock(damaged, target) <= target.length);
      } catch (error) {
        assert.equal((error as Error).name, 'SnappyError');
      }
    }),
    { numRuns: 500 },
  );
});
