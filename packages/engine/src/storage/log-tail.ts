import { assert } from '@meerkat/protocol';
import { adler32 } from '../checksums.ts';
import type { Disk } from '../ports.ts';
import { isZero } from './log-file-reader.ts';
import { bodyBytesMin, recordEnd, recordHeadBytes } from './log-format.ts';

/**
 * What follows the last good record of the newest log file:
 *
 * | verdict | meaning |
 * |---|---|
 * | `clean` | nothing but zeros, or nothing |
 * | `torn` | the remains of a group that was being written when the machine stopped |
 * | `damaged` | records that were once durable have become unreadable |
 */
export type TailVerdict = 'clean' | 'torn' | 'damaged';

/** What follows the last good record. */
export interface LogTail {
  readonly verdict: TailVerdict;
  /** Bytes up to the last one that is not zero. */
  readonly usedBytes: number;
}

/** Disks write a sector as a whole or not at all. */
const sectorBytes = 512;

/**
 * Tells a torn tail from damage. A group goes to disk in one write, so a crash leaves any of its
 * sectors written and any not; and log files are never reused, so what was not written reads as
 * zeros. Torn is therefore what lacks its end, or has a sector of zeros in it. Bytes that are
 * whole and wrong have been changed after they were written: that is damage, and so is a good record
 * farther behind than one group reaches.
 *
 * @param offset where the first bad record begins
 * @param whole whether that record is all there, up to its last byte
 * @param tearBytesMax how far unsynced writes can reach, besides a single record that is longer
 */
export function judgeTail(
  disk: Disk,
  path: string,
  offset: number,
  whole: boolean,
  tearBytesMax: number,
): LogTail {
  const restBytes = disk.sizeBytes(path) - offset;
  const reachBytes = tearBytesMax + claimedBytes(disk, path, offset, restBytes);
  const bytes = disk.readRange(path, offset, Math.min(restBytes, 2 * reachBytes));
  const usedBytes = lengthUsed(bytes);
  if (usedBytes === 0) return { verdict: 'clean', usedBytes };
  const next = findRecord(bytes, 1);
  if (next > reachBytes) return { verdict: 'damaged', usedBytes };
  if (next < 0 && !whole) return { verdict: 'torn', usedBytes };
  const torn = hasZeroSector(bytes, offset, next < 0 ? usedBytes : next);
  return { verdict: torn ? 'torn' : 'damaged', usedBytes };
}

/** Where a whole good record begins in `bytes` at or after `from`; -1 when there is none. */
export function findRecord(bytes: Uint8Array, from: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = bytes.length - recordHeadBytes - bodyBytesMin - 1;
  for (let at = from; at <= last; at++) {
    if (bytes[at] !== 0 || view.getInt32(at) !== 0) continue;
    const length = view.getInt32(at + 8);
    const end = at + recordHeadBytes + length;
    if (length < bodyBytesMin || end >= bytes.length || bytes[end] !== recordEnd) continue;
    if (adler32(bytes, at + recordHeadBytes, end) === view.getUint32(at + 4)) return at;
  }
  return -1;
}

/** The length that a record claims, if the file could hold it; else 0. */
function claimedBytes(disk: Disk, path: string, offset: number, restBytes: number): number {
  const head = disk.readRange(path, offset, recordHeadBytes);
  if (head.length < recordHeadBytes) return 0;
  const length = new DataView(head.buffer, head.byteOffset).getInt32(8);
  return length > 0 && length < restBytes ? length : 0;
}

/** Megabytes of zeros are the rule here, so four bytes are looked at a time. */
function lengthUsed(bytes: Uint8Array): number {
  let used = bytes.length;
  while (used > 0 && used % 4 !== 0 && bytes[used - 1] === 0) used--;
  if (used % 4 === 0 && bytes.byteOffset % 4 === 0) {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, used / 4);
    let last = words.length;
    while (last > 0 && words[last - 1] === 0) last--;
    used = 4 * last;
  }
  while (used > 0 && bytes[used - 1] === 0) used--;
  return used;
}

/** Whether `bytes[0, length)`, which stand at `offset` in the file, hold a sector of zeros. */
function hasZeroSector(bytes: Uint8Array, offset: number, length: number): boolean {
  assert(length <= bytes.length, 'a sector outside its bytes', length, bytes.length);
  let at = 0;
  while (at < length) {
    const sectorEnd = Math.min(length, at + sectorBytes - ((offset + at) % sectorBytes));
    const ordinaryBytes = at === 0 ? headZerosMax : zerosMax;
    if (sectorEnd - at > ordinaryBytes && isZero(bytes, at, sectorEnd)) return true;
    at = sectorEnd;
  }
  return false;
}

/** A record begins with four zeros, the upper half of its checksum. */
const headZerosMax = 4;

/** So many zeros in a row are nothing unusual inside a record. */
const zerosMax = 15;
