/**
 * The two checksums of ZooKeeper's files, as table-driven loops over plain bytes: Adler-32 (log
 * records and snapshots, `java.util.zip.Adler32`) and CRC-32 (the digest of the tree,
 * `java.util.zip.CRC32`). Owns no state; both can be continued over parts of a message.
 */

const adlerModulus = 65521;

/**
 * Bytes that can be summed before the modulus has to be taken so that the second sum stays below
 * 2^31, where V8 keeps it a small integer: 255 n (n + 1) / 2 + (n + 1) 65520 < 2^31. A multiple of 8.
 */
const adlerRunBytes = 3840;

/** What Adler-32 of no bytes is: the seed to begin with. */
export const adler32Seed = 1;

/**
 * Adler-32 of `bytes[start, end)`, as an unsigned 32-bit number.
 *
 * @param seed the checksum of what came before, to go on from
 */
export function adler32(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  seed: number = adler32Seed,
): number {
  let low = seed & 0xffff;
  let high = (seed >>> 16) & 0xffff;
  let at = start;
  while (at < end) {
    const runEnd = Math.min(end, at + adlerRunBytes);
    for (const wide = runEnd - 7; at < wide; at += 8) {
      const b0 = bytes[at] as number;
      const b1 = bytes[at + 1] as number;
      const b2 = bytes[at + 2] as number;
      const b3 = bytes[at + 3] as number;
      const b4 = bytes[at + 4] as number;
      const b5 = bytes[at + 5] as number;
      const b6 = bytes[at + 6] as number;
      const b7 = bytes[at + 7] as number;
      // Each byte counts once for every place that follows it in the eight: short dependency chains.
      high += 8 * (low + b0) + 7 * b1 + 6 * b2 + 5 * b3 + 4 * b4 + 3 * b5 + 2 * b6 + b7;
      low += b0 + b1 + b2 + b3 + b4 + b5 + b6 + b7;
    }
    for (; at < runEnd; at++) {
      low += bytes[at] as number;
      high += low;
    }
    low %= adlerModulus;
    high %= adlerModulus;
  }
  return ((high << 16) | low) >>> 0;
}

/** The register of CRC-32 before the first byte. */
export const crc32Initial = -1;

/**
 * Feeds `bytes[start, end)` to a CRC-32 register and returns it, a signed 32-bit number. Begin with
 * `crc32Initial`, end with `crc32Finish`; between them a register can be kept and continued.
 */
export function crc32Update(
  register: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let crc = register;
  let at = start;
  for (const wide = end - 7; at < wide; at += 8) {
    crc ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    crc =
      (crcTable[1792 + (crc & 0xff)] as number) ^
      (crcTable[1536 + ((crc >>> 8) & 0xff)] as number) ^
      (crcTable[1280 + ((crc >>> 16) & 0xff)] as number) ^
      (crcTable[1024 + (crc >>> 24)] as number) ^
      (crcTable[768 + (bytes[at + 4] as number)] as number) ^
      (crcTable[512 + (bytes[at + 5] as number)] as number) ^
      (crcTable[256 + (bytes[at + 6] as number)] as number) ^
      (crcTable[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return crc;
}

/** Feeds the four bytes of a 32-bit integer, big-endian, to a CRC-32 register and returns it. */
export function crc32UpdateInt(register: number, value: number): number {
  return (
    (crcTable[768 + ((register ^ (value >>> 24)) & 0xff)] as number) ^
    (crcTable[512 + (((register >>> 8) ^ (value >>> 16)) & 0xff)] as number) ^
    (crcTable[256 + (((register >>> 16) ^ (value >>> 8)) & 0xff)] as number) ^
    (crcTable[((register >>> 24) ^ value) & 0xff] as number)
  );
}

/** Feeds the eight bytes of a 64-bit integer in two halves, big-endian, to a CRC-32 register. */
export function crc32UpdateLong(register: number, hi: number, lo: number): number {
  return (
    (crcTable[1792 + ((register ^ (hi >>> 24)) & 0xff)] as number) ^
    (crcTable[1536 + (((register >>> 8) ^ (hi >>> 16)) & 0xff)] as number) ^
    (crcTable[1280 + (((register >>> 16) ^ (hi >>> 8)) & 0xff)] as number) ^
    (crcTable[1024 + (((register >>> 24) ^ hi) & 0xff)] as number) ^
    (crcTable[768 + (lo >>> 24)] as number) ^
    (crcTable[512 + ((lo >>> 16) & 0xff)] as number) ^
    (crcTable[256 + ((lo >>> 8) & 0xff)] as number) ^
    (crcTable[lo & 0xff] as number)
  );
}

/** The CRC-32 that a register stands for, as an unsigned 32-bit number. */
export function crc32Finish(register: number): number {
  return ~register >>> 0;
}

/** CRC-32 of `bytes[start, end)`, as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  return crc32Finish(crc32Update(crc32Initial, bytes, start, end));
}

/**
 * Eight tables of 256: table k holds the register after a byte and k zero bytes, so that eight
 * bytes cost eight look-ups that do not wait for each other.
 */
const crcTable: Int32Array = makeCrcTable();

function makeCrcTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256] as number;
    table[at] = (before >>> 8) ^ (table[before & 0xff] as number);
  }
  return table;
}
