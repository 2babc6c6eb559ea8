import type { MultiOperation } from '../operations/multi.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { Acquirable, Held } from './hold.ts';
import { type WaitOptions, within } from './waiting.ts';

/** Several locks, held together. */
export interface HeldTogether extends AsyncDisposable {
  /** One for each lock, in the order given. */
  readonly holds: readonly Held[];
  /** The fencing tokens, in the order given. */
  readonly tokens: readonly bigint[];
  /** Aborts when the first of them is lost. */
  readonly lost: AbortSignal;
  /** True while all are held. */
  readonly isHeld: boolean;
  /** For `zk.multi([...held.checks, …])`. */
  readonly checks: readonly MultiOperation[];
  /** Gives all back, in reverse order, even if one of them fails. */
  release(): Promise<void>;
}

/**
 * Several locks taken as one.
 *
 * Guarantee: all of them are held, or none. They are acquired one after the other, in the order given: all who need some
 * of the same locks must name them in the same order, else they may wait for each other for ever (a `timeoutMs` ends that).
 *
 * ```ts
 * const [from, to] = [a, b].sort();
 * const both = new MultiLock(zk, [new Mutex(zk, `/accounts/${from}`), new Mutex(zk, `/accounts/${to}`)]);
 * await using held = await both.acquire({ timeoutMs: 5000 });
 * ```
 *
 * Layout: that of its parts; Curator's `InterProcessMultiLock`.
 */
export class MultiLock {
  readonly #zk: ZooKeeper;
  readonly #locks: readonly Acquirable[];

  /** Sends nothing yet. */
  constructor(zk: ZooKeeper, locks: readonly Acquirable[]) {
    this.#zk = zk;
    this.#locks = [...locks];
  }

  /** Waits for all. @throws as the `acquire` of its parts; none is held then */
  acquire(options: WaitOptions = {}): Promise<HeldTogether> {
    const doing = `acquire ${this.#locks.length} locks`;
    return within(this.#zk, options, doing, async (signal) => {
      const holds: Held[] = [];
      try {
        for (const lock of this.#locks) holds.push(await lock.acquire({ signal }));
        return new Together(holds);
      } catch (error) {
        for (const hold of holds.reverse()) hold.release().catch(() => {});
        throw error;
      }
    });
  }
}

class Together implements HeldTogether {
  readonly holds: readonly Held[];
  readonly #lost = new AbortController();
  readonly #stop = new AbortController();
  #releasing: Promise<void> | null = null;

  constructor(holds: readonly Held[]) {
    this.holds = holds;
    for (const { lost } of holds) {
      const onLost = (): void => this.#lost.abort(lost.reason);
      if (lost.aborted) onLost();
      else lost.addEventListener('abort', onLost, { signal: this.#stop.signal });
    }
  }

  get tokens(): readonly bigint[] {
    return this.holds.map(({ token }) => token);
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get isHeld(): boolean {
    return this.#releasing === null && this.holds.every(({ isHeld }) => isHeld);
  }

  get checks(): readonly MultiOperation[] {
    return this.holds.map(({ check }) => check);
  }

  release(): Promise<void> {
    this.#releasing ??= this.#releaseAll();
    return this.#releasing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #releaseAll(): Promise<void> {
    this.#stop.abort();
    const reversed = [...this.holds].reverse();
    const released = await Promise.allSettled(reversed.map((hold) => hold.release()));
    for (const one of released) if (one.status === 'rejected') throw one.reason;
  }
}
