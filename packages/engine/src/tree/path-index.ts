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
 * Finds a znode by its full path. Owns the chains of znodes whose hashes fall into one bucket;
 * keeps no paths: a candidate is confirmed by comparing names up to the root.
 *
 * The table grows by linear hashing: each insertion beyond the load splits one bucket, so no
 * request ever pays for a table of millions being built anew. It does not shrink.
 */
export class PathIndex {
  readonly #nodes: NodeTable;
  readonly #slab: Slab;
  readonly #heads: Int32Array[] = [new Int32Array(headsInPage)];
  /** Buckets of the last full doubling, less one. */
  #mask = headsInPage - 1;
  /** How many of them have been split. */
  #split = 0;
  #count = 0;

  constructor(nodes: NodeTable, slab: Slab) {
    this.#nodes = nodes;
    this.#slab = slab;
  }

  /** Bytes of the table. */
  get reservedBytes(): number {
    return this.#heads.length * headsInPage * 4;
  }

  /** The znode at `bytes[start, end)`, whose hash is given; `noNode` when there is none. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): NodeId {
    if (start === end) return rootNode;
    const bucket = this.#bucketOf(hash);
    let id = (this.#heads[bucket >>> headsShift] as Int32Array)[bucket & headsMask] as number;
    const pages = this.#nodes.pages;
    while (id !== noNode) {
      const page = pages[id >>> pageShift] as Int32Array;
      const at = (id & pageMask) * rowInts;
      if (page[at + Column.hash] === hash && this.#isAt(id, bytes, start, end)) return id;
      id = page[at + Column.bucketNext] as number;
    }
    return noNode;
  }

  /** Adds a znode whose hash, name and parent are set. */
  insert(id: NodeId): void {
    const bucket = this.#bucketOf(this.#nodes.get(id, Column.hash));
    const heads = this.#heads[bucket >>> headsShift] as Int32Array;
    this.#nodes.set(id, Column.bucketNext, heads[bucket & headsMask] as number);
    heads[bucket & headsMask] = id;
    this.#count++;
    while (this.#count * loadDenominator > (this.#mask + 1 + this.#split) * loadNumerator) {
      this.#splitNext();
    }
  }

  /** Takes a znode out. */
  remove(id: NodeId): void {
    const bucket = this.#bucketOf(this.#nodes.get(id, Column.hash));
    const heads = this.#heads[bucket >>> headsShift] as Int32Array;
    const next = this.#nodes.get(id, Column.bucketNext);
    let at = heads[bucket & headsMask] as number;
    if (at === id) {
      heads[bucket & headsMask] = next;
    } else {
      while (this.#nodes.get(at, Column.bucketNext) !== id) {
        at = this.#nodes.get(at, Column.bucketNext);
        assert(at !== noNode, 'a removed znode is in its bucket', id, bucket);
      }
      this.#nodes.set(at, Column.bucketNext, next);
    }
    this.#count--;
  }

  #bucketOf(hash: number): number {
    const mixed = mix(hash);
    const bucket = mixed & this.#mask;
    return bucket < this.#split ? mixed & (this.#mask * 2 + 1) : bucket;
  }

  /** Shares the znodes of the next bucket to be split between it and a new one. */
  #splitNext(): void {
    const from = this.#split;
    const to = this.#mask + 1 + from;
    if (to >>> headsShift === this.#heads.length) this.#heads.push(new Int32Array(headsInPage));
    const fromHeads = this.#heads[from >>> headsShift] as Int32Array;
    const toHeads = this.#heads[to >>> headsShift] as Int32Array;
    let id = fromHeads[from & headsMask] as number;
    let stay = noNode;
    let move = noNode;
    while (id !== noNode) {
      const next = this.#nodes.get(id, Column.bucketNext);
      const isMoving = (mix(this.#nodes.get(id, Column.hash)) & (this.#mask + 1)) !== 0;
      this.#nodes.set(id, Column.bucketNext, isMoving ? move : stay);
      if (isMoving) move = id;
      else stay = id;
      id = next;
    }
    fromHeads[from & headsMask] = stay;
    toHeads[to & headsMask] = move;
    this.#split++;
    if (this.#split > this.#mask) {
      this.#mask = this.#mask * 2 + 1;
      this.#split = 0;
    }
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
const headsShift = 14;
const headsInPage = 1 << headsShift;
const headsMask = headsInPage - 1;
/** Znodes per bucket beyond which the table grows: 3/4. */
const loadNumerator = 3;
const loadDenominator = 4;

/** Spreads a hash over all bits: buckets are taken from the low ones. */
function mix(hash: number): number {
  let h = hash ^ (hash >>> 15);
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return h ^ (h >>> 15);
}
