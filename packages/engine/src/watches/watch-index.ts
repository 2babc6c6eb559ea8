/**
 * One table of watches, as ZooKeeper's `WatchManager` keeps one for data and one for children.
 *
 * Owns which watchers watch which paths in which modes, and takes the one-shot ones away as they
 * fire. Refuses to decide which events there are: that is `watch-table.ts`.
 *
 * The ring of a path holds the recursive watches first, newest first, then the others in the order
 * in which they were set. So an ancestor with many ordinary watches costs nothing to look at.
 */
import { assert } from '@meerkat/protocol';
import { AncestorHashes, hashPath } from './path-hash.ts';
import { PathTable } from './path-table.ts';
import { WatchMode, WatchPool } from './watch-pool.ts';
import type { WatcherRoll } from './watcher-roll.ts';

/** A path and all who watch it. */
export interface WatchedPath {
  readonly path: string;
  readonly watchers: readonly number[];
}

/** The watches of one table. Paths are UTF-8, `bytes[start, end)`. */
export class WatchIndex {
  readonly #paths: PathTable = new PathTable();
  readonly #pool: WatchPool = new WatchPool();
  readonly #ancestors = new AncestorHashes();
  /** Recursive watches in the whole table: without any, nobody looks at ancestors. */
  #recursiveCount = 0;
  /** Watchers that have watched since they last had nothing to remove: ZooKeeper counts them so. */
  #listed = new Uint8Array(64);
  #listedCount = 0;

  /** How many watches there are: pairs of watcher and path, whatever their modes. */
  get watchCount(): number {
    return this.#pool.count;
  }

  /** How many paths are watched. */
  get pathCount(): number {
    return this.#paths.count;
  }

  /**
   * How many watchers there are. As in ZooKeeper, one whose watches have all fired counts until it
   * is removed (`WatchManager.watch2Paths`).
   */
  get watcherCount(): number {
    return this.#listedCount;
  }

  /** See `PathTable`. */
  get pathBytes(): number {
    return this.#paths.allocatedBytes;
  }

  /** What `PathSlab.growthFor` says. */
  growthFor(length: number): number {
    return this.#paths.growthFor(length);
  }

  /** Adds one mode to the watch of a watcher on a path; false when it is there already. */
  add(watcher: number, bytes: Uint8Array, start: number, end: number, mode: number): boolean {
    const hash = hashPath(bytes, start, end);
    const known = this.#paths.find(hash, bytes, start, end);
    const path = known === 0 ? this.#paths.add(hash, bytes, start, end) : known;
    const found = known === 0 ? 0 : this.#pool.find(watcher, path);
    const entry = found === 0 ? this.#addEntry(watcher, path) : found;
    const modes = this.#pool.modesOf(entry);
    if ((modes & mode) !== 0) return false;
    this.#pool.setModes(entry, modes | mode);
    if (mode === WatchMode.persistentRecursive) {
      this.#recursiveCount++;
      this.#moveFirst(entry);
    }
    return true;
  }

