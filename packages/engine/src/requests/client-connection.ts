import { FrameDecoder, type Id, type JuteWriter } from '@meerkat/protocol';
import type { ConnectionId } from '../ports.ts';
import type { Session } from '../sessions/session.ts';
import { DeferredRequests } from './deferred-requests.ts';

/** How far a connection has come. */
export const ConnectionPhase = {
  /** Nothing but a ConnectRequest is expected. */
  handshake: 0,
  /** The createSession is on its way; nothing is read. */
  establishing: 1,
  /** Requests are served. */
  open: 2,
  /** Being closed; what arrives is ignored. */
  closed: 3,
} as const;

/** One of the phases. */
export type ConnectionPhase = (typeof ConnectionPhase)[keyof typeof ConnectionPhase];

/**
 * One client connection as the replica sees it. Owns what belongs to the connection and not to the
 * session: identities, watches (by `slot`), replies under way and requests that wait.
 */
export class ClientConnection {
  readonly id: ConnectionId;
  /** Dense number, reused after the connection is gone: the watcher's number in the watch table. */
  readonly slot: number;
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
  phase: ConnectionPhase = ConnectionPhase.handshake;
  session: Session | null = null;
  /** Negotiated, before the session exists. */
  sessionTimeoutMs = 0;
  /** Whether the client's handshake has the read-only field, and so the answer. */
  hasReadOnlyField = false;
  /** Who the client is: its address, then what it has proved. */
  authIds: Id[];
  /** Transactions of this connection that are not applied yet. */
  pendingWrites = 0;
  /** Number of its newest pending transaction, in the order of the log. */
  newestPendingSequence = 0;
  /** Requests that wait for its own transactions; null while none ever did. */
  deferred: DeferredRequests | null = null;
  /** How many requests wait. */
  deferredCount = 0;
  /** How many of them may be writes, and hold back the writes behind them. */
  deferredWrites = 0;
  /** The first that waits could run, but the client has to read first. */
  isStalled = false;
  /** The start of a frame whose end has not come yet; null between frames. */
  readonly frames: FrameDecoder;
  /** Replies of this turn; null while there are none. */
  outbox: JuteWriter | null = null;
  /** Its session is being closed by the server: there is nobody to answer. */
  expiring = false;
  /** Whether the replica has stopped reading from it. */
  paused = false;
  /** Bytes that wait for the client, as last looked at; 0 unless it is slow. */
  slowBytes = 0;
  /** Since when, for `cons`: monotonic ms. */
  readonly openedMs: number;
  readonly stats: ConnectionStats = {
    received: 0,
    sent: 0,
    answered: 0,
    lastType: null,
    lastXid: 0,
    lastZxid: -1,
    lastResponseMs: 0,
    lastLatencyMs: 0,
    minLatencyMs: Infinity,
    maxLatencyMs: 0,
    totalLatencyMs: 0,
  };

  constructor(options: {
    id: ConnectionId;
    slot: number;
    address: string;
    port: number;
    secure: boolean;
    openedMs: number;
    frameBytesMax: number;
  }) {
    this.frames = new FrameDecoder(options.frameBytesMax);
    this.id = options.id;
    this.slot = options.slot;
    this.address = options.address;
    this.port = options.port;
    this.secure = options.secure;
    this.openedMs = options.openedMs;
    this.authIds = [{ scheme: 'ip', id: options.address }];
  }

  /** The queue of waiting requests, made when first needed. */
  deferredRequests(): DeferredRequests {
    this.deferred ??= new DeferredRequests();
    return this.deferred;
  }
}

/** What `cons` and `stat` tell of a connection. */
export interface ConnectionStats {
  received: number;
  sent: number;
  answered: number;
  /** Operation code of the newest answer; null before the first. */
  lastType: number | null;
  lastXid: number;
  lastZxid: number;
  lastResponseMs: number;
  lastLatencyMs: number;
  minLatencyMs: number;
  maxLatencyMs: number;
  totalLatencyMs: number;
}
