import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BlockRef, blockBytesFor, noBlock, Slab, sharedBytesMax } from './slab.ts';

interface Held {
  readonly block: BlockRef;
  readonly bytes: number;
  readonly mark: number;
}

function fill(slab: Slab, { block, bytes, mark }: Held): void {
  const at = slab.offsetOf(block);
  slab.arrayOf(block).fill(mark, at, at + bytes);
}

function assertFilled(slab: Slab, { block, bytes, mark }: Held): void {
  const at = slab.offsetOf(block);
  const array = slab.arrayOf(block);
  assert(at + bytes <= array.length, 'a block lies in its array');
  for (let i = at; i < at + bytes; i++) assert.equal(array[i], mark);
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 300 }) },
  { weight: 2, arbitrary: fc.nat({ max: sharedBytesMax }) },
  { weight: 1, arbitrary: fc.nat({ max: 100_000 }) },
);

test('blocks never overlap, whatever is taken and given back', () => {
  const steps = fc.array(fc.tuple(size, fc.nat(), fc.boolean()), { maxLength: 300 });
  fc.assert(
    fc.property(steps, (all) => {
      const slab = new Slab();
      const held: Held[] = [];
      for (const [i, [bytes, pick, isRelease]] of all.entries()) {
        if (isRelease && held.length > 0) {
          const [released] = held.splice(pick % held.length, 1) as [Held];
          assertFilled(slab, released);
          slab.release(released.block, released.bytes);
        } else {
          const taken = { block: slab.allocate(bytes), bytes, mark: i & 0xff };
          assert.equal(taken.block === noBlock, bytes === 0);
          fill(slab, taken);
          held.push(taken);
        }
      }
      for (const block of held) assertFilled(slab, block);
      const bytesOf = (bytes: number) => (bytes > sharedBytesMax ? bytes : blockBytesFor(bytes));
      assert.equal(
        slab.usedBytes,
        held.reduce((sum, { bytes }) => sum + bytesOf(bytes), 0),
      );
      for (const { block, bytes } of held) slab.release(block, bytes);
      assert.equal(slab.usedBytes, 0);
    }),
    { numRuns: 100 },
  );
});

test('a class wastes at most 15 bytes up to 256, an eighth beyond', () => {
  for (let bytes = 1; bytes <= sharedBytesMax; bytes++) {
    const block = blockBytesFor(bytes);
    assert(block >= bytes && block % 16 === 0, `${bytes}`);
    assert(block - bytes <= (bytes <= 256 ? 15 : Math.ceil(bytes / 8)), `${bytes} takes ${block}`);
  }
});

test('what one size gave back serves every other size', () => {
  const slab = new Slab();
  let reserved = 0;
  for (const bytes of [100, 16, 5000, 240, 16_384, 1000]) {
    const blocks = Array.from({ length: Math.floor((8 << 20) / blockBytesFor(bytes)) }, () =>
      slab.allocate(bytes),
    );
    if (reserved === 0) reserved = slab.reservedBytes;
    assert(slab.reservedBytes <= reserved * 1.2, `${bytes}: ${slab.reservedBytes} of ${reserved}`);
    for (const block of blocks) slab.release(block, bytes);
    assert.equal(slab.usedBytes, 0);
  }
});

test('blocks that come and go take no more memory', () => {
  const slab = new Slab();
  const held = Array.from({ length: 20_000 }, (_, i) => ({
    block: slab.allocate(50 + (i % 100)),
    bytes: 50 + (i % 100),
  }));
  const reserved = slab.reservedBytes;
  let next = 1;
  for (let round = 0; round < 200_000; round++) {
    next = (Math.imul(next, 1103515245) + 12345) >>> 0;
    const entry = held[next % held.length] as { block: BlockRef; bytes: number };
    slab.release(entry.block, entry.bytes);
    entry.bytes = 50 + (next % 100);
    entry.block = slab.allocate(entry.bytes);
  }
  assert(slab.reservedBytes <= reserved * 1.5, `${slab.reservedBytes} of ${reserved}`);
});

test('a block is refused in the wrong size, and twice', () => {
  const slab = new Slab();
  const block = slab.allocate(100);
  assert.throws(() => slab.release(block, 200), /released with its size/);
  slab.release(block, 100);
  assert.throws(() => slab.release(block, 100), /page in use/);
  assert.throws(() => slab.allocate(-1), /no negative size/);
});
