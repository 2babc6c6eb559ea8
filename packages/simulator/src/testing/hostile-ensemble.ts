import {
  type NetworkAddress,
  type PeerListenerEvents,
  type PeerStreamEvents,
  parseQuorumConfig,
  type ReplicaConfig,
} from '@meerkat/engine';
import { formatZxid, JuteReader, JuteWriter, utf8 } from '@meerkat/protocol';
import { EnsembleMember, electionPort, quorumPort } from '../ensemble/ensemble-member.ts';
import { drawSettings, memberConfig } from '../ensemble/ensemble-settings.ts';
import { ManualClock } from '../manual-clock.ts';
import { ProcessClock } from '../process-clock.ts';
import { SeededRandom } from '../seeded-random.ts';
import { PeerFabric, type SimulatedPeerNetwork } from '../simulated-peer-network.ts';

/** What an ensemble for these tests is like. */
export interface HostileOptions {
  /** Members that are real; the others of the configuration are not there. */
  readonly real?: readonly number[];
  readonly voters?: number;
  readonly observers?: number;
  readonly systemBytesMax?: number;
  readonly commitLogCount?: number;
  /** What differs for one member. */
  readonly change?: (id: number, config: ReplicaConfig) => ReplicaConfig;
}

/**
 * Members of an ensemble with the replica of production in each, and room for peers that say what they like. Keeps
 * every line that the members would log.
 */
export class HostileEnsemble {
  readonly clock = new ManualClock();
  readonly fabric: PeerFabric;
  readonly members: readonly EnsembleMember[];
  /** `id: line`, oldest first. */
  readonly lines: string[] = [];
  /** Members that have ended themselves, and why. */
  readonly ended: string[] = [];
  /** Roles that members took, `id role`. */
  readonly roles: string[] = [];

  constructor(options: HostileOptions = {}) {
    const { systemBytesMax = 100_000, voters = 3, observers = 0 } = options;
    this.fabric = new PeerFabric(this.clock, new SeededRandom(1), {
      latencyMs: [1, 5],
      systemBytesMax,
    });
    const settings = {
      ...drawSettings(new SeededRandom(1)),
      voters,
      observers,
      tickTimeMs,
      systemBytesMax,
      diskLatencyMs: 0,
      snapCount: 100_000,
      commitLogCount: options.commitLogCount ?? 500,
      preAllocSizeKb: 4,
      epochTransactionsMax: 0xffff0000,
      logGroupBytesMax: 64 * 1024,
    };
    const ids = Array.from({ length: voters + observers }, (_, i) => i + 1);
    this.members = ids.map((id) => {
      const config = memberConfig(settings, id);
      return new EnsembleMember(
        id,
        options.change?.(id, config) ?? config,
        { clock: this.clock, fabric: this.fabric, seed: id, disk: {} },
        {
          onApplied: () => {},
          onRole: ({ id: who }, role, { reason }) => {
            this.roles.push(`${who} ${role}`);
            this.lines.push(`${who}: ${role}${reason === '' ? '' : `, ${reason}`}`);
          },
          onSessionExpired: () => {},
          onNotice: ({ id: who }, text) => this.lines.push(`${who}: ${text}`),
          onEnded: (member, why) => {
            this.ended.push(`${member.id}: ${why}`);
            member.crash('kill');
          },
        },
      );
    });
    for (const id of options.real ?? ids) this.member(id).start();
  }

  member(id: number): EnsembleMember {
    const member = this.members[id - 1];
    if (member === undefined) throw new Error(`there is no member ${id}`);
    return member;
  }

  /** The one that leads. */
  get leader(): EnsembleMember {
    const leader = this.members.find(({ role }) => role === 'leading');
    if (leader === undefined) throw new Error(`nobody leads:\n${this.lines.join('\n')}`);
    return leader;
  }

