import { asZxid, formatZxid, type Zxid } from '@meerkat/protocol';
import type { Disk, Packing } from '../ports.ts';
import { StorageError } from './storage-error.ts';

/**
 * Names of files in a data directory, as in `Util.java`: `log.<hex zxid>` and
 * `snapshot.<hex zxid>[.gz|.snappy]`. A part after the zxid that we do not know is allowed, as there.
 */

/** The directory under `dataDir` and `dataLogDir` that holds everything: the version of the formats. */
export const versionDirectory = 'version-2';

/** A log or snapshot file that exists. */
export interface DataFile {
  readonly path: string;
  readonly name: string;
  /** The zxid in the name. */
  readonly zxid: Zxid;
}

/** `log.<hex zxid of the first record>`. */
export function logFileName(zxid: Zxid): string {
  return `log.${formatZxid(zxid).slice(2)}`;
}

/** `snapshot.<hex zxid>` and the ending that names the packing. */
export function snapshotFileName(zxid: Zxid, packing: Packing): string {
  const ending = packing === 'gzip' ? '.gz' : packing === 'snappy' ? '.snappy' : '';
  return `snapshot.${formatZxid(zxid).slice(2)}${ending}`;
}

/**
 * What a snapshot is called while it is being written. ZooKeeper looks only at names that begin
 * with `snapshot.`, so neither server ever takes it for one.
 */
export function unfinishedSnapshotFileName(zxid: Zxid, packing: Packing): string {
  return `unfinished-${snapshotFileName(zxid, packing)}`;
}

/**
 * Whether a file is the remains of a snapshot that never got its name: ours, or the temporary file
 * of a small file that was being replaced (`AtomicFileOutputStream.java`).
 */
export function isUnfinishedSnapshot(name: string): boolean {
  return name.startsWith('unfinished-snapshot.') || /^snapshot\..*\.tmp$/.test(name);
}

/** How a snapshot is packed, by the last part of its name (`SnapStream.getStreamMode`). */
export function packingOf(name: string): Packing {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return ending === 'gz' ? 'gzip' : ending === 'snappy' ? 'snappy' : 'none';
}

/** The log files of a directory, oldest first. */
export function listLogs(disk: Disk, directory: string): DataFile[] {
  return listFiles(disk, directory, 'log');
}

/** The snapshots of a directory, valid or not, oldest first. */
export function listSnapshots(disk: Disk, directory: string): DataFile[] {
  return listFiles(disk, directory, 'snapshot');
}

function listFiles(disk: Disk, directory: string, prefix: string): DataFile[] {
  const files: DataFile[] = [];
  for (const name of disk.list(directory)) {
    if (isUnfinishedSnapshot(name)) continue;
    const path = `${directory}/${name}`;
    const zxid = zxidOfName(name, prefix, path);
    if (zxid !== null) files.push({ path, name, zxid });
  }
  return files.sort((a, b) => a.zxid - b.zxid || (a.name < b.name ? -1 : 1));
}

/** Names that Java does not parse are no log files and no snapshots there, and not here. */
function zxidOfName(name: string, prefix: string, path: string): Zxid | null {
  const parts = name.split('.');
  const digits = parts[1] ?? '';
  if (parts[0] !== prefix || !/^[0-9a-fA-F]{1,16}$/.test(digits)) return null;
  const zxid = Number.parseInt(digits, 16);
  if (zxid >= 2 ** 63) return null;
  if (!Number.isSafeInteger(zxid)) {
    throw new StorageError(
      'fileNameDamaged',
      { file: path },
      `Cannot use a file whose zxid is beyond 2^53: current value is 0x${digits}`,
      'If the file is not one of ZooKeeper, move it out of the data directory.',
    );
  }
  return asZxid(zxid);
}
