import { type Acl, openAcl } from '../acl.ts';
import { BadArgumentsError, NodeExistsError, NoNodeError } from '../errors.ts';
import { validateTimeout } from '../options.ts';
import { pathProblem, validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { WaitTimeoutError } from './errors.ts';
import { childPath, createParents } from './parents.ts';
import { deleteSurely, uuid } from './protective-create.ts';
import {
  beginOperations,
  clearAway,
  coordinatorName,
  decide,
  readTransaction,
  type Transaction,
  type TransactionOutcome,
} from './transaction-record.ts';
import { untilAnswered, untilFired, type WaitOptions, within } from './waiting.ts';

/** A transaction that is to begin. */
export interface TransactionRequest {
  /** Who has to agree: the names of `TransactionParticipant`s. */
  readonly participants: readonly string[];
  /** What it is about: anything that is JSON. */
  readonly payload?: unknown;
  /** Those who have not voted by then are taken to say no, ms. Default 10,000. */
  readonly voteWithinMs?: number;
}

/** Options of `TransactionCoordinator`. */
export interface CoordinatorOptions {
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * Begins transactions in which several participants change something of their own, all of them or none.
 *
 * Guarantee: a transaction is decided once, and the decision is the same for all: to commit only if every participant voted
 * yes before, else to abort. Each participant hears it at least once, though it crash in between, once it is started
 * again. Nobody is held up by one who died, the coordinator included: when the time for voting is over, whoever notices
 * decides, by one conditional write. What is not decided counts as aborted. Not guaranteed: isolation. One participant
 * may have committed a moment before another.
 *
 * ```ts
 * const transfers = new TransactionCoordinator(zk, '/transfers');
 * const outcome = await transfers.run({ participants: ['bank-a', 'bank-b'], payload: { amount: 100 } });
 * ```
 *
 * Layout: see `transaction-record.ts`. Curator has no such recipe.
 */
export class TransactionCoordinator {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: Acl;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: CoordinatorOptions = {}) {
    validatePath(path, 'keep transactions in');
    this.path = path;
    this.#zk = zk;
    this.#acl = options.acl ?? openAcl;
  }

  /**
   * Begins a transaction and waits for the decision. When it fails, the transaction may still be committed: `outcomeOf` by
   * its id, which is the name of its znode, tells as long as not all have carried it out.
   *
   * @throws BadArgumentsError; SessionExpiredError; ZooKeeperError; WaitTimeoutError; or the signal's reason: then
   *   the transaction is aborted unless it is too late
   */
  run(request: TransactionRequest, options: WaitOptions = {}): Promise<TransactionOutcome> {
    const transaction = this.#transactionOf(request);
    const path = childPath(this.path, transaction.id);
    return within(this.#zk, options, `run the transaction ${path}`, async (signal) => {
      try {
        await this.#begin(path, transaction, signal);
        const outcome = await this.#outcome(path, transaction.voteWithinMs, signal);
        await this.#forget(path);
        return outcome;
      } catch (error) {
        if (signal.aborted) this.#giveUp(path).catch(() => {});
        throw error;
      }
    });
  }

  /** How a transaction ended, `voting` when it has not; one that nobody knows of any more counts as aborted. */
  async outcomeOf(id: string, options: WaitOptions = {}): Promise<TransactionOutcome | 'voting'> {
    const path = childPath(this.path, id);
    const read = await within(this.#zk, options, `read the transaction ${path}`, (signal) =>
      readTransaction(this.#zk, path, signal),
    );
    return read?.state ?? 'aborted';
  }

  #transactionOf(request: TransactionRequest): Transaction {
    const { participants, payload = null, voteWithinMs = 10_000 } = request;
    validateTimeout(voteWithinMs);
    const isNamed = participants.every((name) => {
      return name !== '' && !name.includes('/') && pathProblem(`/${name}`) === null;
    });
    if (!isNamed || participants.length === 0 || new Set(participants).size < participants.length) {
      const message = `Cannot begin a transaction: current value is the participants ${participants.join(', ') || 'none'}; each must be one name of a path, and differ`;
      throw new BadArgumentsError({ message });
    }
    return { id: uuid(this.#zk), participants, payload, voteWithinMs, token: 0n };
  }

  async #begin(path: string, transaction: Transaction, signal: AbortSignal): Promise<void> {
    const operations = beginOperations(path, transaction, this.#acl);
    for (;;) {
      try {
        await untilAnswered(this.#zk, () => this.#zk.multi(operations), signal);
        return;
      } catch (error) {
        // Nobody else makes a znode of this name: the answer to an earlier attempt was lost.
        if (error instanceof NodeExistsError) return;
        if (!(error instanceof NoNodeError)) throw error;
      }
      const parents = { acl: this.#acl, mode: 'persistent', signal } as const;
      await createParents(this.#zk, path, parents);
    }
  }

  /** Waits for the decision, and decides when the time is up. */
  async #outcome(
    path: string,
    voteWithinMs: number,
    signal: AbortSignal,
  ): Promise<TransactionOutcome> {
    const isVoting = async (watch: () => void): Promise<boolean> => {
      await untilAnswered(this.#zk, () => this.#zk.exists(path, { watch }), signal);
      return (await readTransaction(this.#zk, path, signal))?.state === 'voting';
    };
    try {
      const options = { signal, timeoutMs: voteWithinMs };
      await within(this.#zk, options, `decide ${path}`, (time) =>
        untilFired(this.#zk, { path, type: 'data', signal: time, read: isVoting }),
      );
    } catch (error) {
      if (!(error instanceof WaitTimeoutError) || signal.aborted) throw error;
    }
    return await decide(this.#zk, path, 'commitIfAllVoted', signal);
  }

  /** We know the outcome: the record may go when all others do. */
  async #forget(path: string): Promise<void> {
    await deleteSurely(this.#zk, childPath(path, coordinatorName));
    await clearAway(this.#zk, path);
  }

  /** Should the session be over, the participants decide. */
  async #giveUp(path: string): Promise<void> {
    // It may have begun although the answer was lost: a server that took over may be behind.
    await untilAnswered(this.#zk, () => this.#zk.sync(path));
    await decide(this.#zk, path, 'abort');
    await this.#forget(path);
  }
}
