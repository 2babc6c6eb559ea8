import { type Acl, openAcl } from '../acl.ts';
import { BadArgumentsError, DataInconsistencyError } from '../errors.ts';
import { validateTimeout } from '../options.ts';
import { pathProblem } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { ChildrenCache } from './children-cache.ts';
import { WaitTimeoutError } from './errors.ts';
import {
  clearAway,
  decide,
  doneName,
  markDone,
  readTransaction,
  type Transaction,
  type TransactionOutcome,
  type TransactionState,
  untilHeard,
  voteYes,
  yesName,
} from './transaction-record.ts';
import {
  orAborted,
  untilAnswered,
  untilFired,
  untilTold,
  type WaitOptions,
  within,
} from './waiting.ts';

/**
 * What a participant does. All three may be called more than once for the same transaction, after a crash too: they tell by
 * its id what they have done already.
 */
export interface TransactionHandlers {
  /**
   * Makes sure that `commit` cannot fail, and can be made undone: durably. True votes yes, false or an error no. The signal
   * aborts when the participant is closed.
   */
  readonly prepare: (transaction: Transaction, signal: AbortSignal) => boolean | Promise<boolean>;
  /** Carries out what was prepared. After an error it is called again. */
  readonly commit: (transaction: Transaction) => void | Promise<void>;
  /** Makes undone what was prepared, if anything was. After an error it is called again. */
  readonly abort: (transaction: Transaction) => void | Promise<void>;
}

/** Options of `TransactionParticipant.start`. */
export interface ParticipantOptions extends WaitOptions {
  /** Hears of errors of `commit` and `abort`. */
  readonly onError?: (error: unknown, transaction: Transaction) => void;
  /** After an error of `commit` or `abort`, ms. Default 1000. */
  readonly retryAfterMs?: number;
  /** So many transactions are dealt with at a time; further ones wait. Default 100. */
  readonly atOnceMax?: number;
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * One who takes part in transactions.
 *
 * Guarantee: of each transaction that names it, it votes once, and carries out the decision of all at least once. One that
 * crashed and is started again under the same name takes up what it had left: it votes on what is not decided, and
 * carries out what is. One process at a time may go by a name: hold a `Mutex` of that name if that is not certain.
 *
 * ```ts
 * await using bank = await TransactionParticipant.start(zk, '/transfers', 'bank-a', {
 *   prepare: ({ id, payload }) => ledger.reserve(id, payload),
 *   commit: ({ id }) => ledger.book(id),
 *   abort: ({ id }) => ledger.free(id),
 * });
 * ```
 *
 * Layout: see `transaction-record.ts`.
 */
export class TransactionParticipant implements AsyncDisposable {
  readonly path: string;
  readonly name: string;
  readonly #zk: ZooKeeper;
  readonly #handlers: TransactionHandlers;
  readonly #options: ParticipantOptions;
  readonly #cache: ChildrenCache;
  readonly #closing = new AbortController();
  /** One for each transaction under way: a signal for all of them would have as many listeners. */
  readonly #endings = new Set<AbortController>();
  readonly #failed = new AbortController();
  /** By path: what is being dealt with. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #waiting = new Set<string>();
  /** Those that only wait for the coordinator to hear of the outcome. */
  readonly #clearing = new Set<Promise<unknown>>();
  readonly #running: Promise<void>;

  private constructor(
    zk: ZooKeeper,
    name: string,
    handlers: TransactionHandlers,
    options: ParticipantOptions,
    cache: ChildrenCache,
  ) {
    this.#zk = zk;
    this.path = cache.path;
    this.name = name;
    this.#handlers = handlers;
    this.#options = options;
    this.#cache = cache;
    this.#running = this.#run();
  }

