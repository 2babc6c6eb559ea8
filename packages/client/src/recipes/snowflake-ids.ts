import { type Acl, openAcl } from '../acl.ts';
import {
  BadArgumentsError,
  BadVersionError,
  DataInconsistencyError,
  NodeExistsError,
  NoNodeError,
} from '../errors.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { HoldLostError } from './errors.ts';
import { childPath, createParents } from './parents.ts';
import { isUnanswered, untilAnswered, type WaitOptions, within } from './waiting.ts';
import { nameOfId, WorkerId, type WorkerIdOptions } from './worker-id.ts';

/** Options of `SnowflakeIds.start`. */
export interface SnowflakeOptions extends Omit<WorkerIdOptions, 'workersMax'> {
  /** Where the time in the ids begins, ms since 1970. Never change it. Default 2024-01-01. */
  readonly epochMs?: number;
  /** So far ahead the time is reserved with one write, ms. Default 10,000. */
  readonly aheadMs?: number;
  /** The wall clock, ms since 1970. It may jump: the ids stay unique. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/**
 * Ids of 63 bits that a process makes by itself: 41 bits of time in ms, 10 of worker, 12 that count up.
 *
 * Guarantee: no id is made twice by any process that uses the path, whatever clocks do and however long a process is paused;
 * those that one process makes grow, and those of different processes are in order as far as their clocks are. It does
 * not rest on the clock, nor on a process learning in time that its number is another's: before a process uses a stretch
 * of time, it writes to the server that it will, on condition that nobody has its number meanwhile; the next holder of
 * the number begins after that stretch.
 *
 * ```ts
 * await using ids = await SnowflakeIds.start(zk, '/ids/events');
 * const id = await ids.next(); // 139287655301120n
 * ```
 *
 * Layout: `workers/` with the claims of `WorkerId`; `reserved/` with a persistent znode for each number that was ever used, its
 * data the time up to which it is reserved, ms since 1970 in decimal digits.
 */
export class SnowflakeIds implements AsyncDisposable {
  readonly worker: WorkerId;
  readonly #zk: ZooKeeper;
  readonly #path: string;
  readonly #options: SnowflakeOptions;
  readonly #epochMs: number;
  readonly #aheadMs: number;
  readonly #nowMs: () => number;
  /** Of the last id. */
  #timeMs: number;
  #count = 0;
  #reserved: Reserved;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    zk: ZooKeeper,
    worker: WorkerId,
    path: string,
    before: Reserved,
    options: SnowflakeOptions,
  ) {
    const { epochMs = Date.UTC(2024), aheadMs = 10_000, nowMs = Date.now } = options;
    this.#zk = zk;
    this.worker = worker;
    this.#path = path;
    this.#options = options;
    this.#epochMs = epochMs;
    this.#aheadMs = aheadMs;
    this.#nowMs = () => Math.floor(nowMs());
    this.#reserved = before;
    this.#timeMs = Math.max(before.untilMs, epochMs);
    // The first id begins a new millisecond.
    this.#count = countMax;
  }

  /** Claims a number and reserves time for it. @throws WaitTimeoutError; ZooKeeperError; or the signal's reason */
  static start(zk: ZooKeeper, path: string, options: SnowflakeOptions = {}): Promise<SnowflakeIds> {
    const { aheadMs = 10_000 } = options;
    if (!Number.isInteger(aheadMs) || aheadMs < 1) {
      const message = `Cannot make ids of ${path}: current value is aheadMs ${aheadMs}, it must be 1 or more`;
      throw new BadArgumentsError({ message });
    }
    return within(zk, options, `make ids of ${path}`, async (signal) => {
      const worker = await WorkerId.claim(zk, childPath(path, 'workers'), {
        ...options,
        workersMax: 2 ** workerBits,
        signal,
      });
      try {
        const reservedPath = childPath(childPath(path, 'reserved'), nameOfId(worker.id));
        const before = await readReserved(zk, reservedPath, options.acl, signal);
        const ids = new SnowflakeIds(zk, worker, reservedPath, before, options);
        await ids.#reserve(signal);
        return ids;
      } catch (error) {
        worker.release().catch(() => {});
        throw error;
      }
    });
  }

