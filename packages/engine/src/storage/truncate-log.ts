import { asZxid, formatZxid, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { type DataFile, listLogs, listSnapshots } from './file-names.ts';
import { LogFileReader } from './log-file-reader.ts';
import { StorageError } from './storage-error.ts';

/** What `truncateLog` did. */
export interface TruncatedLog {
  /** The last transaction that is left in the logs. */
  readonly lastZxid: Zxid;
  /** Files that were removed, newest first. */
  readonly removed: readonly string[];
}

/**
 * Cuts the logs right after transaction `zxid`, as a leader tells a learner that is ahead of it. The
 * log must not be open; the state must be recovered anew afterwards.
 *
 * Where `FileTxnLog.truncate` would keep the next larger transaction when `zxid` itself is absent, this
 * refuses: the caller then needs a snapshot. Files go newest first, so that a crash in between leaves no
 * hole; snapshots that are newer than `zxid`, which Java leaves behind, would bring back what was cut, and
 * go before everything else.
 *
 * @throws StorageError `truncateImpossible` when `zxid` is neither in the logs nor a snapshot's, or no snapshot is as
 *   old
 */
export function truncateLog(
  disk: Disk,
  snapshotDirectory: string,
  logDirectory: string,
  zxid: Zxid,
): TruncatedLog {
  const logs = listLogs(disk, logDirectory);
  const snapshots = listSnapshots(disk, snapshotDirectory).reverse();
  const isSnapshot = snapshots.some((snapshot) => snapshot.zxid === zxid);
  const cut = findCut(disk, logs, zxid, isSnapshot);
  const older = snapshots.some((snapshot) => snapshot.zxid <= zxid);
  if (cut === null || !older) throw impossible(logDirectory, zxid, older);
  const removed: string[] = [];
  for (const snapshot of snapshots) {
    if (snapshot.zxid > zxid) removed.push(snapshot.path);
  }
  for (const log of logs.slice(cut.index + 1).reverse()) removed.push(log.path);
  for (const path of removed) disk.remove(path);
  const file = logs[cut.index];
  if (file !== undefined && cut.endOffset < disk.sizeBytes(file.path)) {
    disk.truncate(file.path, cut.endOffset);
  }
  return { lastZxid: zxid, removed };
}

/**
 * The file that holds `zxid`, and where the record ends; null when no file does. Where a snapshot stands at `zxid`, one
 * that a leader sent, it is enough that all logs end before it or begin behind it: index -1 says that none is left.
 */
function findCut(
  disk: Disk,
  logs: readonly DataFile[],
  zxid: Zxid,
  isSnapshot: boolean,
): { index: number; endOffset: number } | null {
  for (let index = logs.length - 1; index >= 0; index--) {
    const log = logs[index] as DataFile;
    if (log.zxid > zxid) continue;
    const reader = new LogFileReader(disk, log.path);
    try {
      let found = asZxid(-1);
      while (reader.next()) {
        // The offset is that of the record after the wanted one.
        if (found === zxid) return { index, endOffset: reader.offset };
        found = reader.zxid;
        if (found > zxid) return null;
      }
      return found === zxid || isSnapshot ? { index, endOffset: reader.offset } : null;
    } finally {
      reader.close();
    }
  }
  return isSnapshot ? { index: -1, endOffset: 0 } : null;
}

function impossible(logDirectory: string, zxid: Zxid, older: boolean): StorageError {
  const lack = older
    ? 'that transaction is not in the logs'
    : 'there is no snapshot as old as that';
  return new StorageError(
    'truncateImpossible',
    { file: logDirectory },
    `Cannot cut the log after transaction ${formatZxid(zxid)}: ${lack}`,
    'The state has to come from the leader as a whole.',
  );
}