  /** Runs until as many serve, and one of them leads. */
  untilServing(count: number): this {
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 50) {
      const serving = this.members.filter(({ isServing }) => isServing);
      if (serving.length >= count && serving.some(({ role }) => role === 'leading')) {
        this.run(500);
        return this;
      }
      this.run(50);
    }
    throw new Error(`fewer than ${count} serve:\n${this.lines.join('\n')}`);
  }

  run(ms: number): void {
    this.clock.advance(ms);
  }

  ticks(count: number): void {
    this.run(count * tickTimeMs);
  }

  /** Takes the lines that were written, of one member or of all. */
  takeLines(of?: EnsembleMember): string[] {
    return this.lines.splice(0).filter((line) => of === undefined || line.startsWith(`${of.id}: `));
  }

  /** Commits a transaction: a failed one, for there is no such container. */
  write(name: string): void {
    const { replica } = this.leader;
    if (replica === null) throw new Error('the leader is down');
    replica.intake.deleteContainer(`/${name}`);
    replica.onTurnEnd();
    this.run(100);
  }

  /** A peer on a host of this name. */
  peer(host: string): HostilePeer {
    return new HostilePeer(this, host);
  }
}

/** One stream of a hostile peer. */
export interface HostileStream {
  readonly id: number;
  heard: Uint8Array[];
  isClosed: boolean;
  isOpen: boolean;
}

/** A host that speaks as it is told, and notes what it hears. */
export class HostilePeer implements PeerStreamEvents, PeerListenerEvents {
  readonly network: SimulatedPeerNetwork;
  readonly streams: HostileStream[] = [];
  /** What is said on a stream as soon as it is there. */
  greeting: Uint8Array | null = null;
  readonly #ensemble: HostileEnsemble;

  constructor(ensemble: HostileEnsemble, host: string) {
    this.#ensemble = ensemble;
    this.network = ensemble.fabric.networkOf(host, new ProcessClock(ensemble.clock));
  }

  /** The last stream. */
  get stream(): HostileStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no stream was opened');
    return stream;
  }

  get isClosed(): boolean {
    return this.stream.isClosed;
  }

  /** Opens a stream to a member's quorum port, and says something. */
  dial(host: string, ...said: readonly Uint8Array[]): HostileStream {
    return this.dialPort({ host, port: quorumPort }, ...said);
  }

  /** Opens a stream to any port, and says something. */
  dialPort(address: NetworkAddress, ...said: readonly Uint8Array[]): HostileStream {
    this.dialLater(address);
    this.#ensemble.run(20);
    this.say(...said);
    return this.stream;
  }

  dialLater(address: NetworkAddress): void {
    const id = this.network.dial(address, 1000, this);
    this.streams.push({ id, heard: [], isClosed: false, isOpen: false });
  }

  /** Says more, and waits until it has arrived. */
  say(...said: readonly Uint8Array[]): void {
    for (const bytes of said) {
      if (bytes.length > 0) this.network.send(this.stream.id, bytes, 0, bytes.length);
    }
    this.#ensemble.run(50);
  }

  /** Awaits learners in the place of a leader. */
  listen(port: number = quorumPort): number {
    return this.network.listen({ host: this.network.host, port }, this);
  }

  /** The packets heard on the last stream, `TYPE zxid`. */
  packets(stream: HostileStream = this.stream): string[] {
    return packetsIn(Buffer.concat(stream.heard));
  }

  onPeerListening(): void {}

  onPeerListenFailed(): void {}

  onPeerAccepted(_listener: number, id: number): PeerStreamEvents {
    this.streams.push({ id, heard: [], isClosed: false, isOpen: true });
    this.#ensemble.clock.after(1, () => {
      const { greeting } = this;
      if (greeting === null || greeting.length === 0) return;
      this.network.send(id, greeting, 0, greeting.length);
    });
    return this;
  }

  onPeerOpened(id: number): void {
    const stream = this.streams.find((each) => each.id === id);
    if (stream !== undefined) stream.isOpen = true;
  }

  onPeerBytes(id: number, bytes: Uint8Array, start: number, end: number): void {
    this.streams.find((each) => each.id === id)?.heard.push(bytes.slice(start, end));
  }

  onPeerDrained(): void {}

  onPeerClosed(id: number): void {
    const stream = this.streams.find((each) => each.id === id);
    if (stream !== undefined) stream.isClosed = true;
  }
}

