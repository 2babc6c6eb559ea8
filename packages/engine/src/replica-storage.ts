import { assert, asZxid, type Zxid } from '@meerkat/protocol';
import type { Database } from './database.ts';
import { type DiskDone, DiskError, type Ports } from './ports.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { ReplicaState } from './requests/replica-state.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import {
  announceAdoption,
  type DataDirectories,
  finishAdoption,
  openDataDirectories,
  type RecoveryReport,
  recover,
  StorageError,
  snapshotBytes,
  snapshotFileName,
  TransactionLog,
  type TransactionLogListener,
  truncateLog,
  type WrittenSnapshot,
} from './storage/index.ts';

/** Whoever is told what the disk has done. */
export interface ReplicaStorageListener extends TransactionLogListener {
  onSnapshotWritten(snapshot: WrittenSnapshot): void;
  onSnapshotFailed(error: DiskError): void;
  /** A member of an ensemble does not trust its files: it has no history until its leader sends it everything. */
  onDistrusted(error: StorageError): void;
}

/**
 * A replica's files as one thing: recovery, the log that is being written, the snapshots beside it, and, for a
 * member of an ensemble, how they are replaced by what a leader sends. Owns when the log is open: not while the
 * history is being cut or replaced.
 */
export class ReplicaStorage {
  readonly #ports: Ports;
  readonly #config: ReplicaConfig;
  readonly #state: ReplicaState;
  readonly #database: Database;
  readonly #listener: ReplicaStorageListener;
  #log: TransactionLog | null = null;
  #snapshots: SnapshotSchedule | null = null;
  #directories: DataDirectories | null = null;
  #isDistrusted = false;
  /** Those who wait until log and snapshots are let go of; null when nobody asked for that. */
  #closing: DiskDone[] | null = null;
  #adoption: DiskDone | null = null;
  #unbrokenFrom: Zxid = asZxid(0);

  constructor(
    ports: Ports,
    config: ReplicaConfig,
    state: ReplicaState,
    database: Database,
    listener: ReplicaStorageListener,
  ) {
    this.#ports = ports;
    this.#config = config;
    this.#state = state;
    this.#database = database;
    this.#listener = listener;
  }

  /** The log that is being written; null while there is none. */
  get log(): TransactionLog | null {
    return this.#log;
  }

  /** From this state on the logs hold every transaction; before it there may be a hole that nothing shows. */
  get unbrokenFrom(): Zxid {
    return this.#unbrokenFrom;
  }

  /** Whether log and snapshot are being let go of: nothing can be waited for but the end of that. */
  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** Where the data lies; null before the first recovery. */
  get directories(): DataDirectories | null {
    return this.#directories;
  }

  /** Whether this member's files are not trusted: only everything, from a leader, brings it back. */
  get isDistrusted(): boolean {
    return this.#isDistrusted;
  }

