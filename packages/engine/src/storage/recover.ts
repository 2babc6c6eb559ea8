import { assert, asZxid, counterOf, formatZxid, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import {
  type DataDirectories,
  findInitializeMarkers,
  openDataDirectories,
  removeLeftovers,
  removeQuietly,
} from './data-directories.ts';
import { type DataFile, listLogs, listSnapshots, snapshotFileName } from './file-names.ts';
import {
  type LogRepair,
  type RecordSink,
  type ReplayedLogs,
  repairLogTail,
  replayLogs,
} from './log-replay.ts';
import type { SnapshotSource, SnapshotTarget } from './snapshot-format.ts';
import { type LoadedSnapshot, looksWhole, readSnapshot } from './snapshot-reader.ts';
import { snapshotBytes } from './snapshot-writer.ts';
import { StorageError } from './storage-error.ts';

/**
 * Brings a replica's state back from its data directories. Owns the choice of the snapshot, the
 * replay of the logs onto it, and the repair of what a crash left. Refuses a state from which an
 * acknowledged transaction might be missing: an older snapshot serves only if the logs go on from it
 * without a hole, at least as far as the snapshots that were passed over.
 *
 * When it returns, everything it read is durable, also what an earlier process wrote without a sync.
 *
 * @throws StorageError naming file, offset, record and remedy
 * @throws DiskError when the disk cannot be read or written at all
 */
export function recover(
  disk: Disk,
  options: RecoveryOptions,
  state: RecoveryState,
): RecoveryReport {
  const { dataDir, dataLogDir, datadirAutocreate } = options;
  const directories = openDataDirectories(disk, dataDir, dataLogDir, datadirAutocreate);
  const report = new Recovery(disk, directories, options, state).run();
  repairLogTail(disk, report.repairs);
  for (const path of report.files) if (disk.sizeBytes(path) >= 0) disk.syncFile(path);
  removeLeftovers(disk, directories);
  return report;
}

/** What recovery must know; the names are those of `ReplicaConfig`. */
export interface RecoveryOptions {
  readonly dataDir: string;
  readonly dataLogDir: string;
  /** `datadir.autocreate`. */
  readonly datadirAutocreate: boolean;
  /** `db.autocreate`: an empty database is meant to be empty. */
  readonly dbAutocreate: boolean;
  /** `snapshot.trust.empty`: logs alone are enough. */
  readonly trustEmpty: boolean;
  /** `serializeLastProcessedZxid.enabled`, for the first snapshot of a new database. */
  readonly withLastZxid: boolean;
  /** The longest string or data in a snapshot, bytes: `jute.maxbuffer` and its extra size. */
  readonly itemBytesMax: number;
  /** `Limits.logGroupBytesMax`. */
  readonly groupBytesMax: number;
  /** `forceSync`: without it, a crash may tear more than the last group. */
  readonly sync: boolean;
}

/** The state that is brought back: sessions and tree. */
export interface RecoveryState extends SnapshotTarget {
  /** Applies a transaction from the log; it may have been applied in part by a fuzzy snapshot. */
  readonly applyRecord: RecordSink;
  /** The state itself, asked for the first snapshot of a new database. */
  readonly source: SnapshotSource;
}

/** What recovery found and did. Everything in `skippedSnapshots` and `repairs` is to be said aloud. */
export interface RecoveryReport {
  readonly directories: DataDirectories;
  /**
   * The last transaction of the state; 0 in a new database; -1 when there is nothing on disk and
   * nothing says that this is right: such a member must not vote, such a lone server must not start.
   */
  readonly lastZxid: Zxid;
  /** Whether the database is new; its snapshot.0 has been written. */
  readonly fresh: boolean;
  readonly snapshot: LoadedSnapshot | null;
  /** Newer snapshots that could not be used, newest first. */
  readonly skippedSnapshots: readonly SkippedSnapshot[];
  readonly replay: ReplayedLogs | null;
  readonly repairs: readonly LogRepair[];
  /** Files that the state came from. */
  readonly files: readonly string[];
}

/** A snapshot that was passed over, and why. */
export interface SkippedSnapshot {
  readonly file: string;
  readonly zxid: Zxid;
  readonly reason: string;
  readonly offset: number;
}

/** Java gives up after so many (`FileSnap.deserialize`). */
const candidatesMax = 100;

class Recovery {
  readonly #disk: Disk;
  readonly #directories: DataDirectories;
  readonly #options: RecoveryOptions;
  readonly #state: RecoveryState;
  readonly #skipped: SkippedSnapshot[] = [];
  /** Which of the skipped snapshots' transactions the logs have. */
  readonly #passed = new Set<Zxid>();

  constructor(
    disk: Disk,
    directories: DataDirectories,
    options: RecoveryOptions,
    state: RecoveryState,
  ) {
    this.#disk = disk;
    this.#directories = directories;
    this.#options = options;
    this.#state = state;
  }

  run(): RecoveryReport {
    const candidates = listSnapshots(this.#disk, this.#directories.snapshots).reverse();
    for (const file of candidates.slice(0, candidatesMax)) {
      const report = this.#tryCandidate(file);
      if (report !== null) return report;
    }
    this.#state.reset();
    const hasLogs = this.#firstLogZxid() !== null;
    if (this.#skipped.some((skipped) => skipped.zxid > 0) || (this.#skipped[0] && hasLogs)) {
      throw this.#noSnapshot();
    }
    return hasLogs ? this.#fromLogsAlone() : this.#nothing();
  }

  /** Null when the snapshot cannot be used. */
  #tryCandidate(file: DataFile): RecoveryReport | null {
    if (!looksWhole(this.#disk, file)) {
      const size = this.#disk.sizeBytes(file.path);
      return this.#skip(file, 'it is not whole, as after a crash while it was written', size);
    }
    this.#state.reset();
    const loaded = readSnapshot(this.#disk, file, this.#state, this.#options.itemBytesMax);
    if ('reason' in loaded) return this.#skip(file, loaded.reason, loaded.offset);
    const replay = this.#replay(loaded.zxid, true);
    this.#refuseLoss(file, replay.lastZxid);
    if (replay.lastZxid < lastInPart(loaded)) {
      const last = formatZxid(replay.lastZxid);
      const part = formatZxid(lastInPart(loaded));
      return this.#skip(
        file,
        `it holds a part of ${part}, and the logs end at ${last}`,
        loaded.bytes,
      );
    }
    return this.#report(replay.lastZxid, loaded, replay, file);
  }

  #skip(file: DataFile, reason: string, offset: number): null {
    this.#skipped.push({ file: file.path, zxid: file.zxid, reason, offset });
    return null;
  }

  #replay(fromZxid: Zxid, anchored: boolean): ReplayedLogs {
    const { sync, groupBytesMax } = this.#options;
    const tearBytesMax = sync ? groupBytesMax : Number.POSITIVE_INFINITY;
    const directory = this.#directories.logs;
    const { applyRecord } = this.#state;
    this.#passed.clear();
    const waypoints = new Set(this.#skipped.map((skipped) => skipped.zxid));
    const apply: RecordSink = (bytes, start, end, zxid) => {
      applyRecord(bytes, start, end, zxid);
      if (waypoints.has(zxid)) this.#passed.add(zxid);
    };
    const sink = waypoints.size === 0 ? applyRecord : apply;
    return replayLogs(this.#disk, { directory, fromZxid, anchored, tearBytesMax }, sink);
  }

  /**
   * An older snapshot must lead at least as far as the newer ones that could not be used, and through the very
   * transactions that they stand at: a snapshot that a leader sent has nothing before it in the logs, and the
   * beginning of an epoch behind it would hide what is missing.
   */
  #refuseLoss(used: DataFile, lastZxid: Zxid): void {
    const lost = this.#skipped.find(
      ({ zxid }) => zxid > lastZxid || (zxid > used.zxid && !this.#passed.has(zxid)),
    );
    if (lost === undefined) return;
    throw new StorageError(
      'snapshotDamaged',
      { file: lost.file, offset: lost.offset },
      `Cannot use a snapshot: ${lost.reason}. The older ${used.path} with all logs leads only to ` +
        `${formatZxid(lastZxid)}`,
      'Bring back the snapshot or the missing logs from a backup or another member; to do without ' +
        'what is missing, move the damaged snapshot away.',
    );
  }

  #noSnapshot(): StorageError {
    const newest = this.#skipped[0];
    assert(newest !== undefined, 'a damaged snapshot that there is not');
    return new StorageError(
      'snapshotDamaged',
      { file: newest.file, offset: newest.offset },
      `Cannot use any of ${this.#skipped.length} snapshots, the newest because: ${newest.reason}`,
      'Bring back a snapshot from a backup or another member; a member of an ensemble may start with ' +
        'an empty data directory instead.',
    );
  }

  /** ZOOKEEPER-3056: data directories from before 3.5 may have no snapshot yet. */
  #fromLogsAlone(): RecoveryReport {
    const first = this.#firstLogZxid();
    if (!this.#options.trustEmpty) {
      throw new StorageError(
        'logWithoutSnapshot',
        { file: this.#directories.snapshots },
        `Cannot replay logs, which begin at ${formatZxid(first ?? 0)}, without any snapshot`,
        'Check that dataDir is right; set snapshot.trust.empty=true for one start if this is an upgrade ' +
          'from before ZooKeeper 3.5.',
      );
    }
    const replay = this.#replay(asZxid(0), first === 1);
    return this.#report(replay.lastZxid, null, replay, null);
  }

  #nothing(): RecoveryReport {
    const markers = findInitializeMarkers(this.#disk, this.#directories);
    if (markers.length === 0 && !this.#options.dbAutocreate) {
      return this.#report(asZxid(-1), null, null, null);
    }
    const { source } = this.#state;
    assert(source.lastZxid() === 0, 'a new database with transactions', source.lastZxid());
    const path = `${this.#directories.snapshots}/${snapshotFileName(asZxid(0), 'none')}`;
    // Before the first transaction: logs without a snapshot are refused.
    this.#disk.replaceSmallFile(path, snapshotBytes(source, this.#options.withLastZxid));
    removeQuietly(this.#disk, markers);
    return { ...this.#report(asZxid(0), null, null, null), fresh: true };
  }

  #report(
    lastZxid: Zxid,
    snapshot: LoadedSnapshot | null,
    replay: ReplayedLogs | null,
    file: DataFile | null,
  ): RecoveryReport {
    const files = file === null ? [] : [file.path];
    return {
      directories: this.#directories,
      lastZxid,
      fresh: false,
      snapshot,
      skippedSnapshots: this.#skipped,
      replay,
      repairs: replay?.repairs ?? [],
      files: [...files, ...(replay?.files ?? [])],
    };
  }

  #firstLogZxid(): Zxid | null {
    return listLogs(this.#disk, this.#directories.logs)[0]?.zxid ?? null;
  }
}

/**
 * The last transaction that a snapshot may hold in part. A zxid with counter 0 is what a new leader
 * starts from, and no transaction.
 */
function lastInPart(loaded: LoadedSnapshot): Zxid {
  return counterOf(loaded.coveredZxid) === 0 ? loaded.zxid : loaded.coveredZxid;
}
