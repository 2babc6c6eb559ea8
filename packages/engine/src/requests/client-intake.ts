import {
  type Acl,
  assert,
  ErrorCode,
  type EventType,
  type FrameReceiver,
  JuteError,
  JuteReader,
  JuteWriter,
  OpCode,
  Perms,
  SpecialXid,
} from '@meerkat/protocol';
import type { Clock, ConnectionId, Network } from '../ports.ts';
import type { Session } from '../sessions/session.ts';
import { isPermitted } from './access.ts';
import { authenticate, type DigestHash } from './authenticate.ts';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { judgeHandshake, writeHandshakeAnswer } from './handshake.ts';
import { writeNotification } from './notification.ts';
import { findReadOperation } from './read-table.ts';
import type { ReplicaState } from './replica-state.ts';
import { ReplyWriter } from './reply-writer.ts';
import { ServerCounters } from './server-counters.ts';
import type { EventSink } from './transaction-applier.ts';
import { setWatches } from './watch-operations.ts';
import type { ReplySink, WritePipeline, WriteRequest } from './write-pipeline.ts';

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
 * What clients send: frames become requests, requests become reads, answered at once from what is
 * applied, or writes, which go into the pipeline (`NIOServerCnxn`, `ZooKeeperServer.processPacket`,
 * `FinalRequestProcessor`).
 *
 * Owns the connections and the order of each one's replies: a read behind a write of the same
 * connection waits for it. Nothing a client sends gets further than an error or a closed connection.
 */
