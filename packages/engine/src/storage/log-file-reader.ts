import { assert, asZxid, type Zxid } from '@meerkat/protocol';
import { adler32 } from '../checksums.ts';
import type { Disk, ReadableFile } from '../ports.ts';
import {
  bodyBytesMin,
  fileHeaderBytes,
  logMagic,
  recordEnd,
  recordHeadBytes,
  zxidInBody,
} from './log-format.ts';

/**
 * How the records of a log file end:
 *
 * | end | what was found where the next record should be |
 * |---|---|
 * | `empty` | a file without a header: no bytes, part of a header, or zeros |
 * | `clean` | the end of the file, or a checksum and length of zero (padding) |
 * | `partial` | a record that the file does not hold as a whole, or that does not end with 'B' |
 * | `mismatch` | a whole record whose checksum is wrong, or whose zxid is beyond 2^53 |
 * | `foreign` | a header that is none of a log |
 */
export type LogFileEnd = 'empty' | 'clean' | 'partial' | 'mismatch' | 'foreign';

const two32 = 4294967296;
const windowBytes = 1024 * 1024;

/**
 * Reads the records of one log file, in order, in place: the body of the record it stands on is
 * `bytes[start, end)`. Owns the file while it is open. A record is as long as it says only if the file
 * can hold it, so nothing large is allocated on the word of damaged bytes.
 */
export class LogFileReader {
  bytes: Uint8Array;
  /** Where the body of the record begins in `bytes`. */
  start = 0;
  /** Where it ends. */
  end = 0;
  /** The record's zxid. */
  zxid: Zxid = asZxid(-1);
  /** Offset of the record in the file; after the last one, of what follows it. */
  offset = 0;
  /** Number of the record in the file, the first is 0; after the last one, their count. */
  record = -1;
  /** Why `next` returned false. */
  ending: LogFileEnd = 'clean';

  readonly #file: ReadableFile;
  readonly #fileBytes: number;
  #view: DataView;
  /** File offset of `bytes[0]`. */
  #base = 0;
  /** Bytes in the buffer that were read. */
  #filled = 0;
  #ended = false;

  /** @throws DiskError when the file cannot be opened */
  constructor(disk: Disk, path: string) {
    this.#fileBytes = disk.sizeBytes(path);
    this.#file = disk.openForReading(path, 'none');
    this.bytes = new Uint8Array(Math.min(windowBytes, Math.max(fileHeaderBytes, this.#fileBytes)));
    this.#view = new DataView(this.bytes.buffer);
  }

  /** Moves to the next record. False: there is none, and `ending` says why. */
  next(): boolean {
    assert(!this.#ended, 'a log file read beyond its end');
    if (this.record === -1 && !this.#readHeader()) return false;
    const offset = this.record === -1 ? fileHeaderBytes : this.#afterRecord();
    this.offset = offset;
    this.record++;
    if (!this.#have(offset, recordHeadBytes)) {
      return this.#endWith(this.#restIsZero(offset) ? 'clean' : 'partial');
    }
    const at = offset - this.#base;
    const checksumHigh = this.#view.getInt32(at);
    const checksum = this.#view.getUint32(at + 4);
    const length = this.#view.getInt32(at + 8);
    if (length === 0 && checksum === 0 && checksumHigh === 0) return this.#endWith('clean');
    if (length <= 0 || offset + recordHeadBytes + length + 1 > this.#fileBytes) {
      return this.#endWith('partial');
    }
    if (!this.#have(offset, recordHeadBytes + length + 1)) return this.#endWith('partial');
    this.start = offset - this.#base + recordHeadBytes;
    this.end = this.start + length;
    if (this.bytes[this.end] !== recordEnd) return this.#endWith('partial');
    const right = checksumHigh === 0 && adler32(this.bytes, this.start, this.end) === checksum;
    if (!right || length < bodyBytesMin) return this.#endWith('mismatch');
    const zxidAt = this.start + zxidInBody;
    const zxid = this.#view.getInt32(zxidAt) * two32 + this.#view.getUint32(zxidAt + 4);
    if (!Number.isSafeInteger(zxid)) return this.#endWith('mismatch');
    this.zxid = asZxid(zxid);
    return true;
  }

  /** Closes the file; twice is once. */
  close(): void {
    if (this.#base < 0) return;
    this.#base = -1;
    this.#ended = true;
    this.#file.close();
  }

  #readHeader(): boolean {
    const whole = this.#have(0, fileHeaderBytes);
    if (whole && this.#view.getInt32(0) === logMagic) return true;
    this.record = 0;
    const length = Math.min(this.#filled, fileHeaderBytes);
    const zero = isZero(this.bytes, 0, length);
    const beginning = !whole && beginsLikeHeader(this.bytes, length);
    return this.#endWith(zero || beginning ? 'empty' : 'foreign');
  }

  #afterRecord(): number {
    return this.#base + this.end + 1;
  }

  /** Makes `bytes` hold `count` bytes from file offset `offset`. False: the file ends before. */
  #have(offset: number, count: number): boolean {
    let at = offset - this.#base;
    if (at + count <= this.#filled) return true;
    this.bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
    this.#base = offset;
    at = 0;
    if (count > this.bytes.length) this.#grow(count);
    while (this.#filled < count) {
      const room = this.bytes.length - this.#filled;
      const read = this.#file.read(this.bytes, this.#filled, room);
      if (read === 0) return false;
      this.#filled += read;
    }
    return true;
  }

  #grow(count: number): void {
    const grown = new Uint8Array(Math.max(count, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.#filled));
    this.bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  /** Whether the few bytes after the last record, too few for a record, are all zero. */
  #restIsZero(offset: number): boolean {
    return isZero(this.bytes, offset - this.#base, this.#filled);
  }

  #endWith(ending: LogFileEnd): false {
    this.ending = ending;
    this.#ended = true;
    return false;
  }
}

/** Whether `bytes[start, end)` are all zero. */
export function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Whether what there is of a header could be the beginning of one. */
function beginsLikeHeader(bytes: Uint8Array, length: number): boolean {
  for (let i = 0; i < Math.min(4, length); i++) {
    if (bytes[i] !== ((logMagic >>> (24 - 8 * i)) & 0xff)) return false;
  }
  return true;
}
