import type { JuteReader } from './jute/jute-reader.ts';
import type { JuteWriter } from './jute/jute-writer.ts';

/**
 * The handshake: the only two records whose last field may be absent, so they are written by hand.
 * Clients before 3.4 send no `readOnly`, and the server answers in the form that it was asked in
 * (ZooKeeper's `compat/ProtocolManager.java`, ZOOKEEPER-4814).
 */
export interface ConnectRequest {
  readonly protocolVersion: number;
  /** The last zxid the client has seen, rounded beyond 2^53: it is only compared. */
  readonly lastZxidSeen: number;
  readonly timeOut: number;
  readonly sessionIdHi: number;
  readonly sessionIdLo: number;
  readonly passwd: Uint8Array | null;
  /** Null when the client's form of the record has no such field. */
  readonly readOnly: boolean | null;
}

/** The server's half of the handshake; a `timeOut` of 0 says that the session has expired. */
export interface ConnectResponse {
  readonly protocolVersion: number;
  readonly timeOut: number;
  readonly sessionIdHi: number;
  readonly sessionIdLo: number;
  readonly passwd: Uint8Array | null;
  readonly readOnly: boolean | null;
}

/** Reads a ConnectRequest. Throws JuteError when the bytes are not one. */
export function readConnectRequest(reader: JuteReader): ConnectRequest {
  const protocolVersion = reader.readInt();
  const lastZxidSeen = reader.readLongAsDouble();
  const timeOut = reader.readInt();
  const sessionIdHi = reader.readInt();
  const sessionIdLo = reader.readInt();
  const passwd = reader.readBuffer();
  const readOnly = reader.remaining > 0 ? reader.readBoolean() : null;
  return { protocolVersion, lastZxidSeen, timeOut, sessionIdHi, sessionIdLo, passwd, readOnly };
}

/** Writes a ConnectRequest, without the last field when `readOnly` is null. */
export function writeConnectRequest(writer: JuteWriter, value: ConnectRequest): void {
  writer.writeInt(value.protocolVersion);
  writer.writeLongFromDouble(value.lastZxidSeen);
  writer.writeInt(value.timeOut);
  writer.writeLong(value.sessionIdHi, value.sessionIdLo);
  writer.writeBuffer(value.passwd);
  if (value.readOnly !== null) writer.writeBoolean(value.readOnly);
}

/** Reads a ConnectResponse. Throws JuteError when the bytes are not one. */
export function readConnectResponse(reader: JuteReader): ConnectResponse {
  const protocolVersion = reader.readInt();
  const timeOut = reader.readInt();
  const sessionIdHi = reader.readInt();
  const sessionIdLo = reader.readInt();
  const passwd = reader.readBuffer();
  const readOnly = reader.remaining > 0 ? reader.readBoolean() : null;
  return { protocolVersion, timeOut, sessionIdHi, sessionIdLo, passwd, readOnly };
}

/** Writes a ConnectResponse, without the last field when `readOnly` is null. */
export function writeConnectResponse(writer: JuteWriter, value: ConnectResponse): void {
  writer.writeInt(value.protocolVersion);
  writer.writeInt(value.timeOut);
  writer.writeLong(value.sessionIdHi, value.sessionIdLo);
  writer.writeBuffer(value.passwd);
  if (value.readOnly !== null) writer.writeBoolean(value.readOnly);
}
