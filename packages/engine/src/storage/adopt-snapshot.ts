/**
 * How a snapshot that a leader sent takes the place of a history that went another way. Owns the marker
 * `adopting`, which says that a removal is under way: whoever finds it at the start finishes that first, so that no
 * mixture of two histories is ever recovered.
 */
import { decodeUtf8, formatZxid, utf8, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import type { DataDirectories } from './data-directories.ts';
import { listLogs, listSnapshots, versionDirectory } from './file-names.ts';
import { lastLoggedZxid } from './log-replay.ts';

/**
 * Removes logs and snapshots that lead beyond the snapshot of `zxid`, which is durable. Logs that end before it
 * stay: they lead up to it or to older snapshots, and no further.
 */
export function adoptSnapshot(disk: Disk, directories: DataDirectories, zxid: Zxid): void {
  const isAhead =
    lastLoggedZxid(disk, directories.logs) > zxid ||
    listSnapshots(disk, directories.snapshots).some((snapshot) => snapshot.zxid > zxid);
  if (!isAhead) return;
  disk.replaceSmallFile(`${directories.snapshots}/${marker}`, utf8(formatZxid(zxid)));
  removeOthers(disk, directories.snapshots, directories.logs, zxid);
}

/** Finishes a removal that a crash interrupted. */
export function finishAdoption(disk: Disk, dataDir: string, dataLogDir: string): void {
  const snapshots = `${dataDir}/${versionDirectory}`;
  const bytes = disk.readSmallFile(`${snapshots}/${marker}`);
  if (bytes === null) return;
  const text = decodeUtf8(bytes, 0, bytes.length);
  const zxid = /^0x[0-9a-f]{1,14}$/.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  const isThere = listSnapshots(disk, snapshots).some((snapshot) => snapshot.zxid === zxid);
  // Without its snapshot the marker says nothing that could be believed.
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
