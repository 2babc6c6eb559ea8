import { assert } from '@meerkat/protocol';
import {
  Column,
  type NodeId,
  type NodeTable,
  nameLengthMask,
  noNode,
  pageMask,
  pageShift,
  rootNode,
  rowInts,
} from './node-table.ts';
import type { Slab } from './slab.ts';

/**
 * Finds a znode by its full path. Owns which znodes' hashes fall into which bucket; keeps no paths: a
 * candidate is confirmed by comparing names up to the root.
 *
 * A bucket is 64 bytes, one line of the processor's cache: seven pairs of hash and number, without gaps from
 * the front, and the number of the bucket in which those stand that found no room. So neither a path that
 * is not there nor the growth of the table touches a row, which is seldom in the cache.
 *
 * The table grows by linear hashing: each insertion beyond the load splits one bucket, so no
 * request ever pays for a table of millions being built anew. It does not shrink.
 */
export class PathIndex {
  readonly #nodes: NodeTable;
  readonly #slab: Slab;
  readonly #buckets: Int32Array[] = [new Int32Array(bucketsFirst << intsShift)];
  /** Buckets for what found no room in its own; the first is never used. */
  readonly #overflow: Int32Array[] = [];
  #overflowCount = 1;
  /** The first overflow bucket that is free; the next is where their link is. */
  #freeOverflow = 0;
  /** Buckets of the last full doubling, less one. */
  #mask = bucketsFirst - 1;
  /** How many of them have been split. */
  #split = 0;
  #count = 0;

  constructor(nodes: NodeTable, slab: Slab) {
    this.#nodes = nodes;
    this.#slab = slab;
  }

  /** Bytes of the table. */
  get reservedBytes(): number {
    const full = this.#buckets.length - 1 + this.#overflow.length;
    return (full * pageInts + (this.#buckets[0] as Int32Array).length) * 4;
  }

  /** The znode at `bytes[start, end)`, whose hash is given; `noNode` when there is none. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): NodeId {
    if (start === end) return rootNode;
    const bucket = this.#bucketOf(hash);
    let page = this.#buckets[bucket >>> bucketShift] as Int32Array;
    let at = (bucket & bucketMask) << intsShift;
    for (;;) {
      for (let pair = at; pair < at + pairInts; pair += 2) {
        const id = page[pair + 1] as number;
        if (id === noNode) return noNode;
        if (page[pair] === hash && this.#isAt(id, bytes, start, end)) return id;
      }
      const next = page[at + linkInt] as number;
      if (next === 0) return noNode;
      page = this.#overflow[next >>> bucketShift] as Int32Array;
      at = (next & bucketMask) << intsShift;
    }
  }

  /** Adds a znode whose name and parent are set. */
  insert(id: NodeId, hash: number): void {
    this.#put(this.#bucketOf(hash), hash, id);
    this.#count++;
    while (this.#count > (this.#mask + 1 + this.#split) * bucketLoad) this.#splitNext();
  }

  /** Takes a znode out: the last of its bucket takes its place. */
  remove(id: NodeId, hash: number): void {
    const bucket = this.#bucketOf(hash);
    let page = this.#buckets[bucket >>> bucketShift] as Int32Array;
    let at = (bucket & bucketMask) << intsShift;
    let found: Int32Array | null = null;
    let foundAt = 0;
    let last = at;
    let before: Int32Array | null = null;
    let beforeAt = 0;
    for (;;) {
      for (let pair = at; pair < at + pairInts && page[pair + 1] !== noNode; pair += 2) {
        last = pair;
        if (page[pair + 1] !== id) continue;
        found = page;
        foundAt = pair;
      }
      const next = page[at + linkInt] as number;
      if (next === 0) break;
      before = page;
      beforeAt = at;
      page = this.#overflow[next >>> bucketShift] as Int32Array;
      at = (next & bucketMask) << intsShift;
    }
    assert(found !== null, 'a removed znode is in its bucket', id, bucket);
    found[foundAt] = page[last] as number;
    found[foundAt + 1] = page[last + 1] as number;
    page[last + 1] = noNode;
    if (last === at && before !== null) this.#freeLast(before, beforeAt);
    this.#count--;
  }

  #bucketOf(hash: number): number {
    const mixed = mix(hash);
    const bucket = mixed & this.#mask;
    return bucket < this.#split ? mixed & (this.#mask * 2 + 1) : bucket;
  }

  /** Adds a pair behind those of a bucket. */
  #put(bucket: number, hash: number, id: NodeId): void {
    let page = this.#buckets[bucket >>> bucketShift] as Int32Array;
    let at = (bucket & bucketMask) << intsShift;
    for (;;) {
      for (let pair = at; pair < at + pairInts; pair += 2) {
        if (page[pair + 1] !== noNode) continue;
        page[pair] = hash;
        page[pair + 1] = id;
        return;
      }
      let next = page[at + linkInt] as number;
      if (next === 0) {
        next = this.#takeOverflow();
        page[at + linkInt] = next;
      }
      page = this.#overflow[next >>> bucketShift] as Int32Array;
      at = (next & bucketMask) << intsShift;
    }
  }

  /** Shares the znodes of the next bucket to be split between it and a new one. */
  #splitNext(): void {
    const from = this.#split;
    const to = this.#mask + 1 + from;
    if (to >>> bucketShift === this.#buckets.length) this.#buckets.push(new Int32Array(pageInts));
    else if (to < bucketsInPage) this.#growFirstPage(to);
    const bit = this.#mask + 1;
    let page = this.#buckets[from >>> bucketShift] as Int32Array;
    let at = (from & bucketMask) << intsShift;
    let next = 0;
    // Taken out as a whole first; what stays is put back to the front, which has been read by then.
    let count = 0;
    for (;;) {
      for (let pair = at; pair < at + pairInts && page[pair + 1] !== noNode; pair += 2) {
        if (2 * count === splitPairs.length) growSplitPairs();
        splitPairs[2 * count] = page[pair] as number;
        splitPairs[2 * count + 1] = page[pair + 1] as number;
        page[pair + 1] = noNode;
        count++;
      }
      const link = page[at + linkInt] as number;
      page[at + linkInt] = 0;
      if (next !== 0) this.#giveBackOverflow(next);
      next = link;
      if (next === 0) break;
      page = this.#overflow[next >>> bucketShift] as Int32Array;
      at = (next & bucketMask) << intsShift;
    }
    for (let i = 0; i < count; i++) {
      const hash = splitPairs[2 * i] as number;
      this.#put((mix(hash) & bit) === 0 ? from : to, hash, splitPairs[2 * i + 1] as number);
    }
    this.#split++;
    if (this.#split > this.#mask) {
      this.#mask = this.#mask * 2 + 1;
      this.#split = 0;
    }
  }

  #growFirstPage(bucket: number): void {
    const page = this.#buckets[0] as Int32Array;
    if (bucket << intsShift < page.length) return;
    const grown = new Int32Array(page.length * 2);
    grown.set(page);
    this.#buckets[0] = grown;
  }

