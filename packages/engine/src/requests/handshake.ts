import {
  type ConnectRequest,
  type JuteReader,
  type JuteWriter,
  readConnectRequest,
  writeConnectResponse,
} from '@meerkat/protocol';
import type { Session } from '../sessions/session.ts';
import {
  isSessionPassword,
  passwordBytes,
  writeSessionPassword,
} from '../sessions/session-password.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ReplicaState } from './replica-state.ts';

/** What the replica that judges a handshake is at the moment. */
export interface HandshakeJudge {
  /** Whether it knows which sessions live. */
  readonly judgesSessions: boolean;
  /** Whether it serves read-only clients alone. */
  readonly isReadOnly: boolean;
}

/** What becomes of a connection's first frame. */
export type HandshakeOutcome =
  /** Closed without an answer. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** Answered with a timeout of 0, then closed: the session is gone. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'renewed'; readonly session: Session }
  /** It comes back to a replica that does not judge sessions: the leader is to be asked. */
  | { readonly kind: 'asked'; readonly idHi: number; readonly idLo: number }
  /** A new session: its createSession is the caller's to propose. */
  | { readonly kind: 'new' };

/**
 * Judges a ConnectRequest (ZB 1.2, `ZooKeeperServer.processConnectRequest`). Owns the rules of the
 * handshake; changes nothing but the negotiated values of the connection.
 *
 * @throws JuteError when the bytes are not a ConnectRequest
 */
export function judgeHandshake(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  judge: HandshakeJudge,
): HandshakeOutcome {
  const request = readConnectRequest(reader);
  const { config } = state;
  connection.hasReadOnlyField = request.readOnly !== null;
  connection.sessionTimeoutMs = Math.min(
    Math.max(request.timeOut, config.minSessionTimeoutMs),
    config.maxSessionTimeoutMs,
  );
  if (judge.isReadOnly && request.readOnly !== true) {
    return { kind: 'refused', reason: 'there is no leader, and it is no read-only client' };
  }
  if (request.lastZxidSeen > state.lastProcessedZxid) {
    const seen = `0x${request.lastZxidSeen.toString(16)}`;
    const own = `0x${state.lastProcessedZxid.toString(16)}`;
    return { kind: 'refused', reason: `it has seen zxid ${seen}, beyond our ${own}` };
  }
  return judgeSession(state, request, judge);
}

function judgeSession(
  state: ReplicaState,
  request: ConnectRequest,
  judge: HandshakeJudge,
): HandshakeOutcome {
  const { sessionIdHi, sessionIdLo } = request;
  if (sessionIdHi === 0 && sessionIdLo === 0) return judgeNew(state, judge);
  const session = state.sessions.get(sessionIdHi, sessionIdLo);
  if (judge.isReadOnly && session?.isLocal === false) {
    return { kind: 'refused', reason: 'its session is renewed only where there is a leader' };
  }
  // ZooKeeper closes the session's other connection before it looks at the password; we do not let
  // somebody without it do that.
  if (!isSessionPassword(sessionIdHi, sessionIdLo, request.passwd)) return { kind: 'expired' };
  if (!judge.judgesSessions && session?.isLocal !== true) {
    return { kind: 'asked', idHi: sessionIdHi, idLo: sessionIdLo };
  }
  if (session === undefined || session.closing) return { kind: 'expired' };
  return { kind: 'renewed', session };
}

/** Without a leader only sessions of this replica's own can begin. */
function judgeNew({ config }: ReplicaState, { isReadOnly }: HandshakeJudge): HandshakeOutcome {
  if (!isReadOnly || config.ensemble?.localSessionsEnabled === true) return { kind: 'new' };
  return { kind: 'refused', reason: 'there is no leader, and localSessionsEnabled is false' };
}

/** Writes the answer for a session that lives, or with null for one that does not. */
export function writeHandshakeAnswer(
  writer: JuteWriter,
  connection: ClientConnection,
  session: Session | null,
  isReadOnly: boolean,
): void {
  password.fill(0);
  if (session !== null) writeSessionPassword(session.idHi, session.idLo, password, 0);
  const frame = writer.beginFrame();
  writeConnectResponse(writer, {
    protocolVersion: 0,
    timeOut: session === null ? 0 : connection.sessionTimeoutMs,
    sessionIdHi: session?.idHi ?? 0,
    sessionIdLo: session?.idLo ?? 0,
    passwd: password,
    readOnly: connection.hasReadOnlyField ? isReadOnly : null,
  });
  writer.endFrame(frame);
}

const password = new Uint8Array(passwordBytes);
