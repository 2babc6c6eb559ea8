import type { ZooKeeper } from '../zookeeper.ts';
import { type Acquirable, ContenderHold, type Held } from './hold.ts';
import {
  type LineLayout,
  type LockOptions,
  OrderedLock,
  oneAtATime,
  type Participant,
} from './ordered-lock.ts';
import { uuid } from './protective-create.ts';
import type { WaitOptions } from './waiting.ts';

/** Options of `Mutex`. */
export interface MutexOptions extends LockOptions {
  /**
   * Whose znodes ours look like. `curator` (the default): `_c_<uuid>-lock-0000000000`, shared with `InterProcessMutex`.
   * `kazoo`: `<hex>__lock__0000000000`, shared with kazoo's `Lock` as it is. We wait for both kinds either way; a kazoo
   * that is to wait for Curator's needs `extra_lock_patterns=['-lock-']`, and Curator never waits for kazoo's.
   */
  readonly layout?: 'curator' | 'kazoo';
}

/**
 * An exclusive lock.
 *
 * Guarantee: of all who acquire the lock at one path, one at a time holds it, in the order in which they came; a holder
 * whose session ends loses it. Not reentrant: the same process waits for itself (see `ReentrantMutex`). A holder that
 * learns late of its loss may overlap with the next one: `Held` says what to do about it.
 *
 * ```ts
 * const mutex = new Mutex(zk, '/locks/nightly');
 * await using lock = await mutex.acquire({ timeoutMs: 30_000 });
 * await runReport({ signal: lock.lost, fencingToken: lock.token });
 * ```
 *
 * Layout: ephemeral sequential children of the path, a container; Curator's `InterProcessMutex`.
 */
export class Mutex implements Acquirable {
  readonly path: string;
  readonly #lock: OrderedLock;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: MutexOptions = {}) {
    this.path = path;
    this.#lock = new OrderedLock(zk, path, mutexLayout(zk, path, options), options);
  }

  /**
   * Waits in line until the lock is ours.
   *
   * @throws WaitTimeoutError when the time is up; HoldLostError when our znode was deleted while we waited;
   *   SessionExpiredError when the session ended; or the signal's reason
   */
  acquire(options?: WaitOptions): Promise<Held> {
    return this.#lock.acquire(options);
  }

  /** The lock, or null when somebody else has it or waits for it already. Waits for nobody but the server. */
  tryAcquire(options?: WaitOptions): Promise<Held | null> {
    return this.#lock.tryAcquire(options);
  }

  /** Who holds the lock (the first) and who waits for it, in order. */
  participants(options?: WaitOptions): Promise<Participant[]> {
    return this.#lock.participants(options);
  }
}

function mutexLayout(zk: ZooKeeper, parent: string, options: MutexOptions): LineLayout<Held> {
  const isKazoo = options.layout === 'kazoo';
  return {
    names: mutexNames,
    place: ({ data, acl }) =>
      isKazoo
        ? { parent, name: '__lock__', prefix: uuid(zk).replaceAll('-', ''), data, acl }
        : { parent, name: 'lock-', data, acl },
    rule: oneAtATime(mutexNames),
    hold: (contender, tenure) => new ContenderHold(contender, tenure),
  };
}

/** Curator's `LockInternals.LOCK_NAME`, kazoo's `Lock._NODE_NAME`. */
const mutexNames = ['lock-', '__lock__'];
