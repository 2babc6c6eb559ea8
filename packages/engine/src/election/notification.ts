import { decodeUtf8, encodeUtf8, JuteWriter, utf8Bytes } from '@meerkat/protocol';
import { electionLimits } from '../limits.ts';
import { type Candidate, noCandidate, PeerState } from './vote.ts';

/**
 * What members tell each other in an election (`FastLeaderElection.buildMsg`):
 *
 *     int   state            0 looking, 1 following, 2 leading, 3 observing
 *     long  leader
 *     long  zxid
 *     long  electionEpoch    the round; the message of Java before 3.4 ends here: 28 bytes
 *     long  peerEpoch        the message of 3.4.0 to 3.4.5 has 4 bytes of no meaning behind it: 40 bytes
 *     int   version          2; 1 is without what follows
 *     int   length
 *     bytes configuration    UTF-8
 */
export interface Notification extends Candidate {
  readonly state: PeerState;
  readonly electionEpoch: number;
  /** 0 when the sender did not say. */
  readonly version: number;
  /** The sender's configuration, null when it did not say. */
  readonly configText: string | null;
}

/** Why bytes are no notification. */
export interface MalformedNotification {
  readonly malformed: string;
}

/** A notification in a frame of its own, its length of four bytes in front, in the form of Java 3.5 and later. */
export function encodeNotification(notification: Notification): Uint8Array {
  const text = notification.configText ?? '';
  const textBytes = utf8Bytes(text);
  const writer = new JuteWriter(4 + configAt + textBytes);
  writer.writeInt(configAt + textBytes);
  writer.writeInt(notification.state);
  writer.writeLongFromDouble(notification.leader);
  writer.writeLongFromDouble(notification.zxid);
  writer.writeLongFromDouble(notification.electionEpoch);
  writer.writeLongFromDouble(notification.peerEpoch);
  writer.writeInt(notificationVersion);
  writer.writeInt(textBytes);
  const bytes = new Uint8Array(4 + configAt + textBytes);
  bytes.set(writer.written());
  encodeUtf8(text, bytes, 4 + configAt);
  return bytes;
}

/**
 * Reads `bytes[start, end)`, a frame without its length, as any Java server since 3.3 may send it. The
 * configuration is not looked into.
 */
export function decodeNotification(
  bytes: Uint8Array,
  start: number,
  end: number,
): Notification | MalformedNotification {
  const length = end - start;
  if (length < lengthMin || (length > lengthMin && length < lengthWithEpoch)) {
    return { malformed: `it has ${length} bytes` };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
  const state = view.getInt32(0);
  const leader = longAt(view, 4);
  const zxid = longAt(view, 12);
  const electionEpoch = longAt(view, 20);
  const peerEpoch = length === lengthMin ? Math.floor(zxid / two32) : longAt(view, 28);
  if (!isPeerState(state)) return { malformed: `its state is ${state}` };
  if (!(isLong(leader) && isLong(zxid) && isLong(peerEpoch))) {
    return { malformed: 'a number in it is out of bounds' };
  }
  if (!(electionEpoch >= -1 && electionEpoch <= electionLimits.electionEpochMax)) {
    return { malformed: `its round is ${electionEpoch}` };
  }
  const vote = { state, leader, zxid, electionEpoch, peerEpoch };
  if (length <= lengthWithEpoch) return { ...vote, version: 0, configText: null };
  const version = view.getInt32(36);
  if (version <= 1) return { ...vote, version, configText: null };
  const textBytes = length < configAt ? -1 : view.getInt32(40);
  if (textBytes < 0 || textBytes > length - configAt) {
    return { malformed: `its configuration has ${textBytes} bytes` };
  }
  const textAt = start + configAt;
  return { ...vote, version, configText: decodeUtf8(bytes, textAt, textAt + textBytes) };
}

const notificationVersion = 2;
const lengthMin = 28;
const lengthWithEpoch = 40;
const configAt = 44;
const two32 = 4294967296;

function longAt(view: DataView, at: number): number {
  return view.getInt32(at) * two32 + view.getUint32(at + 4);
}

/** Whether a long keeps its value in a double, as all that mean something do. */
function isLong(value: number): boolean {
  return Number.isSafeInteger(value) || value === noCandidate;
}

function isPeerState(value: number): value is PeerState {
  return value >= PeerState.looking && value <= PeerState.observing;
}
