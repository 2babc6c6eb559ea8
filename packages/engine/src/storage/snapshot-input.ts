import { JuteError } from '@meerkat/protocol';
import { adler32, adler32Seed } from '../checksums.ts';
import type { ReadableFile } from '../ports.ts';

const windowBytes = 1024 * 1024;
/** What a small snapshot needs; a larger one gets the whole window when it is read on. */
const firstWindowBytes = 32 * 1024;
const two32 = 4294967296;

/**
 * A window that moves over an unpacked snapshot: `bytes[position, filled)` has been read and not
 * taken. Owns the running checksum of all that was taken. Throws `JuteError` where the file ends
 * too early, or claims lengths beyond `itemBytesMax`.
 */
export class SnapshotInput {
  bytes: Uint8Array = new Uint8Array(firstWindowBytes);
  view: DataView = new DataView(this.bytes.buffer);
  position = 0;
  /** The longest string or buffer that is believed. */
  readonly itemBytesMax: number;

  readonly #file: ReadableFile;
  #filled = 0;
  /** File offset of `bytes[0]`. */
  #base = 0;
  /** Up to here, in `bytes`, the checksum has gone. */
  #summed = 0;
  #checksum: number = adler32Seed;

  constructor(file: ReadableFile, itemBytesMax: number) {
    this.#file = file;
    this.itemBytesMax = itemBytesMax;
  }

  /** Where the bytes that were read end in `bytes`. */
  get filled(): number {
    return this.#filled;
  }

  /** Offset in the unpacked file. */
  get offset(): number {
    return this.#base + this.position;
  }

  /** Adler-32 of everything before `position`. */
  checksum(): number {
    this.#sumUpTo(this.position);
    return this.#checksum;
  }

  /** Adler-32 of everything before `position` and of `count` bytes more, which the window holds. */
  checksumAhead(count: number): number {
    return adler32(this.bytes, this.position, this.position + count, this.checksum());
  }

  /** Makes `bytes` hold `count` more bytes from `position`. False: the file ends before. */
  has(count: number): boolean {
    if (this.position + count <= this.#filled) return true;
    const isSmall = this.#filled === this.bytes.length && this.#filled < windowBytes;
    this.#sumUpTo(this.position);
    this.bytes.copyWithin(0, this.position, this.#filled);
    this.#filled -= this.position;
    this.#base += this.position;
    this.position = 0;
    this.#summed = 0;
    if (isSmall || count > this.bytes.length) this.#grow(Math.max(count, windowBytes));
    while (this.#filled < count) {
      const read = this.#file.read(this.bytes, this.#filled, this.bytes.length - this.#filled);
      if (read === 0) return false;
      this.#filled += read;
    }
    return true;
  }

  /** As `has`, but a file that ends before is damaged. */
  need(count: number): void {
    if (!this.has(count)) throw new JuteError(`Cannot read ${count} bytes: the file ends before`);
  }

  readInt(): number {
    this.need(4);
    this.position += 4;
    return this.view.getInt32(this.position - 4);
  }

  /** A long, rounded beyond 2^53. */
  readLongAsDouble(): number {
    const high = this.readInt();
    return high * two32 + (this.readInt() >>> 0);
  }

  /** Moves past a string or buffer. */
  skipCounted(): void {
    const length = this.readInt();
    if (length < -1 || length > this.itemBytesMax) {
      throw new JuteError(`Cannot read a string or buffer: current length is ${length}`);
    }
    this.need(Math.max(0, length));
    this.position += Math.max(0, length);
  }

  #sumUpTo(position: number): void {
    if (position === this.#summed) return;
    this.#checksum = adler32(this.bytes, this.#summed, position, this.#checksum);
    this.#summed = position;
  }

  #grow(count: number): void {
    const grown = new Uint8Array(Math.max(count, 2 * this.bytes.length));
    grown.set(this.bytes.subarray(0, this.#filled));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
