/**
 * The watches of one table: who watches which path in which modes, as numbers in typed arrays.
 *
 * Owns one entry per (watcher, path); each entry is in three structures: the ring of its path, the
 * list of its watcher, and a hash that finds it by both. Refuses to know paths' bytes.
 */
import { assert } from '@meerkat/protocol';
import { NumberHash } from './number-hash.ts';
import { grownInt32 } from './path-table.ts';

/** Modes of a watch, independent bits (`WatcherMode.java`). */
export const WatchMode = { standard: 1, persistent: 2, persistentRecursive: 4 } as const;

/** Entries are numbered from 1; 0 is none. */
export class WatchPool {
  #watcher = new Int32Array(capacityAtFirst);
  /** The path of an entry; 0 for a free one. */
  #path = new Int32Array(capacityAtFirst);
  #modes = new Uint8Array(capacityAtFirst);
  /** The ring of a path: its first entry's `previous` is its last. `next` of a free entry is the next free one. */
  #next = new Int32Array(capacityAtFirst);
  #previous = new Int32Array(capacityAtFirst);
  #nextOfWatcher = new Int32Array(capacityAtFirst);
  #previousOfWatcher = new Int32Array(capacityAtFirst);
  /** Per watcher, its newest entry. */
  #firstOfWatcher = new Int32Array(capacityAtFirst);
  /** Entries by (watcher, path). */
  #numbers = new NumberHash((entry) => this.#hashOf(entry));
  #used = 1;
  #free = 0;
  #count = 0;

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  watcherOf(entry: number): number {
    return this.#watcher[entry] as number;
  }

  pathOf(entry: number): number {
    return this.#path[entry] as number;
  }

  modesOf(entry: number): number {
    return this.#modes[entry] as number;
  }

  setModes(entry: number, modes: number): void {
    this.#modes[entry] = modes;
  }

  /** The entry behind this one in the ring of its path. */
  next(entry: number): number {
    return this.#next[entry] as number;
  }

  /** The entry before this one in the ring of its path; of the first entry, the last. */
  previous(entry: number): number {
    return this.#previous[entry] as number;
  }

  /** The newest entry of a watcher, 0 when it has none. */
  firstOfWatcher(watcher: number): number {
    return watcher < this.#firstOfWatcher.length ? (this.#firstOfWatcher[watcher] as number) : 0;
  }

  /** The entry of the same watcher that is next older, 0 when there is none. */
  nextOfWatcher(entry: number): number {
    return this.#nextOfWatcher[entry] as number;
  }

