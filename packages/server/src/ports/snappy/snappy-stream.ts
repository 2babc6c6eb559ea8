/**
 * The stream format of snappy-java's `SnappyOutputStream`, which ZooKeeper's `.snappy` snapshots
 * are in:
 *
 * ```
 * 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | int32 version 1 | int32 compatible version 1
 * ( int32 packed length | raw Snappy block of at most 32 KB unpacked )*
 * ```
 *
 * The header may stand again where a length is expected: such streams were written one after the
 * other.
 */
import {
  packBlock,
  packedBytesMax,
  SnappyError,
  unpackBlock,
  unpackedLength,
} from './snappy-block.ts';

const header: Uint8Array = Buffer.from('82534e41505059000000000100000001', 'hex');
const headerHead = 0x82534e41 | 0;
const blockBytes = 32 * 1024;
/** Java's largest block size is 512 MB; no writer of snapshots goes near this. */
const unpackedBytesMax = 64 * 1024 * 1024;

/** Packs bytes as they come into blocks of 32 KB. */
export class SnappyStreamWriter {
  readonly #block = new Uint8Array(blockBytes);
  #filled = 0;
  #headerWritten = false;

  /** @returns the pieces that are complete by now, to be written in order */
  write(bytes: Uint8Array): readonly Uint8Array[] {
    const pieces: Uint8Array[] = this.#header();
    let at = 0;
    while (at < bytes.length) {
      const count = Math.min(blockBytes - this.#filled, bytes.length - at);
      this.#block.set(bytes.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled === blockBytes) pieces.push(this.#pack());
    }
    return pieces;
  }

  /** @returns what is left */
  end(): readonly Uint8Array[] {
    const pieces = this.#header();
    if (this.#filled > 0) pieces.push(this.#pack());
    return pieces;
  }

  #header(): Uint8Array[] {
    if (this.#headerWritten) return [];
    this.#headerWritten = true;
    return [header];
  }

  #pack(): Uint8Array {
    const piece = Buffer.allocUnsafe(4 + packedBytesMax(this.#filled));
    const end = packBlock(this.#block, 0, this.#filled, piece, 4);
    piece.writeInt32BE(end - 4, 0);
    this.#filled = 0;
    return piece.subarray(0, end);
  }
}

/** Where packed bytes come from: fills `target` as far as there are bytes. */
export type ReadPacked = (target: Uint8Array) => number;

/** Unpacks a stream block by block. */
export class SnappyStreamReader {
  readonly #readPacked: ReadPacked;
  #packed: Buffer = Buffer.alloc(packedBytesMax(blockBytes));
  #unpacked = new Uint8Array(blockBytes);
  #headerRead = false;

  constructor(readPacked: ReadPacked) {
    this.#readPacked = readPacked;
  }

  /**
   * The next unpacked bytes, valid until the next call; null at the end.
   *
   * @throws SnappyError when the stream is cut or damaged
   */
  next(): Uint8Array | null {
    if (!this.#headerRead) {
      this.#headerRead = true;
      if (this.#readPacked(this.#packed.subarray(0, 4)) < 4) throw cut();
      if (this.#packed.readInt32BE(0) !== headerHead) throw noHeader();
      this.#restOfHeader();
    }
    for (;;) {
      const got = this.#readPacked(this.#packed.subarray(0, 4));
      if (got === 0) return null;
      if (got < 4) throw cut();
      const length = this.#packed.readInt32BE(0);
      if (length === headerHead) this.#restOfHeader();
      else return this.#block(length);
    }
  }

  #restOfHeader(): void {
    const rest = this.#packed.subarray(4, header.length);
    if (this.#readPacked(rest) < rest.length) throw cut();
    if (!rest.subarray(0, 4).equals(header.subarray(4, 8))) throw noHeader();
    const compatible = this.#packed.readInt32BE(12);
    if (compatible > 1) {
      throw new SnappyError(`Cannot unpack a Snappy stream: it needs version ${compatible}`);
    }
  }

  #block(length: number): Uint8Array {
    if (length <= 0 || length > packedBytesMax(unpackedBytesMax)) {
      throw new SnappyError(`Cannot unpack a Snappy stream: a block of ${length} bytes`);
    }
    if (this.#packed.length < length) this.#packed = Buffer.alloc(length);
    const block = this.#packed.subarray(0, length);
    if (this.#readPacked(block) < length) throw cut();
    const size = unpackedLength(block);
    if (size > unpackedBytesMax) {
      throw new SnappyError(`Cannot unpack a Snappy stream: a block of ${size} bytes`);
    }
    if (this.#unpacked.length < size) this.#unpacked = new Uint8Array(size);
    return this.#unpacked.subarray(0, unpackBlock(block, this.#unpacked));
  }
}

function cut(): SnappyError {
  return new SnappyError('Cannot unpack a Snappy stream: it ends in the middle');
}

function noHeader(): SnappyError {
  return new SnappyError('Cannot unpack a Snappy stream: it does not start with its header');
}
