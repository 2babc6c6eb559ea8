import { utf8 } from '@meerkat/protocol';
import { crc32Initial, crc32Update, crc32UpdateInt, crc32UpdateLong } from '../checksums.ts';

/**
 * The digest of a znode and of the tree: CRC-32 over path, data and 60 bytes of stat, summed up over
 * all znodes modulo 2^64. Source: ZooKeeper's `DigestCalculator.java` (version 2) and `AdHash.java`.
 * The register after path and data is kept per znode, so that a changed stat costs 60 bytes only.
 */

/** The version of the digest that is written beside it. */
export const digestVersion = 2;

const two32 = 4294967296;

/**
 * The CRC-32 register after a znode's path ("/" counts as empty) and its data.
 *
 * @param data null counts as empty
 */
export function prefixStateOf(
  path: Uint8Array,
  start: number,
  end: number,
  data: Uint8Array | null,
  dataStart = 0,
  dataEnd: number = data === null ? 0 : data.length,
): number {
  const isRoot = end - start <= 1;
  const register = isRoot ? crc32Initial : crc32Update(crc32Initial, path, start, end);
  return data === null ? register : crc32Update(register, data, dataStart, dataEnd);
}

/**
 * The digest of a znode, 32 bits as a signed number: one that takes no memory of its own. The caller
 * leaves out those under /zookeeper/.
 */
export function nodeDigest(
  prefixState: number,
  czxid: number,
  mzxid: number,
  pzxid: number,
  ctime: number,
  mtime: number,
  version: number,
  createCounter: number,
  aversion: number,
  ownerHi: number,
  ownerLo: number,
): number {
  let register = updateLong(prefixState, czxid);
  register = updateLong(register, mzxid);
  register = updateLong(register, pzxid);
  register = updateLong(register, ctime);
  register = updateLong(register, mtime);
  register = crc32UpdateLong(register, version, createCounter);
  register = crc32UpdateInt(register, aversion);
  return ~crc32UpdateLong(register, ownerHi, ownerLo);
}

/** Whether the znode at this path counts: all but those under /zookeeper/; /zookeeper itself does. */
export function isDigestedPath(path: Uint8Array, start: number, end: number): boolean {
  if (end - start < subtree.length) return true;
  for (let i = 0; i < subtree.length; i++) if (path[start + i] !== subtree[i]) return true;
  return false;
}

/** A sum modulo 2^64, in two halves. */
export class DigestSum {
  /** The high half, signed. */
  hi = 0;
  /** The low half, signed. */
  lo = 0;

  /** Adds the digest of a znode that is there now. */
  add(digest: number): void {
    const low = (this.lo >>> 0) + (digest >>> 0);
    if (low >= two32) this.hi = (this.hi + 1) | 0;
    this.lo = low | 0;
  }

  /** Takes away the digest of a znode as it was. */
  subtract(digest: number): void {
    const low = (this.lo >>> 0) - (digest >>> 0);
    if (low < 0) this.hi = (this.hi - 1) | 0;
    this.lo = low | 0;
  }

  /** Back to nothing. */
  clear(): void {
    this.hi = 0;
    this.lo = 0;
  }
}

const subtree: Uint8Array = utf8('/zookeeper/');

function updateLong(register: number, value: number): number {
  return crc32UpdateLong(register, Math.floor(value / two32), value | 0);
}
