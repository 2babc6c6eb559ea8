import { createHash } from 'node:crypto';
import {
  type Disk,
  defaultLimits,
  defaultReplicaConfig,
  type Limits,
  type Random,
  type RecoveryReport,
  Replica,
  type ReplicaConfig,
} from '@meerkat/engine';
import { formatLong, formatZxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { ProcessClock } from './process-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts';
import {
  type SimulatedConnection,
  SimulatedNetwork,
  type SimulatedNetworkOptions,
} from './simulated-network.ts';

/** What a server in this process is made of; all of it has a default. */
export interface InProcessServerOptions {
  /** Draws all that is random. */
  readonly seed?: number;
  /** Time, when several servers share it. */
  readonly clock?: ManualClock;
  readonly config?: Partial<ReplicaConfig>;
  readonly limits?: Partial<Limits>;
  readonly disk?: SimulatedDiskOptions;
  readonly network?: SimulatedNetworkOptions;
}

/** Something that the replica told its shell. */
export interface ServerNotice {
  readonly kind: string;
  readonly detail: string;
}

/**
 * A whole server in this process: the replica of production on a clock, a network, a disk and random
 * numbers that are simulated. Nothing happens but what is told to: time stands still until
 * `advance`, and the same calls with the same seed do the same again.
 *
 * Plays the shell, life after life: `start`, `crash`, `start` again.
 */
export class InProcessServer {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly config: ReplicaConfig;
  disk: SimulatedDisk;
  /** What the replica told since the server was made. */
  readonly notices: ServerNotice[] = [];
  /** Restarts that found anything to recover. */
  lastRecovery: RecoveryReport | null = null;
  /** Whether log and disk are at one; once false nothing is acknowledged. */
  logFailed = false;
  readonly #options: InProcessServerOptions;
  #processClock: ProcessClock | null = null;
  #network: SimulatedNetwork | null = null;
  #replica: Replica | null = null;

  constructor(options: InProcessServerOptions = {}) {
    this.#options = options;
    this.clock = options.clock ?? new ManualClock();
    this.random = new SeededRandom(options.seed ?? 1);
    this.disk = new SimulatedDisk(this.clock, options.disk);
    const limits = { ...defaultLimits, ...options.limits };
    this.config = {
      ...defaultReplicaConfig,
      dataDir: '/data',
      dataLogDir: '/data',
      txnLog: { ...defaultReplicaConfig.txnLog, preAllocSizeKb: 64 },
      ...options.config,
      limits,
    };
  }

  /** The replica of this life. */
  get replica(): Replica {
    if (this.#replica === null) throw new Error('Cannot use the server: it is not running');
    return this.#replica;
  }

  get network(): SimulatedNetwork {
    if (this.#network === null) throw new Error('Cannot use the server: it is not running');
    return this.#network;
  }

  get isRunning(): boolean {
    return this.#replica !== null;
  }

  /** Starts a process on what is on the disk. */
  start(): this {
    const clock = new ProcessClock(this.clock);
    const network = new SimulatedNetwork(
      clock,
      {
        onClientOpened: (id, info) => this.replica.onClientOpened(id, info),
        onClientBytes: (id, bytes, start, end) => this.replica.onClientBytes(id, bytes, start, end),
        onClientClosed: (id) => this.replica.onClientClosed(id),
        onTurnEnd: () => this.replica.onTurnEnd(),
      },
      this.#options.network,
    );
    const disk: Disk = this.disk;
    const random: Random = this.random;
    this.#processClock = clock;
    this.#network = network;
    this.logFailed = false;
    this.#replica = new Replica(
      { clock, network, disk, random },
      this.config,
      {
        onRecovered: (report, orphans) => {
          this.lastRecovery = report;
          if (orphans > 0) this.#note('orphans', String(orphans));
        },
        onLogFailed: (error) => {
          this.logFailed = true;
          this.#note('log-failed', error.message);
        },
        onSlowSync: (elapsedMs) => this.#note('slow-sync', String(elapsedMs)),
        onSnapshotWritten: (snapshot) => this.#note('snapshot', formatZxid(snapshot.zxid)),
        onSnapshotFailed: (error) => this.#note('snapshot-failed', error.message),
        onClientRefused: (kind, _connection, _address, detail) => this.#note(kind, detail),
        onSessionExpired: (hi, lo) => this.#note('session-expired', formatLong(hi, lo)),
        onSoftQuotaExceeded: (path) => this.#note('soft-quota', path),
      },
      {
        digestHash: (bytes) => createHash('sha1').update(bytes).digest(),
        admitSession: () => true,
      },
    );
    this.#replica.start();
    return this;
  }

  /** A client connects from `address`. */
  connect(address?: string): SimulatedConnection {
    return this.network.connect(address);
  }

  /** Lets happen what is due now, and what follows from it without time going on. */
  settle(): void {
    this.clock.advance(0);
  }

  /** Lets `ms` go by, and all that is due in that time happen. */
  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** The process stands still for `ms` while time goes on for everybody else. */
  standStill(ms: number): void {
    this.#processClock?.standStill(ms);
    this.clock.advance(ms);
  }

  /** The power is cut: the next `start` finds the disk as a crash leaves it. */
  crash(): void {
    this.#endLife();
    this.disk = this.disk.crash(this.random);
  }

  /** The process is killed: nothing that it wrote is lost. */
  kill(): void {
    this.#endLife();
    this.disk = this.disk.endProcess();
  }

  /** Stops in good order; the log is durable then. */
  stop(): void {
    let isDone = false;
    this.replica.stop(() => {
      isDone = true;
    });
    for (let steps = 0; !isDone; steps++) {
      if (steps > stepsToStopMax || !this.clock.step()) throw new Error('Cannot stop the server');
    }
    this.#endLife();
    this.disk = this.disk.endProcess();
  }

  #endLife(): void {
    this.#processClock?.stop();
    this.#network?.cutAll();
    this.#replica = null;
    this.#network = null;
  }

  #note(kind: string, detail: string): void {
    this.notices.push({ kind, detail });
  }
}

const stepsToStopMax = 100_000;
