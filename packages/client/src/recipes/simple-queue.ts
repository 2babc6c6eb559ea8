import type { Acl } from '../acl.ts';
import { type Data, toBytes } from '../operations/values.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { QueueLine } from './queue-line.ts';
import { type WaitOptions, within } from './waiting.ts';

/** Options of `SimpleQueue`. */
export interface SimpleQueueOptions {
  /** Of the items, and of the parents that had to be created. Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A queue of bytes, first in, first out.
 *
 * Guarantee: each item is taken at most once, in the order in which they were put. One that was taken is lost when its taker
 * dies, and may be lost with a connection; where that matters, use `WorkQueue` with a `lockPath`.
 *
 * ```ts
 * const queue = new SimpleQueue(zk, '/queues/mail');
 * await queue.put('hello');
 * const bytes = await queue.take({ timeoutMs: 5000 });
 * ```
 *
 * Layout: ZooKeeper's own queue recipe and Curator's `SimpleDistributedQueue`, `qn-0000000000` holding the bytes.
 */
export class SimpleQueue {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #line: QueueLine;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: SimpleQueueOptions = {}) {
    this.path = path;
    this.#zk = zk;
    const dueInMs = (): number => 0;
    this.#line = new QueueLine(zk, {
      path,
      prefix: 'qn-',
      acl: options.acl,
      lockPath: null,
      dueInMs,
    });
  }

  /** Adds an item at the end. @throws ZooKeeperError; with `mayHaveHappened` nobody knows whether it was added */
  async put(item: Data): Promise<void> {
    await this.#line.put('qn-', toBytes(item));
  }

  /** Waits for an item and takes it. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  take(options: WaitOptions = {}): Promise<Uint8Array> {
    return within(this.#zk, options, `take from ${this.path}`, async (signal) => {
      return (await this.#line.take(signal)).data ?? new Uint8Array(0);
    });
  }

  /** Takes the first item; null when the queue is empty. */
  tryTake(options: WaitOptions = {}): Promise<Uint8Array | null> {
    return within(this.#zk, options, `take from ${this.path}`, async (signal) => {
      const claim = await this.#line.tryTake(signal);
      return claim === null ? null : (claim.data ?? new Uint8Array(0));
    });
  }

  /** The first item, left where it is; null when the queue is empty. */
  peek(options: WaitOptions = {}): Promise<Uint8Array | null> {
    return within(this.#zk, options, `look at ${this.path}`, (signal) => this.#line.peek(signal));
  }
}
