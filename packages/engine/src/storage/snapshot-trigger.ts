import { assert } from '@meerkat/protocol';
import type { Random } from '../ports.ts';

/**
 * Says when the next snapshot is due (`SyncRequestProcessor.shouldSnapshot`): after a number of
 * transactions, or bytes of them, drawn anew each time from the upper half of the configured limits, so
 * that the members of an ensemble do not write their snapshots all at once. Owns the counts since
 * the last one. The log is rolled at the same moment (`TransactionLog.requestRoll`).
 */
export class SnapshotTrigger {
  readonly #snapCount: number;
  readonly #snapSizeBytes: number;
  readonly #random: Random;
  #countLimit = 0;
  #bytesLimit = Number.POSITIVE_INFINITY;
  #count = 0;
  #bytes = 0;

  /**
   * @param snapCount `snapCount`; less than 2 is 2
   * @param snapSizeBytes `snapSizeLimitInKb` in bytes; 0 or less is no limit
   */
  constructor(snapCount: number, snapSizeBytes: number, random: Random) {
    this.#snapCount = Math.max(2, snapCount);
    this.#snapSizeBytes = snapSizeBytes;
    this.#random = random;
    this.#draw();
  }

  /** Counts transactions that were logged. True: a snapshot is due; the counts begin anew. */
  count(transactions: number, bytes: number): boolean {
    assert(transactions >= 0 && bytes >= 0, 'transactions counted backwards', transactions, bytes);
    this.#count += transactions;
    this.#bytes += bytes;
    if (this.#count <= this.#countLimit && this.#bytes <= this.#bytesLimit) return false;
    this.#draw();
    return true;
  }

  #draw(): void {
    this.#count = 0;
    this.#bytes = 0;
    const half = Math.floor(this.#snapCount / 2);
    this.#countLimit = half + this.#random.below(half);
    if (this.#snapSizeBytes <= 0) return;
    const halfKb = Math.max(1, Math.floor(this.#snapSizeBytes / 2048));
    this.#bytesLimit = 1024 * (halfKb + this.#random.below(Math.min(halfKb, 2 ** 32)));
  }
}