export class ClientIntake implements FrameReceiver, ReplySink, EventSink {
  readonly connections: ConnectionTable;
  readonly replies: ReplyWriter;
  readonly counters: ServerCounters = new ServerCounters();
  #pipeline: WritePipeline | null = null;
  readonly #state: ReplicaState;
  readonly #host: IntakeHost;
  readonly #reader = new JuteReader();
  readonly #sessionReader = new JuteReader();
  readonly #sessionBody = new JuteWriter(4);
  readonly #write: WriteRequest;
  #current: ClientConnection | null = null;
  #nowMs = 0;
  #wallMs = 0;
  /** Connections that are not read from since too much is under way. */
  readonly #paused = new Set<ClientConnection>();
  #deferredCount = 0;
  readonly #runDeferred = (
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
  ): void => this.#dispatch(this.#connection(), bytes, start, end, receivedMs, true);

  constructor(state: ReplicaState, host: IntakeHost) {
    this.#state = state;
    this.#host = host;
    this.connections = new ConnectionTable(state.watches, state.limits.frameBytesMax);
    this.replies = new ReplyWriter(state, host.network, (slow) => this.#onSlow(slow));
    this.#write = {
      connection: null,
      sessionHi: 0,
      sessionLo: 0,
      authIds: [],
      xid: 0,
      type: OpCode.error,
      receivedMs: 0,
    };
  }

  /** Requests that have come and are not answered. */
  get inProcess(): number {
    return (this.#pipeline?.pending.count ?? 0) + this.#deferredCount;
  }

  /** Where writes go; set once the log is open. */
  usePipeline(pipeline: WritePipeline): void {
    this.#pipeline = pipeline;
  }

  opened(options: { id: ConnectionId; address: string; port: number; secure: boolean }): void {
    this.connections.add({ ...options, openedMs: this.#host.clock.monotonicMs() });
  }

  /** Bytes from a client, valid during the call. */
  received(id: ConnectionId, bytes: Uint8Array, start: number, end: number): void {
    const connection = this.connections.get(id);
    if (connection === undefined || connection.phase === ConnectionPhase.closed) return;
    this.#current = connection;
    this.#nowMs = this.#host.clock.monotonicMs();
    this.#wallMs = this.#host.clock.wallMs();
    connection.frames.push(bytes, start, end, this);
    if (
      this.inProcess > this.#state.limits.outstandingRequestsMax ||
      this.#isOverfull(connection)
    ) {
      this.#pause(connection);
    }
  }

  /** The connection is gone, for whatever reason. */
  closed(id: ConnectionId): void {
    const connection = this.connections.get(id);
    if (connection === undefined) return;
    this.#paused.delete(connection);
    this.#deferredCount -= connection.deferredCount;
    connection.deferred = null;
    connection.deferredCount = 0;
    this.replies.forget(connection);
    this.connections.remove(connection);
  }

  /** The end of a turn: replies leave, and who was paused may go on. */
  flush(): void {
    this.replies.flush();
    if (this.#paused.size > 0) this.#resume();
    if (this.connections.hasLeavingWatches) this.connections.removeSomeWatches();
  }

  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const connection = this.#connection();
    connection.stats.received++;
    this.counters.received++;
    if (connection.phase === ConnectionPhase.handshake) {
      this.#handshake(connection, bytes, start, end);
    } else if (connection.phase === ConnectionPhase.establishing) {
      const isWrite = true;
      this.#defer(connection, bytes, start, end, this.#nowMs, isWrite);
    } else {
      this.#dispatch(connection, bytes, start, end, this.#nowMs, false);
    }
    return connection.phase !== ConnectionPhase.closed;
  }

  onBadLength(length: number): void {
    this.#refuse(this.#connection(), 'frame-length', `a frame of ${length} bytes was announced`);
  }

  /** Ends a session from the server's side: its time is over, or an operator wants it. */
  closeSession(session: Session): void {
    if (session.closing) return;
    this.#nowMs = this.#host.clock.monotonicMs();
    this.#wallMs = this.#host.clock.wallMs();
    const connection = this.connections.bySession(session) ?? null;
    if (connection !== null) connection.expiring = true;
    this.#submit(
      connection,
      session,
      0,
      OpCode.closeSession,
      this.#sessionReader.reset(none, 0, 0),
    );
  }

  /** Deletes a container or TTL znode that nobody needs. */
  deleteContainer(path: string): void {
    this.#wallMs = this.#host.clock.wallMs();
    const body = new JuteWriter(path.length + 8);
    body.writeString(path);
    this.#submit(
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
    if (connection.phase === ConnectionPhase.closed) return;
    if (type === OpCode.createSession) {
      this.#establish(connection);
    } else if (!(type === OpCode.closeSession && connection.expiring)) {
      const writer = this.replies.outbox(connection);
      const frame = this.replies.begin(writer, xid, this.#state.lastProcessedZxid);
      if (error === ErrorCode.ok) writer.writeBytes(body.bytes, 0, body.length);
      this.replies.end(writer, frame, error);
      this.#answered(connection, xid, type, receivedMs);
    }
    if (type === OpCode.closeSession) this.#close(connection);
    else if (connection.deferredCount > 0) this.#drain(connection);
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
    writeNotification(this.replies.outbox(connection), type, bytes, start, end, zxid);
    this.replies.framesSent++;
    connection.stats.sent++;
  }

  #handshake(connection: ClientConnection, bytes: Uint8Array, start: number, end: number): void {
    let outcome: ReturnType<typeof judgeHandshake>;
    try {
      outcome = judgeHandshake(this.#state, connection, this.#reader.reset(bytes, start, end));
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#refuse(connection, 'handshake', error.message);
      return;
    }
    if (outcome.kind === 'refused') return this.#refuse(connection, 'handshake', outcome.reason);
    if (!this.#host.admitSession(outcome.kind === 'renewed')) {
      return this.#refuse(connection, 'throttled', 'too many sessions are asked for');
    }
    if (outcome.kind === 'new') this.#createSession(connection);
    else if (outcome.kind === 'renewed') this.#renew(connection, outcome.session);
    else {
      writeHandshakeAnswer(this.replies.outbox(connection), connection, null);
      this.#close(connection);
    }
  }

  #createSession(connection: ClientConnection): void {
    const session = this.#state.sessions.create(connection.sessionTimeoutMs, this.#nowMs);
    this.connections.attach(connection, session);
    connection.phase = ConnectionPhase.establishing;
    const body = this.#sessionBody.clear();
    body.writeInt(connection.sessionTimeoutMs);
    const reader = this.#sessionReader.reset(body.bytes, 0, body.length);
    this.#submit(connection, session, 0, OpCode.createSession, reader);
  }

  #renew(connection: ClientConnection, session: Session): void {
    const older = this.connections.bySession(session);
    if (older !== undefined) this.#close(older);
    this.connections.attach(connection, session);
    this.#state.sessions.expiry.touch(session, this.#nowMs, connection.sessionTimeoutMs);
    this.#establish(connection);
  }

  #establish(connection: ClientConnection): void {
    assert(connection.session !== null, 'a session was attached');
    connection.phase = ConnectionPhase.open;
    writeHandshakeAnswer(this.replies.outbox(connection), connection, connection.session);
    connection.stats.sent++;
    this.replies.framesSent++;
  }

  /**
   * One request of an open connection.
   *
   * @param wasDeferred it waited for its turn, which is now
   */
  #dispatch(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    wasDeferred: boolean,
  ): void {
    const reader = this.#reader.reset(bytes, start, end);
    if (end - start < requestHeaderBytes) {
      return this.#refuse(connection, 'header', `a request of ${end - start} bytes`);
    }
    const xid = reader.readInt();
    const type = reader.readInt() as OpCode;
    const session = connection.session;
    // Nothing more is accepted from a session that is ending; Java drops such requests as silently.
    if (session === null || session.closing) return;
    this.#state.sessions.expiry.touch(session, this.#nowMs, connection.sessionTimeoutMs);
    if (type === OpCode.ping) {
      this.replies.header(connection, SpecialXid.ping, this.#state.lastProcessedZxid, ErrorCode.ok);
      this.#answered(connection, xid, type, receivedMs);
    } else if (type === OpCode.auth) {
      this.#authenticate(connection, xid, reader);
    } else if (isWrite(type)) {
      if (connection.deferredWrites > 0 && !wasDeferred) {
        this.#defer(connection, bytes, start, end, receivedMs, true);
      } else {
        this.#submitRequest(connection, session, xid, type, reader, wasDeferred, receivedMs);
      }
    } else if (!wasDeferred && (connection.pendingWrites > 0 || connection.deferredCount > 0)) {
      this.#defer(connection, bytes, start, end, receivedMs, false);
    } else {
      this.#read(connection, xid, type, reader, receivedMs);
    }
  }

  #submitRequest(
    connection: ClientConnection,
    session: Session,
    xid: number,
    type: OpCode,
    reader: JuteReader,
    wasDeferred: boolean,
    receivedMs: number,
  ): void {
    const { bytes, end } = reader;
    const start = reader.position - requestHeaderBytes;
    try {
      this.#submit(connection, session, xid, type, reader, receivedMs);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      // Its place among the replies is behind the writes before it.
      if (!wasDeferred && (connection.pendingWrites > 0 || connection.deferredCount > 0)) {
        this.#defer(connection, bytes, start, end, receivedMs, false);
        return;
      }
      this.counters.malformed++;
      this.#host.notice('malformed', connection, error.message);
      const zxid = this.#state.lastProcessedZxid;
      this.replies.header(connection, xid, zxid, ErrorCode.marshallingError);
      this.#answered(connection, xid, type, receivedMs);
    }
  }

  #submit(
    connection: ClientConnection | null,
    session: Session | null,
    xid: number,
    type: OpCode,
    reader: JuteReader,
    receivedMs: number = this.#nowMs,
  ): void {
    const write = this.#write;
    write.connection = connection;
    write.sessionHi = session?.idHi ?? 0;
    write.sessionLo = session?.idLo ?? 0;
    write.authIds = connection?.authIds ?? [];
    write.xid = xid;
    write.type = type;
    write.receivedMs = receivedMs;
    assert(this.#pipeline !== null, 'requests come after the start');
    this.#pipeline.prepare(write, reader, this.#wallMs);
  }

  #read(
    connection: ClientConnection,
    xid: number,
    type: OpCode,
    reader: JuteReader,
    receivedMs: number,
  ): void {
    const operation = findReadOperation(type);
    if (operation === undefined && type !== OpCode.setWatches && type !== OpCode.setWatches2) {
      return this.#unknown(connection, xid, type);
    }
    const writer = this.replies.outbox(connection);
    const zxid = this.#state.lastProcessedZxid;
    const before = writer.length;
    let frame = before;
    let error: ErrorCode;
    try {
      if (operation === undefined) {
        const lists = type === OpCode.setWatches ? 3 : 5;
        error = setWatches(this.#state, connection, reader, writer, lists);
        frame = this.replies.begin(writer, xid, zxid);
      } else {
        frame = this.replies.begin(writer, xid, zxid);
        error = operation(this.#state, connection, reader, writer);
      }
    } catch (cause) {
      if (!(cause instanceof JuteError)) throw cause;
      this.counters.malformed++;
      this.#host.notice('malformed', connection, cause.message);
      writer.length = before;
      frame = this.replies.begin(writer, xid, zxid);
      error = ErrorCode.marshallingError;
    }
    this.replies.end(writer, frame, error);
    this.#answered(connection, xid, type, receivedMs);
  }

  /** Java answers with zxid -1 here, and closes (`UnimplementedRequestProcessor.java`). */
  #unknown(connection: ClientConnection, xid: number, type: number): void {
    this.counters.unknownOperations++;
    this.#host.notice('unknown-operation', connection, `operation code ${type}`);
    this.replies.header(connection, xid, -1, ErrorCode.unimplemented);
    this.#close(connection);
  }

  #authenticate(connection: ClientConnection, xid: number, reader: JuteReader): void {
    let error: ErrorCode;
    try {
      error = authenticate(this.#state, connection, reader, this.#host.digestHash);
    } catch (cause) {
      if (!(cause instanceof JuteError)) throw cause;
      return this.#refuse(connection, 'auth-packet', cause.message);
    }
    this.replies.header(connection, xid, 0, error);
    if (error === ErrorCode.ok) return;
    this.counters.authFailures++;
    this.#host.notice('auth-failed', connection, 'the credentials were not accepted');
    this.#close(connection);
  }

  #defer(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    mayBeWrite: boolean,
  ): void {
    const after = connection.newestPendingSequence;
    connection.deferredRequests().push(bytes, start, end, after, receivedMs);
    connection.deferredCount++;
    this.#deferredCount++;
    if (mayBeWrite) connection.deferredWrites++;
  }

  /** Runs what waited for the transaction that has just been applied. */
  #drain(connection: ClientConnection): void {
    const { deferred } = connection;
    const sequence = this.#pipeline?.pending.oldestSequence ?? 0;
    this.#current = connection;
    this.#nowMs = this.#host.clock.monotonicMs();
    while (deferred !== null && connection.deferredCount > 0 && deferred.isReady(sequence)) {
      const newest = connection.newestPendingSequence;
      connection.deferredCount--;
      this.#deferredCount--;
      if (connection.deferredWrites > 0) connection.deferredWrites--;
      deferred.shift(this.#runDeferred);
      if (connection.phase === ConnectionPhase.closed) return;
      // A write among them goes into the pipeline, and those behind it wait for it in turn.
      if (connection.newestPendingSequence !== newest)
        deferred.raise(connection.newestPendingSequence);
    }
  }

  #answered(connection: ClientConnection, xid: number, type: OpCode, receivedMs: number): void {
    const latencyMs = this.#nowMs > receivedMs ? this.#nowMs - receivedMs : 0;
    this.counters.answeredAfter(latencyMs);
    const { stats } = connection;
    stats.sent++;
    stats.lastType = type;
    stats.lastXid = xid;
    stats.lastZxid = this.#state.lastProcessedZxid;
    stats.lastResponseMs = this.#nowMs;
    stats.lastLatencyMs = latencyMs;
    stats.answered++;
    stats.totalLatencyMs += latencyMs;
    if (latencyMs < stats.minLatencyMs) stats.minLatencyMs = latencyMs;
    if (latencyMs > stats.maxLatencyMs) stats.maxLatencyMs = latencyMs;
  }

  /** Counted, said once, closed without an answer. */
  #refuse(connection: ClientConnection, kind: string, detail: string): void {
    this.counters.connectionsRefused++;
    this.#host.notice(kind, connection, detail);
    this.#close(connection);
  }

  /** Closes behind what has been written so far. */
  #close(connection: ClientConnection): void {
    if (connection.phase === ConnectionPhase.closed) return;
    this.replies.sendNow(connection);
    this.#host.network.close(connection.id);
    this.closed(connection.id);
  }

  #isOverfull(connection: ClientConnection): boolean {
    return (connection.deferred?.size ?? 0) > this.#state.limits.deferredBytesMax;
  }

  #pause(connection: ClientConnection): void {
    const outstanding = connection.pendingWrites + connection.deferredCount;
    if (connection.paused || outstanding === 0 || connection.phase === ConnectionPhase.closed)
      return;
    connection.paused = true;
    this.#paused.add(connection);
    this.#host.network.setReading(connection.id, false);
  }

  #resume(): void {
    const hasRoom = this.inProcess <= this.#state.limits.outstandingRequestsMax;
    for (const connection of this.#paused) {
      const unsent = this.#host.network.unsentBytes(connection.id);
      const idle = connection.pendingWrites + connection.deferredCount === 0;
      if ((!hasRoom && !idle) || unsent > resumeUnsentBytes || this.#isOverfull(connection))
        continue;
      connection.paused = false;
      this.#paused.delete(connection);
      this.#host.network.setReading(connection.id, true);
    }
  }

  /** The client does not take its replies as fast as it asks: it is not read from, in the end cut. */
  #onSlow(connection: ClientConnection): void {
    const unsent = this.#host.network.unsentBytes(connection.id);
    if (unsent > this.#state.limits.unsentBytesMax) {
      this.counters.slowClientsCut++;
      this.#host.notice('slow-client', connection, `${unsent} bytes wait for it`);
      this.#host.network.destroy(connection.id);
      this.closed(connection.id);
    } else if (unsent > resumeUnsentBytes && !connection.paused) {
      connection.paused = true;
      this.#paused.add(connection);
      this.#host.network.setReading(connection.id, false);
    }
  }

  #connection(): ClientConnection {
    assert(this.#current !== null, 'a connection is being served');
    return this.#current;
  }
}

/** Requests that change something, and so go through the log. Internal ones no client may send. */
function isWrite(type: OpCode): boolean {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
    case OpCode.multi:
    case OpCode.reconfig:
    case OpCode.closeSession:
      return true;
    default:
      return false;
  }
}

/** xid and type. */
const requestHeaderBytes = 8;
/** Bytes that a client may leave unread before it is not read from. */
const resumeUnsentBytes = 1024 * 1024;
const none = new Uint8Array(0);
