import {
  assert,
  ErrorCode,
  JuteError,
  JuteReader,
  JuteWriter,
  OpCode,
  SpecialXid,
} from '@meerkat/protocol';
import type { Session } from '../sessions/session.ts';
import { authenticate, type DigestHash } from './authenticate.ts';
import type { ClientConnection } from './client-connection.ts';
import { createsEphemeral } from './local-session-rules.ts';
import { findReadOperation } from './read-table.ts';
import type { ReplicaState } from './replica-state.ts';
import type { ReplyWriter } from './reply-writer.ts';
import { isLong, isWrite } from './request-kinds.ts';
import type { ServerCounters } from './server-counters.ts';
import type { TurnClock } from './turn-clock.ts';
import { type WaitingHost, WaitingRequests } from './waiting-requests.ts';
import { setWatches } from './watch-operations.ts';
import type { WriteRequest, WriteRoute } from './write-route.ts';

/** What the dispatcher asks of the intake. */
export interface DispatchHost {
  readonly digestHash: DigestHash;
  readonly replies: ReplyWriter;
  readonly counters: ServerCounters;
  readonly clock: TurnClock;
  /** Something a client did that is worth a line, once per kind. */
  notice(kind: string, connection: ClientConnection, detail: string): void;
  /** Closes behind what has been written so far. */
  close(connection: ClientConnection): void;
  /** A local session asked for its end: it is answered and gone. */
  endLocalSession(connection: ClientConnection, session: Session, xid: number): void;
  /** Counted, said once, closed without an answer. */
  refuse(connection: ClientConnection, kind: string, detail: string): void;
}

/**
 * Requests of open connections: a read is answered at once from what is applied, a write goes into the
 * pipeline (`ZooKeeperServer.processPacket`, `FinalRequestProcessor`).
 *
 * Owns the order of each connection's replies: a read behind a write of the same connection waits for it
 * (`waiting-requests.ts`). Nothing a client sends gets further than an error or a closed connection.
 */
