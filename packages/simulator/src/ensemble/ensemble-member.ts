import { createHash } from 'node:crypto';
import {
  DiskError,
  type MemberRole,
  parseQuorumConfig,
  type QuorumConfig,
  Replica,
  type ReplicaConfig,
  type RoleDetail,
  StorageError,
} from '@meerkat/engine';
import { assert, formatLong, formatZxid } from '@meerkat/protocol';
import type { ManualClock } from '../manual-clock.ts';
import { ProcessClock, type ProcessClockOptions } from '../process-clock.ts';
import { SeededRandom } from '../seeded-random.ts';
import { type DiskOrder, SimulatedDisk, type SimulatedDiskOptions } from '../simulated-disk.ts';
import type { PeerFabric, SimulatedPeerNetwork } from '../simulated-peer-network.ts';
import { ClientPort } from './client-port.ts';
import { ConfigurationFiles } from './configuration-files.ts';

/** How a member's life ends: the power with what the disk had not got, or the process alone. */
export type EndOfLife = 'power' | 'kill';

/** Thrown through the engine when its process dies in the middle of what it does. */
export class ProcessDied extends Error {
  override readonly name: string = 'ProcessDied';
  readonly member: EnsembleMember;
  readonly how: EndOfLife;
  constructor(member: EnsembleMember, how: EndOfLife) {
    super(`the process of member ${member.id} died`);
    this.member = member;
    this.how = how;
  }
}

/** What is told about members while they run. */
export interface EnsembleMemberEvents {
  /** A transaction was applied to the tree, which stood at `before`; `bytes[start, end)` is valid during the call. */
  onApplied(
    member: EnsembleMember,
    bytes: Uint8Array,
    start: number,
    end: number,
    before: number,
  ): void;
  onRole(member: EnsembleMember, role: MemberRole, detail: RoleDetail): void;
  onSessionExpired(member: EnsembleMember, session: string): void;
  /** Another configuration is in force, it says. */
  onMembersChanged?(member: EnsembleMember, text: string): void;
  /** A line for the trace. */
  onNotice(member: EnsembleMember, text: string): void;
  /** The process has ended itself and must be started again; `isDataLost` when its disk cannot be trusted. */
  onEnded(member: EnsembleMember, why: string, isDataLost: boolean): void;
}

/**
 * One member of a simulated ensemble, life after life: the replica of production on simulated ports. Owns its disk,
 * which survives a life, and plays the shell.
 */
export class EnsembleMember {
  readonly id: number;
  readonly host: string;
  /** Of this life, or the next one. */
  config: ReplicaConfig;
  readonly files: ConfigurationFiles;
  disk: SimulatedDisk;
  role: MemberRole = 'looking';
  /** Since when it has that role, in everybody's time. */
  roleSinceMs = 0;
  /** The epoch of the present role. */
  epoch = 0;
  /** The members by what it has in force. */
  members: QuorumConfig | null;
  /** The newest version that it has said to be in force; -1 when somebody has given it other files since. */
  toldVersion = 0;
  /** Somebody has given it other files, and it has not served since: its epochs are from before. */
  isGivenMembers = false;
  /** How often it was started. */
  lives = 0;
  /**
   * Where its history ends: a transaction, or the beginning of an epoch when it was sent a snapshot that stood there.
   * Not the beginning of an epoch that it leads itself.
   */
  historyZxid = 0;
  /** Its disk lost what it had acknowledged, and it has not taken its state from a leader since. */
  isDamaged = false;
  /** It has joined with an empty disk, and has not taken its state from a leader yet. */
  isEmpty = false;
  /** Digests that did not agree while it read a disk that was damaged; what it read is not what it serves. */
  mismatchesOnDamagedDisk = 0;
  /** It reads what is on its disk. */
  isStarting = false;
  /** Which orders to the disk fail, and how. */
  diskFault: (order: DiskOrder) => string | null = () => null;
  clockOptions: ProcessClockOptions = {};
  readonly #shared: ManualClock;
  readonly #fabric: PeerFabric;
  readonly #events: EnsembleMemberEvents;
  readonly #random: SeededRandom;
  readonly #diskOptions: SimulatedDiskOptions;
  #stillUntilMs = 0;
  #process: ProcessClock | null = null;
  #peers: SimulatedPeerNetwork | null = null;
  #replica: Replica | null = null;
  /** Orders to disk or network until it dies; 0 is never. */
  #doomIn = 0;
  #doom: EndOfLife = 'power';

