import { assert, asZxid, type Zxid } from '@meerkat/protocol';
import { Database } from './database.ts';
import type { ConnectionId, DiskError, Ports, TimerListener } from './ports.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { ReplicaEvents } from './replica-events.ts';
import type { DigestHash } from './requests/authenticate.ts';
import { ClientIntake } from './requests/client-intake.ts';
import { OutstandingChanges } from './requests/outstanding-changes.ts';
import type { ReplicaState } from './requests/replica-state.ts';
import { TransactionApplier } from './requests/transaction-applier.ts';
import { WritePipeline } from './requests/write-pipeline.ts';
import { SessionExpirer } from './sessions/session-expirer.ts';
import { SessionTable } from './sessions/session-table.ts';
import { SnapshotSchedule } from './snapshot-schedule.ts';
import {
  type DataDirectories,
  type RecoveryReport,
  recover,
  StorageError,
  TransactionLog,
} from './storage/index.ts';
import { Tree } from './tree/tree.ts';
import { WatchTable } from './watches/watch-table.ts';

/** What a replica needs beside its ports: pure functions, and decisions that are the shell's. */
export interface ReplicaHost {
  /** The hash of `DigestAuthenticationProvider.digestAlg`. */
  readonly digestHash: DigestHash;
  /** Whether one more session may be created or renewed now (`connection_throttle_…`). */
  admitSession(isRenewal: boolean): boolean;
}

/**
 * One replica: the one driver that wires sessions, tree, watches, requests and storage together, in
 * production and in simulation alike.
 *
 * The shell's duties: call `start` once; pass on what clients send and when they are gone; call
 * `onTurnEnd` after each batch of events, for only then do the log and the replies leave; call `stop`
 * before it lets go of the ports. Timers and disk orders end their turns themselves.
 */
export class Replica implements TimerListener {
  readonly state: ReplicaState;
  readonly intake: ClientIntake;
  readonly applier: TransactionApplier;
  readonly config: ReplicaConfig;
  readonly #ports: Ports;
  readonly #events: ReplicaEvents;
  readonly #database: Database;
  readonly #expirer: SessionExpirer;
  readonly #beatMs: number;
  #log: TransactionLog | null = null;
  #snapshots: SnapshotSchedule | null = null;
  #pipeline: WritePipeline | null = null;
  #directories: DataDirectories | null = null;
  #nextContainerCheckMs = 0;
  /** Containers found useless and not deleted yet. */
  #doomed: string[] = [];
  #stopped = false;
  /** A turn of our own is due, for work that the last one left. */
  #isNextTurnDue = false;

