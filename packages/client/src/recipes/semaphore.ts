import { BadArgumentsError } from '../errors.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { Contender, type Rule } from './contender.ts';
import { type Acquirable, ContenderHold, type Held } from './hold.ts';
import { Mutex } from './mutex.ts';
import type { LockOptions } from './ordered-lock.ts';
import { childPath } from './parents.ts';
import { Tenure } from './tenure.ts';
import { untilAnswered, untilFired, type WaitOptions, within } from './waiting.ts';

/** Options of `Semaphore`. */
export interface SemaphoreOptions extends LockOptions {
  /** How many leases there are. All who use the semaphore must say the same number. */
  readonly leasesMax: number;
}

/**
 * A number of leases that are shared out.
 *
 * Guarantee: at one path at most `leasesMax` leases are held at a time; whoever asks is served in order; the leases of a
 * session that ends come back. A holder that learns late of its loss may overlap with the next: `Held` says what to
 * do about it.
 *
 * ```ts
 * const downloads = new Semaphore(zk, '/semaphores/downloads', { leasesMax: 4 });
 * await using lease = await downloads.acquire({ signal });
 * ```
 *
 * Layout: Curator's `InterProcessSemaphoreV2`: a mutex at `locks`, leases `_c_<uuid>-lease-0000000000` under `leases`.
 */
export class Semaphore implements Acquirable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #options: SemaphoreOptions;
  readonly #gate: Mutex;

  /** Sends nothing yet. @throws BadArgumentsError when the path or the number of leases is not valid */
  constructor(zk: ZooKeeper, path: string, options: SemaphoreOptions) {
    validatePath(path, 'make a semaphore of');
    validateCount(options.leasesMax, 'make a semaphore with leasesMax', 0x7fffffff);
    this.path = path;
    this.#zk = zk;
    this.#options = options;
    this.#gate = new Mutex(zk, childPath(path, 'locks'), options);
  }

  /**
   * Waits for one lease.
   *
   * @throws WaitTimeoutError when the time is up; HoldLostError when our znode was deleted while we waited;
   *   SessionExpiredError when the session ended; or the signal's reason
   */
  async acquire(options: WaitOptions = {}): Promise<Held> {
    const [lease] = await this.acquireMany(1, options);
    return lease as Held;
  }

  /** Waits for several leases at once: all or none. @throws as `acquire`; BadArgumentsError when there are not that many */
  acquireMany(count: number, options: WaitOptions = {}): Promise<Held[]> {
    return within(this.#zk, options, `acquire a lease of ${this.path}`, async (signal) => {
      validateCount(count, 'acquire a number of leases', this.#options.leasesMax);
      // Behind the gate one contender at a time waits for leases to come back, so that nobody is overtaken.
      const gate = await this.#gate.acquire({ signal });
      try {
        return await this.#takeLeases(count, signal);
      } finally {
        await gate.release();
      }
    });
  }

  async #takeLeases(count: number, signal: AbortSignal): Promise<Held[]> {
    const { data, acl, lostWhen = 'disconnected' } = this.#options;
    const place = { parent: this.#leases, name: 'lease-', data, acl };
    const joining = Array.from({ length: count }, () => Contender.join(this.#zk, place, signal));
    const settled = await Promise.allSettled(joining);
    const contenders = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    try {
      for (const one of settled) if (one.status === 'rejected') throw one.reason;
      await this.#untilFew(contenders, signal);
    } catch (error) {
      for (const contender of contenders) contender.abandon();
      throw error;
    }
    return contenders.map(
      (one) => new ContenderHold(one, new Tenure(this.#zk, one.path, lostWhen)),
    );
  }

  /** Waits until there are no more lease znodes than leases, ours among them. */
  async #untilFew(contenders: readonly Contender[], signal: AbortSignal): Promise<void> {
    const rule: Rule = (children) => (children.length <= this.#options.leasesMax ? null : '');
    for (;;) {
      const looks = contenders.map((contender) => contender.look(rule, signal));
      if ((await Promise.all(looks)).every((blocker) => blocker === null)) return;
      await this.#untilChanged(signal);
    }
  }

  /** Waits until a lease znode comes or goes, unless there are few enough by now. */
  #untilChanged(signal: AbortSignal): Promise<void> {
    const read = async (watch: () => void): Promise<boolean> => {
      const list = (): Promise<string[]> => this.#zk.getChildren(this.#leases, { watch, signal });
      const children = await untilAnswered(this.#zk, list, signal);
      return children.length > this.#options.leasesMax;
    };
    return untilFired(this.#zk, { path: this.#leases, type: 'children', signal, read });
  }

  get #leases(): string {
    return childPath(this.path, 'leases');
  }
}

function validateCount(value: number, doing: string, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new BadArgumentsError({
    message: `Cannot ${doing}: current value is ${value}, and it must be a whole number from 1 to ${max}`,
  });
}