  /**
   * Brings the database back from disk. A member of an ensemble whose data cannot be trusted has no history then,
   * as `lastZxid` -1 says: its vote does not count until its leader has sent it everything.
   *
   * @throws StorageError when the data of a replica that is alone cannot be trusted
   * @throws DiskError when it cannot be read
   */
  recover(): RecoveryReport {
    if (this.#config.ensemble === null) return this.#recover();
    try {
      finishAdoption(this.#ports.disk, this.#config.dataDir, this.#config.dataLogDir);
      return this.#recover();
    } catch (error) {
      if (!(error instanceof StorageError) || !isDamage(error)) throw error;
      return this.#distrust(error);
    }
  }

  #distrust(error: StorageError): RecoveryReport {
    const { dataDir, dataLogDir, snapshot } = this.#config;
    const { disk } = this.#ports;
    const directories = openDataDirectories(disk, dataDir, dataLogDir, snapshot.datadirAutocreate);
    this.#directories = directories;
    this.#isDistrusted = true;
    this.#database.reset();
    this.#state.lastProcessedZxid = -1;
    this.#listener.onDistrusted(error);
    return {
      directories,
      lastZxid: asZxid(-1),
      fresh: false,
      snapshot: null,
      skippedSnapshots: [],
      replay: null,
      repairs: [],
      files: [],
    };
  }

  #recover(): RecoveryReport {
    const { disk } = this.#ports;
    const config = this.#config;
    const report = recover(
      disk,
      {
        dataDir: config.dataDir,
        dataLogDir: config.dataLogDir,
        datadirAutocreate: config.snapshot.datadirAutocreate,
        dbAutocreate: config.snapshot.dbAutocreate,
        trustEmpty: config.snapshot.trustEmpty,
        withLastZxid: config.snapshot.serializeLastProcessedZxid,
        itemBytesMax: config.limits.frameBytesMax + config.limits.extraBytesMax,
        groupBytesMax: config.limits.logGroupBytesMax,
        sync: config.txnLog.forceSync,
      },
      this.#database,
    );
    this.#directories = report.directories;
    this.#unbrokenFrom = asZxid(report.snapshot?.zxid ?? 0);
    this.#state.lastProcessedZxid = report.lastZxid;
    return report;
  }

  /** Opens a log behind the last transaction of the database. */
  open(): TransactionLog {
    assert(
      this.#log === null && this.#directories !== null,
      'a log is opened once, after recovery',
    );
    const { txnLog, limits } = this.#config;
    this.#log = new TransactionLog(
      this.#ports.disk,
      {
        directory: this.#directories.logs,
        lastZxid: asZxid(this.#state.lastProcessedZxid),
        preAllocBytes: txnLog.preAllocSizeKb * 1024,
        sync: txnLog.forceSync,
        sizeLimitBytes: txnLog.txnLogSizeLimitKb * 1024,
        groupBytesMax: limits.logGroupBytesMax,
        fsyncWarningMs: txnLog.fsyncWarningThresholdMs,
      },
      this.#listener,
      this.#ports.clock,
    );
    this.#snapshots ??= this.#newSchedule(this.#directories);
    return this.#log;
  }

