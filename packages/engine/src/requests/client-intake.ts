import {
  type Acl,
  assert,
  ErrorCode,
  type EventType,
  type FrameReceiver,
  JuteReader,
  JuteWriter,
  OpCode,
  Perms,
} from '@meerkat/protocol';
import type { Clock, ConnectionId, Network } from '../ports.ts';
import type { Session } from '../sessions/session.ts';
import { isPermitted } from './access.ts';
import type { DigestHash } from './authenticate.ts';
import { Backpressure, type Load } from './backpressure.ts';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { HeardSessions } from './heard-sessions.ts';
import { writeNotification } from './notification.ts';
import type { ReplicaState } from './replica-state.ts';
import { ReplyWriter } from './reply-writer.ts';
import { type DispatchHost, RequestDispatcher, requestHeaderBytes } from './request-dispatcher.ts';
import { RequestThrottle } from './request-throttle.ts';
import { ServerCounters } from './server-counters.ts';
import { type OpeningHost, SessionOpening } from './session-opening.ts';
import type { EventSink } from './transaction-applier.ts';
import { TurnClock } from './turn-clock.ts';
import type { ReplySink } from './write-pipeline.ts';
import type { WriteRoute } from './write-route.ts';

/** What the intake asks of its replica. */
export interface IntakeHost {
  readonly network: Network;
  readonly clock: Clock;
  readonly digestHash: DigestHash;
  /** Whether one more session may be created or renewed now (`BlueThrottle.java`). */
  admitSession(isRenewal: boolean): boolean;
  /** Something a client did that is worth a line, once per kind. */
  notice(kind: string, connection: ClientConnection, detail: string): void;
}

/**
 * Client connections: bytes become frames, the first frame of each a session, all others requests
 * (`NIOServerCnxn`, `ZooKeeperServer.processConnectRequest`).
 *
 * Owns the connections and how much each may have under way; passes watch events and the answers to applied
 * transactions on. How a connection comes to its session is `session-opening.ts`; what a request means is the dispatcher's.
 */
