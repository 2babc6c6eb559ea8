import type { MultiOperation } from '../operations/multi.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { Held } from './hold.ts';
import { Mutex, type MutexOptions } from './mutex.ts';
import { orAborted, type WaitOptions, within } from './waiting.ts';

/** Options of `ReentrantMutex.acquire`. */
export interface ReentrantAcquireOptions extends WaitOptions {
  /** Whoever comes with the same object enters again without waiting: a request, a job, a transaction. */
  readonly owner: object;
}

/**
 * An exclusive lock that its owner may take again while holding it.
 *
 * Guarantee: that of `Mutex`; besides, the same owner (an object, by identity) enters at once as long as it holds the
 * lock, and the lock is given back when it has left as often as it entered. Java's Curator takes the thread for the owner;
 * there are none here, so the caller says who it is.
 *
 * ```ts
 * const mutex = new ReentrantMutex(zk, '/locks/orders');
 * await using outer = await mutex.acquire({ owner: request });
 * await using inner = await mutex.acquire({ owner: request }); // at once, the same token
 * ```
 *
 * Layout: that of `Mutex`.
 */
export class ReentrantMutex {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #mutex: Mutex;
  readonly #entries = new WeakMap<object, Entry>();

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: MutexOptions = {}) {
    this.path = path;
    this.#zk = zk;
    this.#mutex = new Mutex(zk, path, options);
  }

  /**
   * Waits until the lock is the owner's; at once when it is already. Calls of one owner at the same time share one wait.
   *
   * @throws as `Mutex.acquire`
   */
  acquire(options: ReentrantAcquireOptions): Promise<Held> {
    const { owner } = options;
    return within(this.#zk, options, `acquire the lock ${this.path}`, async (signal) => {
      for (;;) {
        const entry = this.#entries.get(owner) ?? this.#enter(owner);
        entry.count++;
        try {
          const lock = await orAborted(entry.lock, signal);
          // Lost meanwhile: those who were inside must leave, and this one stands in line anew.
          if (lock.isHeld) return new Reentry(lock, () => this.#leave(owner, entry));
          if (this.#entries.get(owner) === entry) this.#entries.delete(owner);
        } catch (error) {
          await this.#leave(owner, entry);
          throw error;
        }
        await this.#leave(owner, entry);
      }
    });
  }

  #enter(owner: object): Entry {
    const controller = new AbortController();
    const lock = this.#mutex.acquire({ signal: controller.signal });
    lock.catch(() => {});
    const entry: Entry = { lock, controller, count: 0 };
    this.#entries.set(owner, entry);
    return entry;
  }

  async #leave(owner: object, entry: Entry): Promise<void> {
    entry.count--;
    if (entry.count > 0) return;
    if (this.#entries.get(owner) === entry) this.#entries.delete(owner);
    entry.controller.abort(new Error('nobody waits for it any more'));
    const lock = await entry.lock.catch(() => null);
    await lock?.release();
  }
}

interface Entry {
  readonly lock: Promise<Held>;
  readonly controller: AbortController;
  count: number;
}

/** One of several times that an owner holds the same lock. */
class Reentry implements Held {
  readonly #lock: Held;
  readonly #leave: () => Promise<void>;
  #releasing: Promise<void> | null = null;

  constructor(lock: Held, leave: () => Promise<void>) {
    this.#lock = lock;
    this.#leave = leave;
  }

  get path(): string {
    return this.#lock.path;
  }

  get token(): bigint {
    return this.#lock.token;
  }

  get lost(): AbortSignal {
    return this.#lock.lost;
  }

  get isHeld(): boolean {
    return this.#releasing === null && this.#lock.isHeld;
  }

  get check(): MultiOperation {
    return this.#lock.check;
  }

  release(): Promise<void> {
    this.#releasing ??= this.#leave();
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
