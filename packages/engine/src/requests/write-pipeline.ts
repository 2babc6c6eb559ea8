import {
  assert,
  ErrorCode,
  JuteError,
  JuteReader,
  JuteWriter,
  OpCode,
  type ReconfigRequest,
  readReconfigRequest,
  type Zxid,
} from '@meerkat/protocol';
import { FirstInFirstOut } from '../first-in-first-out.ts';
import { EndedSessions } from '../sessions/ended-sessions.ts';
import { digestVersion } from '../tree/digest.ts';
import { noNode } from '../tree/tree.ts';
import type { ClientConnection } from './client-connection.ts';
import { PendingTransactions } from './pending-transactions.ts';
import { prepareConfig } from './prepare-config.ts';
import { prepareDeleteContainer } from './prepare-delete.ts';
import { prepareMulti, prepareOperation } from './prepare-multi.ts';
import { prepareCloseSession, prepareCreateSession } from './prepare-session.ts';
import type { ReplicaState, WriteContext } from './replica-state.ts';
import type { TransactionApplier } from './transaction-applier.ts';
import type { WriteRequest, WriteRoute } from './write-route.ts';

/** Where prepared transactions go: the log that is being written. */
export interface TransactionSink {
  readonly writer: JuteWriter;
  /** Bytes of the records that are not durable yet. */
  readonly pendingBytes: number;
  beginRecord(): number;
  endRecord(start: number, zxid: Zxid): void;
  cancelRecord(start: number): void;
}

/** Who answers when a transaction has been applied. */
export interface ReplySink {
  /**
   * @param connection whom to answer; still open
   * @param type the request's operation code
   * @param error what the transaction came to
   * @param body the reply's body, valid during the call; empty unless `error` is ok
   */
  onWriteApplied(
    connection: ClientConnection,
    xid: number,
    type: OpCode,
    error: ErrorCode,
    body: JuteWriter,
    receivedMs: number,
  ): void;
  /** A session is ending that this replica may have a connection of, though nobody here asked for that. */
  onSessionEnding(sessionHi: number, sessionLo: number): void;
}

/** Who tells the other members what is proposed here; a replica that is alone has none. */
export interface ProposalTap {
  /** A transaction is in the log: header, record and digest are `bytes[start, end)`, valid during the call. */
  onPrepared(bytes: Uint8Array, start: number, end: number, zxid: Zxid): void;
  /** The round of the quorum that confirms that whoever asks now asks the leader (`QuorumRounds`). */
  wantRound(): number;
  /** The text of the configuration that a request asks for, with this version; or why it is refused. */
  reconfigure(request: ReconfigRequest, version: Zxid): string | ErrorCode;
}

/**
 * The way of a write: checked against what is pending, given a zxid, encoded into the log; then, once
 * the log is durable, applied and answered, in the order of the zxids (ZB section 6).
 *
 * Owns zxids and the order. Refuses to apply anything before it is told that it is durable: `prepare`
 * and `commit` are two calls, and only the log's listener makes the second.
 */
export class WritePipeline implements WriteRoute {
  readonly pending: PendingTransactions = new PendingTransactions();
  /** The zxid of the newest transaction, applied or not. */
  lastZxid: Zxid;
  /** Bytes of large requests on their way (`largeRequestThreshold`). */
  largeBytes = 0;
  readonly #state: ReplicaState;
  readonly #log: TransactionSink;
  readonly #applier: TransactionApplier;
  readonly #replies: ReplySink;
  readonly #ended = new EndedSessions();
  readonly #context: WriteContext;
  readonly #body = new JuteWriter(4096);
  readonly #tap: ProposalTap | null;
  /** Syncs among the pending requests, with the rounds that confirm them; there are none alone. */
  readonly #syncs: FirstInFirstOut<{ readonly path: string | null; readonly round: number }> =
    new FirstInFirstOut();
  /** The newest round that is confirmed. */
  #confirmedRound = 0;
  readonly judgesSessions = true;
  readonly isReadOnly = false;
  readonly preparesSyncs: boolean;

