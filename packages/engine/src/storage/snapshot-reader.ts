import { asZxid, JuteError, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { type DataFile, packingOf } from './file-names.ts';
import { fileVersion } from './log-format.ts';
import { SnapshotBody } from './snapshot-body.ts';
import {
  digestBytes,
  type SnapshotDigest,
  type SnapshotTarget,
  sealBytes,
  snapshotEnd,
  snapshotMagic,
  zxidBytes,
} from './snapshot-format.ts';
import { SnapshotInput } from './snapshot-input.ts';

/** A snapshot that was read. */
export interface LoadedSnapshot {
  readonly zxid: Zxid;
  readonly sessionCount: number;
  readonly nodeCount: number;
  /** Bytes of the unpacked file. */
  readonly bytes: number;
  readonly digest: SnapshotDigest | null;
  /**
   * The last transaction that may be in the file in part: it was applied before the walk over the
   * tree ended. The file's own zxid when the file does not say.
   */
  readonly coveredZxid: Zxid;
}

/** Why a snapshot could not be read, and where. */
export interface SnapshotDamage {
  readonly reason: string;
  /** Offset in the unpacked file. */
  readonly offset: number;
}

/**
 * Reads a snapshot into `target`: sessions, ACLs, then one znode at a time. Which of the two optional
 * sections follow is found out by trying: each is followed by a checksum of everything before it, so a
 * wrong guess does not pass. What was loaded before damage is found stays in the target: reset it.
 *
 * @param itemBytesMax the longest string or data that is believed: `jute.maxbuffer` and its extra size
 */
export function readSnapshot(
  disk: Disk,
  file: DataFile,
  target: SnapshotTarget,
  itemBytesMax: number,
): LoadedSnapshot | SnapshotDamage {
  let input: SnapshotInput | null = null;
  try {
    const readable = disk.openForReading(file.path, packingOf(file.name));
    try {
      input = new SnapshotInput(readable, itemBytesMax);
      return new SnapshotReader(input, target).read(file.zxid);
    } finally {
      readable.close();
    }
  } catch (error) {
    if (!(error instanceof JuteError) && !(error instanceof DiskError)) throw error;
    return { reason: error.message, offset: input?.offset ?? 0 };
  }
}

/**
 * The quick test before a snapshot is read or kept by a purge, as `SnapStream.isValidSnapshot`: a file
 * that is not packed ends with the string "/", one that is packed begins with the packer's mark.
 */
export function looksWhole(disk: Disk, file: DataFile): boolean {
  const size = disk.sizeBytes(file.path);
  const packing = packingOf(file.name);
  if (packing === 'none') {
    return size >= 10 && startsWith(disk.readRange(file.path, size - 5, 5), snapshotEnd);
  }
  const mark = packing === 'gzip' ? gzipMark : snappyMark;
  return startsWith(disk.readRange(file.path, 0, mark.length), mark);
}

const gzipMark: readonly number[] = [0x1f, 0x8b];
/** 0x82 "SNAPPY" 0. */
const snappyMark: readonly number[] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0];

function startsWith(bytes: Uint8Array, mark: readonly number[]): boolean {
  return bytes.length >= mark.length && mark.every((byte, i) => bytes[i] === byte);
}

class SnapshotReader {
  readonly #input: SnapshotInput;
  readonly #target: SnapshotTarget;

  constructor(input: SnapshotInput, target: SnapshotTarget) {
    this.#input = input;
    this.#target = target;
  }

  read(zxid: Zxid): LoadedSnapshot {
    this.#readHeader();
    const { sessionCount, nodeCount } = this.#readBody();
    if (!this.#passSeal(0)) throw new JuteError('Cannot read a snapshot: its checksum is wrong');
    const { digest, last } = this.#readTail();
    const covered = last ?? (digest === null ? zxid : Math.max(zxid, digest.zxid));
    const coveredZxid = asZxid(Math.max(zxid, covered));
    this.#target.finishLoad(zxid, digest);
    return { zxid, sessionCount, nodeCount, bytes: this.#input.offset, digest, coveredZxid };
  }

  #readHeader(): void {
    const magic = this.#input.readInt();
    const version = this.#input.readInt();
    if (magic !== snapshotMagic || version !== fileVersion) {
      throw new JuteError(`Cannot read a snapshot: its header is 0x${(magic >>> 0).toString(16)}`);
    }
    this.#input.need(8);
    this.#input.position += 8;
  }

  /** Sessions, ACLs and znodes. */
  #readBody(): SnapshotBody {
    const input = this.#input;
    const body = new SnapshotBody(this.#target, input.itemBytesMax);
    for (;;) {
      try {
        body.take(input.bytes, input.position, input.filled);
      } finally {
        input.position = body.position;
      }
      if (body.isDone) return body;
      input.need(body.neededBytes);
    }
  }

  /**
   * Compares the checksum of everything up to `ahead` bytes from here with the seal that stands there.
   * True: it is right, and was passed.
   */
  #passSeal(ahead: number): boolean {
    const input = this.#input;
    if (!input.has(ahead + sealBytes)) return false;
    const checksum = input.checksumAhead(ahead);
    const at = input.position + ahead;
    const { view } = input;
    if (view.getInt32(at) !== 0 || view.getUint32(at + 4) !== checksum) return false;
    input.position = at + sealBytes;
    return true;
  }

  /** Reads what follows the first seal: digest, zxid, both or nothing. */
  #readTail(): { digest: SnapshotDigest | null; last: number | null } {
    const input = this.#input;
    if (!input.has(1)) return { digest: null, last: null };
    let last = this.#tryZxid();
    if (last !== null) return { digest: null, last: this.#endOfFile(last) };
    const digest = this.#readDigest();
    if (!input.has(1)) return { digest, last: null };
    last = this.#tryZxid();
    if (last === null)
      throw new JuteError('Cannot read a snapshot: the checksum of its zxid is wrong');
    return { digest, last: this.#endOfFile(last) };
  }

  #tryZxid(): number | null {
    const input = this.#input;
    if (!input.has(zxidBytes)) return null;
    const at = input.position;
    const zxid = input.view.getInt32(at) * two32 + input.view.getUint32(at + 4);
    // The window may have moved, but the number is read.
    return this.#passSeal(zxidBytes) ? zxid : null;
  }

  #readDigest(): SnapshotDigest | null {
    const input = this.#input;
    const zxid = input.readLongAsDouble();
    const version = input.readInt();
    let digestHi = 0;
    let digestLo = 0;
    if (version < 2) {
      input.skipCounted();
    } else {
      input.need(digestBytes - 12);
      digestHi = input.readInt();
      digestLo = input.readInt();
    }
    if (!this.#passSeal(0)) {
      throw new JuteError('Cannot read a snapshot: the checksum of its digest is wrong');
    }
    if (zxid <= 0 || !Number.isSafeInteger(zxid)) return null;
    return { zxid: asZxid(zxid), version, digestHi, digestLo };
  }

  #endOfFile(zxid: number): number {
    if (this.#input.has(1)) throw new JuteError('Cannot read a snapshot: bytes follow its end');
    return zxid;
  }
}

const two32 = 4294967296;