  /** A database that was missing begins empty: its first snapshot is on disk before its first transaction. */
  beginDatabase(): void {
    const { snapshots } = this.#mustHaveDirectories();
    assert(this.#state.lastProcessedZxid <= 0, 'a new database has no transactions');
    this.#state.lastProcessedZxid = 0;
    const path = `${snapshots}/${snapshotFileName(asZxid(0), 'none')}`;
    const { serializeLastProcessedZxid } = this.#config.snapshot;
    this.#ports.disk.replaceSmallFile(
      path,
      snapshotBytes(this.#database, serializeLastProcessedZxid),
    );
  }

  /** What has formed of the log goes to disk: the end of a turn. */
  flush(): void {
    this.#log?.flush();
  }

  /** Transactions were committed: `count` of them, `bytes` long in the log. */
  committed(count: number, bytes: number): void {
    if (this.#log !== null && this.#closing === null) this.#snapshots?.committed(count, bytes);
  }

  /** Starts a snapshot now unless one is being written; false then. */
  beginSnapshot(): boolean {
    if (this.#log === null || this.#closing !== null) return false;
    return this.#snapshots?.begin() ?? false;
  }

  /** Ends when all that is in the log is durable; at once when no log is open. */
  barrier(done: DiskDone): void {
    if (this.#log === null) done(null);
    else this.#log.barrier(done);
  }

  /**
   * Lets go of a snapshot under way and of the log, which is durable then; ends at once when both are. The
   * database may be replaced after.
   */
  close(done: DiskDone): void {
    if (this.#closing !== null) {
      this.#closing.push(done);
      return;
    }
    this.#closing = [done];
    // Whoever gives up a snapshot under way wants nothing put in the place of the old files either.
    this.#adoption = null;
    const closed: DiskDone = (error) => {
      const waiters = this.#closing ?? [];
      this.#log = null;
      this.#closing = null;
      for (const waiter of waiters) waiter(error);
    };
    const closeLog = (): void => {
      if (this.#log === null) closed(null);
      else this.#log.close(closed);
    };
    if (this.#snapshots === null) closeLog();
    else this.#snapshots.giveUp(closeLog);
  }

  /**
   * Cuts the log behind `zxid` and brings the database back as it was there; the log is closed before, and
   * open after. When it cannot be cut there, this member has no history any more.
   */
  truncate(zxid: Zxid): void {
    assert(this.#log === null, 'a log that is cut is closed');
    const { snapshots, logs } = this.#mustHaveDirectories();
    try {
      truncateLog(this.#ports.disk, snapshots, logs, zxid);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // A stale history must not come back into the ensemble [ZOOKEEPER-3701].
      this.#distrust(error);
      this.open();
      return;
    }
    this.reload();
  }

  /** Brings the database back from disk, whatever is in memory, and opens the log. */
  reload(): void {
    this.recover();
    this.open();
  }

  /**
   * The database in memory takes the place of whatever is on disk: it is written as a snapshot, and what is newer on
   * disk goes. The log is closed before, and open after.
   *
   * @throws StorageError, DiskError when it cannot be begun
   */
  adopt(done: DiskDone): void {
    assert(this.#log === null, 'a log that is replaced is closed');
    const { disk } = this.#ports;
    const { dataDir, dataLogDir } = this.#config;
    const directories = this.#mustHaveDirectories();
    const snapshots = this.#snapshots ?? this.#newSchedule(directories);
    this.#snapshots = snapshots;
    const zxid = asZxid(this.#state.lastProcessedZxid);
    announceAdoption(disk, directories, zxid, this.#isDistrusted);
    this.#adoption = (error) => {
      if (error !== null) return done(error);
      try {
        finishAdoption(disk, dataDir, dataLogDir);
        this.#isDistrusted = false;
      } catch (cause) {
        if (!(cause instanceof DiskError)) throw cause;
        return done(cause);
      }
      this.#unbrokenFrom = asZxid(this.#state.lastProcessedZxid);
      this.open();
      done(null);
    };
    const hasBegun = snapshots.beginAlone();
    assert(hasBegun, 'no other snapshot is being written');
  }

  #newSchedule(directories: DataDirectories): SnapshotSchedule {
    const { disk, clock, random } = this.#ports;
    return new SnapshotSchedule({
      disk,
      clock,
      random,
      config: this.#config,
      log: {
        requestRoll: () => this.#log?.requestRoll(),
        barrier: (done) => this.barrier(done),
      },
      database: this.#database,
      directory: directories.snapshots,
      listener: {
        onSnapshotWritten: (snapshot) => {
          this.#listener.onSnapshotWritten(snapshot);
          this.#endAdoption(null);
        },
        onSnapshotFailed: (error) => {
          this.#listener.onSnapshotFailed(error);
          this.#endAdoption(error);
        },
      },
    });
  }

  #endAdoption(error: DiskError | null): void {
    const done = this.#adoption;
    this.#adoption = null;
    done?.(error);
  }

  #mustHaveDirectories(): DataDirectories {
    assert(this.#directories !== null, 'the directories are known after recovery');
    return this.#directories;
  }
}

/** Whether an error says that what is on disk is not what was written, rather than how the server was set up. */
function isDamage({ kind }: StorageError): boolean {
  return kind !== 'directoryMissing' && kind !== 'misplacedFiles';
}

/** A lone server has nobody to take its state from. */
export function databaseMissing(directories: DataDirectories): StorageError {
  return new StorageError(
    'databaseMissing',
    { file: directories.snapshots },
    'Cannot start without a database while db.autocreate is false',
    'Bring back the data; for a new database make an empty file named initialize beside version-2, as ' +
      'zkServer-initialize.sh does.',
  );
}
