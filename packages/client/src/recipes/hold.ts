import type { MultiOperation } from '../operations/multi.ts';
import type { Contender } from './contender.ts';
import type { Tenure } from './tenure.ts';

/**
 * Something held by an ephemeral znode: a lock, a lease, a leadership.
 *
 * Two facts about distributed locks that no recipe can change: the holder may learn late that it holds no more (its
 * process was paused), and requests it has sent may arrive later still. So
 * 1. stop the work when `lost` aborts, and
 * 2. where it matters, let the resource check: send `token` along, and let the resource refuse any request whose token
 *    is smaller than the greatest it has seen. For writes to ZooKeeper itself put `check` first into a `multi`.
 */
export interface Held extends AsyncDisposable {
  /** The znode that stands for it. */
  readonly path: string;
  /** Fencing token: the zxid at which the znode was created. Whoever holds later has a greater one. */
  readonly token: bigint;
  /** Aborts with a `HoldLostError` when it is lost or may be; not when it is released. */
  readonly lost: AbortSignal;
  /** True until it is released or lost. */
  readonly isHeld: boolean;
  /** For `zk.multi([held.check, …])`: the transaction fails with `NoNodeError` when it is held no more. */
  readonly check: MultiOperation;
  /**
   * Gives it back; a second time does nothing. When it resolves, the znode is gone. After a lost connection it waits for
   * the next one, or for the end of the session.
   */
  release(): Promise<void>;
}

/** What can be held: mutexes, each side of a read/write lock, semaphores. */
export interface Acquirable<H extends Held = Held> {
  acquire(options?: { readonly signal?: AbortSignal; readonly timeoutMs?: number }): Promise<H>;
}

/** A contender whose turn has come. */
export class ContenderHold implements Held {
  readonly path: string;
  readonly token: bigint;
  readonly #contender: Contender;
  readonly #tenure: Tenure;
  #releasing: Promise<void> | null = null;

  constructor(contender: Contender, tenure: Tenure) {
    this.path = contender.path;
    this.token = contender.token;
    this.#contender = contender;
    this.#tenure = tenure;
    contender.bind(tenure);
  }

  get lost(): AbortSignal {
    return this.#tenure.lost;
  }

  get isHeld(): boolean {
    return this.#tenure.isHeld;
  }

  get check(): MultiOperation {
    return { op: 'check', path: this.path };
  }

  /** True once `release` was called. */
  get isReleased(): boolean {
    return this.#releasing !== null;
  }

  release(): Promise<void> {
    this.#releasing ??= this.#contender.leave();
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
