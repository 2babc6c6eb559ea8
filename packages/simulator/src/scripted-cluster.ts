import type {
  EnsembleConfig,
  MemberRole,
  PeerStreamEvents,
  PeerStreamId,
  ReplicaConfig,
} from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import { plainRoles } from './ensemble/drawn-roles.ts';
import { clientPort, EnsembleMember } from './ensemble/ensemble-member.ts';
import { memberConfig } from './ensemble/ensemble-settings.ts';
import { ManualClock } from './manual-clock.ts';
import { ProcessClock } from './process-clock.ts';
import type { ScriptedConnection, ScriptedServer } from './scripted-client.ts';
import { SeededRandom } from './seeded-random.ts';
import { PeerFabric, type SimulatedPeerNetwork } from './simulated-peer-network.ts';

/** What a cluster is made of; all of it has a default. */
export interface ScriptedClusterOptions {
  /** Members that vote: ids from 1 on. */
  readonly voters?: number;
  /** Members that observe: the ids behind. */
  readonly observers?: number;
  readonly tickTimeMs?: number;
  /** Settings of every member, over those of the simulation. */
  readonly config?: Partial<ReplicaConfig>;
  /** Settings of a member as one, over those. */
  readonly ensemble?: (id: number) => Partial<EnsembleConfig>;
  readonly seed?: number;
}

/**
 * An ensemble in this process of which nothing happens but what a test says: the replicas of production on
 * simulated networks and disks. Time stands still until `advance`; every packet takes one millisecond.
 */
export class ScriptedCluster {
  readonly clock: ManualClock = new ManualClock();
  readonly fabric: PeerFabric;
  readonly members: readonly EnsembleMember[];
  readonly tickTimeMs: number;
  /** What members told, as `id: text`. */
  readonly notices: string[] = [];
  /** The clock of what is no member. */
  readonly clientClock: ProcessClock;
  readonly #clients: SimulatedPeerNetwork;

  constructor(options: ScriptedClusterOptions = {}) {
    const { voters = 3, observers = 0, tickTimeMs = 2000, seed = 1 } = options;
    this.tickTimeMs = tickTimeMs;
    const random = new SeededRandom(seed);
    this.fabric = new PeerFabric(this.clock, random, { latencyMs: [1, 1], systemBytesMax: 1e6 });
    this.clientClock = new ProcessClock(this.clock);
    this.#clients = this.fabric.networkOf('clients', this.clientClock);
    const settings = { ...quietSettings, voters, observers, spares: 0, tickTimeMs };
    const ids = Array.from({ length: voters + observers }, (_, i) => i + 1);
    this.members = ids.map((id) => {
      const base = memberConfig(settings, id);
      assert(base.ensemble !== null, 'a cluster has several members', voters);
      const ensemble = { ...base.ensemble, ...options.ensemble?.(id) };
      return this.#newMember(id, { ...base, ...options.config, ensemble }, random.below(2 ** 32));
    });
  }

  /** Starts all members, or these, and waits until one of them leads. */
  start(...ids: number[]): this {
    for (const member of this.members) {
      if (ids.length === 0 || ids.includes(member.id)) member.start();
    }
    this.until(() => this.members.every(({ isUp, role }) => !isUp || role !== 'looking'));
    return this;
  }

  member(id: number): EnsembleMember {
    const member = this.members[id - 1];
    assert(member !== undefined, 'a member has this id', id);
    return member;
  }

  /** The member that believes to lead, the newest one. */
  get leader(): EnsembleMember {
    const leaders = this.members.filter(({ role }) => role === 'leading');
    const leader = leaders.sort((a, b) => b.epoch - a.epoch)[0];
    assert(leader !== undefined, 'somebody leads');
    return leader;
  }

  /** The first member with this role. */
  first(role: MemberRole): EnsembleMember {
    const member = this.members.find((each) => each.isUp && each.role === role);
    assert(member !== undefined, 'somebody has this role');
    return member;
  }

  /** Where a scripted client connects to a member. */
  server({ host }: EnsembleMember): ScriptedServer {
    return {
      connect: () => new ClusterConnection(this.#clients, host),
      settle: () => this.advance(settlingMs),
      advance: (ms) => this.advance(ms),
    };
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  /** Lets time go by until something is so. */
  until(isSo: () => boolean, msMax = 100_000): void {
    for (let ms = 0; !isSo(); ms++) {
      if (ms > msMax) throw new Error(`Cannot wait longer than ${msMax} ms of virtual time`);
      this.clock.advance(1);
    }
  }

  /** Nothing passes between a member and the other members any more; clients reach it still. */
  isolate(member: EnsembleMember): void {
    for (const other of this.members) {
      if (other === member) continue;
      this.fabric.setBlocked(member.host, other.host, true);
      this.fabric.setBlocked(other.host, member.host, true);
    }
  }

  #newMember(id: number, config: ReplicaConfig, seed: number): EnsembleMember {
    const { clock, fabric } = this;
    return new EnsembleMember(
      id,
      config,
      { clock, fabric, seed, disk: {} },
      {
        onApplied: () => {},
        onRole: (member, role, detail) => this.#note(member, `${role} ${detail.reason}`),
        onSessionExpired: (member, session) => this.#note(member, `${session} expires`),
        onNotice: (member, text) => this.#note(member, text),
        onEnded: (member, why) => this.#note(member, `ends: ${why}`),
      },
    );
  }

  #note(member: EnsembleMember, text: string): void {
    this.notices.push(`${member.id}: ${text}`);
  }
}

/** A client's connection to a member, over the network that members have. */
class ClusterConnection implements ScriptedConnection, PeerStreamEvents {
  onBytes: (bytes: Uint8Array) => void = () => {};
  onClosed: () => void = () => {};
  readonly #network: SimulatedPeerNetwork;
  readonly #id: PeerStreamId;
  #unsent: Uint8Array[] | null = [];

  constructor(network: SimulatedPeerNetwork, host: string) {
    this.#network = network;
    this.#id = network.dial({ host, port: clientPort }, dialTimeoutMs, this);
  }

  send(bytes: Uint8Array): void {
    if (this.#unsent === null) this.#network.send(this.#id, bytes, 0, bytes.length);
    else this.#unsent.push(bytes.slice());
  }

  end(): void {
    this.#network.close(this.#id);
  }

  onPeerOpened(): void {
    const unsent = this.#unsent ?? [];
    this.#unsent = null;
    for (const bytes of unsent) this.send(bytes);
  }

  onPeerBytes(_stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    this.onBytes(bytes.slice(start, end));
  }

  onPeerDrained(): void {}

  onPeerClosed(): void {
    this.onClosed();
  }
}

const quietSettings = {
  ...plainRoles,
  containerCheckMs: 1e9,
  maxNeverUsedMs: 0,
  firstId: 1,
  evenSendSnapshots: false,
  clients: 0,
  latencyMs: [1, 1],
  systemBytesMax: 1e6,
  diskLatencyMs: 0,
  snapCount: 100_000,
  logGroupBytesMax: 64 * 1024,
  epochTransactionsMax: 0xffff0000,
  commitLogCount: 500,
  snapshotSizeFactor: 0.33,
  preAllocSizeKb: 4,
  closeSessionTxnEnabled: true,
  stormMs: 0,
  faultGapMs: 0,
  thinkMs: 0,
} as const;
/** Enough for an answer of the whole ensemble. */
const settlingMs = 20;
const dialTimeoutMs = 5000;
