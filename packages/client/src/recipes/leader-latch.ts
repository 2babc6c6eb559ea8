import type { Acl } from '../acl.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { Contender } from './contender.ts';
import { HoldLostError } from './errors.ts';
import { EventQueue } from './event-queue.ts';
import { ContenderHold, type Held } from './hold.ts';
import { OrderedLock, oneAtATime } from './ordered-lock.ts';
import { type LostWhen, Tenure } from './tenure.ts';
import { orAborted, type WaitOptions, within } from './waiting.ts';

/** Options of elections. */
export interface ElectionOptions {
  /** Who this candidate is, for those who look. Default: ''. */
  readonly id?: string;
  /** Of the candidates' znodes, and of the parents that had to be created. Default `openAcl`. */
  readonly acl?: Acl;
  /** Default `disconnected`: `lost` aborts as soon as the connection is lost. */
  readonly lostWhen?: LostWhen;
}

/** A candidate, as all see it. */
export interface Candidate {
  readonly id: string;
  readonly path: string;
  /** True for the first in line. It may not know yet, or no more. */
  readonly isLeader: boolean;
}

/** Told by `LeaderLatch.changes`. `leadership` is null when another one leads, or nobody knows. */
export interface LeaderChange {
  readonly leadership: Held | null;
}

/**
 * A candidate that stands in line as long as it lives, and leads when it is the first.
 *
 * Guarantee: of all latches at one path one at a time is the leader, in the order in which they came; it stays leader
 * until it is closed, hands over, or loses its session or (see `lostWhen`) its connection. A leader that learns late of its
 * loss may overlap with the next one: check the fencing token, `Held` says how.
 *
 * ```ts
 * await using latch = new LeaderLatch(zk, '/elections/scheduler', { id: hostname });
 * for await (const { leadership } of latch.changes()) {
 *   if (leadership !== null) await schedule({ signal: leadership.lost, token: leadership.token });
 * }
 * ```
 *
 * `leadership.release()` hands over: the next in line leads, this one goes to the end. After a lost connection the latch
 * goes on by itself with the place it has; the end of the session is its end too: make a new one with a new client.
 *
 * Layout: Curator's `LeaderLatch`, `_c_<uuid>-latch-0000000000` holding the id.
 */
export class LeaderLatch implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly #zk: ZooKeeper;
  readonly #options: ElectionOptions;
  readonly #line: OrderedLock;
  readonly #closing = new AbortController();
  readonly #queues = new Set<EventQueue<LeaderChange>>();
  readonly #running: Promise<void>;
  #leadership: Held | null = null;
  #end: { readonly error: Error | null } | null = null;

  /** Joins the line at once. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: ElectionOptions = {}) {
    validatePath(path, 'elect at');
    this.path = path;
    this.id = options.id ?? '';
    this.#zk = zk;
    this.#options = options;
    this.#line = electionLine(zk, path, latchName, options);
    this.#running = this.#run();
  }

  /** The leadership while this latch leads, else null. */
  get leadership(): Held | null {
    return this.#leadership?.isHeld === true ? this.#leadership : null;
  }

  /** True while this latch leads. */
  get isLeader(): boolean {
    return this.leadership !== null;
  }

  /**
   * Waits until this latch leads.
   *
   * @throws WaitTimeoutError when the time is up (the latch stays in line); SessionExpiredError when the session ended;
   *   HoldLostError when the latch is closed; or the signal's reason
   */
  whenLeader(options: WaitOptions = {}): Promise<Held> {
    return within(this.#zk, options, `become leader at ${this.path}`, async (signal) => {
      for await (const { leadership } of this.changes({ signal })) {
        if (leadership?.isHeld === true) return leadership;
      }
      signal.throwIfAborted();
      throw new HoldLostError(
        `Cannot become leader at ${this.path}: current value is a closed latch`,
      );
    });
  }

  /**
   * The present state and every later one. Ends when the latch is closed or the signal aborts.
   *
   * @throws ZooKeeperError what the election failed with, SessionExpiredError among others
   */
  async *changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<LeaderChange, void, undefined> {
    const queue = new EventQueue<LeaderChange>({ lagMax: 16 });
    this.#queues.add(queue);
    queue.push({ leadership: this.leadership });
    if (this.#end !== null) queue.end(this.#end.error);
    try {
      yield* queue.iterate(options.signal);
    } finally {
      this.#queues.delete(queue);
    }
  }

  /** All candidates, in line. */
  candidates(options: WaitOptions = {}): Promise<Candidate[]> {
    return candidatesOf(this.#line, options);
  }

  /** Leaves the line, handing over if it leads. When it resolves, its znode is gone. */
  async close(): Promise<void> {
    this.#closing.abort(
      new HoldLostError(`Cannot lead at ${this.path}: current value is a closed latch`),
    );
    await this.#running;
  }

  /** `await using latch = …`: closes at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for (;;) await this.#stand(signal);
    } catch (error) {
      this.#end = { error: signal.aborted ? null : (error as Error) };
      this.#tell(null);
      for (const queue of this.#queues) queue.end(this.#end.error);
    }
  }

  /** Stands in line with one znode, until that is gone. */
  async #stand(signal: AbortSignal): Promise<void> {
    const { id, path: parent } = this;
    const { acl, lostWhen = 'disconnected' } = this.#options;
    const contender = await Contender.join(
      this.#zk,
      { parent, name: latchName, data: id, acl },
      signal,
    );
    try {
      for (;;) {
        await contender.waitForTurn(oneAtATime([latchName]), signal);
        const tenure = new Tenure(this.#zk, contender.path, lostWhen);
        const hold = new ContenderHold(contender, tenure);
        this.#tell(hold);
        await orAborted(tenure.over, signal);
        this.#tell(null);
        if (hold.isReleased) return;
        // Lost with the connection, not with the znode: then the place in line is still ours.
      }
    } catch (error) {
      if (!(error instanceof HoldLostError) || signal.aborted) throw error;
    } finally {
      await contender.leave();
    }
  }

  #tell(leadership: Held | null): void {
    if (this.#leadership === leadership) return;
    this.#leadership = leadership;
    for (const queue of this.#queues) queue.push({ leadership });
  }
}

/** The line of an election, for a look at it or to stand in. */
export function electionLine(
  zk: ZooKeeper,
  path: string,
  name: string,
  options: ElectionOptions,
): OrderedLock {
  const { id = '', acl, lostWhen } = options;
  return new OrderedLock<Held>(
    zk,
    path,
    {
      names: [name],
      place: () => ({ parent: path, name, data: id, acl }),
      rule: oneAtATime([name]),
      hold: (contender, tenure) => new ContenderHold(contender, tenure),
    },
    lostWhen === undefined ? {} : { lostWhen },
  );
}

/** The candidates that stand in a line. */
export async function candidatesOf(line: OrderedLock, options: WaitOptions): Promise<Candidate[]> {
  const participants = await line.participants(options);
  return participants.map(({ path, data }, index) => ({
    id: new TextDecoder().decode(data ?? undefined),
    path,
    isLeader: index === 0,
  }));
}

const latchName = 'latch-';