  constructor(ports: Ports, config: ReplicaConfig, events: ReplicaEvents, host: ReplicaHost) {
    this.#ports = ports;
    this.#events = events;
    this.config = config;
    // A seed of its own, so that nobody can choose paths that collide.
    const tree = new Tree({ ...config, hashSeed: ports.random.below(hashSeeds) });
    this.state = {
      config,
      limits: config.limits,
      tree,
      watches: new WatchTable(config.limits),
      sessions: new SessionTable(config.tickTimeMs),
      outstanding: new OutstandingChanges(tree, config.digestEnabled),
      onSoftQuotaExceeded: (path) => events.onSoftQuotaExceeded(path),
      lastProcessedZxid: 0,
    };
    this.intake = new ClientIntake(this.state, {
      network: ports.network,
      clock: ports.clock,
      digestHash: host.digestHash,
      admitSession: (isRenewal) => host.admitSession(isRenewal),
      notice: (kind, connection, detail) =>
        events.onClientRefused(kind, connection.id, connection.address, detail),
    });
    this.applier = new TransactionApplier(this.state, this.intake);
    this.#database = new Database(this.state, this.applier, ports.clock);
    this.#beatMs = Math.min(beatMsMax, Math.ceil(config.tickTimeMs / 2));
    this.#expirer = new SessionExpirer(this.state.sessions, this.#beatMs, (session) => {
      this.intake.counters.sessionsExpired++;
      events.onSessionExpired(session.idHi, session.idLo, session.timeoutMs);
      this.intake.closeSession(session);
    });
  }

  /** Where the data lies; null before `start`. */
  get directories(): DataDirectories | null {
    return this.#directories;
  }

  /** The log that is being written; null before `start`. */
  get log(): TransactionLog | null {
    return this.#log;
  }

  /** Forgets what was counted since the start, as `srst` asks. */
  resetCounters(): void {
    this.intake.counters.reset();
    this.intake.replies.reset();
    this.applier.digestMismatches = 0;
    for (const summary of Object.values(this.state.watches.told)) summary.reset();
    this.#log?.syncTime.reset();
    this.#log?.groupSizes.reset();
  }

  /**
   * Brings the database back from disk and begins to serve.
   *
   * @throws StorageError when the data cannot be trusted; DiskError when it cannot be read
   */
  start(): RecoveryReport {
    const { disk, clock, random } = this.#ports;
    const { config } = this;
    const startMs = clock.monotonicMs();
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
    this.#countRecovery(report, startMs, clock.monotonicMs());
    if (report.lastZxid === -1) throw databaseMissing(report.directories);
    this.state.lastProcessedZxid = report.lastZxid;
    const orphans = this.#database.removeOrphans();
    this.state.outstanding.clear();
    this.#openLog(report.directories, asZxid(this.state.lastProcessedZxid));
    assert(this.#log !== null, 'the log is open');
    this.#snapshots = new SnapshotSchedule({
      disk,
      clock,
      random,
      config,
      log: this.#log,
      database: this.#database,
      directory: report.directories.snapshots,
      listener: {
        onSnapshotWritten: (snapshot) => {
          this.intake.counters.snapshotTime.add(snapshot.elapsedMs);
          this.#events.onSnapshotWritten(snapshot);
        },
        onSnapshotFailed: (error) => {
          this.intake.counters.snapshotFailures++;
          this.#events.onSnapshotFailed(error);
        },
      },
    });
    const nowMs = clock.monotonicMs();
    this.state.sessions.startIds(config.serverId, clock.wallMs());
    this.#expirer.start(nowMs);
    this.#nextContainerCheckMs = nowMs + config.container.checkIntervalMs;
    clock.startTimer(this.#beatMs, this, TimerToken.beat);
    this.#events.onRecovered(report, orphans);
    if ((report.replay?.recordCount ?? 0) > 0) this.#snapshots.begin();
    return report;
  }

  onClientOpened(
    connection: ConnectionId,
    info: { address: string; port: number; secure: boolean },
  ): void {
    this.intake.opened({ id: connection, ...info });
  }

  /** Bytes from a client: `bytes[start, end)`, read before the call returns. */
  onClientBytes(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#stopped) this.intake.received(connection, bytes, start, end);
  }

  onClientClosed(connection: ConnectionId): void {
    this.intake.closed(connection);
  }

  /** Ends a turn: the log group goes to disk, the replies to the clients. */
  onTurnEnd(): void {
    this.#log?.flush();
    this.intake.flush();
    this.#seeToNextTurn();
  }

  #seeToNextTurn(): void {
    if (!this.intake.hasMoreWork || this.#isNextTurnDue) return;
    this.#isNextTurnDue = true;
    this.#ports.clock.startTimer(1, this, TimerToken.turn);
  }

  /** The beat: expiry, containers, and whoever waits for a slow client. */
  onTimer(token: number): void {
    if (this.#stopped) return;
    if (token === TimerToken.turn) {
      this.#isNextTurnDue = false;
      return this.onTurnEnd();
    }
    const nowMs = this.#ports.clock.monotonicMs();
    const more = this.#expirer.beat(nowMs) || this.#deleteContainers(nowMs);
    this.onTurnEnd();
    const beatMs = this.intake.awaitsReaders ? Math.min(readersBeatMs, this.#beatMs) : this.#beatMs;
    this.#ports.clock.startTimer(more ? 1 : beatMs, this, TimerToken.beat);
  }

  /** Starts a snapshot now unless one is being written; false then. */
  beginSnapshot(): boolean {
    return this.#snapshots?.begin() ?? false;
  }

  /** Stops serving: what is in the log becomes durable, then `done` is called. Idempotent. */
  stop(done: () => void): void {
    if (this.#stopped) return done();
    this.#stopped = true;
    const log = this.#log;
    const closeLog = (): void => {
      if (log === null) return done();
      log.close(() => done());
    };
    if (this.#snapshots === null) closeLog();
    else this.#snapshots.stop(closeLog);
  }

  #countRecovery({ replay }: RecoveryReport, startMs: number, endMs: number): void {
    const { counters } = this.intake;
    const loadedMs = this.#database.loadedMs ?? endMs;
    counters.databaseTime.add(endMs - startMs);
    counters.snapshotLoadTime.add(loadedMs - startMs);
    if (replay === null || replay.recordCount === 0) return;
    counters.replayTime.add(endMs - loadedMs);
    counters.replayedTransactions.add(replay.recordCount);
  }

  #openLog(directories: DataDirectories, lastZxid: Zxid): void {
    const { txnLog, limits } = this.config;
    this.#log = new TransactionLog(
      this.#ports.disk,
      {
        directory: directories.logs,
        lastZxid,
        preAllocBytes: txnLog.preAllocSizeKb * 1024,
        sync: txnLog.forceSync,
        sizeLimitBytes: txnLog.txnLogSizeLimitKb * 1024,
        groupBytesMax: limits.logGroupBytesMax,
        fsyncWarningMs: txnLog.fsyncWarningThresholdMs,
      },
      {
        onGroupDurable: (bytes, start, end, count) => this.#commit(bytes, start, end, count),
        onLogFailed: (error: DiskError) => this.#events.onLogFailed(error),
        onSlowSync: (elapsedMs) => this.#events.onSlowSync(elapsedMs),
      },
      this.#ports.clock,
    );
    this.#pipeline = new WritePipeline(this.state, this.#log, this.applier, this.intake);
    this.intake.usePipeline(this.#pipeline);
  }

  #commit(bytes: Uint8Array, start: number, end: number, count: number): void {
    assert(this.#pipeline !== null, 'what becomes durable was prepared');
    this.intake.beginCommit();
    this.#pipeline.commit(bytes, start, end, count);
    this.intake.flush();
    this.#seeToNextTurn();
    this.#snapshots?.committed(count, end - start);
  }

  /** Containers and TTL znodes, a few at a time (`ContainerManager.java`). Returns whether more wait. */
  #deleteContainers(nowMs: number): boolean {
    const { container } = this.config;
    if (this.#doomed.length === 0 && nowMs >= this.#nextContainerCheckMs) {
      this.#nextContainerCheckMs = nowMs + container.checkIntervalMs;
      const perCheck = Math.ceil((container.maxPerMinute * container.checkIntervalMs) / 60_000);
      const wallMs = this.#ports.clock.wallMs();
      const { maxNeverUsedIntervalMs } = container;
      this.#doomed = this.state.tree.expiredContainers(wallMs, maxNeverUsedIntervalMs, perCheck);
    }
    for (const path of this.#doomed.splice(0, containersPerBeat)) this.intake.deleteContainer(path);
    return this.#doomed.length > 0;
  }
}

/** A lone server has nobody to take its state from. */
function databaseMissing(directories: DataDirectories): StorageError {
  return new StorageError(
    'databaseMissing',
    { file: directories.snapshots },
    'Cannot start without a database while db.autocreate is false',
    'Bring back the data; for a new database make an empty file named initialize beside version-2, as ' +
      'zkServer-initialize.sh does.',
  );
}

/** Which timer fired. */
const TimerToken = { beat: 0, turn: 1 } as const;
/** How many seeds the path index can have. */
const hashSeeds = 2 ** 32;
/** The longest time between two looks at sessions and slow clients. */
const beatMsMax = 200;
/** The time between two looks at clients who have to read before they are answered any further. */
const readersBeatMs = 10;
/** Containers deleted in one go. */
const containersPerBeat = 100;
