import { assert } from '@meerkat/protocol';
import { continueHash } from '../tree/path-index.ts';
import type { ChangeRecord } from './change-record.ts';

/**
 * Records of znodes that are not in the tree yet, by path. Owns the look-up by the bytes of a path, so
 * that a create makes no string; records whose paths share a hash are in one chain.
 */
export class PathRecords {
  readonly #seed: number;
  readonly #byHash = new Map<number, ChangeRecord>();
  #size = 0;

  /** @param seed of the hash; drawn at random, so that nobody can choose paths that collide */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** The record for a path; null when there is none. */
  get(path: Uint8Array, start: number, end: number): ChangeRecord | null {
    let record = this.#byHash.get(continueHash(this.#seed, path, start, end)) ?? null;
    while (record !== null && !record.hasPath(path, start, end)) record = record.nextWithHash;
    return record;
  }

  /** Puts a record in the place of the one with its path, which is returned; null when there was none. */
  set(record: ChangeRecord): ChangeRecord | null {
    assert(record.nextWithHash === null, 'a record is in one chain');
    const replaced = this.get(record.path, 0, record.pathLength);
    if (replaced !== null) this.delete(replaced);
    const hash = this.#hashOf(record);
    record.nextWithHash = this.#byHash.get(hash) ?? null;
    this.#byHash.set(hash, record);
    this.#size++;
    return replaced;
  }

  /** Takes a record out; one that is not here, or whose place another has taken, is passed over. */
  delete(record: ChangeRecord): void {
    const hash = this.#hashOf(record);
    let previous: ChangeRecord | null = null;
    let at = this.#byHash.get(hash) ?? null;
    while (at !== null && at !== record) {
      previous = at;
      at = at.nextWithHash;
    }
    if (at === null) return;
    if (previous !== null) previous.nextWithHash = record.nextWithHash;
    else if (record.nextWithHash !== null) this.#byHash.set(hash, record.nextWithHash);
    else this.#byHash.delete(hash);
    record.nextWithHash = null;
    this.#size--;
  }

  /** Every record, in no order that means anything. */
  *values(): IterableIterator<ChangeRecord> {
    for (const first of this.#byHash.values()) {
      for (let record: ChangeRecord | null = first; record !== null; record = record.nextWithHash) {
        yield record;
      }
    }
  }

  clear(): void {
    this.#byHash.clear();
    this.#size = 0;
  }

  #hashOf(record: ChangeRecord): number {
    return continueHash(this.#seed, record.path, 0, record.pathLength);
  }
}
