/**
 * The packets of leaders and learners (`QuorumPacket` of zookeeper.jute, `Leader.java`): int type, long zxid, buffer
 * data, vector of ids, back to back, with no length before them. Owns their bytes; knows nothing of what they mean.
 */
import { type Id, JuteError, JuteReader, type JuteWriter, type Zxid } from '@meerkat/protocol';

/** Packet types (ZB 8.4). */
export const PacketType = {
  request: 1,
  proposal: 2,
  ack: 3,
  commit: 4,
  ping: 5,
  revalidate: 6,
  sync: 7,
  inform: 8,
  commitAndActivate: 9,
  newLeader: 10,
  followerInfo: 11,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
  observerInfo: 16,
  leaderInfo: 17,
  ackEpoch: 18,
  informAndActivate: 19,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** A packet that has arrived whole; the bytes are valid during the call only. */
export interface ReceivedPacket {
  type: number;
  zxid: Zxid;
  /** Where `data` is: `bytes[dataStart, dataEnd)`; `dataStart` is -1 when it is null. */
  bytes: Uint8Array;
  dataStart: number;
  dataEnd: number;
  /** Where the vector of ids begins, its count included. */
  authStart: number;
  end: number;
}

/** Whoever takes the packets of a stream. */
export interface PacketReceiver {
  /** One packet. */
  onPacket(packet: ReceivedPacket): void;
  /** While `isRaw`, what comes is no packet: returns how many bytes were taken. */
  onRaw(bytes: Uint8Array, start: number, end: number): number;
  /** Whether what follows is no packet: the stream of a snapshot. */
  readonly isRaw: boolean;
  /** Whether nothing more is wanted for now: what has come is kept. */
  readonly isHeld: boolean;
}

/** How long the parts of a packet may be. */
export interface PacketLimits {
  /** Bytes of `data`. */
  readonly dataBytesMax: number;
  /** Ids in `authinfo`. */
  readonly authIdsMax: number;
  /** Bytes of all ids together. */
  readonly authBytesMax: number;
}

/**
 * Cuts what arrives into packets. Owns the bytes of a packet whose end has not come yet, and what is held back;
 * refuses lengths beyond the limits.
 */
export class PacketReader {
  readonly #limits: PacketLimits;
  readonly #receiver: PacketReceiver;
  readonly #packet: ReceivedPacket;
  #kept: Uint8Array = none;
  #keptStart = 0;
  #keptEnd = 0;
  #isBusy = false;
  /** Over the bytes that are being taken. */
  #view: DataView = new DataView(none.buffer);

  constructor(limits: PacketLimits, receiver: PacketReceiver) {
    this.#limits = limits;
    this.#receiver = receiver;
    this.#packet = {
      type: 0,
      zxid: 0 as Zxid,
      bytes: none,
      dataStart: -1,
      dataEnd: -1,
      authStart: 0,
      end: 0,
    };
  }

  /** Bytes that wait for more, or until they are wanted. */
  get keptBytes(): number {
    return this.#keptEnd - this.#keptStart;
  }

  /**
   * Takes `bytes[start, end)`, valid during the call.
   *
   * @throws JuteError when they are no packets
   */
  push(bytes: Uint8Array, start: number, end: number): void {
    if (this.keptBytes > 0 || this.#isBusy) {
      this.#keep(bytes, start, end);
      return this.resume();
    }
    const at = this.#take(bytes, start, end);
    if (at < end) this.#keep(bytes, at, end);
  }

  /** Goes on with what was held back. Throws JuteError. */
  resume(): void {
    if (this.#isBusy || this.keptBytes === 0) return;
    this.#keptStart = this.#take(this.#kept, this.#keptStart, this.#keptEnd);
    if (this.keptBytes > 0) return;
    this.#keptStart = 0;
    this.#keptEnd = 0;
    if (this.#kept.length > keptBytesIdle) this.#kept = none;
  }

  /** Returns up to where the bytes were taken. */
  #take(bytes: Uint8Array, start: number, end: number): number {
    const receiver = this.#receiver;
    let at = start;
    this.#isBusy = true;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      while (at < end && !receiver.isHeld) {
        if (receiver.isRaw) {
          const taken = receiver.onRaw(bytes, at, end);
          at += taken;
          if (receiver.isRaw) break;
        } else {
          const next = this.#parse(bytes, at, end);
          if (next === -1) break;
          receiver.onPacket(this.#packet);
          at = next;
        }
      }
    } finally {
      this.#isBusy = false;
    }
    return at;
  }

  /** Fills in the packet at `start`. Returns where it ends, -1 when it is not whole. */
  #parse(bytes: Uint8Array, start: number, end: number): number {
    if (end - start < headBytes) return -1;
    const view = this.#view;
    const packet = this.#packet;
    packet.bytes = bytes;
    packet.type = view.getInt32(start);
    const zxid = view.getInt32(start + 4) * two32 + view.getUint32(start + 8);
    if (!Number.isSafeInteger(zxid)) throw new JuteError(`Cannot take zxid ${zxid}, beyond 2^53`);
    packet.zxid = zxid as Zxid;
    const length = view.getInt32(start + 12);
    if (length < -1 || length > this.#limits.dataBytesMax) {
      throw new JuteError(`Cannot take a packet with ${length} bytes of data`);
    }
    packet.dataStart = length === -1 ? -1 : start + headBytes;
    const authStart = start + headBytes + Math.max(0, length);
    packet.dataEnd = length === -1 ? -1 : authStart;
    packet.authStart = authStart;
    if (authStart + 4 > end) return -1;
    packet.end = this.#skipIds(view, authStart, end);
    return packet.end;
  }

  #skipIds(view: DataView, start: number, end: number): number {
    const count = view.getInt32(start);
    if (count < -1 || count > this.#limits.authIdsMax) {
      throw new JuteError(`Cannot take a packet with ${count} ids`);
    }
    let at = start + 4;
    for (let i = 0; i < count * 2; i++) {
      if (at + 4 > end) return -1;
      const length = Math.max(0, view.getInt32(at));
      at += 4 + length;
      if (at - start > this.#limits.authBytesMax) {
        throw new JuteError(`Cannot take a packet with ${at - start} bytes of ids`);
      }
    }
    return at <= end ? at : -1;
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    const more = end - start;
    if (this.#keptEnd + more > this.#kept.length) {
      const kept = this.keptBytes;
      const room = Math.max(2 * (kept + more), keptBytesIdle);
      const target = kept + more <= this.#kept.length / 2 ? this.#kept : new Uint8Array(room);
      target.set(this.#kept.subarray(this.#keptStart, this.#keptEnd));
      this.#kept = target;
      this.#keptStart = 0;
      this.#keptEnd = kept;
    }
    this.#kept.set(bytes.subarray(start, end), this.#keptEnd);
    this.#keptEnd += more;
  }
}

