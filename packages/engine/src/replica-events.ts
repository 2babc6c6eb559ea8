import type { ConnectionId, DiskError } from './ports.ts';
import type { RecoveryReport, WrittenSnapshot } from './storage/index.ts';

/** What a replica tells its shell, which logs it, counts it, or ends the process. */
export interface ReplicaEvents {
  /** The database is back; `orphans` ephemerals of dead sessions were removed. */
  onRecovered(report: RecoveryReport, orphans: number): void;
  /** The log can no longer be written: nothing more is acknowledged, the process must end. */
  onLogFailed(error: DiskError): void;
  /** A log group took longer than `fsync.warningthresholdms`. */
  onSlowSync(elapsedMs: number): void;
  onSnapshotWritten(snapshot: WrittenSnapshot): void;
  /** The disk failed or is full; serving goes on. */
  onSnapshotFailed(error: DiskError): void;
  /** A client was refused or cut; `kind` groups what is the same fault. */
  onClientRefused(kind: string, connection: ConnectionId, address: string, detail: string): void;
  /** A session's time is over. */
  onSessionExpired(idHi: number, idLo: number, timeoutMs: number): void;
  /** A write went over the soft quota of the subtree at `path`, and was taken. */
  onSoftQuotaExceeded(path: string): void;
  /** What concerns an ensemble; a replica that is alone tells nothing of it. */
  readonly ensemble?: EnsembleEvents;
}

/** What a member of an ensemble is at the moment; it serves clients in the last three. */
export type MemberRole = 'looking' | 'leading' | 'following' | 'observing';

/** What a member of an ensemble tells its shell. */
export interface EnsembleEvents {
  /**
   * The member is something else now. `leading`, `following` and `observing` are told when it begins to serve,
   * with the leader's id and how long election and synchronisation took, ms.
   */
  onRole(role: MemberRole, detail: RoleDetail): void;
  /** Something a peer did, or that happened between members, that is worth a line; `kind` groups the same. */
  onEnsembleNotice(kind: string, peer: number | null, text: string): void;
  /** This member cannot go on: the process must end with this exit code (ZB 9.4). */
  onEnsembleFailed(exitCode: number, reason: string): void;
  /** Another configuration is in force: `text` is the config node's, `version` its zxid. */
  onMembersChanged(text: string, version: number): void;
}

/** What goes with a change of role. */
export interface RoleDetail {
  /** The leader's id; null while looking. */
  readonly leader: number | null;
  readonly epoch: number;
  /** How long the election took, ms; 0 while looking. */
  readonly electionMs: number;
  /** How long it took from the election to serving, ms. */
  readonly syncMs: number;
  /** How the state came: nothing, `DIFF`, `TRUNC` or `SNAP`. */
  readonly sync: 'none' | 'DIFF' | 'TRUNC' | 'SNAP';
  /** Why the last role ended; empty at the start. */
  readonly reason: string;
}
