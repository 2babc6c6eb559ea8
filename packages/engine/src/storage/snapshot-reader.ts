import { asZxid, JuteError, JuteReader, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { type DataFile, packingOf } from './file-names.ts';
import { fileVersion } from './log-format.ts';
import {
  digestBytes,
  nodeTailBytes,
  type SnapshotDigest,
  type SnapshotTarget,
  sealBytes,
  sessionBytes,
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
  readonly #reader: JuteReader = new JuteReader();

  constructor(input: SnapshotInput, target: SnapshotTarget) {
    this.#input = input;
    this.#target = target;
  }

  read(zxid: Zxid): LoadedSnapshot {
    this.#readHeader();
    const sessionCount = this.#readSessions();
    this.#readAcls();
    const nodeCount = this.#readNodes();
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

  #readSessions(): number {
    const input = this.#input;
    const count = input.readInt();
    for (let i = 0; i < count; i++) {
      input.need(sessionBytes);
      const at = input.position;
      input.position += sessionBytes;
      const { view } = input;
      this.#target.loadSession(view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8));
    }
    return Math.max(0, count);
  }

  /** Finds where the table ends before it is handed over as a whole. */
  #readAcls(): void {
    const input = this.#input;
    input.need(4);
    const count = input.view.getInt32(input.position);
    let end = 4;
    for (let i = 0; i < count; i++) {
      end += 8;
      input.need(end + 4);
      const entries = input.view.getInt32(input.position + end);
      end += 4;
      for (let entry = 0; entry < entries; entry++) {
        end = input.needCounted(end + 4, 0);
        end = input.needCounted(end, 0);
      }
    }
    this.#target.loadAcls(input.take(this.#reader, end));
  }

  #readNodes(): number {
    const input = this.#input;
    const target = this.#target;
    for (let count = 0; ; count++) {
      const pathEnd = input.needCounted(0, 0);
      if (pathEnd === 5 && input.bytes[input.position + 4] === slash) {
        input.position += 5;
        if (count === 0) throw new JuteError('Cannot read a snapshot: it has no root');
        return count;
      }
      const end = input.needCounted(pathEnd, nodeTailBytes) + nodeTailBytes;
      const start = input.position;
      input.position = start + end;
      target.loadNode(input.bytes, start, start + end);
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
      const end = input.needCounted(0, 0);
      input.position += end;
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

const slash = 0x2f;
const two32 = 4294967296;
