import type { Acl } from '../acl.ts';
import {
  BadVersionError,
  DataInconsistencyError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
} from '../errors.ts';
import type { MultiOperation } from '../operations/multi.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { childPath, nameOf } from './parents.ts';
import { isUnanswered, untilAnswered, untilFired } from './waiting.ts';

/** How a transaction ended. */
export type TransactionOutcome = 'committed' | 'aborted';

/** A transaction, as its participants see it. */
export interface Transaction {
  readonly id: string;
  /** Who votes. */
  readonly participants: readonly string[];
  /** What it is about, as JSON. */
  readonly payload: unknown;
  /** So long after they have heard of it, participants wait for the votes of all, ms. */
  readonly voteWithinMs: number;
  /** The zxid at which it began: later ones have greater tokens. */
  readonly token: bigint;
}

/** A transaction as it is on the server. */
export interface TransactionState {
  readonly transaction: Transaction;
  readonly state: 'voting' | TransactionOutcome;
  readonly children: ReadonlySet<string>;
}

/*
 * Layout, for all that takes part:
 *
 *   /base/<id>                 persistent, JSON: {"state": "voting", "participants": […], "voteWithinMs": …, "payload": …}
 *   /base/<id>/yes-<name>      persistent: this participant is prepared; created only while the version of <id> is 0
 *   /base/<id>/done-<name>     persistent: this participant has carried the decision out
 *   /base/<id>/coordinator     ephemeral: somebody waits for the outcome; gone once it is known
 *
 * The decision is the one write of <id> on condition that its version is 0: it succeeds once. That to commit stands in one
 * transaction with checks that every yes is there.
 */

/** The operations that begin a transaction, all or none. */
export function beginOperations(
  path: string,
  transaction: Transaction,
  acl: Acl,
): MultiOperation[] {
  return [
    { op: 'create', path, data: encode(transaction, 'voting'), acl },
    { op: 'create', path: childPath(path, coordinatorName), mode: 'ephemeral', acl },
  ];
}

/** Reads a transaction; null when there is none. @throws DataInconsistencyError when it is something else */
export async function readTransaction(
  zk: ZooKeeper,
  path: string,
  signal?: AbortSignal,
): Promise<TransactionState | null> {
  try {
    // In one write: the children are at least as new as the state.
    const read = (): Promise<[Awaited<ReturnType<ZooKeeper['getData']>>, string[]]> =>
      Promise.all([zk.getData(path), zk.getChildren(path)]);
    const [{ data, stat }, names] = await untilAnswered(zk, read, signal);
    return decode(path, data, stat.czxid, new Set(names));
  } catch (error) {
    if (error instanceof NoNodeError) return null;
    throw error;
  }
}

/** Votes yes, unless it is decided already. Returns false when it was. */
export async function voteYes(
  zk: ZooKeeper,
  path: string,
  participant: string,
  options: { readonly acl: Acl; readonly signal: AbortSignal },
): Promise<boolean> {
  const { acl, signal } = options;
  const operations: MultiOperation[] = [
    { op: 'check', path, version: 0 },
    { op: 'create', path: childPath(path, yesName(participant)), acl },
  ];
  try {
    await untilAnswered(zk, () => zk.multi(operations), signal);
    return true;
  } catch (error) {
    // There already when the answer to an earlier attempt was lost.
    if (error instanceof NodeExistsError) return true;
    if (error instanceof BadVersionError || error instanceof NoNodeError) return false;
    throw error;
  }
}

/**
 * Decides: to commit when all have voted yes, else to abort; whatever was decided before stays. Safe to be called by any
 * number of processes at any time.
 *
 * @returns the decision; `aborted` when there is no such transaction
 */
export async function decide(
  zk: ZooKeeper,
  path: string,
  wish: 'commitIfAllVoted' | 'abort',
  signal?: AbortSignal,
): Promise<TransactionOutcome> {
  for (;;) {
    signal?.throwIfAborted();
    const read = await readTransaction(zk, path, signal);
    if (read === null) return 'aborted';
    if (read.state !== 'voting') return read.state;
    const { transaction } = read;
    const votes = transaction.participants.map(yesName);
    const isToCommit = wish !== 'abort' && votes.every((name) => read.children.has(name));
    const checks = isToCommit ? votes.map((name) => checkOf(path, name)) : [];
    const data = encode(transaction, isToCommit ? 'committed' : 'aborted');
    try {
      await zk.multi([...checks, { op: 'setData', path, data, version: 0 }]);
    } catch (error) {
      if (isUnanswered(error)) await zk.connected(signal === undefined ? {} : { signal });
      else if (!(error instanceof BadVersionError || error instanceof NoNodeError)) throw error;
    }
  }
}

