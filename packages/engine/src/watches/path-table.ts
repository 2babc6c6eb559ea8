/**
 * The set of watched paths: each path has a small number, its bytes lie in a slab, an
 * open-addressing hash finds it.
 *
 * Owns the numbers and the bytes. Refuses to know who watches: `first` is a cell per path that the
 * owner of this table uses for its list of watches.
 */
import { assert, decodeUtf8 } from '@meerkat/protocol';
import { NumberHash } from './number-hash.ts';
import { offsetOf, PathSlab } from './path-slab.ts';

/** Numbers the paths it holds, from 1; 0 is "no such path". Numbers are reused after `remove`. */
export class PathTable {
  /** Per path, for the owner: its first watch, 0 when there is none. */
  first: Int32Array = new Int32Array(capacityAtFirst);
  #slab: PathSlab = new PathSlab();
  #numbers = new NumberHash((path) => this.#hash[path] as number);
  #hash = new Int32Array(capacityAtFirst);
  /** Address in the slab; of a free number the next free one. */
  #address = new Uint32Array(capacityAtFirst);
  #length = new Int32Array(capacityAtFirst);
  #used = 1;
  #free = 0;
  #count = 0;

  /** How many paths there are. */
  get count(): number {
    return this.#count;
  }

  /** Bytes that the texts of the paths take, those kept for paths to come included. */
  get allocatedBytes(): number {
    return this.#slab.allocatedBytes;
  }

  /** What `PathSlab.growthFor` says. */
  growthFor(length: number): number {
    return this.#slab.growthFor(length);
  }

  /** Numbers that may be in use are below this. */
  get numberEnd(): number {
    return this.#used;
  }

  /**
   * The number of a path, 0 when it is not here.
   *
   * @param hash what `hashPath` says of `bytes[start, end)`
   */
  find(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#numbers.slotsFor(hash);
    const mask = slots.length - 1;
    const length = end - start;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const path = slots[slot] as number;
      if (path === 0) return 0;
      if (
        this.#hash[path] === hash &&
        this.#length[path] === length &&
        this.#slab.equals(this.#address[path] as number, length, bytes, start)
      ) {
        return path;
      }
    }
  }

  /** Adds a path that is not here; returns its number. Its `first` is 0. */
  add(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const path = this.#takeNumber();
    this.#hash[path] = hash;
    this.#address[path] = this.#slab.store(bytes, start, end);
    this.#length[path] = end - start;
    this.first[path] = 0;
    this.#numbers.add(path, hash);
    this.#count++;
    return path;
  }

  /** Forgets a path. */
  remove(path: number): void {
    assert(path > 0 && path < this.#used, 'a path has a number of the table', path, this.#used);
    this.#numbers.remove(path, this.#hash[path] as number);
    this.#slab.release(this.#address[path] as number, this.#length[path] as number);
    this.#address[path] = this.#free;
    this.#length[path] = freeLength;
    this.#free = path;
    this.#count--;
    const isLarge = this.#length.length > keptCapacityMax || this.allocatedBytes > keptBytesMax;
    if (this.#count === 0 && isLarge) this.#startAgain();
  }

  /** Whether a number below `numberEnd` is that of a path. */
  isPath(path: number): boolean {
    return path > 0 && path < this.#used && this.#length[path] !== freeLength;
  }

  /** The text of a path. */
  textOf(path: number): string {
    const address = this.#address[path] as number;
    const start = offsetOf(address);
    const end = start + (this.#length[path] as number);
    return decodeUtf8(this.#slab.bytesAt(address), start, end);
  }

  #takeNumber(): number {
    if (this.#free !== 0) {
      const path = this.#free;
      this.#free = this.#address[path] as number;
      return path;
    }
    if (this.#used === this.#length.length) this.#grow();
    return this.#used++;
  }

  #grow(): void {
    const capacity = this.#length.length * 2;
    this.first = grownInt32(this.first, capacity);
    this.#hash = grownInt32(this.#hash, capacity);
    this.#length = grownInt32(this.#length, capacity);
    const address = new Uint32Array(capacity);
    address.set(this.#address);
    this.#address = address;
  }

  /** Gives the memory of a table that was large and is empty back to the system. */
  #startAgain(): void {
    this.#slab = new PathSlab();
    this.#numbers = new NumberHash((path) => this.#hash[path] as number);
    this.first = new Int32Array(capacityAtFirst);
    this.#hash = new Int32Array(capacityAtFirst);
    this.#address = new Uint32Array(capacityAtFirst);
    this.#length = new Int32Array(capacityAtFirst);
    this.#used = 1;
    this.#free = 0;
  }
}

/** `from` with room for `capacity` numbers. */
export function grownInt32(from: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(capacity);
  grown.set(from);
  return grown;
}

const capacityAtFirst = 64;
/** Larger arrays are given back when they become empty. */
const keptCapacityMax = 16_384;
const keptBytesMax = 4 * 1024 * 1024;
const freeLength = -1;
