/**
 * Keeps copies of small pieces of bytes, one behind the other in big arrays. A copy of its own for each piece would
 * cost the engine, which looks at bytes through views, an allocation outside of its heap as soon as it does.
 */
export class ByteArena {
  #block: Uint8Array = new Uint8Array(blockBytes);
  #used = 0;

  /** A copy of `bytes[start, end)`, which is nobody else's. */
  copy(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
    const length = end - start;
    if (length > copyBytesMax) return bytes.slice(start, end);
    if (this.#used + length > blockBytes) {
      this.#block = new Uint8Array(blockBytes);
      this.#used = 0;
    }
    const at = this.#used;
    this.#used = at + length;
    const copy = this.#block.subarray(at, this.#used);
    if (length > shortBytes) copy.set(bytes.subarray(start, end));
    else for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number;
    return copy;
  }
}

const blockBytes = 64 * 1024;
/** What is longer gets an array of its own. */
const copyBytesMax = 4096;
/** Up to here a loop is quicker than a call. */
const shortBytes = 64;
