/**
 * The hash of paths (MurmurHash3, 32 bit): four bytes at a step, and the hashes of a path's
 * ancestors fall out of one pass over it.
 *
 * Owns no state. Refuses to be a defence: the values are the same in every run.
 */

/** The hash of `bytes[start, end)`, all bits mixed. */
export function hashPath(bytes: Uint8Array, start: number, end: number): number {
  let state = 0;
  let at = start;
  for (; at + 4 <= end; at += 4) state = absorb(state, bytes, at);
  return finish(state, bytes, at, end, end - start);
}

/** Hashes the ancestors of a path one after another, from the root down. */
export class AncestorHashes {
  /** The hash of the ancestor that `next` found, `bytes[start, end)`. */
  hash = 0;
  /** Where that ancestor ends. */
  end = 0;
  #bytes: Uint8Array = nothing;
  #start = 0;
  #pathEnd = 0;
  #at = 0;
  #state = 0;

  /** Starts on the path `bytes[start, end)`. */
  begin(bytes: Uint8Array, start: number, end: number): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#pathEnd = end;
    this.#at = start;
    this.#state = 0;
  }

  /** Goes on to the next ancestor; false when there is none, and the array is let go. */
  next(): boolean {
    const bytes = this.#bytes;
    const start = this.#start;
    if (this.#at === start && this.#pathEnd - start > 1) {
      this.hash = hashPath(bytes, start, start + 1);
      this.end = start + 1;
      this.#at = start + 1;
      return true;
    }
    for (let at = this.#at; at < this.#pathEnd; at++) {
      const inBlock = (at - start) & 3;
      if (inBlock === 0) this.#state = absorb(this.#state, bytes, at - 4);
      if (bytes[at] !== slash) continue;
      this.hash = finish(this.#state, bytes, at - inBlock, at, at - start);
      this.end = at;
      this.#at = at + 1;
      return true;
    }
    this.#bytes = nothing;
    return false;
  }
}

const slash = 0x2f;
const nothing = new Uint8Array(0);

function absorb(state: number, bytes: Uint8Array, at: number): number {
  const block =
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24);
  const mixed = state ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Absorbs the last bytes, fewer than four, and the length. */
function finish(state: number, bytes: Uint8Array, at: number, end: number, length: number): number {
  let rest = 0;
  for (let i = end - 1; i >= at; i--) rest = (rest << 8) | (bytes[i] as number);
  let h = state ^ scramble(rest) ^ length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function scramble(block: number): number {
  const k = Math.imul(block, 0xcc9e2d51);
  return Math.imul((k << 15) | (k >>> 17), 0x1b873593);
}
