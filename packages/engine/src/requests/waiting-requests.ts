/**
 * Requests of connections that cannot be answered yet (`CommitProcessor.java`, `NIOServerCnxn.enableRecv`): behind a write of the
 * same connection that is not applied, behind answers that its client has not read, or because this turn has had its share
 * of what takes long.
 *
 * Owns whose requests wait, and when they go on; each connection's own are in `deferred-requests.ts`. Does none of them.
 */
import { assert, ErrorCode } from '@meerkat/protocol';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';
import type { TakeDeferred } from './deferred-requests.ts';
import type { PendingTransactions } from './pending-transactions.ts';
import type { ReplyWriter } from './reply-writer.ts';

/** Who does the requests when they may go on. */
export interface WaitingHost {
  readonly replies: ReplyWriter;
  /** The writes under way. */
  readonly pending: PendingTransactions;
  /** One that has waited: to be done, or answered with an error that stands already. */
  goOnWith(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    error: ErrorCode,
  ): void;
}

export class WaitingRequests {
  /** How many there are, of all connections. */
  count = 0;
  /** Connections whose client has to read, or the turn to end, before they are answered any further. */
  readonly stalled: Set<ClientConnection> = new Set();
  readonly #host: WaitingHost;
  readonly #unreadBytesMax: number;
  #draining: ClientConnection | null = null;
  /** Bytes of long requests handled in this turn. */
  #longBytes = 0;
  /** How long they took, ms. */
  #longMs = 0;
  readonly #goOnWithFirst: TakeDeferred = (bytes, start, end, receivedMs, error) => {
    const connection = this.#draining;
    assert(connection !== null, 'a connection is being drained');
    this.#host.goOnWith(connection, bytes, start, end, receivedMs, error);
  };

  /** @param unreadBytesMax answers of one turn after which a client has to read before it gets more, bytes */
  constructor(host: WaitingHost, unreadBytesMax: number) {
    this.#host = host;
    this.#unreadBytesMax = unreadBytesMax;
  }

  /**
   * Whether this turn has had its share of long requests: clients that come back all at once, each with
   * its watches, shall not keep the others waiting, and nor shall one that asks for the children of a
   * huge znode a thousand times.
   */
  get hasSpentTurn(): boolean {
    return this.#longBytes >= longBytesPerTurn || this.#longMs >= longMsPerTurn;
  }

  /** A turn begins. */
  beginTurn(): void {
    this.#longBytes = 0;
    this.#longMs = 0;
  }

  /** A long request was handled: so many bytes, or so long. */
  spend(bytes: number, ms: number): void {
    this.#longBytes += bytes;
    this.#longMs += ms;
  }

  /**
   * Keeps a request until the newest transaction of its connection is applied.
   *
   * @param error what it will be answered with, when that is settled
   */
  defer(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    mayBeWrite: boolean,
    error: ErrorCode = ErrorCode.ok,
  ): void {
    const after = connection.newestPendingSequence;
    const waiting = connection.deferredRequests();
    waiting.push(bytes, start, end, after, receivedMs, mayBeWrite, error);
    connection.deferredCount++;
    this.count++;
    if (mayBeWrite) connection.deferredWrites++;
  }

  /** Runs what waited for the transaction that has just been applied. */
  drain(connection: ClientConnection): void {
    this.#drainUpTo(connection, this.#host.pending.oldestSequence);
  }

  /** Runs what waited for transactions that are applied and answered, all of them before the oldest that is not. */
  drainApplied(connection: ClientConnection): void {
    this.#drainUpTo(connection, this.#host.pending.oldestSequence - 1);
  }

  /** Goes on with a connection whose client has read enough. */
  goOn(connection: ClientConnection): void {
    connection.isStalled = false;
    this.stalled.delete(connection);
    this.drainApplied(connection);
  }

  /** The connection is gone, and with it what it waited for. */
  forget(connection: ClientConnection): void {
    this.count -= connection.deferredCount;
    connection.deferred = null;
    connection.deferredCount = 0;
    connection.isStalled = false;
    this.stalled.delete(connection);
  }

  /** Whether a client has been told as much in this turn as it should before it reads. */
  isAnswered({ outbox }: ClientConnection): boolean {
    return outbox !== null && outbox.length > this.#unreadBytesMax;
  }

  /** A connection is answered no further until it gets its turn again. */
  stall(connection: ClientConnection): void {
    connection.isStalled = true;
    this.stalled.add(connection);
  }

  #drainUpTo(connection: ClientConnection, sequence: number): void {
    const { deferred } = connection;
    this.#draining = connection;
    while (deferred !== null && connection.deferredCount > 0 && deferred.isReady(sequence)) {
      const isAnswered = this.isAnswered(connection);
      if (connection.pendingWrites === 0 && (isAnswered || this.hasSpentTurn)) {
        return this.stall(connection);
      }
      if (isAnswered) {
        // Answers to its transactions come next and cannot wait: what is there leaves, or cuts it.
        this.#host.replies.sendNow(connection);
        if (connection.phase === ConnectionPhase.closed) return;
      }
      const newest = connection.newestPendingSequence;
      connection.deferredCount--;
      this.count--;
      if (deferred.firstMayBeWrite) connection.deferredWrites--;
      deferred.shift(this.#goOnWithFirst);
      if (connection.phase === ConnectionPhase.closed) break;
      // A write among them goes into the pipeline, and those behind it wait for it in turn.
      if (connection.newestPendingSequence !== newest)
        deferred.raise(connection.newestPendingSequence);
    }
    this.#draining = null;
  }
}

/** Bytes of long requests in one turn, about a thousand watches: a millisecond's work or two. */
const longBytesPerTurn = 32 * 1024;
/** How long they may take together in one turn, ms. */
const longMsPerTurn = 5;
