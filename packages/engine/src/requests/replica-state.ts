import type { ErrorCode, Id, JuteReader, JuteWriter } from '@meerkat/protocol';
import type { Limits } from '../limits.ts';
import type { ReplicaConfig } from '../replica-config.ts';
import type { SessionTable } from '../sessions/session-table.ts';
import type { KnownChange, Tree } from '../tree/tree.ts';
import type { WatchTable } from '../watches/watch-table.ts';
import type { OutstandingChanges } from './outstanding-changes.ts';

/** What all operations of a replica share. */
export interface ReplicaState {
  readonly config: ReplicaConfig;
  readonly limits: Limits;
  readonly tree: Tree;
  readonly watches: WatchTable;
  readonly sessions: SessionTable;
  readonly outstanding: OutstandingChanges;
  /** A write goes over the soft quota of the subtree at `path`: worth a line, nothing more. */
  onSoftQuotaExceeded(path: string): void;
  /** The newest transaction in the tree. */
  lastProcessedZxid: number;
}

/**
 * What the preparation of a write works on: one object per replica, filled in anew for each
 * request. `reader` stands at the request's record, `writer` behind the transaction's header.
 */
export interface WriteContext {
  readonly state: ReplicaState;
  reader: JuteReader;
  writer: JuteWriter;
  zxid: number;
  /** Wall clock of the transaction, ms. */
  timeMs: number;
  sessionHi: number;
  sessionLo: number;
  authIds: readonly Id[];
  /** What the preparation found out and applying need not; its `node` is `noNode` when there is nothing. */
  readonly known: KnownChange;
  /** What the creation of an ephemeral comes to; ok unless its session is local. */
  ephemeralError: ErrorCode;
}
