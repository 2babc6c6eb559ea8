import type { Disk } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { listLogs, listSnapshots } from './file-names.ts';
import { looksWhole } from './snapshot-reader.ts';

/** Fewer snapshots are never kept (`DatadirCleanupManager.java`). */
export const retainCountMin = 3;

/**
 * The files that a purge removes, as `PurgeTxnLog.java`: the newest `retainCount` snapshots that look
 * whole stay, and the logs from the last one that begins at or before the oldest of those. Snapshots
 * that are not whole stay while they are newer than that. Oldest first, snapshots before the
 * logs that they would need: a purge that is cut short leaves nothing that misleads.
 *
 * @param retainCount `autopurge.snapRetainCount`; less than 3 is 3
 */
export function filesToPurge(
  disk: Disk,
  snapshotDirectory: string,
  logDirectory: string,
  retainCount: number,
): string[] {
  const snapshots = listSnapshots(disk, snapshotDirectory);
  const keep = Math.max(retainCountMin, retainCount);
  let whole = 0;
  let oldest = null;
  for (const snapshot of [...snapshots].reverse()) {
    if (whole === keep) break;
    if (!looksWhole(disk, snapshot)) continue;
    oldest = snapshot;
    whole++;
  }
  if (oldest === null) return [];
  const { zxid } = oldest;
  const logs = listLogs(disk, logDirectory);
  const firstKept = logs.findLast((log) => log.zxid <= zxid)?.zxid ?? zxid;
  return [
    ...snapshots.filter((snapshot) => snapshot.zxid < zxid),
    ...logs.filter((log) => log.zxid < firstKept),
  ].map((file) => file.path);
}

/**
 * Removes files one after the other, off the caller's back. Owns the list while it runs; one purge at a
 * time. What cannot be removed is reported and left for the next one.
 */
export class Purge {
  readonly #disk: Disk;
  readonly #listener: PurgeListener;
  #files: readonly string[] = [];
  #next = 0;
  #removed = 0;

  readonly #onRemoved = (error: DiskError | null): void => {
    const path = this.#files[this.#next++] as string;
    if (error === null) this.#removed++;
    else this.#listener.onPurgeFailed(path, error);
    this.#removeNext();
  };

  constructor(disk: Disk, listener: PurgeListener) {
    this.#disk = disk;
    this.#listener = listener;
  }

  /** Whether a purge is under way. */
  get busy(): boolean {
    return this.#next < this.#files.length;
  }

  /** Begins to remove what `filesToPurge` says. False: the last purge is still under way. */
  start(snapshotDirectory: string, logDirectory: string, retainCount: number): boolean {
    if (this.busy) return false;
    try {
      this.#files = filesToPurge(this.#disk, snapshotDirectory, logDirectory, retainCount);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#listener.onPurgeFailed(error.path, error);
      return true;
    }
    this.#next = 0;
    this.#removed = 0;
    this.#removeNext();
    return true;
  }

  #removeNext(): void {
    const path = this.#files[this.#next];
    if (path !== undefined) this.#disk.removeLater(path, this.#onRemoved);
    else this.#listener.onPurged(this.#removed);
  }
}

/** Whoever wants to know how a purge went. */
export interface PurgeListener {
  /** It has ended; `count` files were removed. */
  onPurged(count: number): void;
  /** One file could not be removed. */
  onPurgeFailed(path: string, error: DiskError): void;
}