  /** Begins to take part. @throws BadArgumentsError; WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static async start(
    zk: ZooKeeper,
    path: string,
    name: string,
    handlers: TransactionHandlers,
    options: ParticipantOptions = {},
  ): Promise<TransactionParticipant> {
    validateTimeout(options.retryAfterMs);
    if (name === '' || name.includes('/') || pathProblem(`/${name}`) !== null) {
      const message = `Cannot take part in transactions as ${name}: it must be one name of a path`;
      throw new BadArgumentsError({ message });
    }
    const cache = await ChildrenCache.start(zk, path, options);
    return new TransactionParticipant(zk, name, handlers, options, cache);
  }

  /** Aborts when it takes part no more, since the session ended. Start it again with a new client. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Stops; what is under way is taken up by the next `start`. Waits for handlers that are running. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`${this.name} takes part in ${this.path} no more`));
    for (const ending of this.#endings) ending.abort(this.#closing.signal.reason);
    await this.#running;
    await Promise.all(this.#underWay.values());
    await Promise.all(this.#clearing);
  }

  /** `await using participant = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for await (const change of this.#cache.changes({ signal })) {
        if (change.type !== 'added' && change.type !== 'changed') continue;
        if (change.node.path === this.path) continue;
        this.#waiting.add(change.node.path);
        this.#begin();
      }
    } catch (error) {
      this.#failed.abort(error);
    } finally {
      await this.#cache.close();
    }
  }

  #begin(): void {
    const { atOnceMax = 100 } = this.#options;
    for (const path of this.#waiting) {
      if (this.#underWay.size >= atOnceMax || this.#closing.signal.aborted) return;
      if (this.#underWay.has(path)) continue;
      this.#waiting.delete(path);
      const dealing = this.#untilClosed((signal) => this.#dealWith(path, signal))
        .catch((error) => this.#fail(error))
        .finally(() => {
          this.#underWay.delete(path);
          this.#begin();
        });
      this.#underWay.set(path, dealing);
    }
  }

  /** Takes a transaction from where it stands to its end. */
  async #dealWith(path: string, signal: AbortSignal): Promise<void> {
    const read = await this.#read(path, signal);
    if (read?.transaction.participants.includes(this.name) !== true) return;
    const { transaction, children } = read;
    if (!children.has(doneName(this.name))) {
      const outcome = read.state === 'voting' ? await this.#vote(path, read, signal) : read.state;
      await this.#carryOut(outcome, transaction, signal);
      await markDone(this.#zk, path, this.name, this.#acl);
    }
    if ((await clearAway(this.#zk, path)) === 'unheard') this.#clearOnceHeard(path);
  }

  /** Should whoever began it die before it has heard the outcome, nobody else would clear away. */
  #clearOnceHeard(path: string): void {
    const clearing = this.#untilClosed((signal) => untilHeard(this.#zk, path, signal))
      .then(() => clearAway(this.#zk, path))
      .catch((error) => this.#fail(error))
      .finally(() => this.#clearing.delete(clearing));
    this.#clearing.add(clearing);
  }

  async #untilClosed<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const ending = new AbortController();
    this.#endings.add(ending);
    try {
      return await run(ending.signal);
    } finally {
      this.#endings.delete(ending);
    }
  }

  #fail(error: unknown): void {
    if (!this.#closing.signal.aborted) this.#failed.abort(error);
  }

  async #vote(
    path: string,
    read: TransactionState,
    signal: AbortSignal,
  ): Promise<TransactionOutcome> {
    const { transaction, children } = read;
    if (!children.has(yesName(this.name))) {
      if (!(await this.#isPrepared(transaction, signal))) {
        return await decide(this.#zk, path, 'abort', signal);
      }
      const options = { acl: this.#acl, signal };
      if (!(await voteYes(this.#zk, path, this.name, options))) {
        return await decide(this.#zk, path, 'abort', signal);
      }
    }
    await this.#untilAllVoted(path, transaction, signal);
    return await decide(this.#zk, path, 'commitIfAllVoted', signal);
  }

  async #isPrepared(transaction: Transaction, signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#handlers.prepare(transaction, signal);
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  /** Waits until nothing is left to wait for: it is decided, all have voted, or the time is up. */
  async #untilAllVoted(
    path: string,
    transaction: Transaction,
    closing: AbortSignal,
  ): Promise<void> {
    const votes = transaction.participants.map(yesName);
    const isOpen = async (watch: () => void): Promise<boolean> => {
      await untilAnswered(this.#zk, () => this.#zk.exists(path, { watch }));
      const read = await readTransaction(this.#zk, path);
      // The last to vote sees the votes of all, and decides.
      return read?.state === 'voting' && !votes.every((name) => read.children.has(name));
    };
    try {
      const options = { signal: closing, timeoutMs: transaction.voteWithinMs };
      await within(this.#zk, options, `decide ${path}`, (signal) =>
        untilFired(this.#zk, { path, type: 'data', signal, read: isOpen }),
      );
    } catch (error) {
      closing.throwIfAborted();
      if (!(error instanceof WaitTimeoutError)) throw error;
    }
  }

  /** Until it has succeeded. */
  async #carryOut(
    outcome: TransactionOutcome,
    transaction: Transaction,
    signal: AbortSignal,
  ): Promise<void> {
    const { onError, retryAfterMs = 1000 } = this.#options;
    const { clock } = this.#zk.ports;
    for (;;) {
      signal.throwIfAborted();
      try {
        if (outcome === 'committed') await this.#handlers.commit(transaction);
        else await this.#handlers.abort(transaction);
        return;
      } catch (error) {
        onError?.(error, transaction);
      }
      await untilTold<void>(signal, (resolve) => {
        const timer = clock.startTimer(retryAfterMs, resolve);
        return () => clock.cancelTimer(timer);
      });
    }
  }

  /** Null when it is none: what somebody else put there is left alone. */
  async #read(path: string, signal: AbortSignal): Promise<TransactionState | null> {
    try {
      return await orAborted(readTransaction(this.#zk, path), signal);
    } catch (error) {
      if (error instanceof DataInconsistencyError) return null;
      throw error;
    }
  }

  get #acl(): Acl {
    return this.#options.acl ?? openAcl;
  }
}
