import { assert } from '@meerkat/protocol';
import { Member } from './broadcast/member.ts';
import { Database } from './database.ts';
import { LeaderDuties } from './leader-duties.ts';
import type { ConnectionId, DiskError, Ports, TimerListener } from './ports.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { ReplicaEvents } from './replica-events.ts';
import { databaseMissing, ReplicaStorage } from './replica-storage.ts';
import type { DigestHash } from './requests/authenticate.ts';
import { ClientIntake } from './requests/client-intake.ts';
import { OutstandingChanges } from './requests/outstanding-changes.ts';
import type { ReplicaState } from './requests/replica-state.ts';
import { TransactionApplier } from './requests/transaction-applier.ts';
import { WritePipeline } from './requests/write-pipeline.ts';
import { SessionTable } from './sessions/session-table.ts';
import type { DataDirectories, RecoveryReport, TransactionLog } from './storage/index.ts';
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
 * production and in simulation alike; alone, or with `config.ensemble` as a member of an ensemble.
 *
 * The shell's duties: call `start` once; pass on what clients send and when they are gone; call
 * `onTurnEnd` after each batch of events, those of peers included, for only then do the log, the replies and
 * what peers are told leave; call `stop` before it lets go of the ports. Timers and disk orders end their turns
 * themselves.
 */
export class Replica implements TimerListener {
  readonly state: ReplicaState;
  readonly intake: ClientIntake;
  readonly applier: TransactionApplier;
  readonly config: ReplicaConfig;
  /** Its part in the ensemble; null when it is alone. */
  readonly member: Member | null;
  readonly #ports: Ports;
  readonly #events: ReplicaEvents;
  readonly #database: Database;
  readonly #storage: ReplicaStorage;
  readonly #duties: LeaderDuties;
  readonly #beatMs: number;
  #pipeline: WritePipeline | null = null;
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
    this.#storage = this.#newStorage();
    this.#beatMs = Math.min(beatMsMax, Math.ceil(config.tickTimeMs / 2));
    this.#duties = new LeaderDuties(this.state, this.intake, ports.clock, this.#beatMs, events);
    this.member = config.ensemble === null ? null : this.#newMember();
  }

  /** Whether clients are served: always when alone, else while there is a leader. */
  get isServing(): boolean {
    return this.intake.isServing;
  }

  /** Where the data lies; null before `start`. */
  get directories(): DataDirectories | null {
    return this.#storage.directories;
  }

  /** The log that is being written; null before `start`. */
  get log(): TransactionLog | null {
    return this.#storage.log;
  }

  /** Forgets what was counted since the start, as `srst` asks. */
  resetCounters(): void {
    this.intake.counters.reset();
    this.intake.replies.reset();
    this.applier.digestMismatches = 0;
    for (const summary of Object.values(this.state.watches.told)) summary.reset();
    this.log?.syncTime.reset();
    this.log?.groupSizes.reset();
  }

  /**
   * Brings the database back from disk, and begins to serve, or in an ensemble to look for a leader.
   *
   * @throws StorageError when the data cannot be trusted; DiskError when it cannot be read
   */
  start(): RecoveryReport {
    const { clock } = this.#ports;
    const startMs = clock.monotonicMs();
    const report = this.#storage.recover();
    this.#countRecovery(report, startMs, clock.monotonicMs());
    this.state.sessions.startIds(this.config.serverId, clock.wallMs());
    if (this.member === null) this.#startAlone(report);
    else this.#startMember(this.member, report);
    clock.startTimer(this.#beatMs, this, TimerToken.beat);
    return report;
  }

  #startAlone(report: RecoveryReport): void {
    if (report.lastZxid === -1) throw databaseMissing(report.directories);
    const orphans = this.#database.removeOrphans();
    this.state.outstanding.clear();
    const log = this.#storage.open();
    this.#pipeline = new WritePipeline(this.state, log, this.applier, this.intake);
    this.intake.usePipeline(this.#pipeline);
    this.intake.isServing = true;
    this.#duties.start();
    this.#events.onRecovered(report, orphans);
    if ((report.replay?.recordCount ?? 0) > 0) this.#storage.beginSnapshot();
  }

  #startMember(member: Member, report: RecoveryReport): void {
    this.#storage.open();
    this.#events.onRecovered(report, 0);
    member.start(report);
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

  /** Ends a turn: what peers are told leaves, the log group goes to disk, the replies to the clients. */
  onTurnEnd(): void {
    this.member?.flush();
    this.#storage.flush();
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
    const more = this.#duties.beat(this.#ports.clock.monotonicMs());
    this.onTurnEnd();
    const beatMs = this.intake.awaitsReaders ? Math.min(readersBeatMs, this.#beatMs) : this.#beatMs;
    this.#ports.clock.startTimer(more ? 1 : beatMs, this, TimerToken.beat);
  }

  /** Starts a snapshot now unless one is being written; false then. */
  beginSnapshot(): boolean {
    return this.#storage.beginSnapshot();
  }

  /** Stops serving: what is in the log becomes durable, then `done` is called. Idempotent. */
  stop(done: () => void): void {
    if (this.#stopped) return done();
    this.#stopped = true;
    this.member?.stop();
    this.#storage.close(() => done());
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

  #newStorage(): ReplicaStorage {
    const { counters } = this.intake;
    return new ReplicaStorage(this.#ports, this.config, this.state, this.#database, {
      onGroupDurable: (bytes, start, end, count, lastZxid) => {
        if (this.member === null) this.#commit(bytes, start, end, count);
        else this.member.onDurable(lastZxid);
      },
      onLogFailed: (error: DiskError) => this.#events.onLogFailed(error),
      onSlowSync: (elapsedMs) => this.#events.onSlowSync(elapsedMs),
      onSnapshotWritten: (snapshot) => {
        counters.snapshotTime.add(snapshot.elapsedMs);
        this.#events.onSnapshotWritten(snapshot);
      },
      onDistrusted: (error) => {
        const kind = 'history not trusted';
        this.#events.ensemble?.onEnsembleNotice(kind, null, error.message);
      },
      onSnapshotFailed: (error) => {
        counters.snapshotFailures++;
        this.#events.onSnapshotFailed(error);
      },
    });
  }

  #newMember(): Member {
    return new Member({
      ports: this.#ports,
      state: this.state,
      intake: this.intake,
      applier: this.applier,
      database: this.#database,
      storage: this.#storage,
      duties: this.#duties,
      events: this.#events,
      endTurn: () => this.onTurnEnd(),
    });
  }

  /** Alone, what is durable is committed. */
  #commit(bytes: Uint8Array, start: number, end: number, count: number): void {
    assert(this.#pipeline !== null, 'what becomes durable was prepared');
    this.intake.beginCommit();
    this.#pipeline.commit(bytes, start, end, count);
    this.intake.flush();
    this.#seeToNextTurn();
    this.#storage.committed(count, end - start);
  }
}

/** Which timer fired. */
const TimerToken = { beat: 0, turn: 1 } as const;
/** How many seeds the path index can have. */
const hashSeeds = 2 ** 32;
/** The longest time between two looks at sessions and slow clients. */
const beatMsMax = 200;
/** The time between two looks at clients who have to read before they are answered any further. */
const readersBeatMs = 10;