export class ClientIntake
  implements FrameReceiver, ReplySink, EventSink, DispatchHost, OpeningHost, Load
{
  readonly connections: ConnectionTable;
  readonly replies: ReplyWriter;
  readonly counters: ServerCounters = new ServerCounters();
  readonly clock: TurnClock;
  /** Sessions that were heard of since the leader was told. */
  readonly heard: HeardSessions;
  readonly digestHash: DigestHash;
  /** Whether sessions are taken: a member of an ensemble without a leader takes none. */
  isServing = false;
  readonly #state: ReplicaState;
  readonly #host: IntakeHost;
  readonly #reader = new JuteReader();
  readonly #sessionReader = new JuteReader();
  #current: ClientConnection | null = null;
  /** Clients have read enough to be answered further, and this turn had no time for them. */
  #hasLeftStalled = false;
  #isReadOnly = false;
  readonly #backpressure: Backpressure;
  readonly #throttle: RequestThrottle;
  readonly #dispatcher: RequestDispatcher;
  readonly #opening: SessionOpening;

  constructor(state: ReplicaState, host: IntakeHost) {
    this.#state = state;
    this.#host = host;
    this.connections = new ConnectionTable(state.watches, state.limits.frameBytesMax);
    this.heard = new HeardSessions(state.sessions, this.connections);
    this.#backpressure = new Backpressure(host.network, state.limits, this);
    this.#throttle = new RequestThrottle(state.config.requestThrottle);
    this.replies = new ReplyWriter(state, host.network, (slow) => this.#onSlow(slow));
    this.clock = new TurnClock(host.clock);
    this.digestHash = host.digestHash;
    this.#dispatcher = new RequestDispatcher(state, this);
    this.#opening = new SessionOpening(state, this, this.#dispatcher);
  }

  /** Requests that have come and are not answered. */
  get inProcess(): number {
    return this.#dispatcher.inProcess;
  }

  /** Bytes of transactions that are not durable yet. */
  get pendingBytes(): number {
    return this.#dispatcher.pendingBytes;
  }

  /** Whether only those are served who ask for reads: there is no leader. */
  get isReadOnly(): boolean {
    return this.isServing && this.#isReadOnly;
  }

  /** Where writes go; set once the log is open. */
  usePipeline(pipeline: WriteRoute): void {
    this.#isReadOnly = pipeline.isReadOnly;
    this.#dispatcher.usePipeline(pipeline);
  }

  /**
   * Serves nobody any more: the connections are closed, and what was under way is forgotten. Sessions live on,
   * but those that were not agreed on.
   */
  stopServing(): void {
    this.isServing = false;
    this.heard.clear();
    for (const connection of Array.from(this.connections.all())) this.close(connection);
    const { sessions } = this.#state;
    for (const session of Array.from(sessions.all())) {
      session.closing = false;
      session.newestPendingSequence = 0;
      session.owner = null;
      if (!session.committed) sessions.remove(session.idHi, session.idLo);
    }
  }

  opened(options: { id: ConnectionId; address: string; port: number; secure: boolean }): void {
    this.connections.add({ ...options, openedMs: this.#host.clock.monotonicMs() });
  }

  /** Bytes from a client, valid during the call. */
  received(id: ConnectionId, bytes: Uint8Array, start: number, end: number): void {
    const connection = this.connections.get(id);
    if (connection === undefined || connection.phase === ConnectionPhase.closed) return;
    this.#current = connection;
    this.clock.look();
    connection.frames.push(bytes, start, end, this);
    this.#backpressure.check(connection);
  }

  /** The connection is gone, for whatever reason. */
  closed(id: ConnectionId): void {
    const connection = this.connections.get(id);
    if (connection === undefined) return;
    this.counters.connectionsEnded++;
    this.#backpressure.forget(connection);
    this.#dispatcher.waiting.forget(connection);
    this.replies.forget(connection);
    this.connections.remove(connection);
    const { session } = connection;
    if (session?.isHeard === true && !session.isLocal && !this.#dispatcher.judgesSessions)
      this.heard.noteGone(session);
  }

  /** Transactions are about to be applied and answered: looks at the clock. */
  beginCommit(): void {
    this.clock.look();
  }

  /** The end of a turn: replies leave, and who was paused may go on. */
  flush(): void {
    if (this.#throttle.size > 0) this.#runThrottled();
    this.replies.flush();
    this.#dispatcher.waiting.beginTurn();
    this.#hasLeftStalled = false;
    if (this.#dispatcher.waiting.stalled.size > 0) this.#goOnWithStalled();
    this.#backpressure.resume();
    if (this.connections.hasLeavingWatches) this.connections.removeSomeWatches();
  }

  /** Whether the turn left work for the next one, which is to come at once. */
  get hasMoreWork(): boolean {
    const { hasSpentTurn } = this.#dispatcher.waiting;
    return hasSpentTurn || this.#hasLeftStalled || this.connections.hasLeavingWatches;
  }

  /** Whether somebody waits until a client has read more: flush again soon. */
  get awaitsReaders(): boolean {
    return this.#dispatcher.waiting.stalled.size > 0 || this.#backpressure.awaitsReaders;
  }

  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const connection = this.#connection();
    connection.stats.received++;
    this.counters.received++;
    this.counters.receivedBytes += end - start + frameLengthBytes;
    if (connection.phase === ConnectionPhase.handshake) {
      this.#opening.begin(connection, bytes, start, end);
    } else if (connection.phase === ConnectionPhase.establishing) {
      const isWrite = true;
      this.#dispatcher.waiting.defer(connection, bytes, start, end, this.clock.nowMs, isWrite);
    } else if (this.#isTooLarge(end - start)) {
      this.counters.largeRequestsRejected++;
      this.refuse(connection, 'large-request', `a request of ${end - start} bytes`);
    } else if (this.#throttle.mustWait(this.inProcess)) {
      this.counters.throttleWaits++;
      this.#throttle.push(connection, bytes, start, end, this.clock.nowMs);
      this.#backpressure.pause(connection);
    } else {
      this.#dispatcher.dispatch(connection, bytes, start, end, this.clock.nowMs, false);
    }
    return connection.phase !== ConnectionPhase.closed;
  }

  onBadLength(length: number): void {
    this.refuse(this.#connection(), 'frame-length', `a frame of ${length} bytes was announced`);
  }

  /** Ends a session from the server's side: its time is over, or an operator wants it. */
  closeSession(session: Session): void {
    if (session.closing) return;
    this.clock.look();
    const connection = this.connections.bySession(session) ?? null;
    if (session.isLocal) {
      this.#state.sessions.remove(session.idHi, session.idLo);
      if (connection !== null) this.close(connection);
      return;
    }
    if (connection !== null) connection.expiring = true;
    this.#dispatcher.submit(
      connection,
      session,
      0,
      OpCode.closeSession,
      this.#sessionReader.reset(none, 0, 0),
    );
  }

  /** See `DispatchHost`. */
  endLocalSession(connection: ClientConnection, session: Session, xid: number): void {
    this.#state.sessions.remove(session.idHi, session.idLo);
    const { lastProcessedZxid } = this.#state;
    this.replies.header(connection, xid, lastProcessedZxid, ErrorCode.ok);
    this.#dispatcher.answered(connection, xid, OpCode.closeSession, this.clock.nowMs);
    this.close(connection);
  }

  /** Deletes a container or TTL znode that nobody needs. */
  deleteContainer(path: string): void {
    this.clock.look();
    const body = new JuteWriter(path.length + 8);
    body.writeString(path);
    this.#dispatcher.submit(
      null,
      null,
      0,
      OpCode.deleteContainer,
      this.#sessionReader.reset(body.bytes, 0, body.length),
    );
  }

  /** See `ReplySink`: a transaction was applied; its connection hears of it, then what waited runs. */
  onWriteApplied(
    connection: ClientConnection,
    xid: number,
    type: OpCode,
    error: ErrorCode,
    body: JuteWriter,
    receivedMs: number,
  ): void {
    if (connection.phase === ConnectionPhase.closed) {
      return this.#opening.onAppliedAfterLoss(connection);
    }
    if (error === ErrorCode.sessionMoved) return this.close(connection);
    if (type === OpCode.createSession) {
      // An upgraded session has its answer since long.
      if (connection.phase === ConnectionPhase.establishing) this.#opening.establish(connection);
    } else if (!(type === OpCode.closeSession && connection.expiring)) {
      const writer = this.replies.outbox(connection);
      const frame = this.replies.begin(writer, xid, this.#state.lastProcessedZxid);
      if (error === ErrorCode.ok) writer.writeBytes(body.bytes, 0, body.length);
      const isWrite = true;
      this.replies.end(writer, frame, error, isWrite);
      this.#dispatcher.answered(connection, xid, type, receivedMs);
      this.replies.collected(body.length);
    }
    if (type === OpCode.closeSession) this.close(connection);
    else if (connection.deferredCount > 0) this.#dispatcher.waiting.drain(connection);
  }

  /** See `EventSink`: a watch event, for those who may read the znode. */
  deliver(
    watcher: number,
    type: EventType,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: number,
    acl: readonly Acl[],
  ): void {
    const connection = this.connections.bySlot(watcher);
    if (connection === null || connection.phase !== ConnectionPhase.open) return;
    const { skipAcl } = this.#state.config;
    if (!skipAcl && !isPermitted(acl, Perms.read, connection.authIds)) return;
    const writer = this.replies.outbox(connection);
    const before = writer.length;
    writeNotification(writer, type, bytes, start, end, zxid);
    this.counters.watchBytes += writer.length - before - frameLengthBytes;
    this.replies.framesSent++;
    connection.stats.sent++;
    this.replies.collected(end - start);
  }

  /** The answer to `WriteRoute.revalidate`: the session lives, or null. */
  revalidated(connection: ClientConnection, session: Session | null): void {
    this.#opening.revalidated(connection, session);
  }

  /** See `ReplySink`: its connection, if there is one here, has nothing left to be told. */
  onSessionEnding(sessionHi: number, sessionLo: number): void {
    const session = this.#state.sessions.get(sessionHi, sessionLo);
    const connection = session === undefined ? undefined : this.connections.bySession(session);
    if (connection !== undefined) this.close(connection);
  }

  /** See `OpeningHost`. */
  admitSession(isRenewal: boolean): boolean {
    return this.#host.admitSession(isRenewal);
  }

  /** See `DispatchHost`. */
  notice(kind: string, connection: ClientConnection, detail: string): void {
    this.#host.notice(kind, connection, detail);
  }

  /** Counted, said once, closed without an answer. */
  refuse(connection: ClientConnection, kind: string, detail: string): void {
    this.counters.connectionsRefused++;
    this.#host.notice(kind, connection, detail);
    this.close(connection);
  }

  /** Closes behind what has been written so far. */
  close(connection: ClientConnection): void {
    if (connection.phase === ConnectionPhase.closed) return;
    this.replies.sendNow(connection);
    this.#host.network.close(connection.id);
    this.closed(connection.id);
  }

  /** `largeRequestThreshold` and `largeRequestMaxBytes` (`checkRequestSizeWhenReceivingMessage`). */
  #isTooLarge(length: number): boolean {
    const { largeRequestThresholdBytes, largeRequestBytesMax } = this.#state.config;
    if (largeRequestThresholdBytes < 0 || length <= largeRequestThresholdBytes) return false;
    return this.#dispatcher.pipeline.largeBytes + length > largeRequestBytesMax;
  }

  /** Goes on with requests that the throttle held back, as far as there is room. */
  #runThrottled(): void {
    this.clock.look();
    while (this.#throttle.hasReady(this.inProcess)) {
      const request = this.#throttle.shift();
      const { connection, bytes, receivedMs } = request;
      const type =
        this.#reader.reset(bytes, 0, bytes.length).remaining < requestHeaderBytes
          ? 0
          : typeOf(bytes);
      const verdict = this.#throttle.judge(request, type, this.clock.nowMs);
      if (verdict === 'drop') {
        this.counters.staleRequestsDropped++;
        this.close(connection);
        continue;
      }
      this.#current = connection;
      this.#dispatcher.isOverdue = verdict === 'refuse';
      this.#dispatcher.dispatch(connection, bytes, 0, bytes.length, receivedMs, false);
      this.#dispatcher.isOverdue = false;
    }
  }

  /**
   * Reads that waited until their client had read the answers before: a slice of them, for the system may
   * take answers as fast as they come, above all for a client that is gone.
   */
  #goOnWithStalled(): void {
    this.clock.look();
    const { stalled } = this.#dispatcher.waiting;
    const endMs = this.#host.clock.monotonicMs() + this.#state.limits.sliceMs;
    // One that stalls again is behind all others then: each has its turn.
    let left = stalled.size;
    for (const connection of stalled) {
      if (left-- === 0 || this.#dispatcher.waiting.hasSpentTurn) return;
      for (let rounds = 0; rounds < roundsPerTurn; rounds++) {
        if (!connection.isStalled || this.#backpressure.isSlow(connection)) break;
        if (this.#dispatcher.waiting.hasSpentTurn) return;
        this.#dispatcher.waiting.goOn(connection);
        this.replies.sendNow(connection);
        if (this.#host.clock.monotonicMs() < endMs) continue;
        this.#hasLeftStalled = true;
        return;
      }
    }
  }

  /** The client does not take its replies as fast as it asks: it is not read from, in the end cut. */
  #onSlow(connection: ClientConnection): void {
    const unsent = this.#host.network.unsentBytes(connection.id);
    if (this.#backpressure.mustCut(connection, unsent)) {
      this.counters.slowClientsCut++;
      this.#host.notice('slow-client', connection, `${unsent} bytes wait for it`);
      this.#host.network.destroy(connection.id);
      this.closed(connection.id);
    } else if (this.#backpressure.isSlow(connection)) {
      this.#backpressure.pause(connection);
    }
  }

  #connection(): ClientConnection {
    assert(this.#current !== null, 'a connection is being served');
    return this.#current;
  }
}

/** The operation code of a request that has a whole header. */
function typeOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(4);
}

/** Times `unreadBytesMax` that one connection is answered in a turn, when its client reads that fast. */
const roundsPerTurn = 16;
/** The length before each frame. */
const frameLengthBytes = 4;
const none = new Uint8Array(0);
