import { ProtocolError } from './errors.ts';

/** Told of each whole frame: its bytes are `bytes[start, end)`, without the length. */
export interface FrameSink {
  /** Returns false when no further frame may be handed over: the stream is done with. */
  onFrame(bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * Cuts a stream of bytes into frames, each after its length as four bytes. Frames that arrive whole are handed over
 * where they lie; one that is split is put together in an array of its own, never larger than its length.
 */
export class FrameAssembler {
  readonly #sink: FrameSink;
  readonly #frameBytesMax: number;
  readonly #header = new Uint8Array(4);
  #headerFilled = 0;
  #partial: Uint8Array | null = null;
  #partialFilled = 0;

  constructor(sink: FrameSink, frameBytesMax: number) {
    this.#sink = sink;
    this.#frameBytesMax = frameBytesMax;
  }

  /**
   * Takes the next bytes of the stream; they are not written to afterwards, and neither may others.
   *
   * @throws ProtocolError when a frame's length is negative or above the limit
   */
  push(bytes: Uint8Array): void {
    let at = this.#partial === null && this.#headerFilled === 0 ? 0 : this.#continue(bytes);
    if (at === -1) return;
    while (bytes.length - at >= 4) {
      const length = this.#checked(readLength(bytes, at));
      const start = at + 4;
      if (start + length > bytes.length) {
        this.#startPartial(length, bytes, start);
        return;
      }
      at = start + length;
      if (!this.#sink.onFrame(bytes, start, at)) return;
    }
    for (; at < bytes.length; at++) this.#header[this.#headerFilled++] = bytes[at] as number;
  }

  /** Goes on with what the last bytes left unfinished. Returns where the next frame starts, -1 for nowhere. */
  #continue(bytes: Uint8Array): number {
    let at = 0;
    if (this.#partial === null) {
      while (this.#headerFilled < 4 && at < bytes.length) {
        this.#header[this.#headerFilled++] = bytes[at++] as number;
      }
      if (this.#headerFilled < 4) return -1;
      this.#headerFilled = 0;
      const length = this.#checked(readLength(this.#header, 0));
      if (at + length <= bytes.length) {
        return this.#sink.onFrame(bytes, at, at + length) ? at + length : -1;
      }
      this.#startPartial(length, bytes, at);
      return -1;
    }
    const partial = this.#partial;
    const count = Math.min(partial.length - this.#partialFilled, bytes.length);
    partial.set(bytes.subarray(0, count), this.#partialFilled);
    this.#partialFilled += count;
    if (this.#partialFilled < partial.length) return -1;
    this.#partial = null;
    return this.#sink.onFrame(partial, 0, partial.length) ? count : -1;
  }

  #startPartial(length: number, bytes: Uint8Array, start: number): void {
    this.#partial = new Uint8Array(length);
    this.#partial.set(bytes.subarray(start));
    this.#partialFilled = bytes.length - start;
  }

  #checked(length: number): number {
    if (length >= 0 && length <= this.#frameBytesMax) return length;
    throw new ProtocolError(
      `Cannot read a reply: current length is ${length} bytes, and at most ${this.#frameBytesMax} are allowed (option replyBytesMax)`,
    );
  }
}

function readLength(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
}