export class RequestDispatcher implements WaitingHost {
  /** Requests that cannot be answered yet. */
  readonly waiting: WaitingRequests;
  readonly #state: ReplicaState;
  readonly #host: DispatchHost;
  readonly #reader = new JuteReader();
  readonly #write: WriteRequest;
  #pipeline: WriteRoute | null = null;
  /** The request being run waited too long in the throttle: it is answered THROTTLEDOP. */
  isOverdue = false;
  constructor(state: ReplicaState, host: DispatchHost) {
    this.#state = state;
    this.#host = host;
    this.waiting = new WaitingRequests(this, state.limits.unreadBytesMax);
    this.#write = {
      connection: null,
      sessionHi: 0,
      sessionLo: 0,
      authIds: [],
      xid: 0,
      type: OpCode.error,
      receivedMs: 0,
      largeBytes: 0,
      owner: null,
    };
  }

  /** Where writes go; set once the log is open. */
  get pipeline(): WriteRoute {
    assert(this.#pipeline !== null, 'requests come after the start');
    return this.#pipeline;
  }

  /** See `WaitingHost`. */
  get pending(): WriteRoute['pending'] {
    return this.pipeline.pending;
  }

  /** See `WaitingHost`. */
  get replies(): ReplyWriter {
    return this.#host.replies;
  }

  /** See `WaitingHost`. */
  goOnWith(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    error: ErrorCode,
  ): void {
    if (error === ErrorCode.ok) this.dispatch(connection, bytes, start, end, receivedMs, true);
    else this.#answerError(connection, bytes, start, receivedMs, error);
  }

  /** Whether this replica judges sessions, or nobody yet. */
  get judgesSessions(): boolean {
    return this.#pipeline?.judgesSessions ?? true;
  }

  usePipeline(pipeline: WriteRoute): void {
    this.#pipeline = pipeline;
  }

  /** Bytes of transactions that are not durable yet. */
  get pendingBytes(): number {
    return this.#pipeline?.pendingBytes ?? 0;
  }

  /** Requests that have come and are not answered. */
  get inProcess(): number {
    return (this.#pipeline?.pending.count ?? 0) + this.waiting.count;
  }

  /**
   * One request of an open connection.
   *
   * @param wasDeferred it waited for its turn, which is now
   */
  dispatch(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    receivedMs: number,
    wasDeferred: boolean,
  ): void {
    const reader = this.#reader.reset(bytes, start, end);
    if (end - start < requestHeaderBytes) {
      return this.#host.refuse(connection, 'header', `a request of ${end - start} bytes`);
    }
    const xid = reader.readInt();
    const type = reader.readInt() as OpCode;
    const session = connection.session;
    if (session === null) return;
    if (session.closing) {
      // Nothing more is accepted from a session that is ending; Java drops such requests as silently.
      // Reads that came before its end was asked for are answered: what is behind it waits for it.
      if (wasDeferred && !isWrite(type)) this.#read(connection, xid, type, reader, receivedMs);
      return;
    }
    this.#state.sessions.expiry.touch(session, this.#host.clock.nowMs, connection.sessionTimeoutMs);
    session.isHeard = true;
    if (this.isOverdue) {
      this.#host.counters.throttledOperations++;
      this.#answerInTurn(connection, bytes, start, receivedMs, ErrorCode.throttledOp);
    } else if (type === OpCode.ping) {
      this.#host.replies.header(
        connection,
        SpecialXid.ping,
        this.#state.lastProcessedZxid,
        ErrorCode.ok,
      );
      this.answered(connection, xid, type, receivedMs);
    } else if (type === OpCode.auth) {
      this.#authenticate(connection, xid, reader);
    } else if (isWrite(type) || (type === OpCode.sync && this.pipeline.preparesSyncs)) {
      if ((connection.deferredWrites > 0 || connection.isStalled) && !wasDeferred) {
        this.waiting.defer(connection, bytes, start, end, receivedMs, true);
      } else if (
        !session.isLocal ||
        !this.#takeOfLocal(connection, session, xid, type, reader, wasDeferred, receivedMs)
      ) {
        this.#submitRequest(connection, session, xid, type, reader, wasDeferred, receivedMs);
      }
    } else if (!wasDeferred && (connection.pendingWrites > 0 || connection.deferredCount > 0)) {
      // Answers to writes cannot wait until all of these have their turn: those writes have to.
      const holdsWrites = isLong(type) && connection.deferredCount >= longDeferredMax;
      this.waiting.defer(connection, bytes, start, end, receivedMs, holdsWrites);
    } else if (!wasDeferred && isLong(type) && this.waiting.hasSpentTurn) {
      this.waiting.defer(connection, bytes, start, end, receivedMs, false);
      this.waiting.stall(connection);
    } else if (!wasDeferred && this.waiting.isAnswered(connection)) {
      this.waiting.defer(connection, bytes, start, end, receivedMs, false);
      this.waiting.stall(connection);
    } else {
      this.#read(connection, xid, type, reader, receivedMs);
    }
  }

  /**
   * What a local session asks for that is not simply proposed: its end, what nobody may ask for without a leader, and
   * ephemerals, which need a session that all know (`QuorumZooKeeperServer.checkUpgradeSession`).
   *
   * @param reader stands at the request's record, and does so again when false is returned
   * @returns whether nothing is left to be done
   */
  #takeOfLocal(
    connection: ClientConnection,
    session: Session,
    xid: number,
    type: OpCode,
    reader: JuteReader,
    wasDeferred: boolean,
    receivedMs: number,
  ): boolean {
    const { bytes, end } = reader;
    const start = reader.position - requestHeaderBytes;
    if (type === OpCode.closeSession) {
      const isInTurn = connection.pendingWrites === 0 && connection.deferredCount === 0;
      if (wasDeferred || isInTurn) this.#host.endLocalSession(connection, session, xid);
      else this.waiting.defer(connection, bytes, start, end, receivedMs, true);
      return true;
    }
    let error: ErrorCode = ErrorCode.ok;
    if (this.pipeline.isReadOnly) error = ErrorCode.notReadOnly;
    else if (!createsEphemeral(type, reader)) return false;
    else if (this.#state.config.ensemble?.localSessionsUpgradingEnabled === true) {
      this.#upgrade(connection, session);
      return false;
    } else if (type === OpCode.multi || this.pipeline.judgesSessions) {
      // Its transaction fails, or one operation of it.
      return false;
    } else error = ErrorCode.ephemeralOnLocalSession;
    if (wasDeferred) this.#answerError(connection, bytes, start, receivedMs, error);
    else this.#answerInTurn(connection, bytes, start, receivedMs, error);
    return true;
  }

  /** The session becomes everybody's, by a transaction before the one that needs that. */
  #upgrade(connection: ClientConnection, session: Session): void {
    this.#state.sessions.upgrade(session);
    const body = new JuteWriter(4);
    body.writeInt(session.timeoutMs);
    const reader = new JuteReader(body.bytes, 0, body.length);
    this.submit(connection, session, 0, OpCode.createSession, reader);
  }

  /** An error that stands already, in line behind the connection's transactions. */
  #answerInTurn(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    receivedMs: number,
    error: ErrorCode,
  ): void {
    if (connection.pendingWrites === 0 && connection.deferredCount === 0) {
      return this.#answerError(connection, bytes, start, receivedMs, error);
    }
    const isWrite = false;
    const end = start + requestHeaderBytes;
    this.waiting.defer(connection, bytes, start, end, receivedMs, isWrite, error);
  }

  /** @param start where the request's header is in `bytes` */
  #answerError(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    receivedMs: number,
    error: ErrorCode,
  ): void {
    const reader = this.#reader.reset(bytes, start, start + requestHeaderBytes);
    const xid = reader.readInt();
    const type = reader.readInt() as OpCode;
    this.#host.replies.header(connection, xid, this.#state.lastProcessedZxid, error);
    this.answered(connection, xid, type, receivedMs);
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
    const { bytes } = reader;
    const start = reader.position - requestHeaderBytes;
    try {
      this.submit(connection, session, xid, type, reader, receivedMs);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#host.counters.malformed++;
      this.#host.notice('malformed', connection, error.message);
      const malformed = ErrorCode.marshallingError;
      if (wasDeferred) this.#answerError(connection, bytes, start, receivedMs, malformed);
      else this.#answerInTurn(connection, bytes, start, receivedMs, malformed);
    }
  }

  /** Gives a write of a client, or of the server itself, to the pipeline. Throws JuteError. */
  submit(
    connection: ClientConnection | null,
    session: Session | null,
    xid: number,
    type: OpCode,
    reader: JuteReader,
    receivedMs: number = this.#host.clock.nowMs,
  ): void {
    const write = this.#write;
    write.connection = connection;
    write.sessionHi = session?.idHi ?? 0;
    write.sessionLo = session?.idLo ?? 0;
    write.authIds = connection?.authIds ?? [];
    write.xid = xid;
    write.type = type;
    write.receivedMs = receivedMs;
    const { largeRequestThresholdBytes } = this.#state.config;
    const isLarge =
      largeRequestThresholdBytes >= 0 && reader.remaining > largeRequestThresholdBytes;
    write.largeBytes = isLarge ? reader.remaining : 0;
    this.pipeline.prepare(write, reader, this.#host.clock.wallMs);
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
      if (type === OpCode.check && this.pipeline.isReadOnly) {
        const start = reader.position - requestHeaderBytes;
        const error = ErrorCode.notReadOnly;
        return this.#answerError(connection, reader.bytes, start, receivedMs, error);
      }
      return this.#unknown(connection, xid, type);
    }
    const writer = this.#host.replies.outbox(connection);
    const zxid = this.#state.lastProcessedZxid;
    const before = writer.length;
    const startMs = isLong(type) ? this.#host.clock.monotonicMs() : -1;
    let frame = before;
    let error: ErrorCode;
    try {
      if (operation === undefined) {
        const lists = type === OpCode.setWatches ? 3 : 5;
        this.waiting.spend(reader.remaining, 0);
        error = setWatches(this.#state, connection, reader, writer, lists);
        frame = this.#host.replies.begin(writer, xid, zxid);
      } else {
        frame = this.#host.replies.begin(writer, xid, zxid);
        error = operation(this.#state, connection, reader, writer);
      }
    } catch (cause) {
      if (!(cause instanceof JuteError)) throw cause;
      this.#host.counters.malformed++;
      this.#host.notice('malformed', connection, cause.message);
      writer.length = before;
      frame = this.#host.replies.begin(writer, xid, zxid);
      error = ErrorCode.marshallingError;
    }
    if (error === ErrorCode.systemError) {
      const { watchCount, pathBytes } = this.#state.watches;
      const detail = `${watchCount} watches on ${pathBytes} bytes of paths are set`;
      this.#host.notice('watches-full', connection, detail);
    }
    this.#host.replies.end(writer, frame, error);
    if (startMs >= 0) this.waiting.spend(0, this.#host.clock.monotonicMs() - startMs);
    this.answered(connection, xid, type, receivedMs);
  }

  /** Java answers with zxid -1 here, and closes (`UnimplementedRequestProcessor.java`). */
  #unknown(connection: ClientConnection, xid: number, type: number): void {
    this.#host.counters.unknownOperations++;
    this.#host.notice('unknown-operation', connection, `operation code ${type}`);
    this.#host.replies.header(connection, xid, -1, ErrorCode.unimplemented);
    this.#host.close(connection);
  }

  #authenticate(connection: ClientConnection, xid: number, reader: JuteReader): void {
    let error: ErrorCode;
    try {
      error = authenticate(this.#state, connection, reader, this.#host.digestHash);
    } catch (cause) {
      if (!(cause instanceof JuteError)) throw cause;
      return this.#host.refuse(connection, 'auth-packet', cause.message);
    }
    this.#host.replies.header(connection, xid, 0, error);
    if (error === ErrorCode.ok) return;
    this.#host.counters.authFailures++;
    this.#host.notice('auth-failed', connection, 'the credentials were not accepted');
    this.#host.close(connection);
  }

  /** Notes that a request was answered, with the reply that was written last. */
  answered(connection: ClientConnection, xid: number, type: OpCode, receivedMs: number): void {
    const latencyMs = this.#host.clock.nowMs > receivedMs ? this.#host.clock.nowMs - receivedMs : 0;
    const { counters, replies } = this.#host;
    counters.answeredAfter(latencyMs, isWrite(type));
    if (type !== OpCode.ping) counters.responseBytes += replies.sizes.last;
    const { stats } = connection;
    stats.sent++;
    stats.lastType = type;
    stats.lastXid = xid;
    stats.lastZxid = this.#state.lastProcessedZxid;
    stats.lastResponseMs = this.#host.clock.nowMs;
    stats.lastLatencyMs = latencyMs;
    stats.answered++;
    stats.totalLatencyMs += latencyMs;
    if (latencyMs < stats.minLatencyMs) stats.minLatencyMs = latencyMs;
    if (latencyMs > stats.maxLatencyMs) stats.maxLatencyMs = latencyMs;
  }
}

/** So many requests of a connection may wait for its writes; behind more, a long one holds back the writes. */
const longDeferredMax = 64;
/** xid and type. */
export const requestHeaderBytes = 8;
