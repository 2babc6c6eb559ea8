import { type Acl, openAcl } from '../acl.ts';
import { BadArgumentsError, NoNodeError } from '../errors.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { createUnlessThere } from './barrier.ts';
import { HoldLostError } from './errors.ts';
import { childPath } from './parents.ts';
import { createProtected, deleteSurely, uuid } from './protective-create.ts';
import { untilAnswered, untilFired, type WaitOptions, within } from './waiting.ts';

/** Options of `DoubleBarrier`. */
export interface DoubleBarrierOptions {
  /** How many must enter before any goes on. All must say the same number. */
  readonly membersMin: number;
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A barrier that processes enter together and leave together.
 *
 * Guarantee: `enter` returns once `membersMin` processes have entered; `leave` returns once all who entered have left
 * or their sessions ended. A process that dies inside counts as one that has left.
 *
 * ```ts
 * const step = new DoubleBarrier(zk, '/barriers/step-1', { membersMin: 3 });
 * await step.enter({ timeoutMs: 60_000 });
 * await compute();
 * await step.leave();
 * ```
 *
 * Use each object for one round. Layout: Curator's `DistributedDoubleBarrier`, an ephemeral znode for each process and
 * `ready` once they are enough.
 */
export class DoubleBarrier {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #options: DoubleBarrierOptions;
  readonly #name: string;

  /** Sends nothing yet. @throws BadArgumentsError when the path or the number is not valid */
  constructor(zk: ZooKeeper, path: string, options: DoubleBarrierOptions) {
    validatePath(path, 'make a barrier of');
    if (!Number.isInteger(options.membersMin) || options.membersMin < 1) {
      const message = `Cannot make a barrier with membersMin: current value is ${options.membersMin}, and it must be a whole number from 1 on`;
      throw new BadArgumentsError({ message });
    }
    this.path = path;
    this.#zk = zk;
    this.#options = options;
    this.#name = uuid(zk);
  }

  /**
   * Enters, and waits until enough have.
   *
   * @throws WaitTimeoutError, SessionExpiredError, or the signal's reason: this process has not entered then
   */
  enter(options: WaitOptions = {}): Promise<void> {
    return within(this.#zk, options, `enter the barrier ${this.path}`, async (signal) => {
      const { acl = openAcl } = this.#options;
      const place = { mode: 'ephemeral', prefix: this.#name, acl, signal } as const;
      const own = await createProtected(this.#zk, `${this.path}/`, '', place);
      try {
        await this.#untilReady(acl, signal);
      } catch (error) {
        deleteSurely(this.#zk, own).catch(() => {});
        throw error;
      }
    });
  }

  /**
   * Leaves, and waits until all have.
   *
   * @throws WaitTimeoutError, SessionExpiredError, or the signal's reason
   */
  leave(options: WaitOptions = {}): Promise<void> {
    return within(this.#zk, options, `leave the barrier ${this.path}`, async (signal) => {
      while (await this.#waitForOthers(signal)) {
        // Somebody has left, we perhaps: look again.
      }
      await deleteSurely(this.#zk, this.#ready);
    });
  }

  get #ready(): string {
    return childPath(this.path, readyName);
  }

  async #untilReady(acl: Acl, signal: AbortSignal): Promise<void> {
    for (;;) {
      let entered = false;
      const read = async (watch: () => void): Promise<boolean> => {
        const ready = untilAnswered(
          this.#zk,
          () => this.#zk.exists(this.#ready, { watch, signal }),
          signal,
        );
        const [stat, names] = await Promise.all([ready, this.#members(signal)]);
        if (!names.includes(this.#name)) throw this.#gone();
        entered = stat !== null;
        if (entered || names.length < this.#options.membersMin) return !entered;
        // The last to enter tells the others.
        await createUnlessThere(this.#zk, this.#ready, { acl, signal });
        entered = true;
        return false;
      };
      await untilFired(this.#zk, { path: this.#ready, type: 'data', signal, read });
      if (entered) return;
    }
  }

  /**
   * The first in the order of names leaves last, and waits for the last; the others leave at once, and wait for the first.
   * Returns false when there is nobody to wait for.
   */
  async #waitForOthers(signal: AbortSignal): Promise<boolean> {
    const names = (await this.#members(signal)).sort();
    const own = childPath(this.path, this.#name);
    const isIn = names.includes(this.#name);
    if (names.length === 0) return false;
    const isFirst = names[0] === this.#name;
    if (isFirst && names.length === 1) {
      // Somebody may have entered meanwhile.
      await deleteSurely(this.#zk, own);
      return true;
    }
    if (isIn && !isFirst) await deleteSurely(this.#zk, own);
    const path = childPath(this.path, (isFirst ? names.at(-1) : names[0]) as string);
    const read = async (watch: () => void): Promise<boolean> => {
      try {
        await untilAnswered(this.#zk, () => this.#zk.getData(path, { watch, signal }), signal);
        return true;
      } catch (error) {
        if (error instanceof NoNodeError) return false;
        throw error;
      }
    };
    await untilFired(this.#zk, { path, type: 'data', signal, read });
    return true;
  }

  async #members(signal: AbortSignal): Promise<string[]> {
    try {
      const list = (): Promise<string[]> => this.#zk.getChildren(this.path, { signal });
      const names = await untilAnswered(this.#zk, list, signal);
      return names.filter((name) => name !== readyName);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  #gone(): HoldLostError {
    const own = childPath(this.path, this.#name);
    return new HoldLostError(
      `Cannot enter ${this.path}: current value is no znode ${own}, somebody deleted it`,
    );
  }
}

/** Curator's `DistributedDoubleBarrier.READY_NODE`. */
const readyName = 'ready';