/** A packet as it is on the wire. */
export function packet(
  type: number,
  zxid: number,
  data: Uint8Array | null = null,
  ids: readonly [string, string][] | null = null,
): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeInt(type);
  writer.writeLongFromDouble(zxid);
  if (data === null) writer.writeInt(-1);
  else {
    writer.writeInt(data.length);
    writer.writeBytes(data, 0, data.length);
  }
  writer.writeInt(ids === null ? -1 : ids.length);
  for (const [scheme, id] of ids ?? []) {
    writer.writeString(scheme);
    writer.writeString(id);
  }
  return writer.toBytes();
}

/** FOLLOWERINFO. */
export function hello(
  sid: number,
  options: {
    acceptedEpoch?: number;
    version?: number;
    configVersion?: number;
    isObserver?: boolean;
  } = {},
): Uint8Array {
  const data = longs(sid, null, options.configVersion ?? 0);
  new DataView(data.buffer).setInt32(8, options.version ?? 0x10000);
  const type = options.isObserver === true ? 16 : 11;
  return packet(type, zxidOf(options.acceptedEpoch ?? 0, 0), data);
}

/** ACKEPOCH. */
export function ackEpoch(lastZxid: number, currentEpoch: number): Uint8Array {
  const writer = new JuteWriter(4);
  writer.writeInt(currentEpoch);
  return packet(18, lastZxid, writer.toBytes());
}

/** LEADERINFO. */
export function leaderInfo(epoch: number, version = 0x10000): Uint8Array {
  const writer = new JuteWriter(4);
  writer.writeInt(version);
  return packet(17, zxidOf(epoch, 0), writer.toBytes());
}

/** A transaction that creates a znode: header, record, no digest. */
export function createTxn(zxid: number, path: string): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeLongFromDouble(0);
  writer.writeInt(0);
  writer.writeLongFromDouble(zxid);
  writer.writeLongFromDouble(1_600_000_000_000);
  writer.writeInt(1);
  writer.writeString(path);
  writer.writeBuffer(utf8('x'));
  writer.writeInt(1);
  writer.writeInt(31);
  writer.writeString('world');
  writer.writeString('anyone');
  writer.writeBoolean(false);
  writer.writeInt(-1);
  return writer.toBytes();
}

/** Longs one after the other; null is an int of 0. */
export function longs(...values: readonly (number | null)[]): Uint8Array {
  const writer = new JuteWriter(64);
  for (const value of values) {
    if (value === null) writer.writeInt(0);
    else writer.writeLongFromDouble(value);
  }
  return writer.toBytes();
}

export function zxidOf(epoch: number, counter: number): number {
  return epoch * 2 ** 32 + counter;
}

/** The whole packets in what was heard; ends where something else begins. */
export function packetsIn(bytes: Uint8Array): string[] {
  const names: string[] = [];
  const reader = new JuteReader(bytes);
  while (reader.remaining >= 20) {
    const type = reader.readInt();
    const zxid = reader.readLongAsDouble();
    reader.skipBuffer();
    if (type < 1 || type > 19) break;
    names.push(`${type} ${zxid === -1 ? '-1' : formatZxid(zxid)}`);
    const count = reader.readInt();
    for (let i = 0; i < count * 2; i++) reader.skipBuffer();
  }
  return names;
}

/** The configuration of such an ensemble. */
export function membersOf(count: number): ReturnType<typeof parseQuorumConfig> {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  return parseQuorumConfig(
    ids.map((id) => `server.${id}=host${id}:${quorumPort}:${electionPort}`).join('\n'),
  );
}

export const tickTimeMs = 2000;
