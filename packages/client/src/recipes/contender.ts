import type { Acl } from '../acl.ts';
import { NoNodeError } from '../errors.ts';
import type { Data } from '../operations/values.ts';
import type { WatchEvent } from '../watches.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { HoldLostError } from './errors.ts';
import { childPath, nameOf, parentOf } from './parents.ts';
import { createProtected, deleteSurely } from './protective-create.ts';
import type { Tenure } from './tenure.ts';
import { isUnanswered, untilAnswered, untilFired, untilWritable } from './waiting.ts';

/** Where and as what a contender stands in line. */
export interface Place {
  /** The znode that all contenders are children of. */
  readonly parent: string;
  /** The name before the number, as in `lock-`. */
  readonly name: string;
  /** What goes before the name; default `_c_<uuid>-`. */
  readonly prefix?: string;
  readonly data?: Data | undefined;
  readonly acl?: Acl | undefined;
}

/** Says whom a contender waits for: a child's name, or null when it is its turn. */
export type Rule = (children: readonly string[], own: string) => string | null;

/**
 * One ephemeral, numbered znode in a line of its kind: the order of the numbers is the order of creation, so it is
 * that of the `czxid` too. Waits watching one other znode only, so that a release wakes one contender.
 */
export class Contender {
  readonly path: string;
  readonly name: string;
  readonly #zk: ZooKeeper;
  readonly #parent: string;
  readonly #vanished = new AbortController();
  #tenure: Tenure | null = null;
  #left = false;
  /** The czxid of the znode: known once it is this contender's turn. */
  token = 0n;

  private constructor(zk: ZooKeeper, path: string) {
    this.path = path;
    this.name = nameOf(path);
    this.#zk = zk;
    this.#parent = parentOf(path);
  }

  /** Joins the line, at its end. Leaves no znode behind when it fails. */
  static async join(zk: ZooKeeper, place: Place, signal: AbortSignal): Promise<Contender> {
    const { parent, name, prefix, data, acl } = place;
    const path = await createProtected(zk, childPath(parent, name), data, {
      mode: 'ephemeralSequential',
      signal,
      ...(prefix === undefined ? {} : { prefix }),
      ...(acl === undefined ? {} : { acl }),
    });
    return new Contender(zk, path);
  }

  /** A contender whose znode exists already. */
  static at(zk: ZooKeeper, path: string): Contender {
    return new Contender(zk, path);
  }

  /**
   * Waits until `rule` says it is this contender's turn, seen over a connection that still stands.
   *
   * @throws HoldLostError when its znode is gone, or given back meanwhile
   */
  async waitForTurn(rule: Rule, signal: AbortSignal): Promise<void> {
    for (;;) {
      const blocker = await this.look(rule, signal);
      this.#vanished.signal.throwIfAborted();
      if (blocker === null) return;
      await this.#waitWhileThere(childPath(this.#parent, blocker), signal);
    }
  }

  /** Whom this contender waits for now; null when it is its turn. @throws HoldLostError */
  async look(rule: Rule, signal: AbortSignal): Promise<string | null> {
    for (;;) {
      // Both in one write. The first time the znode's Stat brings the token, and its watch tells when it is deleted.
      const known = this.token === 0n ? this.#watchOwn(signal) : Promise.resolve();
      const list = untilAnswered(
        this.#zk,
        () => this.#zk.getChildren(this.#parent, { signal }),
        signal,
      );
      const [, children] = await Promise.all([known, list]).catch((error) => {
        throw error instanceof NoNodeError ? this.#gone() : error;
      });
      if (!children.includes(this.name)) throw this.#gone();
      const blocker = rule(children, this.name);
      if (blocker !== null || this.#zk.state.status === 'connected') return blocker;
      await untilWritable(this.#zk, signal);
    }
  }

  /** From now on the deletion of the znode by someone else ends `tenure`. */
  bind(tenure: Tenure): void {
    this.#tenure = tenure;
    if (this.#vanished.signal.aborted) tenure.lose('a deleted znode');
  }

  /**
   * The znode is about to be deleted by ourselves: that is no loss. Whoever still waits for its turn, as a latch does
   * whose leadership was lost with the connection and is now given back, waits in vain.
   */
  expectDeletion(): void {
    this.#left = true;
    this.#tenure?.end();
    const message = `Cannot stay in line under ${this.#parent}: current value is a place given back, ${this.path}`;
    this.#vanished.abort(new HoldLostError(message));
  }

  /** Leaves the line. When it resolves, the znode is gone for certain. */
  async leave(): Promise<void> {
    this.expectDeletion();
    await deleteSurely(this.#zk, this.path);
  }

  /** Leaves the line without waiting: after a failure, when somebody else has an error to report. */
  abandon(): void {
    this.leave().catch(() => {});
  }

  async #watchOwn(signal?: AbortSignal): Promise<void> {
    const options = { watch: this.#onOwnEvent, ...(signal === undefined ? {} : { signal }) };
    const stat = await untilAnswered(this.#zk, () => this.#zk.exists(this.path, options), signal);
    if (stat === null) throw this.#gone();
    this.token = stat.czxid;
  }

  readonly #onOwnEvent = (event: WatchEvent): void => {
    if (this.#left || event.type === 'sessionEnded') return;
    if (event.type === 'nodeDeleted') this.#gone();
    // Its data changed. What the new watch fails with concerns the session: that is told by the state.
    else this.#watchOwn().catch(() => {});
  };

  /** Returns when the znode `path` is gone, or may be: the line must be looked at again. */
  async #waitWhileThere(path: string, signal: AbortSignal): Promise<void> {
    const read = async (watch: () => void): Promise<boolean> => {
      try {
        await this.#zk.getData(path, { watch, signal });
        return true;
      } catch (error) {
        if (error instanceof NoNodeError || isUnanswered(error)) return false;
        throw error;
      }
    };
    const either = AbortSignal.any([signal, this.#vanished.signal]);
    await untilFired(this.#zk, { path, type: 'data', signal: either, read });
  }

  /** The znode is gone, and not by us. */
  #gone(): HoldLostError {
    const message = `Cannot stay in line under ${this.#parent}: current value is no znode ${this.path}, somebody deleted it`;
    const error = new HoldLostError(message);
    this.#vanished.abort(error);
    this.#tenure?.lose('a deleted znode');
    return error;
  }
}

/**
 * Children in the order of their numbers, those of other kinds left out.
 *
 * @param names what stands before the number, the number being what follows the last occurrence (as in Curator's
 *   `standardFixForSorting`)
 */
export function inLine(children: readonly string[], names: readonly string[]): string[] {
  const numbered: { readonly child: string; readonly number: string }[] = [];
  for (const child of children) {
    const number = numberOf(child, names);
    if (number !== null) numbered.push({ child, number });
  }
  // As text: Curator compares so, and all contenders must see the same order.
  numbered.sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : 0));
  return numbered.map(({ child }) => child);
}

/** The number of a contender's name as text, null when it is none of the kinds. */
export function numberOf(child: string, names: readonly string[]): string | null {
  for (const name of names) {
    const at = child.lastIndexOf(name);
    if (at === -1) continue;
    const number = child.slice(at + name.length);
    if (sequenceNumber.test(number)) return number;
  }
  return null;
}

/** What the server appends: ten digits, with a sign once the counter has overflowed. */
const sequenceNumber = /^-?\d{10,}$/;