  constructor(
    id: number,
    config: ReplicaConfig,
    options: { clock: ManualClock; fabric: PeerFabric; seed: number; disk: SimulatedDiskOptions },
    events: EnsembleMemberEvents,
  ) {
    this.id = id;
    this.host = `host${id}`;
    this.config = config;
    this.members = config.ensemble?.members ?? null;
    this.files = new ConfigurationFiles(config.dataDir);
    this.#shared = options.clock;
    this.#fabric = options.fabric;
    this.#events = events;
    this.#random = new SeededRandom(options.seed);
    this.#diskOptions = options.disk;
    this.disk = new SimulatedDisk(options.clock, options.disk);
    // As `zkServer-initialize.sh` does: this database is meant to be empty.
    this.disk.place(`${config.dataDir}/initialize`, new Uint8Array(0));
  }

  /** Whether it votes; a server that is alone does. */
  get isVoter(): boolean {
    return this.members === null || this.members.members.get(this.id)?.type === 'participant';
  }

  get isUp(): boolean {
    return this.#replica !== null;
  }

  /** The replica of this life, null while it is down. */
  get replica(): Replica | null {
    return this.#replica;
  }

  /** Whether it serves clients. */
  get isServing(): boolean {
    return this.#replica !== null && (this.config.ensemble === null || this.role !== 'looking');
  }

  get isStandingStill(): boolean {
    return this.#process?.isStandingStill ?? false;
  }

  /** What its tree stands at; 0 while it is down. */
  get lastProcessedZxid(): number {
    return this.#replica?.state.lastProcessedZxid ?? 0;
  }

