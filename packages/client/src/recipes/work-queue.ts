import type { Acl } from '../acl.ts';
import { BadArgumentsError } from '../errors.ts';
import type { Data } from '../operations/values.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { decodeItems, encodeItems } from './queue-items.ts';
import { type Claim, QueueLine } from './queue-line.ts';
import { Tenure } from './tenure.ts';
import { type WaitOptions, within } from './waiting.ts';

/** Options of work queues. */
export interface WorkQueueOptions {
  /**
   * Where items being worked on are marked. With it an item stays in the queue until `done`, and is given to another when
   * its worker dies. Without it it leaves the queue as it is taken.
   */
  readonly lockPath?: string;
  /** Of the items, and of the parents that had to be created. Default `openAcl`. */
  readonly acl?: Acl;
}

/** Work that was taken. `await using` gives it back unless it is `done` by then. */
export interface Work extends AsyncDisposable {
  /** The items that were put together. */
  readonly items: readonly Uint8Array[];
  /** The znode they came from. */
  readonly path: string;
  /**
   * Fencing token: whoever takes the same item later has a greater one, so that the resource can refuse a worker that was
   * paused. Null without a `lockPath`: then nobody takes it later.
   */
  readonly token: bigint | null;
  /** With a `lockPath`, aborts when another worker may take the item, since the connection or the session was lost. */
  readonly lost: AbortSignal;
  /**
   * It was dealt with, and leaves the queue: when it resolves, nobody gets it again.
   *
   * @throws SessionExpiredError when the session ended before that was certain: another worker may get it
   */
  done(): Promise<void>;
  /** It was not dealt with: another worker may take it. Nothing happens after `done`, or without a `lockPath`. */
  giveBack(): Promise<void>;
}

/** The worker's side of all work queues. */
export abstract class WorkSource {
  /** Where the items lie. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #line: QueueLine;

  /** Sends nothing yet. @throws BadArgumentsError when a path is not valid */
  constructor(
    zk: ZooKeeper,
    path: string,
    options: WorkQueueOptions,
    dueInMs: (name: string) => number,
  ) {
    this.path = path;
    this.#zk = zk;
    const { lockPath = null, acl } = options;
    this.#line = new QueueLine(zk, { path, prefix: itemName, acl, lockPath, dueInMs });
  }

  /** Waits for work and takes it. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  take(options: WaitOptions = {}): Promise<Work> {
    return within(this.#zk, options, `take work from ${this.path}`, async (signal) => {
      return this.#work(await this.#line.take(signal));
    });
  }

  /** Work that can be taken now; null when there is none. */
  tryTake(options: WaitOptions = {}): Promise<Work | null> {
    return within(this.#zk, options, `take work from ${this.path}`, async (signal) => {
      const claim = await this.#line.tryTake(signal);
      return claim === null ? null : this.#work(claim);
    });
  }

  /**
   * Work, one after the other, until the signal aborts. What is neither `done` nor given back when the next is asked for is
   * given back.
   */
  async *work(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Work, void, undefined> {
    for (;;) {
      let work: Work;
      try {
        work = await this.take(options);
      } catch (error) {
        if (options.signal?.aborted) return;
        throw error;
      }
      try {
        yield work;
      } finally {
        await work.giveBack();
      }
    }
  }
  /** Adds a znode with these items; `order` goes between `queue-` and the number. */
  protected async putAt(order: string, items: readonly Data[]): Promise<void> {
    await this.#line.put(itemName + order, encodeItems(items));
  }

  #work(claim: Claim): Work {
    return new TakenWork(this.#zk, this.#line, claim, decodeItems(claim.data, claim.path));
  }
}

/**
 * A queue of work, first in, first out, for many producers and workers.
 *
 * Guarantee: with a `lockPath` each item is dealt with at least once, by one worker at a time: a worker that dies, or
 * loses its session, leaves it to another (who may begin before the first has noticed). Without it each item is
 * taken at most once. Items are taken in the order in which they were put.
 *
 * ```ts
 * const queue = new WorkQueue(zk, '/queues/images', { lockPath: '/queues/images-locks' });
 * await queue.put('cat.png', 'dog.png');
 * for await (const work of queue.work({ signal })) {
 *   await resize(work.items);
 *   await work.done();
 * }
 * ```
 *
 * Layout: Curator's `DistributedQueue`, `queue-0000000000` holding the items with a mark before each.
 */
export class WorkQueue extends WorkSource {
  /** Sends nothing yet. @throws BadArgumentsError when a path is not valid */
  constructor(zk: ZooKeeper, path: string, options: WorkQueueOptions = {}) {
    super(zk, path, options, () => 0);
  }

  /** Adds items, which are taken together. @throws ZooKeeperError; with `mayHaveHappened` nobody knows whether they were added */
  put(...items: Data[]): Promise<void> {
    return this.putAt('', items);
  }
}

