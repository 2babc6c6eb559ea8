import { createHash } from 'node:crypto';
import { type Random, Replica, type ReplicaConfig } from '@meerkat/engine';
import {
  type PeerFabric,
  ProcessClock,
  type SimulatedConnection,
  SimulatedNetwork,
  type SimulatedPeerNetwork,
} from '@meerkat/simulator';
import type { EnsembleTime } from './ensemble-time.ts';
import { ProcessDisk } from './process-disk.ts';
import type { Storage } from './storage.ts';

/** What a process is made of. */
export interface MemberProcessOptions {
  readonly time: EnsembleTime;
  readonly storage: Storage;
  readonly random: Random;
  readonly config: ReplicaConfig;
  /** The network between members, and who this one is in it. */
  readonly fabric: PeerFabric;
  readonly peerHost: string;
  /** It cannot go on: the process would end here. */
  readonly onFailed: () => void;
}

/**
 * One life of a member: the replica of production over ports of this process. Owns its clock, which can be
 * stopped, and its connections.
 */
export class MemberProcess {
  readonly replica: Replica;
  readonly #clock: ProcessClock;
  readonly #network: SimulatedNetwork;
  readonly #peers: SimulatedPeerNetwork;
  readonly #disk: ProcessDisk;
  readonly #time: EnsembleTime;
  readonly #storage: Storage;

  constructor(options: MemberProcessOptions) {
    const { time, storage, random } = options;
    const clock = new ProcessClock(time.clock);
    this.#time = time;
    this.#storage = storage;
    this.#clock = clock;
    this.#disk = new ProcessDisk(storage.disk, {
      later: (action) => {
        clock.after(0, action);
        time.poke();
      },
      onBegin: () => {
        if (storage.isReal) time.orderBegun();
      },
      onEnd: () => {
        if (storage.isReal) time.orderEnded();
      },
    });
    this.#network = new SimulatedNetwork(clock, {
      onClientOpened: (id, info) => this.replica.onClientOpened(id, info),
      onClientBytes: (id, bytes, start, end) => this.replica.onClientBytes(id, bytes, start, end),
      onClientClosed: (id) => this.replica.onClientClosed(id),
      onTurnEnd: () => this.replica.onTurnEnd(),
    });
    const peers = options.fabric.networkOf(options.peerHost, clock);
    this.#peers = peers;
    peers.onTurnEnd = () => this.replica.onTurnEnd();
    this.replica = new Replica(
      { clock, network: this.#network, disk: this.#disk, random, peers },
      options.config,
      {
        onRecovered() {},
        onLogFailed: () => options.onFailed(),
        onSlowSync() {},
        onSnapshotWritten() {},
        onSnapshotFailed() {},
        onClientRefused() {},
        onSessionExpired() {},
        onSoftQuotaExceeded() {},
        ensemble: {
          onRole() {},
          onEnsembleNotice() {},
          onEnsembleFailed: () => options.onFailed(),
          onMembersChanged() {},
        },
      },
      {
        digestHash: (bytes) => createHash('sha1').update(bytes).digest(),
        admitSession: () => true,
      },
    );
  }

  /**
   * Brings the database back and begins to serve.
   *
   * @throws StorageError | DiskError as the replica does
   */
  start(): Promise<void> {
    return this.#time.run(() => {
      this.replica.start();
    });
  }

  /** A client connects from `address`. */
  connect(address: string): SimulatedConnection {
    const connection = this.#network.connect(address);
    this.#time.poke();
    return connection;
  }

  /** Stands still until `goOn`, as under SIGSTOP. */
  standStill(): void {
    this.#clock.standStill(Number.POSITIVE_INFINITY);
  }

  /** Goes on where it stood. */
  goOn(): void {
    this.#clock.goOn();
    this.#time.poke();
  }

  /** Ends in good order: what is in the log is durable first. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#time.run(() => this.replica.stop(resolve)).catch(reject);
    });
    await this.kill();
  }

  /** Ends at once, as by SIGKILL: connections break, what was written stays written. */
  async kill(): Promise<void> {
    this.#clock.stop();
    this.#peers.crash();
    this.#network.cutAll();
    await this.#storage.ended(this.#disk);
  }
}
