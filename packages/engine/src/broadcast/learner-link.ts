/**
 * The leader's side of one learner (`LearnerHandler.java`): how far it has come from its first packet to serving, what
 * it is told, and what it says. Owns its stream and the order of all that goes to it; what its requests and
 * acknowledgements mean is the leader's.
 */
import {
  formatZxid,
  JuteError,
  JuteReader,
  JuteWriter,
  makeZxid,
  type Zxid,
} from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { DiskError, type NetworkAddress, type PeerNetwork, type PeerStreamId } from '../ports.ts';
import type { LearnerType } from '../quorum/member.ts';
import { StorageError } from '../storage/index.ts';
import type { PacketLimits } from './quorum-packet.ts';
import {
  beginPacket,
  dataReader,
  endPacket,
  PacketReader,
  type PacketReceiver,
  PacketType,
  type ReceivedPacket,
} from './quorum-packet.ts';

/** How far a learner has come. */
export const LinkStage = {
  /** Its FOLLOWERINFO or OBSERVERINFO is awaited. */
  hello: 0,
  /** It waits for the epoch. */
  epoch: 1,
  /** It was told the epoch, and has to promise it. */
  ackEpoch: 2,
  /** It waits until a quorum has promised. */
  promised: 3,
  /** It is being brought up to date, and has to say that its state is durable. */
  syncing: 4,
  /** It has said so, and waits until a quorum has. */
  synced: 5,
  /** It serves. */
  serving: 6,
  closed: 7,
} as const;
export type LinkStage = (typeof LinkStage)[keyof typeof LinkStage];

