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
}