  /** @param tap told of every transaction, in an ensemble; null alone */
  constructor(
    state: ReplicaState,
    log: TransactionSink,
    applier: TransactionApplier,
    replies: ReplySink,
    tap: ProposalTap | null = null,
  ) {
    this.#tap = tap;
    this.preparesSyncs = tap !== null;
    this.#state = state;
    this.#log = log;
    this.#applier = applier;
    this.#replies = replies;
    this.lastZxid = state.lastProcessedZxid as Zxid;
    this.#context = {
      state,
      reader: new JuteReader(),
      writer: log.writer,
      zxid: 0,
      timeMs: 0,
      sessionHi: 0,
      sessionLo: 0,
      authIds: [],
      known: { node: noNode, prefixState: 0, digest: 0, hash: 0, parentDigest: 0 },
      ephemeralError: ErrorCode.ok,
    };
  }

  /** Bytes of transactions that are not durable yet. */
  get pendingBytes(): number {
    return this.#log.pendingBytes;
  }

  /**
   * Makes a transaction of a write, a failed one included: every write has a zxid.
   *
   * @param reader stands at the request's record
   * @param wallMs the transaction's time
   * @param settled what the transaction comes to when that is known already: it fails
   * @returns its sequence among the pending ones
   * @throws JuteError when the request does not decode; nothing has happened then
   */
  prepare(
    request: WriteRequest,
    reader: JuteReader,
    wallMs: number,
    settled: ErrorCode = ErrorCode.ok,
  ): number {
    if (request.type === OpCode.sync) return this.#prepareSync(request, reader);
    const zxid = (this.lastZxid + 1) as Zxid;
    const start = this.#log.beginRecord();
    const writer = this.#log.writer;
    const context = this.#context;
    context.reader = reader;
    context.writer = writer;
    context.zxid = zxid;
    context.timeMs = wallMs;
    context.sessionHi = request.sessionHi;
    context.sessionLo = request.sessionLo;
    context.authIds = request.authIds;
    context.known.node = noNode;
    context.ephemeralError = ErrorCode.ok;
    writer.writeLong(request.sessionHi, request.sessionLo);
    writer.writeInt(request.xid);
    writer.writeLongFromDouble(zxid);
    writer.writeLongFromDouble(wallMs);
    const typeAt = writer.reserve(4);
    writer.view.setInt32(typeAt, request.type);
    const verdict = settled === ErrorCode.ok ? this.#judgeSession(request) : settled;
    const error = verdict === ErrorCode.ok ? this.#prepareRecord(request.type, start) : verdict;
    const { outstanding } = this.#state;
    if (error !== ErrorCode.ok) {
      writer.length = typeAt;
      writer.writeInt(OpCode.error);
      writer.writeInt(error);
    } else if (outstanding.digestEnabled) {
      writer.writeInt(digestVersion);
      writer.writeLong(outstanding.digestHi, outstanding.digestLo);
    }
    this.#tap?.onPrepared(writer.bytes, start + recordHeadBytes, writer.length, zxid);
    this.#log.endRecord(start, zxid);
    this.lastZxid = zxid;
    return this.#enqueue(request);
  }

  /**
   * As `prepare`, for the request of a learner, which waits for a transaction whatever the request is: one that does not
   * decode fails.
   */
  prepareForeign(request: WriteRequest, reader: JuteReader, wallMs: number): void {
    try {
      this.prepare(request, reader, wallMs);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.prepare(request, reader, wallMs, ErrorCode.marshallingError);
    }
  }

  /**
   * The log is durable as far as these records go: applies and answers them.
   *
   * @param bytes records as in the log file, `count` of them in `bytes[start, end)`
   */
  commit(bytes: Uint8Array, start: number, end: number, count: number): void {
    assert(count <= this.pending.count, 'what is durable was prepared', count, this.pending.count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    for (let i = 0; i < count; i++) {
      const length = view.getInt32(at + lengthOffset);
      const body = at + recordHeadBytes;
      this.commitOne(bytes, body, body + length);
      at = body + length + 1;
    }
    assert(at === end, 'a group of records ends with a record', at, end);
  }

  /** Applies and answers the oldest pending transaction, which is `bytes[start, end)`. */
  commitOne(bytes: Uint8Array, start: number, end: number): void {
    const { pending } = this;
    // A quorum has taken what was proposed behind them: they are confirmed by that.
    if (this.#syncs.length > 0) this.#answerSyncs(Number.POSITIVE_INFINITY);
    const connection = pending.connection;
    const { xid, type, receivedMs } = pending;
    if (type === OpCode.closeSession) this.#onSessionEnding(bytes, start, connection === null);
    const answer = connection !== null && connection.session !== null ? this.#body.clear() : null;
    const error = this.#applier.apply(bytes, start, end, answer, pending.known);
    this.#state.outstanding.applied(this.#state.lastProcessedZxid);
    if (connection !== null) {
      connection.pendingWrites--;
      this.#replies.onWriteApplied(connection, xid, type as OpCode, error, this.#body, receivedMs);
    }
    this.largeBytes -= pending.largeBytes;
    pending.shift();
    if (this.#syncs.length > 0) this.#answerSyncs(this.#confirmedRound);
  }

  /** A quorum follows this leader still, and did when `round` began: syncs that waited for that are answered. */
  confirm(round: number): void {
    this.#confirmedRound = round;
    this.#answerSyncs(round);
  }

  /** See `WriteRoute`: nobody else is to be asked. */
  revalidate(): void {
    assert(false, 'a replica that judges sessions asks nobody');
  }

  /** A sync is no transaction, but has its place among them: it is answered when all before it are applied. */
  #prepareSync(request: WriteRequest, reader: JuteReader): number {
    assert(this.#tap !== null, 'alone there is nobody to wait for');
    const path = reader.readNullableString();
    this.#syncs.push({ path, round: this.#tap.wantRound() });
    return this.#enqueue(request);
  }

  /** Answers the syncs that are the oldest of all that is pending, those of later rounds not. */
  #answerSyncs(round: number): void {
    const { pending } = this;
    while (pending.count > 0 && pending.type === OpCode.sync) {
      const sync = this.#syncs.first;
      assert(sync !== undefined, 'a pending sync is known');
      if (sync.round > round) return;
      this.#syncs.shift();
      const { connection, xid, receivedMs } = pending;
      this.largeBytes -= pending.largeBytes;
      if (connection !== null) {
        connection.pendingWrites--;
        this.#body.clear().writeString(sync.path);
        const { ok } = ErrorCode;
        this.#replies.onWriteApplied(connection, xid, OpCode.sync, ok, this.#body, receivedMs);
      }
      pending.shift();
    }
  }

  /** Reads whose session a closeSession was. */
  #onSessionEnding(bytes: Uint8Array, start: number, isUntold: boolean): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [idHi, idLo] = [view.getInt32(start), view.getInt32(start + 4)];
    if (isUntold) this.#replies.onSessionEnding(idHi, idLo);
    if (this.#hasLocalSessions) this.#ended.add(idHi, idLo);
  }

  get #hasLocalSessions(): boolean {
    return this.#state.config.ensemble?.localSessionsEnabled === true;
  }

  /**
   * In an ensemble a session may be gone, or be used through another member by now, when its request arrives
   * (`SessionTrackerImpl.checkSession`).
   */
  #judgeSession(request: WriteRequest): ErrorCode {
    const { type, sessionHi, sessionLo } = request;
    if (this.#tap === null || type === OpCode.createSession || type === OpCode.closeSession) {
      return ErrorCode.ok;
    }
    if (sessionHi === 0 && sessionLo === 0) return ErrorCode.ok;
    const session = this.#state.sessions.get(sessionHi, sessionLo);
    if (session === undefined) return this.#judgeUnknown(sessionHi, sessionLo);
    if (session.closing) return ErrorCode.sessionExpired;
    if (session.isLocal) this.#context.ephemeralError = ErrorCode.ephemeralOnLocalSession;
    const owner = request.owner ?? this;
    session.owner ??= owner;
    return session.owner === owner ? ErrorCode.ok : ErrorCode.sessionMoved;
  }

  /**
   * A learner's local session is unknown here: it may write, but own nothing (`LeaderSessionTracker.checkSession`).
   * Java takes one that has ended for such a session too, so that its writes may come behind its end.
   */
  #judgeUnknown(sessionHi: number, sessionLo: number): ErrorCode {
    const { serverId } = this.#state.config;
    const isOwn = sessionHi >>> 24 === (serverId & 0xff);
    if (isOwn || !this.#hasLocalSessions || this.#ended.has(sessionHi, sessionLo)) {
      return ErrorCode.sessionExpired;
    }
    this.#context.ephemeralError = ErrorCode.sessionExpired;
    return ErrorCode.ok;
  }

  #prepareRecord(type: OpCode, start: number): ErrorCode {
    const context = this.#context;
    context.state.outstanding.beginOperation();
    try {
      switch (type) {
        case OpCode.multi:
          return prepareMulti(context);
        case OpCode.createSession:
          return prepareCreateSession(context, context.reader.readInt());
        case OpCode.closeSession:
          return prepareCloseSession(context);
        case OpCode.deleteContainer:
          return prepareDeleteContainer(context);
        case OpCode.reconfig:
          return this.#prepareReconfig(context);
        default:
          return prepareOperation(context, type);
      }
    } catch (error) {
      // A multi that does not decode is a failed transaction in ZooKeeper; any other write is not one.
      if (error instanceof JuteError && type === OpCode.multi) return ErrorCode.marshallingError;
      if (error instanceof JuteError) this.#log.cancelRecord(start);
      throw error;
    }
  }

  #prepareReconfig(context: WriteContext): ErrorCode {
    const request = readReconfigRequest(context.reader);
    if (!context.state.config.reconfigEnabled) return ErrorCode.reconfigDisabled;
    if (this.#tap === null) return ErrorCode.unimplemented;
    const outcome = this.#tap.reconfigure(request, context.zxid as Zxid);
    return typeof outcome === 'string' ? prepareConfig(context, outcome) : outcome;
  }

  #enqueue(request: WriteRequest): number {
    const { connection, xid, type, receivedMs, largeBytes } = request;
    const sequence = this.pending.push(connection, xid, type, receivedMs, largeBytes);
    // Of a multi only its last operation would be known.
    if (type !== OpCode.multi && this.#context.known.node !== noNode) {
      this.pending.noteKnown(sequence, this.#context.known);
    }
    this.largeBytes += largeBytes;
    if (connection !== null) {
      connection.pendingWrites++;
      connection.newestPendingSequence = sequence;
      if (connection.session !== null) connection.session.newestPendingSequence = sequence;
    }
    return sequence;
  }
}

/** Before each record's body: Adler32 (8), length (4). */
const recordHeadBytes = 12;
const lengthOffset = 8;