/**
 * A `WorkQueue` in which items with a smaller priority come first, and those of the same priority in the order in which
 * they were put.
 *
 * ```ts
 * await new PriorityQueue(zk, '/queues/alerts').put(-10, 'urgent');
 * ```
 *
 * Layout: Curator's `DistributedPriorityQueue`, `queue-` and nine hexadecimal digits before the number.
 */
export class PriorityQueue extends WorkSource {
  /** Sends nothing yet. @throws BadArgumentsError when a path is not valid */
  constructor(zk: ZooKeeper, path: string, options: WorkQueueOptions = {}) {
    super(zk, path, options, () => 0);
  }

  /**
   * Adds items, which are taken together.
   *
   * @param priority a whole number of 32 bits; the smallest comes first
   * @throws BadArgumentsError; ZooKeeperError, with `mayHaveHappened` when nobody knows whether they were added
   */
  async put(priority: number, ...items: Data[]): Promise<void> {
    if (priority !== (priority | 0)) {
      const message = `Cannot put work into ${this.path}: current value is priority ${priority}, and it must be a whole number of 32 bits`;
      throw new BadArgumentsError({ message });
    }
    // As `DistributedPriorityQueue.priorityToString`: negative ones sort before the others.
    const sign = priority >= 0 ? '1' : '0';
    await this.putAt(sign + hexadecimal(priority >>> 0), items);
  }
}

/** Options of `DelayQueue`. */
export interface DelayQueueOptions extends WorkQueueOptions {
  /** The time, ms since 1970, by which delays are told. Producers and workers should agree. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/**
 * A `WorkQueue` whose items are left alone until their time has come, and then taken in the order of their times.
 *
 * ```ts
 * await new DelayQueue(zk, '/queues/reminders').put({ delayMs: 60_000 }, 'call back');
 * ```
 *
 * Layout: Curator's `DistributedDelayQueue`, `queue-|<time in hexadecimal>|` before the number.
 */
export class DelayQueue extends WorkSource {
  readonly #nowMs: () => number;

  /** Sends nothing yet. @throws BadArgumentsError when a path is not valid */
  constructor(zk: ZooKeeper, path: string, options: DelayQueueOptions = {}) {
    const { nowMs = Date.now } = options;
    super(zk, path, options, (name) => Math.max(0, timeOf(name) - nowMs()));
    this.#nowMs = nowMs;
  }

  /**
   * Adds items, which are taken together.
   *
   * @throws BadArgumentsError; ZooKeeperError, with `mayHaveHappened` when nobody knows whether they were added
   */
  async put({ delayMs }: { readonly delayMs: number }, ...items: Data[]): Promise<void> {
    if (!Number.isSafeInteger(delayMs) || delayMs < 0) {
      const message = `Cannot put work into ${this.path}: current value is delayMs ${delayMs}, and it must be a whole number from 0 on`;
      throw new BadArgumentsError({ message });
    }
    await this.putAt(`|${hexadecimal(this.#nowMs() + delayMs)}|`, items);
  }
}

/** When an item is due, ms since 1970; 0 when its name does not say. */
function timeOf(name: string): number {
  const [, digits = ''] = name.split('|');
  return /^[0-9A-F]{1,13}$/.test(digits) ? Number.parseInt(digits, 16) : 0;
}

/** Java's `%08X`. */
function hexadecimal(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0');
}

/** Curator's `DistributedQueue.QUEUE_ITEM_NAME`. */
const itemName = 'queue-';

const never = new AbortController().signal;

class TakenWork implements Work {
  readonly items: readonly Uint8Array[];
  readonly path: string;
  readonly token: bigint | null;
  readonly #line: QueueLine;
  readonly #claim: Claim;
  /** Null when the item has left the queue already: nobody can take it. */
  readonly #tenure: Tenure | null;
  #ended: Promise<void> | null = null;

  constructor(zk: ZooKeeper, line: QueueLine, claim: Claim, items: readonly Uint8Array[]) {
    this.items = items;
    this.path = claim.path;
    this.token = claim.token;
    const isMarked = claim.lock !== null;
    this.#tenure = isMarked ? new Tenure(zk, `the work ${claim.path}`, 'disconnected') : null;
    this.#line = line;
    this.#claim = claim;
  }

  get lost(): AbortSignal {
    return this.#tenure?.lost ?? never;
  }

  done(): Promise<void> {
    this.#tenure?.end();
    this.#ended ??= this.#line.finish(this.#claim);
    return this.#ended;
  }

  giveBack(): Promise<void> {
    this.#tenure?.end();
    this.#ended ??= this.#line.giveBack(this.#claim);
    return this.#ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.giveBack();
  }
}
