/**
 * How a snapshot that a leader sent takes the place of a history that went another way. Owns the marker
 * `adopting`, which says that this is under way: whoever finds it at the start finishes that first, so that no mixture
 * of two histories is ever recovered.
 */
import { decodeUtf8, formatZxid, utf8, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import type { DataDirectories } from './data-directories.ts';
import { listLogs, listSnapshots, versionDirectory } from './file-names.ts';
import { lastLoggedZxid } from './log-replay.ts';
import { StorageError } from './storage-error.ts';

/**
 * Says that a snapshot of `zxid` will take the place of what is on disk, before it has its name: logs that lead beyond
 * it would be replayed on top of it otherwise, should a crash come before they are removed. Logs that end before it
 * stay: they lead up to it or to older snapshots, and no further.
 *
 * @param isDistrusted nothing of what was there before is believed: all of it goes
 * @throws DiskError
 */
export function announceAdoption(
  disk: Disk,
  directories: DataDirectories,
  zxid: Zxid,
  isDistrusted: boolean,
): void {
  if (!isDistrusted && !isAhead(disk, directories, zxid)) return;
  disk.replaceSmallFile(`${directories.snapshots}/${marker}`, utf8(formatZxid(zxid)));
}

function isAhead(disk: Disk, { logs, snapshots }: DataDirectories, zxid: Zxid): boolean {
  if (listSnapshots(disk, snapshots).some((snapshot) => snapshot.zxid > zxid)) return true;
  try {
    return lastLoggedZxid(disk, logs) > zxid;
  } catch (error) {
    if (error instanceof StorageError) return true;
    throw error;
  }
}

/**
 * Once the announced snapshot has its name, removes logs and snapshots that lead beyond it; also at the start, when a
 * crash came in between. Does nothing when none was announced.
 *
 * @throws DiskError
 */
export function finishAdoption(disk: Disk, dataDir: string, dataLogDir: string): void {
  const snapshots = `${dataDir}/${versionDirectory}`;
  const bytes = disk.readSmallFile(`${snapshots}/${marker}`);
  if (bytes === null) return;
  const text = decodeUtf8(bytes, 0, bytes.length);
  const zxid = /^0x[0-9a-f]{1,14}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  const isThere = listSnapshots(disk, snapshots).some((snapshot) => snapshot.zxid === zxid);
  // Without its snapshot nothing was replaced: the old history goes on.
  if (isThere) removeOthers(disk, snapshots, `${dataLogDir}/${versionDirectory}`, zxid as Zxid);
  else disk.remove(`${snapshots}/${marker}`);
}

function removeOthers(disk: Disk, snapshots: string, logs: string, zxid: Zxid): void {
  for (const log of listLogs(disk, logs).reverse()) disk.remove(log.path);
  for (const snapshot of listSnapshots(disk, snapshots).reverse()) {
    if (snapshot.zxid !== zxid) disk.remove(snapshot.path);
  }
  disk.remove(`${snapshots}/${marker}`);
}

const marker = 'adopting';
