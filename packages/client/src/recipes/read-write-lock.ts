import { NodeExistsError } from '../errors.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { Contender, inLine, numberOf, type Rule } from './contender.ts';
import { HoldLostError } from './errors.ts';
import { ContenderHold, type Held } from './hold.ts';
import { type LockOptions, OrderedLock, oneAtATime } from './ordered-lock.ts';
import { childPath, nameOf } from './parents.ts';
import { protectivePrefix } from './protective-create.ts';
import { Tenure } from './tenure.ts';
import { untilAnswered } from './waiting.ts';

/** The write side, held. */
export interface HeldWrite extends Held {
  /**
   * Exchanges it for the read side without a moment in which another writer could come in between; readers that wait
   * behind come in. This object is then released.
   *
   * @throws HoldLostError when the lock is held no more
   */
  downgrade(): Promise<Held>;
}

/**
 * A lock that many readers share, or one writer has alone.
 *
 * Guarantee: while a writer holds the lock at a path, nobody else does; all who come are served in the order in which they
 * came, so that neither readers nor writers starve: a reader waits for the writers before it, a writer for all before it.
 * Not reentrant, and a reader cannot become a writer (two would wait for each other): release and acquire.
 *
 * ```ts
 * const lock = new ReadWriteLock(zk, '/locks/catalogue');
 * {
 *   await using reading = await lock.read.acquire();
 *   await show(reading.lost);
 * }
 * await using writing = await lock.write.acquire({ timeoutMs: 10_000 });
 * ```
 *
 * Layout: Curator's `InterProcessReadWriteLock`, `_c_<uuid>-__READ__0000000000` and `…__WRIT__…` in one line.
 */
export class ReadWriteLock {
  readonly path: string;
  /** Shared with other readers. */
  readonly read: OrderedLock;
  /** Alone. */
  readonly write: OrderedLock<HeldWrite>;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: LockOptions = {}) {
    this.path = path;
    this.read = new OrderedLock<Held>(
      zk,
      path,
      {
        names: bothNames,
        place: ({ data, acl }) => ({ parent: path, name: readName, data, acl }),
        rule: afterTheWriters,
        hold: (contender, tenure) => new ContenderHold(contender, tenure),
      },
      options,
    );
    this.write = new OrderedLock<HeldWrite>(
      zk,
      path,
      {
        names: bothNames,
        place: ({ data, acl }) => ({ parent: path, name: writeName, data, acl }),
        rule: oneAtATime(bothNames),
        hold: (contender, tenure) => new WriteHold(zk, path, options, contender, tenure),
      },
      options,
    );
  }
}

const readName = '__READ__';
const writeName = '__WRIT__';
const bothNames = [readName, writeName];

/** A reader waits for the last writer before it: the line has moved past all of them when that one goes. */
const afterTheWriters: Rule = (children, own) => {
  const line = inLine(children, bothNames);
  const before = line.slice(0, line.indexOf(own));
  return before.findLast((name) => name.includes(writeName)) ?? null;
};

class WriteHold extends ContenderHold implements HeldWrite {
  readonly #zk: ZooKeeper;
  readonly #parent: string;
  readonly #options: LockOptions;
  readonly #contender: Contender;

  constructor(
    zk: ZooKeeper,
    parent: string,
    options: LockOptions,
    contender: Contender,
    tenure: Tenure,
  ) {
    super(contender, tenure);
    this.#zk = zk;
    this.#parent = parent;
    this.#options = options;
    this.#contender = contender;
  }

  async downgrade(): Promise<Held> {
    if (!this.isHeld) {
      throw new HoldLostError(`Cannot downgrade ${this.path}: current value is a lock not held`);
    }
    this.#contender.expectDeletion();
    try {
      return await this.#exchange();
    } catch (error) {
      this.#contender.abandon();
      throw error;
    }
  }

  /**
   * The reader takes the writer's own number: with a new one at the end of the line, the next writer would be first in it
   * as soon as this one leaves.
   */
  async #exchange(): Promise<Held> {
    const { data, acl, lostWhen = 'disconnected' } = this.#options;
    const number = numberOf(nameOf(this.path), [writeName]) ?? '';
    const path = childPath(this.#parent, `${protectivePrefix(this.#zk)}${readName}${number}`);
    const create = {
      op: 'create',
      path,
      mode: 'ephemeral',
      ...(data === undefined ? {} : { data }),
      ...(acl === undefined ? {} : { acl }),
    } as const;
    try {
      await untilAnswered(this.#zk, () =>
        this.#zk.multi([create, { op: 'delete', path: this.path }]),
      );
    } catch (error) {
      // The first attempt happened, and its answer was lost.
      if (!(error instanceof NodeExistsError)) throw error;
    }
    const reader = Contender.at(this.#zk, path);
    await reader.look(() => null, new AbortController().signal);
    return new ContenderHold(reader, new Tenure(this.#zk, path, lostWhen));
  }
}