  #takeOverflow(): number {
    let bucket = this.#freeOverflow;
    if (bucket === 0) {
      bucket = this.#overflowCount++;
      if (bucket >>> bucketShift === this.#overflow.length) {
        this.#overflow.push(new Int32Array(pageInts));
      }
      return bucket;
    }
    const page = this.#overflow[bucket >>> bucketShift] as Int32Array;
    const at = ((bucket & bucketMask) << intsShift) + linkInt;
    this.#freeOverflow = page[at] as number;
    page[at] = 0;
    return bucket;
  }

  /** Takes an overflow bucket back; it holds nothing. */
  #giveBackOverflow(bucket: number): void {
    const page = this.#overflow[bucket >>> bucketShift] as Int32Array;
    page[((bucket & bucketMask) << intsShift) + linkInt] = this.#freeOverflow;
    this.#freeOverflow = bucket;
  }

  /** Lets go of the bucket behind one, which is the last of its chain and empty now. */
  #freeLast(before: Int32Array, beforeAt: number): void {
    this.#giveBackOverflow(before[beforeAt + linkInt] as number);
    before[beforeAt + linkInt] = 0;
  }

  /** Whether the znode's path is `bytes[start, end)`: compares segment by segment from the end. */
  #isAt(id: NodeId, bytes: Uint8Array, start: number, end: number): boolean {
    const pages = this.#nodes.pages;
    let to = end;
    let node = id;
    while (node !== rootNode) {
      const page = pages[node >>> pageShift] as Int32Array;
      const at = (node & pageMask) * rowInts;
      const length = (page[at + Column.nameLength] as number) & nameLengthMask;
      const from = to - length;
      if (from <= start || bytes[from - 1] !== slash) return false;
      const block = page[at + Column.block] as number;
      const names = this.#slab.arrayOf(block);
      let nameAt = this.#slab.offsetOf(block);
      for (let i = from; i < to; i++) if (bytes[i] !== names[nameAt++]) return false;
      to = from - 1;
      node = page[at + Column.parent] as number;
    }
    return to === start;
  }
}

/**
 * Continues the hash of a path over `bytes[start, end)`: over "/name" it makes the hash of a child
 * from its parent's. That of the root is the seed. Not linear, so that names which collide under
 * one seed do not under another: whoever may create znodes cannot pile them up in one bucket.
 */
export function continueHash(hash: number, bytes: Uint8Array, start: number, end: number): number {
  let h = hash;
  for (let at = start; at < end; at++) {
    h = Math.imul(h ^ (bytes[at] as number), 0x01000193);
    h ^= h >>> 13;
  }
  return h;
}

const slash = 0x2f;
/** Integers in a bucket. */
const intsShift = 4;
/** Of these, the pairs, and where the number of the next bucket stands. */
const pairInts = 14;
const linkInt = 14;
/** Buckets in a page. */
const bucketShift = 12;
const bucketsInPage = 1 << bucketShift;
const bucketMask = bucketsInPage - 1;
/** Buckets of an empty table, whose first page grows until it is full. */
const bucketsFirst = 64;
const pageInts = bucketsInPage << intsShift;
/** Znodes per bucket beyond which the table grows. */
const bucketLoad = 4;

/** The pairs of the bucket being split. */
let splitPairs: Int32Array = new Int32Array(64);

function growSplitPairs(): void {
  const grown = new Int32Array(splitPairs.length * 2);
  grown.set(splitPairs);
  splitPairs = grown;
}

/** Spreads a hash over all bits: buckets are taken from the low ones. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 15);
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return h ^ (h >>> 15);
}