  /** Starts a process on what is on the disk. False: it cannot start, and ends in a moment. */
  start(): boolean {
    assert(this.#replica === null, 'a member that is up is not started');
    this.lives += 1;
    this.role = 'looking';
    this.historyZxid = 0;
    this.#readMembers();
    const process = new ProcessClock(this.#shared, this.clockOptions);
    const peers = this.#fabric.networkOf(this.host, process);
    const network = new ClientPort(peers);
    this.#process = process;
    this.#peers = peers;
    this.#lieInWait(process, peers);
    const replica = this.#newReplica(process, peers, network);
    this.#replica = replica;
    this.#tap(replica);
    this.isStarting = true;
    try {
      replica.start();
    } catch (error) {
      this.#failedToStart(error);
      return false;
    } finally {
      this.isStarting = false;
    }
    this.mismatchesOnDamagedDisk = this.isDamaged ? replica.applier.digestMismatches : 0;
    peers.onTurnEnd = () => {
      replica.onTurnEnd();
      this.look();
    };
    network.open({ host: this.host, port: clientPort }, replica, () => this.isServing);
    this.look();
    return true;
  }

  /** To be called after everything that happens to it: notes where its tree stands. */
  look(): void {
    const zxid = this.lastProcessedZxid;
    if (this.role !== 'leading' || zxid % 2 ** 32 !== 0) this.historyZxid = zxid;
  }

  /** It is gone, with all but what its disk holds. */
  crash(how: EndOfLife): void {
    this.#process?.stop();
    this.#peers?.crash();
    this.#replica = null;
    this.role = 'looking';
    this.#doomIn = 0;
    this.disk =
      how === 'power' ? this.disk.crash(this.#random) : this.disk.endProcess(this.#diskOptions);
  }

  /** It will die at the `orders`-th order from now on that it gives to its disk or the network. */
  doom(orders: number, how: EndOfLife): void {
    this.#doomIn = orders;
    this.#doom = how;
  }

  /** It stands still for a while, as under SIGSTOP. */
  standStill(ms: number): void {
    this.#process?.standStill(ms);
    this.#stillUntilMs = Math.max(this.#stillUntilMs, this.#shared.monotonicMs() + ms);
  }

  /** Whether it has stood still at any time since. */
  stoodStillSince(ms: number): boolean {
    return this.#stillUntilMs >= ms;
  }

  /** Its wall clock jumps. */
  jumpWallClock(ms: number): void {
    if (this.#process !== null) this.#process.wallOffsetMs += ms;
  }

  /** Its disk is replaced by an empty one. */
  wipe(): void {
    assert(this.#replica === null, 'only what is down is wiped');
    const disk = new SimulatedDisk(this.#shared, this.#diskOptions);
    // Its configuration does not lie where its data does.
    this.files.move(this.disk, disk);
    this.disk = disk;
  }

  /** Stops in good order; `done` is called when it is down. */
  stop(done: () => void): void {
    const replica = this.#replica;
    if (replica === null) return done();
    replica.stop(() => {
      this.#shared.after(0, () => {
        if (this.#replica === replica) this.crash('kill');
        done();
      });
    });
  }

  #newReplica(process: ProcessClock, peers: SimulatedPeerNetwork, network: ClientPort): Replica {
    return new Replica(
      { clock: process, network, disk: this.disk, random: this.#random, peers },
      this.config,
      {
        onRecovered: (report) => {
          this.#note(`recovered at ${formatZxid(Math.max(0, report.lastZxid))}`);
        },
        onLogFailed: (error) => this.#end(`its log failed: ${error.message}`, false),
        onSlowSync: () => {},
        onSnapshotWritten: (snapshot) => this.#note(`snapshot ${formatZxid(snapshot.zxid)}`),
        onSnapshotFailed: (error) => this.#note(`a snapshot failed: ${error.message}`),
        onClientRefused: (kind, _connection, address, detail) =>
          this.#note(`refuses ${address}, ${kind}: ${detail}`),
        onSessionExpired: (hi, lo) => this.#events.onSessionExpired(this, formatLong(hi, lo)),
        onSoftQuotaExceeded: () => {},
        ensemble: {
          onRole: (role, detail) => {
            this.role = role;
            this.roleSinceMs = this.#shared.monotonicMs();
            this.epoch = detail.epoch;
            this.look();
            this.#events.onRole(this, role, detail);
          },
          onEnsembleNotice: (kind, peer, text) =>
            this.#note(`${kind}${peer === null ? '' : ` of ${peer}`}: ${text}`),
          onEnsembleFailed: (exitCode, reason) => this.#end(`exit ${exitCode}: ${reason}`, false),
          onMembersChanged: (text, version) => this.#membersChanged(text, version),
        },
      },
      {
        digestHash: (bytes) => createHash('sha1').update(bytes).digest(),
        admitSession: () => true,
      },
    );
  }

  /** What its files say counts from the beginning of a life. */
  #readMembers(): void {
    const { ensemble } = this.config;
    const stored = this.files.read(this.disk);
    if (ensemble === null || stored === null) return;
    const { members, proposed } = stored;
    this.members = members;
    this.config = { ...this.config, ensemble: { ...ensemble, members, proposedMembers: proposed } };
  }

  #membersChanged(text: string, version: number): void {
    this.#note(`configuration ${formatZxid(version)}`);
    this.members = parseQuorumConfig(text);
    // What is committed was proposed to it before; what it hears in an election it may hear again.
    if (this.role !== 'looking') this.toldVersion = version;
    this.#events.onMembersChanged?.(this, text);
    if (this.config.ensemble?.dynamicFile !== null) this.files.point(this.disk, version);
    this.toldVersion = version;
  }

  /** Listens to every transaction that reaches the tree, from wherever it comes. */
  #tap(replica: Replica): void {
    const { applier, state } = replica;
    const apply = applier.apply.bind(applier);
    applier.apply = (bytes, start, end, reply, known) => {
      const before = state.lastProcessedZxid;
      const error = apply(bytes, start, end, reply, known ?? null);
      this.#events.onApplied(this, bytes, start, end, before);
      this.look();
      return error;
    };
  }

  /** Counts its orders to disk and network, for the faults. */
  #lieInWait(process: ProcessClock, peers: SimulatedPeerNetwork): void {
    peers.beforeSend = () => this.#comeCloserToDoom();
    this.disk.process = process;
    this.disk.fault = (order) => {
      this.#comeCloserToDoom();
      return this.diskFault(order);
    };
  }

  #comeCloserToDoom(): void {
    if (this.#doomIn === 0) return;
    this.#doomIn -= 1;
    if (this.#doomIn === 0) throw new ProcessDied(this, this.#doom);
  }

  #failedToStart(error: unknown): void {
    if (error instanceof ProcessDied) throw error;
    if (!(error instanceof StorageError) && !(error instanceof DiskError)) throw error;
    this.#end(`cannot start: ${error.message}`, error instanceof StorageError);
  }

  #end(why: string, isDataLost: boolean): void {
    const replica = this.#replica;
    this.#shared.after(0, () => {
      if (this.#replica !== replica || replica === null) return;
      this.#events.onEnded(this, why, isDataLost);
    });
  }

  #note(text: string): void {
    this.#events.onNotice(this, text);
  }
}

/** Where members await clients, learners and elections. */
export const clientPort = 2181;
export const quorumPort = 2888;
export const electionPort = 3888;
/** Where followers await observers, when they do. */
export const observerMasterPort = 2191;
