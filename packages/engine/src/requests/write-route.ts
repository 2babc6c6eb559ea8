import type { Id, JuteReader, OpCode } from '@meerkat/protocol';
import type { ClientConnection } from './client-connection.ts';
import type { PendingTransactions } from './pending-transactions.ts';

/** A write on its way in. */
export interface WriteRequest {
  connection: ClientConnection | null;
  sessionHi: number;
  sessionLo: number;
  authIds: readonly Id[];
  xid: number;
  type: OpCode;
  receivedMs: number;
  /** The size of the request when it counts as large, else 0. */
  largeBytes: number;
  /** Through whom it came: a learner; null when it came to this replica. */
  owner: object | null;
}

/**
 * Where the writes of clients go, and who judges their sessions: this replica itself, alone or as a leader
 * (`WritePipeline`), or the leader that it follows (`LearnerRoute`).
 */
export interface WriteRoute {
  /** Requests whose transactions are not applied yet, in the order in which they will be. */
  readonly pending: PendingTransactions;
  /** Bytes of them. */
  readonly pendingBytes: number;
  /** Bytes of large ones among them (`largeRequestThreshold`). */
  readonly largeBytes: number;
  /** Whether this replica judges sessions; else `revalidate` asks the one that does. */
  readonly judgesSessions: boolean;
  /** Whether nothing is written through this replica at the moment: it reads to those who ask for no more. */
  readonly isReadOnly: boolean;
  /** Whether a sync is given to `prepare` like a write. */
  readonly preparesSyncs: boolean;
  /**
   * Takes a write.
   *
   * @param reader stands at the request's record
   * @param wallMs the time of the transaction
   * @returns its sequence among the pending ones
   * @throws JuteError when the request does not decode; nothing has happened then
   */
  prepare(request: WriteRequest, reader: JuteReader, wallMs: number): number;
  /** Asks whether a session lives that comes back through this connection. */
  revalidate(connection: ClientConnection, sessionHi: number, sessionLo: number): void;
}
