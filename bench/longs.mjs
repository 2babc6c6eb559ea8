// What a 64-bit number costs as a BigInt, as a double, and as two 32-bit halves: node bench/longs.mjs.
// Each form decodes a million numbers from bytes, compares each with the one before, and encodes it again.
import { performance } from 'node:perf_hooks';

const count = 1_000_000;
const source = new DataView(new ArrayBuffer(count * 8));
const target = new DataView(new ArrayBuffer(count * 8));
for (let i = 0; i < count; i++) {
  source.setInt32(i * 8, i >>> 10);
  source.setInt32(i * 8 + 4, Math.imul(i, 0x9e3779b1));
}

/** @type {readonly [string, () => number][]} */
const forms = [
  ['BigInt', withBigInt],
  ['double', withDouble],
  ['two int32', withHalves],
];

for (const [name, work] of forms) {
  /** @type {number[]} */
  const times = [];
  let growth = 0;
  for (let round = 0; round < 15; round++) {
    growth = 0;
    const startMs = performance.now();
    growth += work();
    times.push(performance.now() - startMs);
  }
  const medianMs = times.sort((a, b) => a - b)[7] ?? 0;
  console.log(
    `${name}: ${((medianMs / count) * 1e6).toFixed(1)} ns per number (${growth} greater than the one before)`,
  );
}

function withBigInt() {
  let growth = 0;
  let before = -1n;
  for (let at = 0; at < count * 8; at += 8) {
    const value = source.getBigInt64(at);
    if (value > before) growth++;
    before = value;
    target.setBigInt64(at, value);
  }
  return growth;
}

function withDouble() {
  let growth = 0;
  let before = -1;
  for (let at = 0; at < count * 8; at += 8) {
    const value = source.getInt32(at) * 4294967296 + source.getUint32(at + 4);
    if (!Number.isSafeInteger(value)) throw new RangeError(`beyond 2^53: ${value}`);
    if (value > before) growth++;
    before = value;
    target.setInt32(at, Math.floor(value / 4294967296));
    target.setInt32(at + 4, value | 0);
  }
  return growth;
}

function withHalves() {
  let growth = 0;
  let beforeHi = -1;
  let beforeLo = -1;
  for (let at = 0; at < count * 8; at += 8) {
    const hi = source.getInt32(at);
    const lo = source.getInt32(at + 4);
    if (hi > beforeHi || (hi === beforeHi && lo >>> 0 > beforeLo >>> 0)) growth++;
    beforeHi = hi;
    beforeLo = lo;
    target.setInt32(at, hi);
    target.setInt32(at + 4, lo);
  }
  return growth;
}
