import type { Disk } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { isUnfinishedSnapshot, versionDirectory } from './file-names.ts';
import { StorageError } from './storage-error.ts';

/** The two `version-2` directories, and those above them. */
export interface DataDirectories {
  /** `<dataDir>/version-2`: snapshots and epoch files. */
  readonly snapshots: string;
  /** `<dataLogDir>/version-2`: logs. */
  readonly logs: string;
  readonly dataDir: string;
  readonly dataLogDir: string;
}

/**
 * Looks after the data directories at start-up, as the constructor of `FileTxnSnapLog.java`: makes
 * them or complains, and refuses files in the wrong one of two.
 *
 * @param autocreate `datadir.autocreate`
 * @throws StorageError `directoryMissing`, `misplacedFiles`
 * @throws DiskError when a directory cannot be made
 */
export function openDataDirectories(
  disk: Disk,
  dataDir: string,
  dataLogDir: string,
  autocreate: boolean,
): DataDirectories {
  const snapshots = `${dataDir}/${versionDirectory}`;
  const logs = `${dataLogDir}/${versionDirectory}`;
  for (const [path, key] of [
    [logs, 'dataLogDir'],
    [snapshots, 'dataDir'],
  ] as const) {
    if (disk.sizeBytes(path) >= 0) continue;
    if (!autocreate) {
      throw new StorageError(
        'directoryMissing',
        { file: path },
        'Cannot use a data directory that does not exist while datadir.autocreate is false',
        `Check that its disk is mounted and ${key} is right; make the directory if it is.`,
      );
    }
    disk.makeDirectory(path);
  }
  if (snapshots !== logs) refuseMisplacedFiles(disk, snapshots, logs);
  return { snapshots, logs, dataDir, dataLogDir };
}

/** ZOOKEEPER-2967: swapped directories would look like an empty database. */
function refuseMisplacedFiles(disk: Disk, snapshots: string, logs: string): void {
  const snapshot = disk.list(logs).find((name) => name.startsWith('snapshot.'));
  const log = disk.list(snapshots).find((name) => name.startsWith('log.'));
  if (snapshot !== undefined) misplaced(`${logs}/${snapshot}`, 'a snapshot in the log directory');
  if (log !== undefined) misplaced(`${snapshots}/${log}`, 'a log in the snapshot directory');
}

function misplaced(file: string, what: string): never {
  throw new StorageError(
    'misplacedFiles',
    { file },
    `Cannot start with ${what}`,
    'Check dataDir and dataLogDir; if they were one directory before, move the file to the other.',
  );
}

/**
 * Removes what a crash left of snapshots that had not got their names: at once, since the next snapshot may
 * take the same name. Failing to remove one is harmless.
 */
export function removeLeftovers(disk: Disk, directories: DataDirectories): void {
  const { snapshots } = directories;
  removeQuietly(
    disk,
    disk
      .list(snapshots)
      .filter(isUnfinishedSnapshot)
      .map((name) => `${snapshots}/${name}`),
  );
}

/**
 * Whether someone left an `initialize` file, which says that an empty database is meant to be empty.
 * Java looks beside the logs, while its own `zkServer-initialize.sh` leaves it in `dataDir`: both are
 * looked at here.
 */
export function findInitializeMarkers(disk: Disk, directories: DataDirectories): string[] {
  const paths = [`${directories.dataLogDir}/initialize`, `${directories.dataDir}/initialize`];
  return [...new Set(paths)].filter((path) => disk.sizeBytes(path) >= 0);
}

/** Removes files that do no harm when they stay. */
export function removeQuietly(disk: Disk, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      disk.remove(path);
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
    }
  }
}