/** Says that a participant has carried the decision out. */
export async function markDone(
  zk: ZooKeeper,
  path: string,
  participant: string,
  acl: Acl,
): Promise<void> {
  try {
    await untilAnswered(zk, () => zk.create(childPath(path, doneName(participant)), '', { acl }));
  } catch (error) {
    if (!(error instanceof NodeExistsError || error instanceof NoNodeError)) throw error;
  }
}

/**
 * Removes a transaction that nobody needs to hear of any more: carried out by all, its outcome known to whoever began it.
 * A committed one must not go earlier, for one that is not there counts as aborted.
 *
 * @returns `unheard` when whoever began it is the last who is waited for, `kept` when a participant is, else `gone`
 */
export async function clearAway(zk: ZooKeeper, path: string): Promise<'gone' | 'kept' | 'unheard'> {
  for (;;) {
    const read = await readTransaction(zk, path);
    if (read === null) return 'gone';
    const { children, transaction, state } = read;
    const areDone = transaction.participants.every((name) => children.has(doneName(name)));
    if (state === 'voting' || !areDone) return 'kept';
    if (children.has(coordinatorName)) return 'unheard';
    const removals = [...children].map((name) => removalOf(childPath(path, name)));
    try {
      await zk.multi([...removals, removalOf(path)]);
      return 'gone';
    } catch (error) {
      const isRace = error instanceof NoNodeError || error instanceof NotEmptyError;
      if (!isRace && !isUnanswered(error)) throw error;
    }
  }
}

/** Waits until whoever began a transaction knows how it ended, or its session is over. */
export async function untilHeard(zk: ZooKeeper, path: string, signal: AbortSignal): Promise<void> {
  const coordinator = childPath(path, coordinatorName);
  for (let isThere = true; isThere; ) {
    const read = async (watch: () => void): Promise<boolean> => {
      isThere = (await untilAnswered(zk, () => zk.exists(coordinator, { watch }))) !== null;
      return isThere;
    };
    await untilFired(zk, { path: coordinator, type: 'data', signal, read });
  }
}

/** The name of a participant's vote. */
export function yesName(participant: string): string {
  return `yes-${participant}`;
}

/** The name by which a participant says that it is done. */
export function doneName(participant: string): string {
  return `done-${participant}`;
}

/** The name of the znode by which somebody waits for the outcome. */
export const coordinatorName = 'coordinator';

function checkOf(path: string, name: string): MultiOperation {
  return { op: 'check', path: childPath(path, name) };
}

function removalOf(path: string): MultiOperation {
  return { op: 'delete', path };
}

function encode(transaction: Transaction, state: 'voting' | TransactionOutcome): string {
  const { participants, voteWithinMs, payload } = transaction;
  return JSON.stringify({ state, participants, voteWithinMs, payload: payload ?? null });
}

function decode(
  path: string,
  data: Uint8Array | null,
  token: bigint,
  children: ReadonlySet<string>,
): TransactionState {
  let read: Partial<Transaction> & { readonly state?: unknown };
  try {
    read = JSON.parse(new TextDecoder().decode(data ?? new Uint8Array(0))) as typeof read;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const { participants, voteWithinMs, payload, state } = read ?? {};
  const isNamed =
    Array.isArray(participants) && participants.every((name) => typeof name === 'string');
  if (!isNamed || typeof voteWithinMs !== 'number') throw unreadable(path);
  if (state !== 'voting' && state !== 'committed' && state !== 'aborted') throw unreadable(path);
  const transaction = { id: nameOf(path), participants, payload, voteWithinMs, token };
  return { transaction, state, children };
}

function unreadable(path: string, cause?: unknown): DataInconsistencyError {
  const message = `Cannot read a transaction from ${path}: current value is something else`;
  return new DataInconsistencyError({ path, message, cause });
}