  /**
   * The next id: at once, but for one write every `aheadMs`.
   *
   * @throws HoldLostError when the number is another's, or the session is over; WaitTimeoutError; or the signal's reason
   */
  next(options: WaitOptions = {}): Promise<bigint> {
    const made = this.#last.then(() => this.#next(options));
    this.#last = made.catch(() => {});
    return made;
  }

  /** Gives the number back. */
  close(): Promise<void> {
    return this.worker.release();
  }

  /** `await using ids = …`: gives the number back at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(options: WaitOptions): Promise<bigint> {
    const { lost } = this.worker;
    if (lost.aborted) throw lost.reason;
    const nowMs = this.#nowMs();
    if (nowMs > this.#timeMs) this.#begin(nowMs);
    else if (this.#count >= countMax) this.#begin(this.#timeMs + 1);
    if (this.#timeMs >= this.#reserved.untilMs) {
      await within(this.#zk, options, `make an id of ${this.#path}`, (signal) =>
        this.#reserve(signal),
      );
    }
    const time = BigInt(this.#timeMs - this.#epochMs);
    const count = BigInt(this.#count++);
    return (((time << BigInt(workerBits)) | BigInt(this.worker.id)) << BigInt(countBits)) | count;
  }

  #begin(timeMs: number): void {
    this.#timeMs = timeMs;
    this.#count = 0;
  }

  /** Writes how far the time is used, on condition that nobody else has. */
  async #reserve(signal: AbortSignal): Promise<void> {
    while (this.#timeMs >= this.#reserved.untilMs) {
      const untilMs = Math.max(this.#timeMs, this.#nowMs()) + this.#aheadMs;
      const { version } = this.#reserved;
      try {
        const stat = await this.#zk.setData(this.#path, `${untilMs}`, { version });
        this.#reserved = { untilMs, version: stat.version };
      } catch (error) {
        if (error instanceof BadVersionError) await this.#adoptOwn(error, signal);
        else if (isUnanswered(error)) await this.#zk.connected({ signal });
        else throw error;
      }
    }
  }

  /** The answer to our own write may have been lost: while the claim is ours nobody else writes. */
  async #adoptOwn(cause: Error, signal: AbortSignal): Promise<void> {
    const now = await readReserved(this.#zk, this.#path, this.#options.acl, signal);
    const claim = await untilAnswered(this.#zk, () => this.#zk.exists(this.worker.path), signal);
    if (claim?.czxid !== this.worker.token) {
      const message = `Cannot make ids of ${this.#path}: current value is a number that another process has`;
      throw new HoldLostError(message, { cause });
    }
    this.#reserved = now;
  }
}

interface Reserved {
  readonly untilMs: number;
  readonly version: number;
}

async function readReserved(
  zk: ZooKeeper,
  path: string,
  acl: Acl = openAcl,
  signal: AbortSignal,
): Promise<Reserved> {
  for (;;) {
    try {
      const { data, stat } = await untilAnswered(zk, () => zk.getData(path), signal);
      const text = new TextDecoder().decode(data ?? undefined);
      if (/^\d{1,15}$/.test(text)) return { untilMs: Number(text), version: stat.version };
      const message = `Cannot make ids of ${path}: current value is ${JSON.stringify(text)}, and it must be a time in ms`;
      throw new DataInconsistencyError({ path, message });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
    await createParents(zk, path, { acl, signal, mode: 'persistent' });
    try {
      await untilAnswered(zk, () => zk.create(path, '0', { acl }), signal);
    } catch (error) {
      if (!(error instanceof NodeExistsError)) throw error;
    }
  }
}

const workerBits = 10;
const countBits = 12;
const countMax = 2 ** countBits;
