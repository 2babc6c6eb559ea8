/**
 * One raw Snappy block (google/snappy, format_description.txt): the unpacked length as a varint,
 * then literals and back references.
 *
 * ```
 * varint length | element*
 * element  00 literal        tag = (n-1)<<2, or 60..63<<2 and n-1 in 1..4 bytes, then n bytes
 *          01 copy, 4..11    tag = (offset>>8)<<5 | (n-4)<<2 | 1, offset&0xff
 *          10 copy, 1..64    tag = (n-1)<<2 | 2, offset as 2 bytes LE
 *          11 copy, 1..64    tag = (n-1)<<2 | 3, offset as 4 bytes LE
 * ```
 */

/** The bytes are no Snappy block. */
export class SnappyError extends Error {
  override readonly name: string = 'SnappyError';
  readonly code: string = 'ERR_SNAPPY';
}

const hashBits = 14;
/** Position + 1 of the last place where four bytes with this hash stood; 0 is none. */
const lastSeen = new Int32Array(1 << hashBits);

/** How many bytes a block of `length` may take packed, at worst. */
export function packedBytesMax(length: number): number {
  return 32 + length + Math.ceil(length / 6);
}

/**
 * Packs `source[start, end)`, at most 64 KB, into `target`.
 *
 * @returns where the block ends in `target`
 */
export function packBlock(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  targetStart: number,
): number {
  let out = writeVarint(end - start, target, targetStart);
  lastSeen.fill(0);
  let literalStart = start;
  let at = start;
  // The further a search goes without a match, the longer its steps: random data costs little.
  let step = 32;
  while (at + 4 <= end) {
    const word = fourBytes(source, at);
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - hashBits);
    const candidate = (lastSeen[hash] ?? 0) - 1 + start;
    const known = candidate >= start && fourBytes(source, candidate) === word;
    lastSeen[hash] = at - start + 1;
    if (!known) {
      at += step++ >>> 5;
      continue;
    }
    let matched = 4;
    while (at + matched < end && source[candidate + matched] === source[at + matched]) matched++;
    out = writeLiteral(source, literalStart, at, target, out);
    out = writeCopies(at - candidate, matched, target, out);
    at += matched;
    literalStart = at;
    step = 32;
  }
  return writeLiteral(source, literalStart, end, target, out);
}

/**
 * The length that a block unpacks to.
 *
 * @throws SnappyError when it does not start with a length
 */
export function unpackedLength(block: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new SnappyError('Cannot unpack a Snappy block: it does not start with its length');
}

/**
 * Unpacks a whole block into `target`, which holds at least `unpackedLength(block)`.
 *
 * @returns the number of bytes unpacked
 * @throws SnappyError when the block is damaged
 */
export function unpackBlock(block: Uint8Array, target: Uint8Array): number {
  const length = unpackedLength(block);
  if (target.length < length) throw new SnappyError('Cannot unpack a Snappy block: no room for it');
  let at = 1;
  while ((block[at - 1] ?? 0) >= 0x80) at++;
  let out = 0;
  while (at < block.length) {
    const tag = block[at++] ?? 0;
    if ((tag & 3) === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const bytes = count - 59;
        count = littleEndian(block, at, bytes);
        at += bytes;
      }
      count += 1;
      if (count > length - out || count > block.length - at) throw damaged(at);
      target.set(block.subarray(at, at + count), out);
      at += count;
      out += count;
      continue;
    }
    const kind = tag & 3;
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offsetBytes = kind === 3 ? 4 : kind;
    let offset = littleEndian(block, at, offsetBytes);
    if (kind === 1) offset += (tag >>> 5) << 8;
    at += offsetBytes;
    if (offset === 0 || offset > out || count > length - out) throw damaged(at);
    copyBack(target, out, offset, count);
    out += count;
  }
  if (out !== length) throw damaged(at);
  return out;
}

function copyBack(target: Uint8Array, out: number, offset: number, count: number): void {
  if (offset >= count) {
    target.copyWithin(out, out - offset, out - offset + count);
    return;
  }
  // Overlapping on purpose: the bytes just written are the next ones to read.
  for (let i = out; i < out + count; i++) target[i] = target[i - offset] ?? 0;
}

function littleEndian(block: Uint8Array, at: number, bytes: number): number {
  if (at + bytes > block.length) throw damaged(at);
  let value = 0;
  for (let i = 0; i < bytes; i++) value += (block[at + i] ?? 0) * 2 ** (8 * i);
  return value;
}

function damaged(at: number): SnappyError {
  return new SnappyError(`Cannot unpack a Snappy block: it is damaged at byte ${at}`);
}

function fourBytes(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function writeVarint(value: number, target: Uint8Array, at: number): number {
  let out = at;
  let rest = value;
  while (rest >= 0x80) {
    target[out++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[out++] = rest;
  return out;
}

function writeLiteral(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): number {
  const count = end - start;
  if (count === 0) return at;
  let out = at;
  const length = count - 1;
  if (length < 60) {
    target[out++] = length << 2;
  } else if (length < 0x100) {
    target[out++] = 60 << 2;
    target[out++] = length;
  } else {
    target[out++] = 61 << 2;
    target[out++] = length & 0xff;
    target[out++] = length >>> 8;
  }
  target.set(source.subarray(start, end), out);
  return out + count;
}

/** A match as copies of at most 64 bytes each, none shorter than the four that a copy may have. */
function writeCopies(offset: number, length: number, target: Uint8Array, at: number): number {
  let out = at;
  let rest = length;
  while (rest >= 68) {
    out = writeCopy(offset, 64, target, out);
    rest -= 64;
  }
  if (rest > 64) {
    out = writeCopy(offset, 60, target, out);
    rest -= 60;
  }
  return writeCopy(offset, rest, target, out);
}

function writeCopy(offset: number, count: number, target: Uint8Array, at: number): number {
  if (count < 12 && offset < 2048) {
    target[at] = ((offset >>> 8) << 5) | ((count - 4) << 2) | 1;
    target[at + 1] = offset & 0xff;
    return at + 2;
  }
  target[at] = ((count - 1) << 2) | 2;
  target[at + 1] = offset & 0xff;
  target[at + 2] = offset >>> 8;
  return at + 3;
}
