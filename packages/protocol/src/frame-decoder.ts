/** Takes the frames that a `FrameDecoder` finds. */
export interface FrameReceiver {
  /**
   * A frame without its length: `bytes[start, end)`, to be used before returning, since the array may be
   * used again. False stops the decoder behind this frame.
   */
  onFrame(bytes: Uint8Array, start: number, end: number): boolean;
  /**
   * The four bytes where a length should be say something negative or above the limit (the int is
   * passed on as it was read, since before the handshake it may be a four-letter word). Nothing
   * after it can be read.
   */
  onBadLength(length: number): void;
}

/**
 * Cuts a stream of bytes into frames: a length of four bytes, big-endian, then that many bytes
 * (`NIOServerCnxn.readLength`).
 *
 * A frame that lies whole in a chunk is passed on where it lies. One that comes in pieces is gathered
 * in a buffer that grows with the bytes that have come, never with the length announced, and is let go
 * with the frame.
 */
export class FrameDecoder {
  readonly #frameBytesMax: number;
  /** Bytes of the length that have come, 0 to 3 between chunks; 4 while a frame is gathered. */
  #lengthBytes = 0;
  #length = 0;
  #gathered: Uint8Array = nothing;
  #gatheredBytes = 0;
  #isBroken = false;

  /** @param frameBytesMax the longest frame that is taken, without its length: `jute.maxbuffer` */
  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes that the decoder holds of a frame that has not come whole. */
  get heldBytes(): number {
    return this.#gathered.length;
  }

  /** Whether the stream stands between two frames. */
  get isBetweenFrames(): boolean {
    return this.#lengthBytes === 0;
  }

  /**
   * Takes the next bytes of the stream, `bytes[start, end)`, and passes on every frame that ends in them.
   *
   * @returns where it stopped: `end`, unless the receiver stopped it or a length was bad. After a
   *   stop the rest is to be pushed again; after a bad length nothing more is taken.
   */
  push(bytes: Uint8Array, start: number, end: number, receiver: FrameReceiver): number {
    let at = start;
    while (at < end && !this.#isBroken) {
      if (this.#lengthBytes < 4) {
        at = this.#readLength(bytes, at, end);
        if (this.#lengthBytes < 4) return at;
        if (this.#length < 0 || this.#length > this.#frameBytesMax) {
          this.#isBroken = true;
          receiver.onBadLength(this.#length);
          return at;
        }
        if (this.#length > 0 && at === end) return at;
      }
      const frameStart = at;
      const missing = this.#length - this.#gatheredBytes;
      at = Math.min(end, at + missing);
      if (at - frameStart < missing) {
        this.#gather(bytes, frameStart, at);
        return at;
      }
      if (!this.#passOn(bytes, frameStart, at, receiver)) return at;
    }
    return at;
  }

  #readLength(bytes: Uint8Array, start: number, end: number): number {
    if (this.#lengthBytes === 0 && start + 4 <= end) {
      this.#lengthBytes = 4;
      this.#length =
        ((bytes[start] as number) << 24) |
        ((bytes[start + 1] as number) << 16) |
        ((bytes[start + 2] as number) << 8) |
        (bytes[start + 3] as number);
      return start + 4;
    }
    let at = start;
    while (at < end && this.#lengthBytes < 4) {
      this.#length = (this.#length << 8) | (bytes[at++] as number);
      this.#lengthBytes++;
    }
    return at;
  }

  /** Passes on the frame whose last piece is `bytes[start, end)`, and is ready for the next before it does. */
  #passOn(bytes: Uint8Array, start: number, end: number, receiver: FrameReceiver): boolean {
    if (this.#gatheredBytes === 0) {
      this.#lengthBytes = 0;
      return receiver.onFrame(bytes, start, end);
    }
    this.#gather(bytes, start, end);
    const frame = this.#gathered;
    this.#gathered = nothing;
    this.#gatheredBytes = 0;
    this.#lengthBytes = 0;
    return receiver.onFrame(frame, 0, this.#length);
  }

  #gather(bytes: Uint8Array, start: number, end: number): void {
    const length = this.#gatheredBytes + end - start;
    if (length > this.#gathered.length) {
      const capacity = Math.max(gatheredBytesMin, length * 2);
      const grown = new Uint8Array(Math.min(capacity, this.#length));
      grown.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = grown;
    }
    this.#gathered.set(bytes.subarray(start, end), this.#gatheredBytes);
    this.#gatheredBytes = length;
  }
}

const nothing = new Uint8Array(0);
/** Smaller pieces than this are gathered in a buffer of this size. */
const gatheredBytesMin = 64;
