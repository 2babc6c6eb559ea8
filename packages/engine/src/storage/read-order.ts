import { epochOf, type Zxid } from '@meerkat/protocol';

/**
 * What was read from logs, for records that come again: servers log a transaction twice now and then. Owns how far each
 * epoch was read. A record that comes late and was never read is none of these: something else stood in its place.
 */
export class ReadOrder {
  readonly #ends = new Map<number, Zxid>();
  #epoch = -1;
  #end: Zxid;

  /** @param fromZxid what was there before */
  constructor(fromZxid: Zxid) {
    this.#end = fromZxid;
    this.#epoch = epochOf(fromZxid);
  }

  /** A record is taken that follows the one before it. */
  took(zxid: Zxid): void {
    const epoch = epochOf(zxid);
    if (epoch !== this.#epoch) this.#ends.set(this.#epoch, this.#end);
    this.#epoch = epoch;
    this.#end = zxid;
  }

  /** Whether a record that is not newer than the last one was taken before. */
  has(zxid: Zxid): boolean {
    const epoch = epochOf(zxid);
    const end = epoch === this.#epoch ? this.#end : this.#ends.get(epoch);
    return end !== undefined && zxid <= end;
  }
}
