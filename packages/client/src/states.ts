import type { SessionId } from './ids.ts';

/**
 * Where a client stands. It begins `connecting`; `expired`, `closed` and `authFailed` are final.
 *
 * ```
 * connecting ──> connected | connectedReadOnly        a server took the session
 * connected, connectedReadOnly ──> disconnected       the connection was lost; dialing goes on by itself
 * disconnected ──> connected | connectedReadOnly      the same session goes on (connectedReadOnly may change it)
 * disconnected ──> expired                            a server said so, or 4/3 of the timeout went by unheard
 * connecting ──> expired                              the session given in the options is no more
 * any but the final ones ──> authFailed               a server refused credentials: of `auth`, `addAuth` or `sasl`
 * any but the final ones ──> closed                   `close()`
 * ```
 *
 * In `disconnected` nobody knows whether the session still lives: a lock holder must stop its work.
 */
export type ConnectionState =
  | ConnectingState
  | ConnectedState
  | DisconnectedState
  | ExpiredState
  | ClosedState
  | AuthFailedState;

/** No server has taken the session yet; servers are dialed in turn, for ever. */
export interface ConnectingState {
  readonly status: 'connecting';
}

/** A server serves the session; read-only when that server has lost its ensemble. */
export interface ConnectedState {
  readonly status: 'connected' | 'connectedReadOnly';
  /** The session's id, as ZooKeeper's logs and `ephemeralOwner` show it. */
  readonly sessionId: SessionId;
  /** The timeout that the server granted, ms. */
  readonly sessionTimeoutMs: number;
  /** The server, `host:port`. */
  readonly server: string;
  /** True when the session goes on from an earlier connection. */
  readonly resumed: boolean;
}

/** The connection was lost; the client is dialing. */
export interface DisconnectedState {
  readonly status: 'disconnected';
  /** Why. */
  readonly cause: Error;
}

/** The session is over: its ephemeral znodes and watches are gone. Connect anew. */
export interface ExpiredState {
  readonly status: 'expired';
  /** `server`: a server said so. `client`: nothing was heard for 4/3 of the session timeout. */
  readonly by: 'server' | 'client';
}

/** `close()` was called. */
export interface ClosedState {
  readonly status: 'closed';
}

/** A server refused the credentials; dialing again would not help. */
export interface AuthFailedState {
  readonly status: 'authFailed';
  /** Why, when it was SASL. */
  readonly cause?: Error;
}

/** True for the states that nothing follows. */
export function isFinal(state: ConnectionState): boolean {
  return state.status === 'expired' || state.status === 'closed' || state.status === 'authFailed';
}

/** True when a server serves the session. */
export function isConnected(state: ConnectionState): state is ConnectedState {
  return state.status === 'connected' || state.status === 'connectedReadOnly';
}