  /** The entry of a watcher for a path, 0 when there is none. */
  find(watcher: number, path: number): number {
    const hash = hashPair(watcher, path);
    const slots = this.#numbers.slotsFor(hash);
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot] as number;
      if (entry === 0) return 0;
      if (this.#watcher[entry] === watcher && this.#path[entry] === path) return entry;
    }
  }

  /** Adds an entry that is not here, outside any ring, without modes. */
  add(watcher: number, path: number): number {
    assert(watcher >= 0 && path > 0, 'a watch has a watcher and a path', watcher, path);
    const entry = this.#takeEntry();
    this.#watcher[entry] = watcher;
    this.#path[entry] = path;
    this.#modes[entry] = 0;
    this.#linkToWatcher(entry, watcher);
    this.#numbers.add(entry, hashPair(watcher, path));
    this.#count++;
    return entry;
  }

  /** Forgets an entry that is in no ring any more. */
  remove(entry: number): void {
    assert(entry > 0 && entry < this.#used, 'a watch has a number of the pool', entry, this.#used);
    this.#numbers.remove(entry, this.#hashOf(entry));
    this.#unlinkFromWatcher(entry);
    this.#path[entry] = 0;
    this.#next[entry] = this.#free;
    this.#free = entry;
    this.#count--;
    if (this.#count === 0 && this.#modes.length > keptCapacityMax) this.#startAgain();
  }

  /** Puts an entry at the end of the ring that starts with `first` (0: an empty one). Returns the ring's first. */
  linkLast(first: number, entry: number): number {
    if (first === 0) {
      this.#next[entry] = entry;
      this.#previous[entry] = entry;
      return entry;
    }
    const last = this.#previous[first] as number;
    this.#next[last] = entry;
    this.#previous[entry] = last;
    this.#next[entry] = first;
    this.#previous[first] = entry;
    return first;
  }

  /** Takes an entry out of the ring that starts with `first`. Returns the ring's first, 0 when it is empty. */
  unlink(first: number, entry: number): number {
    const next = this.#next[entry] as number;
    if (next === entry) {
      assert(first === entry, 'the last entry of a ring is its first', first, entry);
      return 0;
    }
    const previous = this.#previous[entry] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    return first === entry ? next : first;
  }

  #linkToWatcher(entry: number, watcher: number): void {
    if (watcher >= this.#firstOfWatcher.length) {
      let capacity = this.#firstOfWatcher.length;
      while (capacity <= watcher) capacity *= 2;
      this.#firstOfWatcher = grownInt32(this.#firstOfWatcher, capacity);
    }
    const first = this.#firstOfWatcher[watcher] as number;
    this.#nextOfWatcher[entry] = first;
    this.#previousOfWatcher[entry] = 0;
    if (first !== 0) this.#previousOfWatcher[first] = entry;
    this.#firstOfWatcher[watcher] = entry;
  }

  #unlinkFromWatcher(entry: number): void {
    const next = this.#nextOfWatcher[entry] as number;
    const previous = this.#previousOfWatcher[entry] as number;
    if (next !== 0) this.#previousOfWatcher[next] = previous;
    if (previous !== 0) this.#nextOfWatcher[previous] = next;
    else this.#firstOfWatcher[this.#watcher[entry] as number] = next;
  }

  #takeEntry(): number {
    if (this.#free !== 0) {
      const entry = this.#free;
      this.#free = this.#next[entry] as number;
      return entry;
    }
    if (this.#used === this.#modes.length) this.#grow();
    return this.#used++;
  }

  #hashOf(entry: number): number {
    return hashPair(this.#watcher[entry] as number, this.#path[entry] as number);
  }

  #grow(): void {
    const capacity = this.#modes.length * 2;
    this.#watcher = grownInt32(this.#watcher, capacity);
    this.#path = grownInt32(this.#path, capacity);
    this.#next = grownInt32(this.#next, capacity);
    this.#previous = grownInt32(this.#previous, capacity);
    this.#nextOfWatcher = grownInt32(this.#nextOfWatcher, capacity);
    this.#previousOfWatcher = grownInt32(this.#previousOfWatcher, capacity);
    const modes = new Uint8Array(capacity);
    modes.set(this.#modes);
    this.#modes = modes;
  }

  /** Gives the memory of a pool that was large and is empty back to the system. */
  #startAgain(): void {
    this.#watcher = new Int32Array(capacityAtFirst);
    this.#path = new Int32Array(capacityAtFirst);
    this.#modes = new Uint8Array(capacityAtFirst);
    this.#next = new Int32Array(capacityAtFirst);
    this.#previous = new Int32Array(capacityAtFirst);
    this.#nextOfWatcher = new Int32Array(capacityAtFirst);
    this.#previousOfWatcher = new Int32Array(capacityAtFirst);
    this.#firstOfWatcher = new Int32Array(capacityAtFirst);
    this.#numbers = new NumberHash((entry) => this.#hashOf(entry));
    this.#used = 1;
    this.#free = 0;
  }
}

const capacityAtFirst = 64;
/** Larger arrays are given back when they become empty. */
const keptCapacityMax = 16_384;

/** A hash of a watcher and a path, all bits mixed. */
function hashPair(watcher: number, path: number): number {
  let h = Math.imul(watcher, 0x9e3779b1) ^ Math.imul(path, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}
