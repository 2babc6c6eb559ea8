import { assert } from '@meerkat/protocol';
import { continueHash } from '../tree/path-index.ts';
import type { ChangeRecord } from './change-record.ts';
import { RecordBuckets } from './record-buckets.ts';

/**
 * Records of znodes that are not in the tree yet, by path. Owns the look-up by the bytes of a path, so
 * that a create makes no string; the key of such a record is the hash of its path.
 */
export class PathRecords {
  readonly #seed: number;
  readonly #buckets = new RecordBuckets();

  /** @param seed of the hash; drawn at random, so that nobody can choose paths that collide */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** The record for a path; null when there is none. */
  get(path: Uint8Array, start: number, end: number): ChangeRecord | null {
    return this.#find(continueHash(this.#seed, path, start, end), path, start, end);
  }

  /** Puts a record in the place of the one with its path, which is returned; null when there was none. */
  set(record: ChangeRecord): ChangeRecord | null {
    assert(record.nextInBucket === null, 'a record is in one chain');
    record.key = continueHash(this.#seed, record.path, 0, record.pathLength);
    const replaced = this.#find(record.key, record.path, 0, record.pathLength);
    if (replaced !== null) this.#buckets.remove(replaced);
    this.#buckets.add(record);
    return replaced;
  }

  /** Takes a record out; one that is not here, or whose place another has taken, is passed over. */
  delete(record: ChangeRecord): void {
    this.#buckets.remove(record);
  }

  /** Every record, in no order that means anything. */
  values(): IterableIterator<ChangeRecord> {
    return this.#buckets.values();
  }

  clear(): void {
    this.#buckets.clear();
  }

  #find(hash: number, path: Uint8Array, start: number, end: number): ChangeRecord | null {
    let record = this.#buckets.first(hash);
    while (record !== null && !(record.key === hash && record.hasPath(path, start, end))) {
      record = record.nextInBucket;
    }
    return record;
  }
}
