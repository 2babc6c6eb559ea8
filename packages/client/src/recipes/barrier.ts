import { type Acl, openAcl } from '../acl.ts';
import { NodeExistsError, NoNodeError } from '../errors.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { createParents } from './parents.ts';
import { untilAnswered, untilFired, type WaitOptions, within } from './waiting.ts';

/** Options of `Barrier`. */
export interface BarrierOptions {
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A barrier that all wait at until somebody removes it.
 *
 * Guarantee: `wait` returns after a moment at which the barrier was not set, and at once when it is not. It may have been
 * set again by then.
 *
 * ```ts
 * const barrier = new Barrier(zk, '/barriers/migration');
 * await barrier.set();      // the one who migrates
 * await barrier.remove();
 * await barrier.wait();     // the others
 * ```
 *
 * Layout: Curator's `DistributedBarrier`, a persistent znode at the path.
 */
export class Barrier {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: Acl;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: BarrierOptions = {}) {
    validatePath(path, 'make a barrier of');
    this.path = path;
    this.#zk = zk;
    this.#acl = options.acl ?? openAcl;
  }

  /** Sets the barrier, if it is not set. It outlives this session. */
  set(options: WaitOptions = {}): Promise<void> {
    return within(this.#zk, options, `set the barrier ${this.path}`, (signal) =>
      createUnlessThere(this.#zk, this.path, { acl: this.#acl, signal }),
    );
  }

  /** Removes the barrier, if it is set: all who wait go on. @throws SessionExpiredError when nobody knows; ZooKeeperError */
  async remove(): Promise<void> {
    try {
      await untilAnswered(this.#zk, () => this.#zk.delete(this.path));
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
  }

  /**
   * Waits until the barrier is not set.
   *
   * @throws WaitTimeoutError; SessionExpiredError; or the signal's reason
   */
  wait(options: WaitOptions = {}): Promise<void> {
    const { path } = this;
    return within(this.#zk, options, `wait at the barrier ${path}`, async (signal) => {
      for (let isSet = true; isSet; ) {
        const read = async (watch: () => void): Promise<boolean> => {
          isSet = await isThere(this.#zk, path, watch, signal);
          return isSet;
        };
        await untilFired(this.#zk, { path, type: 'data', signal, read });
      }
    });
  }
}

/** Whether a znode is there, with a watch for its end if so. Unlike `exists` it leaves no watch where nothing is. */
async function isThere(
  zk: ZooKeeper,
  path: string,
  watch: () => void,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await untilAnswered(zk, () => zk.getData(path, { watch, signal }), signal);
    return true;
  } catch (error) {
    if (error instanceof NoNodeError) return false;
    throw error;
  }
}

/** Makes a persistent znode and its parents, unless it is there. */
export async function createUnlessThere(
  zk: ZooKeeper,
  path: string,
  options: { readonly acl: Acl; readonly signal: AbortSignal; readonly data?: Uint8Array | string },
): Promise<void> {
  const { acl, signal, data } = options;
  for (;;) {
    try {
      await untilAnswered(zk, () => zk.create(path, data, { acl, signal }), signal);
      return;
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      if (!(error instanceof NoNodeError)) throw error;
    }
    await createParents(zk, path, { acl, signal });
  }
}
