import type { ZooKeeper } from '../zookeeper.ts';
import type { Held } from './hold.ts';
import {
  type Candidate,
  candidatesOf,
  type ElectionOptions,
  electionLine,
} from './leader-latch.ts';
import type { OrderedLock } from './ordered-lock.ts';
import type { WaitOptions } from './waiting.ts';

/** What a leader does. Its leadership ends when the promise settles; it must stop when `leadership.lost` aborts. */
export type LeaderJob<T> = (leadership: Held) => Promise<T>;

/**
 * A job that only the leader runs, handed from one to the next.
 *
 * Guarantee: of all selectors at one path one at a time runs its job, in the order in which they came, from the start of
 * the job until its promise settles or `leadership.lost` aborts, whichever is first. A job that does not stop when it
 * lost overlaps with the next leader's: check the fencing token, `Held` says how.
 *
 * ```ts
 * const selector = new LeaderSelector(zk, '/elections/cleaner', { id: hostname });
 * // Once: waits for its turn, cleans, hands over.
 * await selector.run(async ({ lost, token }) => clean({ signal: lost, token }));
 * // Again and again, taking turns with the others, until the signal aborts.
 * await selector.runInTurns(async ({ lost }) => cleanForAWhile(lost), { signal });
 * ```
 *
 * Layout: Curator's `LeaderSelector`, which is that of its mutex: `_c_<uuid>-lock-0000000000` holding the id.
 */
export class LeaderSelector {
  readonly path: string;
  readonly #line: OrderedLock;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: ElectionOptions = {}) {
    this.path = path;
    this.#line = electionLine(zk, path, 'lock-', options);
  }

  /**
   * Waits in line, runs the job, hands over.
   *
   * @param options limits of the wait; they do not touch the job once it runs
   * @returns what the job returned
   * @throws what the job threw; WaitTimeoutError, SessionExpiredError, or the signal's reason when it did not get to run
   */
  async run<T>(job: LeaderJob<T>, options?: WaitOptions): Promise<T> {
    const leadership = await this.#line.acquire(options);
    try {
      return await job(leadership);
    } finally {
      await leadership.release();
    }
  }

  /**
   * As `run`, again and again from the end of the line, until the signal aborts while it waits. A job that fails after its
   * leadership was lost is taken to have stopped for that, and the line is joined anew.
   *
   * @throws what the job threw while it led; SessionExpiredError when the session ended
   */
  async runInTurns(
    job: LeaderJob<void>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const { signal } = options;
    for (;;) {
      let leadership: Held;
      try {
        leadership = await this.#line.acquire(options);
      } catch (error) {
        if (signal?.aborted) return;
        throw error;
      }
      await runOneTurn(leadership, job);
    }
  }

  /** All candidates, in line: the first leads. */
  candidates(options: WaitOptions = {}): Promise<Candidate[]> {
    return candidatesOf(this.#line, options);
  }
}

async function runOneTurn(leadership: Held, job: LeaderJob<void>): Promise<void> {
  try {
    await job(leadership);
  } catch (error) {
    if (!leadership.lost.aborted) throw error;
  } finally {
    await leadership.release();
  }
}