/** What a leader hears of its learners. */
export interface LearnerLinkEvents {
  /** The beginning of the epoch. */
  readonly epochZxid: Zxid;
  /** The newest that was proposed; the beginning of the epoch before the first. */
  readonly newestZxid: Zxid;
  /** Who it is. Returns why it is not wanted, null when it is. */
  onHello(link: LearnerLink): string | null;
  /** It has promised the epoch, or says that it had before (`currentEpoch` -1). */
  onEpochPromised(link: LearnerLink, currentEpoch: number): void;
  /** All that it was sent before NEWLEADER is durable there. */
  onSynced(link: LearnerLink): void;
  onAck(link: LearnerLink): void;
  onRequest(link: LearnerLink, packet: ReceivedPacket): void;
  onRevalidate(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void;
  onTouch(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void;
  /** What it was being sent from disk cannot be read, or has a hole. */
  onStreamFailed(link: LearnerLink, reason: string): void;
  /** It is of no use any more. */
  onBroken(link: LearnerLink, reason: string): void;
}

/** More to be sent before anything else, a piece at a time: a snapshot, or the log on disk. */
export interface SyncStream {
  /** Writes the next piece; false when there is nothing left. */
  writeNext(outbox: JuteWriter): boolean;
  close(): void;
}

export class LearnerLink implements PacketReceiver {
  readonly stream: PeerStreamId;
  readonly address: NetworkAddress;
  stage: LinkStage = LinkStage.hello;
  /** Its id; negative when it has none. */
  sid = -1;
  type: LearnerType = 'participant';
  /** The epoch that it has promised to whom it followed before. */
  acceptedEpoch = 0;
  /** The version of its configuration. */
  configVersion = 0;
  /** The last transaction in its log. */
  peerLastZxid: Zxid = 0 as Zxid;
  /** Its history is the leader's up to here, durably. */
  ackedZxid: Zxid = 0 as Zxid;
  /** The tick until which it has to be heard of. */
  deadlineTick = 0;
  /** The newest round of PINGs that it was sent, and that it has answered. */
  askedRound = 0;
  answeredRound = 0;
  /** Whether new proposals are meant for it. */
  isForwarding = false;
  /** What was proposed when its pace was last looked at, and when that was. */
  paceZxid: Zxid = 0 as Zxid;
  paceTick = 0;
  /** What was committed before it was told to serve: it need not acknowledge that. */
  givenZxid: Zxid = 0 as Zxid;
  /** How much of what goes to all of its kind it has got in this turn. */
  sharedTaken = 0;
  /** When it was last heard of, monotonic ms. */
  heardMs = 0;
  readonly isRaw = false;
  readonly #peers: PeerNetwork;
  readonly #events: LearnerLinkEvents;
  readonly #reader: PacketReader;
  readonly #data = new JuteReader();
  readonly #unsentBytesMax: number;
  #outbox = new JuteWriter(outboxBytes);
  #syncStream: SyncStream | null = null;
  /** What waits behind the stream. */
  #behind: JuteWriter | null = null;

  constructor(
    stream: PeerStreamId,
    address: NetworkAddress,
    peers: PeerNetwork,
    limits: PacketLimits,
    unsentBytesMax: number,
    events: LearnerLinkEvents,
  ) {
    this.stream = stream;
    this.address = address;
    this.#peers = peers;
    this.#events = events;
    this.#unsentBytesMax = unsentBytesMax;
    this.#reader = new PacketReader(limits, this);
  }

  /** See `PacketReceiver`: what comes behind its last word is not looked at. */
  get isHeld(): boolean {
    return this.stage === LinkStage.closed;
  }

  /** Where the next packet to it is written. */
  get outbox(): JuteWriter {
    return this.#behind ?? this.#outbox;
  }

  /** Whether a snapshot or a piece of log is on its way. */
  get isStreaming(): boolean {
    return this.#syncStream !== null;
  }

  /** Bytes from it. Whatever they are, nobody else is disturbed. */
  received(bytes: Uint8Array, start: number, end: number): void {
    if (this.stage === LinkStage.closed) return;
    try {
      this.#reader.push(bytes, start, end);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#events.onBroken(this, `it sent what is no packet: ${error.message}`);
    }
    const { keptBytes } = this.#reader;
    if (this.#isShortOfWords && keptBytes > ensembleLimits.helloBytesMax) {
      this.#events.onBroken(this, `it sent ${keptBytes} bytes of a packet that should be short`);
    }
  }

  onRaw(): number {
    return 0;
  }

  onPacket(packet: ReceivedPacket): void {
    if (this.stage === LinkStage.closed) return;
    switch (this.stage) {
      case LinkStage.hello:
        return this.#takeHello(packet);
      case LinkStage.ackEpoch:
        return this.#takePromise(packet);
      case LinkStage.syncing:
        if (packet.type !== PacketType.ack || packet.zxid !== this.#events.epochZxid) {
          return this.#refuse(packet, 'an ACK of NEWLEADER');
        }
        this.stage = LinkStage.synced;
        return this.#events.onSynced(this);
      case LinkStage.synced:
      case LinkStage.serving:
        return this.#takePacket(packet);
      default:
        return this.#refuse(packet, 'silence');
    }
  }

  /** Tells it the epoch. */
  sendEpoch(epoch: number): void {
    this.stage = LinkStage.ackEpoch;
    const packet = beginPacket(this.outbox, PacketType.leaderInfo, makeZxid(epoch, 0));
    this.outbox.writeInt(zabVersion);
    endPacket(this.outbox, packet, null);
  }

  /** Sends a stream before everything that is written to it from now on. */
  startStream(stream: SyncStream): void {
    this.#syncStream = stream;
    this.#behind = new JuteWriter(outboxBytes);
  }

  /** Gives what was written to the network, as far as it takes it. False: it does not keep up. */
  flush(): boolean {
    if (this.stage === LinkStage.closed) return true;
    if (this.#syncStream !== null) this.#stream();
    if (this.#isClosed) return true;
    const outbox = this.#outbox;
    if (outbox.length > 0) {
      const isTaken = this.#peers.send(this.stream, outbox.bytes, 0, outbox.length);
      if (isTaken) outbox.clear();
      else this.#outbox = new JuteWriter(outboxBytes);
    }
    const waiting = this.#behind?.length ?? 0;
    return this.#peers.unsentBytes(this.stream) + waiting <= this.#unsentBytesMax;
  }

  /** The network has taken all: the stream may go on. */
  drained(): void {
    if (this.#syncStream !== null) this.flush();
  }

  /** Ends it. Nothing of it is heard any more. */
  close(): void {
    if (this.stage === LinkStage.closed) return;
    this.stage = LinkStage.closed;
    this.isForwarding = false;
    this.#syncStream?.close();
    this.#syncStream = null;
    this.#peers.destroy(this.stream);
  }

  /** One piece at a time, and only while the network has little left to send. */
  #stream(): void {
    const stream = this.#syncStream;
    while (stream !== null && this.#peers.unsentBytes(this.stream) < streamAheadBytes) {
      const hasMore = this.#writeNext(stream);
      if (this.#isClosed) return;
      if (!hasMore) {
        const behind = this.#behind;
        this.#syncStream = null;
        this.#behind = null;
        stream.close();
        if (behind !== null) this.#outbox.writeBytes(behind.bytes, 0, behind.length);
        return;
      }
      const outbox = this.#outbox;
      const isTaken = this.#peers.send(this.stream, outbox.bytes, 0, outbox.length);
      if (isTaken) {
        outbox.clear();
        continue;
      }
      this.#outbox = new JuteWriter(outboxBytes);
      return;
    }
  }

  /** Whether all that it may say yet is short. */
  get #isShortOfWords(): boolean {
    return this.stage < LinkStage.synced;
  }

  get #isClosed(): boolean {
    return this.stage === LinkStage.closed;
  }

  #writeNext(stream: SyncStream): boolean {
    try {
      return stream.writeNext(this.#outbox);
    } catch (error) {
      const isOfDisk = error instanceof StorageError || error instanceof DiskError;
      if (!isOfDisk && !(error instanceof JuteError)) throw error;
      this.#events.onStreamFailed(this, error.message);
      return true;
    }
  }

  #takeHello(packet: ReceivedPacket): void {
    const { type } = packet;
    if (type !== PacketType.followerInfo && type !== PacketType.observerInfo) {
      return this.#refuse(packet, 'FOLLOWERINFO or OBSERVERINFO');
    }
    const reader = dataReader(packet, this.#data);
    if (reader.remaining < 12) {
      return this.#events.onBroken(this, 'it speaks a protocol older than ZooKeeper 3.4');
    }
    const hi = reader.readInt();
    const lo = reader.readInt() >>> 0;
    this.sid = hi * two32 + lo;
    const version = reader.readInt();
    if (version < zabVersion) {
      return this.#events.onBroken(this, `it speaks protocol version ${version}`);
    }
    this.configVersion = reader.remaining >= 8 ? reader.readLongAsDouble() : 0;
    this.type = type === PacketType.observerInfo ? 'observer' : 'participant';
    this.acceptedEpoch = Math.floor(packet.zxid / two32);
    this.stage = LinkStage.epoch;
    const refusal = this.#events.onHello(this);
    if (refusal !== null) this.#events.onBroken(this, refusal);
  }

  #takePromise(packet: ReceivedPacket): void {
    if (packet.type !== PacketType.ackEpoch) return this.#refuse(packet, 'ACKEPOCH');
    const reader = dataReader(packet, this.#data);
    if (reader.remaining < 4) return this.#refuse(packet, 'ACKEPOCH with an epoch');
    this.peerLastZxid = packet.zxid;
    this.stage = LinkStage.promised;
    this.#events.onEpochPromised(this, reader.readInt());
  }

  #takePacket(packet: ReceivedPacket): void {
    const reader = dataReader(packet, this.#data);
    switch (packet.type) {
      case PacketType.ack:
        if (packet.zxid > this.#events.newestZxid) {
          const text = `it acknowledges ${formatZxid(packet.zxid)}, which was never proposed`;
          return this.#events.onBroken(this, text);
        }
        if (packet.zxid > this.ackedZxid) this.ackedZxid = packet.zxid;
        return this.#events.onAck(this);
      case PacketType.ping:
        // An answer that nobody asked for confirms nothing that is to come.
        if (this.answeredRound < this.askedRound) this.answeredRound++;
        while (reader.remaining >= touchBytes) {
          const hi = reader.readInt();
          this.#events.onTouch(this, hi, reader.readInt(), reader.readInt());
        }
        return reader.remaining > 0 ? this.#refuse(packet, 'a whole PING') : undefined;
      case PacketType.request:
        if (reader.remaining < requestHeadBytes) return this.#refuse(packet, 'a whole REQUEST');
        return this.#events.onRequest(this, packet);
      case PacketType.revalidate: {
        if (reader.remaining < touchBytes) return this.#refuse(packet, 'a whole REVALIDATE');
        const hi = reader.readInt();
        return this.#events.onRevalidate(this, hi, reader.readInt(), reader.readInt());
      }
      default:
        // Java takes no notice of others either.
        return;
    }
  }

  #refuse(packet: ReceivedPacket, expected: string): void {
    this.#events.onBroken(this, `it sent a packet of type ${packet.type} instead of ${expected}`);
  }
}

/** The version of the protocol since ZooKeeper 3.4. */
export const zabVersion = 0x10000;
const outboxBytes = 16 * 1024;
/** Session and timeout in a PING or REVALIDATE. */
const touchBytes = 12;
/** Session, cxid and type in a REQUEST. */
const requestHeadBytes = 16;
/** A stream waits while the network has more than this to send, bytes. */
const streamAheadBytes = 1024 * 1024;
const two32 = 4294967296;