/**
 * Reads the ids of packets. Owns those of the last one: most clients prove nothing but the same address, so they are
 * not made anew for each request.
 */
export class PacketIds {
  #bytes: Uint8Array = none;
  #ids: readonly Id[] = [];

  /** The ids of a received packet, not to be changed. Throws JuteError. */
  read(packet: ReceivedPacket): readonly Id[] {
    const { bytes, authStart, end } = packet;
    if (!isSame(this.#bytes, bytes, authStart, end)) {
      this.#ids = readPacketIds(packet);
      this.#bytes = bytes.slice(authStart, end);
    }
    return this.#ids;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** The ids of a received packet, made anew. Throws JuteError. */
export function readPacketIds(packet: ReceivedPacket): Id[] {
  const reader = new JuteReader(packet.bytes, packet.authStart, packet.end);
  const ids: Id[] = [];
  const count = reader.readVectorCount(8);
  for (let i = 0; i < count; i++) {
    ids.push({ scheme: reader.readString(), id: reader.readString() });
  }
  return ids;
}

/** A reader over the data of a packet; over nothing when it is null. */
export function dataReader(packet: ReceivedPacket, reader: JuteReader): JuteReader {
  return packet.dataStart === -1
    ? reader.reset(none, 0, 0)
    : reader.reset(packet.bytes, packet.dataStart, packet.dataEnd);
}

/** Writes a packet without data and ids. */
export function writeBarePacket(writer: JuteWriter, type: PacketType, zxid: number): void {
  const at = writer.reserve(barePacketBytes);
  const { view } = writer;
  view.setInt32(at, type);
  view.setInt32(at + 4, Math.floor(zxid / two32));
  view.setInt32(at + 8, zxid | 0);
  view.setInt32(at + 12, -1);
  view.setInt32(at + 16, -1);
}

/** Begins a packet with data, which the caller writes. Returns what `endPacket` needs. */
export function beginPacket(writer: JuteWriter, type: PacketType, zxid: number): number {
  const at = writer.reserve(headBytes);
  const { view } = writer;
  view.setInt32(at, type);
  view.setInt32(at + 4, Math.floor(zxid / two32));
  view.setInt32(at + 8, zxid | 0);
  return at;
}

/** Ends a packet begun with `beginPacket`: fills in the length of its data, and writes its ids. */
export function endPacket(writer: JuteWriter, start: number, ids: readonly Id[] | null): void {
  writer.view.setInt32(start + 12, writer.length - start - headBytes);
  if (ids === null) return writer.writeInt(-1);
  writer.writeInt(ids.length);
  for (const { scheme, id } of ids) {
    writer.writeString(scheme);
    writer.writeString(id);
  }
}

/** Type (4), zxid (8), length of the data (4). */
export const headBytes = 16;
/** A packet without data and ids. */
export const barePacketBytes = 20;
const two32 = 4294967296;
const none = new Uint8Array(0);
/** Room that is kept for parts of packets while there are none. */
const keptBytesIdle = 64 * 1024;
