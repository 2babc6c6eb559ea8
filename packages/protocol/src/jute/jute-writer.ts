import { encodeUtf8, utf8Bytes } from './utf8.ts';

const two32 = 4294967296;

/**
 * Writes jute values, big-endian, into a buffer that grows and is reused: `clear` keeps the memory.
 *
 * The encoding: ZooKeeper's `BinaryOutputArchive.java`.
 */
export class JuteWriter {
  /** The buffer written to; the first `length` bytes count. Replaced when it grows. */
  bytes: Uint8Array;
  /** A view of all of `bytes`. */
  view: DataView;
  /** Bytes written. */
  length = 0;

  constructor(capacityBytes = 1024) {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets what was written, keeps the memory. */
  clear(): this {
    this.length = 0;
    return this;
  }

  /** What was written, as a view that the next write may change. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written, copied. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** Makes room for `count` more bytes and returns where they start; `length` moves past them. */
  reserve(count: number): number {
    const at = this.length;
    const end = at + count;
    if (end > this.bytes.length) this.#grow(end);
    this.length = end;
    return at;
  }

  writeByte(value: number): void {
    const at = this.reserve(1);
    this.bytes[at] = value;
  }

  writeBoolean(value: boolean): void {
    this.writeByte(value ? 1 : 0);
  }

  writeInt(value: number): void {
    const at = this.reserve(4);
    this.view.setInt32(at, value);
  }

  /** A 64-bit integer given as a double: a zxid or a time, within 2^53. */
  writeLongFromDouble(value: number): void {
    const at = this.reserve(8);
    this.view.setInt32(at, Math.floor(value / two32));
    // `|` takes a double modulo 2^32, exactly while it is a safe integer.
    this.view.setInt32(at + 4, value | 0);
  }

  /** A 64-bit integer in two halves. */
  writeLong(hi: number, lo: number): void {
    const at = this.reserve(8);
    this.view.setInt32(at, hi);
    this.view.setInt32(at + 4, lo);
  }

  /** A buffer; null is written as length -1. */
  writeBuffer(value: Uint8Array | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    this.writeInt(value.length);
    this.writeBytes(value, 0, value.length);
  }

  /** Bytes as they are, without a length. */
  writeBytes(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    const at = this.reserve(count);
    if (count <= 48) {
      const target = this.bytes;
      for (let i = 0; i < count; i++) target[at + i] = source[start + i] as number;
    } else {
      this.bytes.set(
        start === 0 && end === source.length ? source : source.subarray(start, end),
        at,
      );
    }
  }

  /** A string; null is written as length -1. */
  writeString(value: string | null): void {
    if (value === null) {
      this.writeInt(-1);
      return;
    }
    const count = utf8Bytes(value);
    this.writeInt(count);
    const at = this.reserve(count);
    encodeUtf8(value, this.bytes, at);
  }

  /** Starts a frame: leaves room for its length. Returns what `endFrame` needs. */
  beginFrame(): number {
    return this.reserve(4);
  }

  /** Ends the frame begun at `start`: fills in its length. */
  endFrame(start: number): void {
    this.view.setInt32(start, this.length - start - 4);
  }

  #grow(bytesMin: number): void {
    let capacity = Math.max(64, this.bytes.length);
    while (capacity < bytesMin) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
