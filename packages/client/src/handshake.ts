import {
  type JuteReader,
  JuteWriter,
  readConnectResponse,
  writeConnectRequest,
} from '@meerkat/protocol';
import type { SessionId } from './ids.ts';

/** A session as it is handed from one client to the next. */
export interface SessionTicket {
  readonly id: SessionId;
  /** 16 bytes: whoever has them may take the session over. */
  readonly password: Uint8Array;
}

/** What a client asks a server for. */
export interface Greeting {
  /** The session to go on with; null for a new one. */
  readonly ticket: SessionTicket | null;
  readonly sessionTimeoutMs: number;
  /** A server that has seen less refuses the connection. */
  readonly lastZxid: number;
  readonly canBeReadOnly: boolean;
}

/** What a server grants. */
export interface Welcome {
  readonly ticket: SessionTicket;
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
}

/** The first frame of a connection. */
export function greetingFrame(greeting: Greeting): Uint8Array {
  const id = greeting.ticket?.id ?? 0n;
  const writer = new JuteWriter(64);
  const start = writer.beginFrame();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: greeting.lastZxid,
    timeOut: greeting.sessionTimeoutMs,
    sessionIdHi: Number(BigInt.asIntN(32, id >> 32n)),
    sessionIdLo: Number(BigInt.asIntN(32, id)),
    passwd: greeting.ticket?.password ?? noPassword,
    readOnly: greeting.canBeReadOnly,
  });
  writer.endFrame(start);
  return writer.toBytes();
}

/**
 * The answer to it; null when the session is no more.
 *
 * @throws JuteError when the bytes are not an answer
 */
export function readWelcome(reader: JuteReader): Welcome | null {
  const response = readConnectResponse(reader);
  if (response.timeOut <= 0) return null;
  const id = (BigInt(response.sessionIdHi) << 32n) | BigInt(response.sessionIdLo >>> 0);
  return {
    ticket: { id, password: (response.passwd ?? noPassword).slice() },
    sessionTimeoutMs: response.timeOut,
    readOnly: response.readOnly === true,
  };
}

const noPassword = new Uint8Array(16);
