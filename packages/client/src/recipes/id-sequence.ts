import { BadArgumentsError, ZooKeeperError } from '../errors.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { AtomicLong } from './atomic-numbers.ts';
import type { AtomicOptions } from './atomic-value.ts';
import type { WaitOptions } from './waiting.ts';

/** Options of `IdSequence`. */
export interface IdSequenceOptions extends AtomicOptions {
  /** So many ids are fetched with one write, and given out by this process. Default 1. */
  readonly blockSize?: number;
}

/**
 * Ids that count up.
 *
 * Guarantee: no id is given out twice, by any process that uses the path; those that one process gets are in order. With
 * a `blockSize` of 1, an id that is asked for after another one was given, anywhere, is greater than that. Ids may be
 * left out: those of a process that ended, and those of a write of which nobody knows whether it happened.
 *
 * ```ts
 * const orders = new IdSequence(zk, '/ids/orders', { blockSize: 100 });
 * const order = await orders.next(); // 1n, 2n, …
 * ```
 *
 * Layout: Curator's `DistributedAtomicLong` with the greatest id that was fetched.
 */
export class IdSequence {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #fetched: AtomicLong;
  readonly #blockSize: bigint;
  #next = 1n;
  #last = 0n;
  #fetching: Promise<unknown> = Promise.resolve();

  /** Sends nothing yet. @throws BadArgumentsError when the path or the size of a block is not valid */
  constructor(zk: ZooKeeper, path: string, options: IdSequenceOptions = {}) {
    const { blockSize = 1 } = options;
    if (!Number.isSafeInteger(blockSize) || blockSize < 1) {
      const message = `Cannot give out ids of ${path}: current value is blockSize ${blockSize}, it must be 1 or more`;
      throw new BadArgumentsError({ message });
    }
    this.path = path;
    this.#zk = zk;
    this.#fetched = new AtomicLong(zk, path, options);
    this.#blockSize = BigInt(blockSize);
  }

  /** The next id, from 1 on. @throws WaitTimeoutError; ZooKeeperError; or the signal's reason */
  next(options: WaitOptions = {}): Promise<bigint> {
    const given = this.#fetching.then(() => this.#take(options));
    this.#fetching = given.catch(() => {});
    return given;
  }

  async #take(options: WaitOptions): Promise<bigint> {
    if (this.#next > this.#last) {
      const { before, after } = await this.#fetch(options);
      this.#next = before + 1n;
      this.#last = after;
    }
    return this.#next++;
  }

  /** A block may be fetched and never arrive: then another one is. */
  async #fetch(options: WaitOptions): ReturnType<AtomicLong['add']> {
    for (;;) {
      try {
        return await this.#fetched.add(this.#blockSize, options);
      } catch (error) {
        if (!(error instanceof ZooKeeperError && error.mayHaveHappened)) throw error;
      }
      await this.#zk.connected(options);
    }
  }
}