  /** Whether a watcher watches a path in one of these modes. */
  has(watcher: number, bytes: Uint8Array, start: number, end: number, modes: number): boolean {
    const entry = this.#find(watcher, bytes, start, end);
    return entry !== 0 && (this.#pool.modesOf(entry) & modes) !== 0;
  }

  /** Takes modes from the watch of a watcher on a path; false when it had none of them. */
  remove(watcher: number, bytes: Uint8Array, start: number, end: number, modes: number): boolean {
    const entry = this.#find(watcher, bytes, start, end);
    if (entry === 0) return false;
    const before = this.#pool.modesOf(entry);
    const after = before & ~modes;
    if (after === before) return false;
    if (after !== 0) {
      this.#pool.setModes(entry, after);
      if ((before & ~after & WatchMode.persistentRecursive) !== 0) {
        this.#recursiveCount--;
        this.#moveLast(entry);
      }
      return true;
    }
    this.#removeEntry(entry);
    if (this.#pool.firstOfWatcher(watcher) === 0) this.#unlist(watcher);
    return true;
  }

  /**
   * Removes up to `watchesMax` watches of a watcher; true when none is left.
   */
  removeWatcher(watcher: number, watchesMax: number): boolean {
    for (let left = watchesMax; left > 0; left--) {
      const entry = this.#pool.firstOfWatcher(watcher);
      if (entry === 0) break;
      this.#removeEntry(entry);
    }
    if (this.#pool.firstOfWatcher(watcher) !== 0) return false;
    this.#unlist(watcher);
    return true;
  }

  /** Puts on the roll who watches this very path, and takes their one-shot watches away. */
  take(roll: WatcherRoll, hash: number, bytes: Uint8Array, start: number, end: number): void {
    const path = this.#paths.find(hash, bytes, start, end);
    if (path === 0) return;
    const pool = this.#pool;
    let entry = this.#paths.first[path] as number;
    assert(entry !== 0, 'a watched path has a watch', path);
    const last = pool.previous(entry);
    for (;;) {
      const next = pool.next(entry);
      const modes = pool.modesOf(entry);
      roll.add(pool.watcherOf(entry));
      const isLast = entry === last;
      if (modes === WatchMode.standard) this.#removeEntry(entry);
      else pool.setModes(entry, modes & ~WatchMode.standard);
      if (isLast) return;
      entry = next;
    }
  }

  /** Puts on the roll who watches an ancestor of this path recursively. */
  takeAncestors(roll: WatcherRoll, bytes: Uint8Array, start: number, end: number): void {
    if (this.#recursiveCount === 0 || end - start < 2) return;
    const ancestors = this.#ancestors;
    ancestors.begin(bytes, start, end);
    while (ancestors.next()) {
      this.#takeRecursive(roll, ancestors.hash, bytes, start, ancestors.end);
    }
  }

  /** Each watcher that counts, in the order of their numbers. See `WatchTable.watchers`. */
  *watchers(): IterableIterator<number> {
    for (let watcher = 0; watcher < this.#listed.length; watcher++) {
      if (this.#listed[watcher] === 1) yield watcher;
    }
  }

  /** Each path of a watcher, the newest watch first. */
  *pathsOf(watcher: number): IterableIterator<string> {
    const pool = this.#pool;
    // The list may change under way, so its numbers are noted first; those that are gone are left out.
    const paths: number[] = [];
    let entry = pool.firstOfWatcher(watcher);
    for (; entry !== 0; entry = pool.nextOfWatcher(entry)) paths.push(pool.pathOf(entry));
    for (const path of paths) {
      if (pool.find(watcher, path) !== 0) yield this.#paths.textOf(path);
    }
  }

  /** Each watched path with those who watch it. */
  *pathsWatched(): IterableIterator<WatchedPath> {
    for (let path = 1; path < this.#paths.numberEnd; path++) {
      if (!this.#paths.isPath(path)) continue;
      const watchers: number[] = [];
      const first = this.#paths.first[path] as number;
      let entry = first;
      do {
        watchers.push(this.#pool.watcherOf(entry));
        entry = this.#pool.next(entry);
      } while (entry !== first);
      yield { path: this.#paths.textOf(path), watchers };
    }
  }

  #find(watcher: number, bytes: Uint8Array, start: number, end: number): number {
    const path = this.#paths.find(hashPath(bytes, start, end), bytes, start, end);
    return path === 0 ? 0 : this.#pool.find(watcher, path);
  }

  #takeRecursive(
    roll: WatcherRoll,
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const path = this.#paths.find(hash, bytes, start, end);
    if (path === 0) return;
    const first = this.#paths.first[path] as number;
    let entry = first;
    do {
      if ((this.#pool.modesOf(entry) & WatchMode.persistentRecursive) === 0) return;
      roll.add(this.#pool.watcherOf(entry));
      entry = this.#pool.next(entry);
    } while (entry !== first);
  }

  #addEntry(watcher: number, path: number): number {
    const entry = this.#pool.add(watcher, path);
    const firsts = this.#paths.first;
    firsts[path] = this.#pool.linkLast(firsts[path] as number, entry);
    this.#list(watcher);
    return entry;
  }

  #removeEntry(entry: number): void {
    const path = this.#pool.pathOf(entry);
    if ((this.#pool.modesOf(entry) & WatchMode.persistentRecursive) !== 0) this.#recursiveCount--;
    const first = this.#pool.unlink(this.#paths.first[path] as number, entry);
    this.#paths.first[path] = first;
    this.#pool.remove(entry);
    if (first === 0) this.#paths.remove(path);
    assert(this.#recursiveCount >= 0, 'recursive watches are counted', this.#recursiveCount);
  }

  #moveFirst(entry: number): void {
    const path = this.#pool.pathOf(entry);
    const firsts = this.#paths.first;
    this.#pool.linkLast(this.#pool.unlink(firsts[path] as number, entry), entry);
    firsts[path] = entry;
  }

  #moveLast(entry: number): void {
    const path = this.#pool.pathOf(entry);
    const firsts = this.#paths.first;
    firsts[path] = this.#pool.linkLast(this.#pool.unlink(firsts[path] as number, entry), entry);
  }

  #list(watcher: number): void {
    if (watcher >= this.#listed.length) {
      let capacity = this.#listed.length;
      while (capacity <= watcher) capacity *= 2;
      const grown = new Uint8Array(capacity);
      grown.set(this.#listed);
      this.#listed = grown;
    }
    if (this.#listed[watcher] === 0) this.#listedCount++;
    this.#listed[watcher] = 1;
  }

  #unlist(watcher: number): void {
    if (this.#listed[watcher] === 1) {
      this.#listed[watcher] = 0;
      this.#listedCount--;
    }
  }
}
