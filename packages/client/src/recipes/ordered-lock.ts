import type { Acl } from '../acl.ts';
import { NoNodeError } from '../errors.ts';
import type { Data } from '../operations/values.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { Contender, inLine, type Place, type Rule } from './contender.ts';
import type { Acquirable, Held } from './hold.ts';
import { childPath } from './parents.ts';
import { type LostWhen, Tenure } from './tenure.ts';
import { untilAnswered, type WaitOptions, within } from './waiting.ts';

/** Options of locks. */
export interface LockOptions {
  /** What the contenders' znodes hold: who they are, for those who look. Default: nothing. */
  readonly data?: Data;
  /** Of the contenders' znodes, and of the parents that had to be created. Default `openAcl`. */
  readonly acl?: Acl;
  /** Default `disconnected`: `lost` aborts as soon as the connection is lost. */
  readonly lostWhen?: LostWhen;
}

/** Who stands in line. */
export interface Participant {
  readonly path: string;
  /** What it wrote there, as Curator and kazoo do too: null when nothing. */
  readonly data: Uint8Array | null;
}

/** How a lock's line is laid out on the server, and what its holder gets. */
export interface LineLayout<H extends Held> {
  /** The names of all kinds of contenders that stand in one order. */
  readonly names: readonly string[];
  readonly place: (options: LockOptions) => Place;
  readonly rule: Rule;
  readonly hold: (contender: Contender, tenure: Tenure) => H;
}

/**
 * A lock whose contenders stand in line as numbered znodes. What mutexes, both sides of read/write locks and elections
 * share; the layout says who waits for whom.
 */
export class OrderedLock<H extends Held = Held> implements Acquirable<H> {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #layout: LineLayout<H>;
  readonly #options: LockOptions;

  constructor(zk: ZooKeeper, path: string, layout: LineLayout<H>, options: LockOptions) {
    validatePath(path, 'lock');
    this.path = path;
    this.#zk = zk;
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Waits in line until the lock is ours.
   *
   * @throws WaitTimeoutError when the time is up; HoldLostError when our znode was deleted while we waited;
   *   SessionExpiredError when the session ended; or the signal's reason
   */
  acquire(options: WaitOptions = {}): Promise<H> {
    return within(this.#zk, options, `acquire the lock ${this.path}`, async (signal) => {
      const contender = await this.#join(signal);
      try {
        await contender.waitForTurn(this.#layout.rule, signal);
        return this.#hold(contender);
      } catch (error) {
        contender.abandon();
        throw error;
      }
    });
  }

  /** The lock, or null when somebody else has it or stands before us. Waits for nobody but the server. */
  tryAcquire(options: WaitOptions = {}): Promise<H | null> {
    return within(this.#zk, options, `try the lock ${this.path}`, async (signal) => {
      const contender = await this.#join(signal);
      try {
        const blocker = await contender.look(this.#layout.rule, signal);
        if (blocker === null) return this.#hold(contender);
      } catch (error) {
        contender.abandon();
        throw error;
      }
      await contender.leave();
      return null;
    });
  }

  /** Who holds the lock or waits for it, in order. It may have changed by the time it is read. */
  async participants(options: WaitOptions = {}): Promise<Participant[]> {
    const children = await untilAnswered(this.#zk, () => this.#children(options), options.signal);
    const paths = inLine(children, this.#layout.names).map((name) => childPath(this.path, name));
    const read = paths.map((path) => readParticipant(this.#zk, path, options));
    return (await Promise.all(read)).filter((participant) => participant !== null);
  }

  async #children(options: WaitOptions): Promise<string[]> {
    try {
      return await this.#zk.getChildren(this.path, options);
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  }

  #join(signal: AbortSignal): Promise<Contender> {
    return Contender.join(this.#zk, this.#layout.place(this.#options), signal);
  }

  #hold(contender: Contender): H {
    const { lostWhen = 'disconnected' } = this.#options;
    return this.#layout.hold(contender, new Tenure(this.#zk, contender.path, lostWhen));
  }
}

/** Whoever is the first of `names` has its turn; each waits for the one before it. */
export function oneAtATime(names: readonly string[]): Rule {
  return (children, own) => {
    const line = inLine(children, names);
    return line[line.indexOf(own) - 1] ?? null;
  };
}

async function readParticipant(
  zk: ZooKeeper,
  path: string,
  options: WaitOptions,
): Promise<Participant | null> {
  try {
    const { data } = await untilAnswered(zk, () => zk.getData(path, options), options.signal);
    return { path, data: data?.slice() ?? null };
  } catch (error) {
    if (error instanceof NoNodeError) return null;
    throw error;
  }
}
