import { assert } from '@meerkat/protocol';
import type { ChangeRecord } from './change-record.ts';

/**
 * Change records by a number, their `key`, which several may share: chains through the records themselves,
 * so that adding one and taking one out costs no object.
 *
 * Owns the chains. A record is in one of these at most.
 */
export class RecordBuckets {
  #heads: (ChangeRecord | null)[] = new Array<ChangeRecord | null>(bucketsAtFirst).fill(null);
  #mask = bucketsAtFirst - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The first record that may have the key; those behind it hang on `nextInBucket`. Compare `key` first. */
  first(key: number): ChangeRecord | null {
    return this.#heads[spread(key) & this.#mask] as ChangeRecord | null;
  }

  /** Puts a record in front of those with its key. */
  add(record: ChangeRecord): void {
    assert(record.nextInBucket === null, 'a record is in one chain', record.key);
    if (this.#size > this.#mask) this.#grow();
    this.#size++;
    this.#link(record);
  }

  /** Takes a record out; one that is not here is passed over. Returns whether it was. */
  remove(record: ChangeRecord): boolean {
    const bucket = spread(record.key) & this.#mask;
    let previous: ChangeRecord | null = null;
    let at = this.#heads[bucket] as ChangeRecord | null;
    while (at !== null && at !== record) {
      previous = at;
      at = at.nextInBucket;
    }
    if (at === null) return false;
    if (previous === null) this.#heads[bucket] = record.nextInBucket;
    else previous.nextInBucket = record.nextInBucket;
    record.nextInBucket = null;
    this.#size--;
    return true;
  }

  /** Every record, in no order that means anything. */
  *values(): IterableIterator<ChangeRecord> {
    for (const head of this.#heads) {
      for (let record = head; record !== null; record = record.nextInBucket) yield record;
    }
  }

  clear(): void {
    for (const record of Array.from(this.values())) record.nextInBucket = null;
    this.#heads.fill(null);
    this.#size = 0;
  }

  #link(record: ChangeRecord): void {
    const bucket = spread(record.key) & this.#mask;
    record.nextInBucket = this.#heads[bucket] as ChangeRecord | null;
    this.#heads[bucket] = record;
  }

  #grow(): void {
    const records = [...this.values()];
    this.#mask = this.#mask * 2 + 1;
    this.#heads = new Array<ChangeRecord | null>(this.#mask + 1).fill(null);
    for (const record of records) this.#link(record);
  }
}

const bucketsAtFirst = 256;

/** The low bits choose the bucket; the high ones of a hash shall have their say. */
function spread(key: number): number {
  return key ^ (key >>> 16);
}
