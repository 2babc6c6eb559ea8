import { JuteError } from './jute-error.ts';
import { decodeUtf8 } from './utf8.ts';

const two32 = 4294967296;

/**
 * Reads jute values, big-endian, from a range of bytes. Every read is bounds-checked and throws
 * `JuteError`; nothing is allocated on the word of a length that the bytes cannot hold.
 *
 * The encoding: ZooKeeper's `BinaryInputArchive.java`.
 */
export class JuteReader {
  /** The bytes being read; a buffer that `readBuffer` returns is a view of them. */
  bytes: Uint8Array = empty;
  /** Where the next read starts. */
  position = 0;
  /** Where reading must stop. */
  end = 0;
  #view: DataView = emptyView;

  constructor(bytes?: Uint8Array, start = 0, end?: number) {
    if (bytes !== undefined) this.reset(bytes, start, end ?? bytes.length);
  }

  /** Points the reader at `bytes[start, end)`, so that one reader serves many frames. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.position = start;
    this.end = end;
    return this;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.end - this.position;
  }

  readByte(): number {
    const at = this.#take(1);
    return this.#view.getInt8(at);
  }

  /** One byte; anything but zero is true. */
  readBoolean(): boolean {
    return this.readByte() !== 0;
  }

  readInt(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at);
  }

  /**
   * A 64-bit integer as a double: exact up to 2^53 either way, rounded to the nearest beyond,
   * so that comparing still orders.
   */
  readLongAsDouble(): number {
    const at = this.#take(8);
    return this.#view.getInt32(at) * two32 + this.#view.getUint32(at + 4);
  }

  /** A 64-bit integer that must be exact as a double: zxids and times. */
  readSafeLong(): number {
    const value = this.readLongAsDouble();
    if (!Number.isSafeInteger(value)) {
      throw new JuteError(
        `Cannot read a zxid or a time: current value is about ${value}, beyond 2^53`,
      );
    }
    return value;
  }

  /**
   * A buffer: null when its length is -1, else a view of the bytes being read (copy it to keep it).
   */
  readBuffer(): Uint8Array | null {
    const length = this.readInt();
    if (length === -1) return null;
    const at = this.#takeCounted(length);
    return this.bytes.subarray(at, at + length);
  }

  /**
   * Moves past a buffer or a string without making anything of it.
   *
   * @returns its length, -1 for null; it ends at `position`
   */
  skipBuffer(): number {
    const length = this.readInt();
    if (length !== -1) this.#takeCounted(length);
    return length;
  }

  /** A string, or null when its length is -1. Bytes that are not UTF-8 become U+FFFD: see `decodeUtf8`. */
  readNullableString(): string | null {
    const length = this.readInt();
    if (length === -1) return null;
    const at = this.#takeCounted(length);
    return decodeUtf8(this.bytes, at, at + length);
  }

  /** A string that may not be null. */
  readString(): string {
    const value = this.readNullableString();
    if (value === null) throw new JuteError('Cannot read a string: current value is null');
    return value;
  }

  /**
   * The count of a vector, -1 when it is null. A count that the rest of the bytes cannot hold is refused.
   *
   * @param elementBytesMin what one element takes at least
   */
  readVectorCount(elementBytesMin: number): number {
    const count = this.readInt();
    if (count === -1) return -1;
    if (count < 0 || count * elementBytesMin > this.remaining) {
      throw new JuteError(
        `Cannot read a vector: current count is ${count}, with ${this.remaining} bytes left`,
      );
    }
    return count;
  }

  #take(length: number): number {
    const at = this.position;
    if (at + length > this.end) {
      throw new JuteError(`Cannot read ${length} bytes: current remainder is ${this.end - at}`);
    }
    this.position = at + length;
    return at;
  }

  #takeCounted(length: number): number {
    if (length < 0) throw new JuteError(`Cannot read a buffer: current length is ${length}`);
    return this.#take(length);
  }
}

const empty = new Uint8Array(0);
const emptyView = new DataView(empty.buffer);
