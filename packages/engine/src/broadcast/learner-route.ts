/**
 * The writes of a learner's clients: forwarded to the leader as REQUEST packets, and answered when their
 * transactions come back committed (`FollowerRequestProcessor.java`, `CommitProcessor.java`).
 *
 * Owns the requests under way, in the order in which the leader will commit them, and the syncs among them. Refuses to
 * judge anything: the leader does.
 */
import {
  assert,
  ErrorCode,
  type JuteReader,
  JuteWriter,
  OpCode,
  type Zxid,
} from '@meerkat/protocol';
import { FirstInFirstOut } from '../first-in-first-out.ts';
import type { ClientConnection } from '../requests/client-connection.ts';
import type { ClientIntake } from '../requests/client-intake.ts';
import { PendingTransactions } from '../requests/pending-transactions.ts';
import type { TransactionApplier } from '../requests/transaction-applier.ts';
import type { WriteRequest, WriteRoute } from '../requests/write-route.ts';
import type { SessionTable } from '../sessions/session-table.ts';
import { LearnerLink } from './learner-link.ts';
import type { MemberContext } from './member-context.ts';
import { ObserverRequests, questionRefusal } from './observer-requests.ts';
import { beginPacket, endPacket, PacketType, type ReceivedPacket } from './quorum-packet.ts';
import { int32At, typeIn } from './transaction-bytes.ts';

export class LearnerRoute implements WriteRoute {
  readonly pending: PendingTransactions = new PendingTransactions();
  readonly judgesSessions = false;
  readonly isReadOnly = false;
  readonly preparesSyncs = true;
  largeBytes = 0;
  /** Bytes of the requests that are not answered yet, about. */
  pendingBytes = 0;
  readonly #outbox: JuteWriter;
  readonly #applier: TransactionApplier;
  readonly #intake: ClientIntake;
  readonly #sessions: SessionTable;
  readonly #body = new JuteWriter(4096);
  /** Bytes of each pending request, from `#sizesHead` on. */
  #sizes: number[] = [];
  #sizesHead = 0;
  /** Paths of the syncs under way; null ones too. */
  readonly #syncPaths: FirstInFirstOut<string | null> = new FirstInFirstOut();
  /** Who asked for each sync under way: an observer that follows this member, null for its own clients. */
  readonly #syncAskers: FirstInFirstOut<LearnerLink | null> = new FirstInFirstOut();
  /** Sessions that the leader is being asked about, and for whom. */
  readonly #asked: Asked[] = [];
  readonly #observerRequests: ObserverRequests;
  /** The observers that follow this member; null while it awaits none. */
  observerMaster: ObserverAnswers | null = null;

  /** @param outbox what goes to the leader at the end of the turn */
  constructor(outbox: JuteWriter, context: MemberContext) {
    this.#outbox = outbox;
    this.#observerRequests = new ObserverRequests(context.config.extendedTypesEnabled);
    this.#applier = context.applier;
    this.#intake = context.intake;
    this.#sessions = context.state.sessions;
  }

  /** See `WriteRoute`. The leader makes the transaction, at its own time. */
  prepare(request: WriteRequest, reader: JuteReader, _wallMs: number): number {
    const { connection, type, xid } = request;
    const bodyStart = reader.position;
    if (type === OpCode.sync) {
      this.#syncPaths.push(reader.readNullableString());
      this.#syncAskers.push(null);
    }
    const writer = this.#outbox;
    const before = writer.length;
    const packet = beginPacket(writer, PacketType.request, -1);
    writer.writeLong(request.sessionHi, request.sessionLo);
    writer.writeInt(xid);
    writer.writeInt(type);
    writer.writeBytes(reader.bytes, bodyStart, reader.end);
    endPacket(writer, packet, request.authIds);
    const size = writer.length - before;
    this.#sizes.push(size);
    this.pendingBytes += size;
    this.largeBytes += request.largeBytes;
    const sequence = this.pending.push(
      connection,
      xid,
      type,
      request.receivedMs,
      request.largeBytes,
    );
    if (connection !== null) {
      connection.pendingWrites++;
      connection.newestPendingSequence = sequence;
      if (connection.session !== null) connection.session.newestPendingSequence = sequence;
    }
    return sequence;
  }

  /** See `WriteRoute`. The answer comes to `takeVerdict`. */
  revalidate(connection: ClientConnection, sessionHi: number, sessionLo: number): void {
    this.ask(connection, sessionHi, sessionLo, connection.sessionTimeoutMs);
  }

  /** Asks the leader whether a session lives, for a client or for an observer. The answer comes to `takeVerdict`. */
  ask(
    asker: ClientConnection | LearnerLink,
    sessionHi: number,
    sessionLo: number,
    timeoutMs: number,
  ): void {
    if (asker instanceof LearnerLink) this.#movedTo(asker, sessionHi, sessionLo);
    const writer = this.#outbox;
    const packet = beginPacket(writer, PacketType.revalidate, -1);
    writer.writeLong(sessionHi, sessionLo);
    writer.writeInt(timeoutMs);
    endPacket(writer, packet, null);
    this.#asked.push({ sessionHi, sessionLo, asker });
  }

  /** Asks for an observer. Returns why it is of no use any more, null when it is. */
  askFor(
    link: LearnerLink,
    sessionHi: number,
    sessionLo: number,
    timeoutMs: number,
  ): string | null {
    const refusal = questionRefusal(this.#asked.length);
    if (refusal === null) this.ask(link, sessionHi, sessionLo, timeoutMs);
    return refusal;
  }

  /** Passes on what a client of an observer asks for. Returns why it is of no use any more, null when it is. */
  forward(link: LearnerLink, packet: ReceivedPacket): string | null {
    const { bytes, dataStart, dataEnd, authStart, end } = packet;
    const type = int32At(bytes, dataStart + typeInRequest);
    const session = this.#sessions.get(int32At(bytes, dataStart), int32At(bytes, dataStart + 4));
    if (session !== undefined && type !== OpCode.createSession && type !== OpCode.closeSession) {
      session.owner ??= link;
      // The leader cannot tell: to it, all of them come from here. And the observer waits for the answer, in order.
      if (session.owner !== link) return 'it passes on what a session asked for before it moved on';
    }
    const refusal = this.#observerRequests.take(packet, this.#syncAskers.length);
    if (refusal !== null) return refusal;
    if (type === OpCode.sync) this.#syncAskers.push(link);
    const writer = this.#outbox;
    const start = beginPacket(writer, PacketType.request, -1);
    writer.writeBytes(bytes, dataStart, dataEnd);
    endPacket(writer, start, null);
    writer.length -= noIdsBytes;
    writer.writeBytes(bytes, authStart, end);
    return null;
  }

  /**
   * The leader has said whether a session lives: whoever asked hears of it.
   *
   * @returns false when that is no such answer
   */
  takeVerdict(reader: JuteReader): boolean {
    if (reader.remaining < verdictBytes) return false;
    const hi = reader.readInt();
    const lo = reader.readInt();
    const isValid = reader.readBoolean();
    const index = this.#asked.findIndex((each) => each.sessionHi === hi && each.sessionLo === lo);
    const asker = this.#asked[index]?.asker;
    if (asker === undefined) return true;
    this.#asked.splice(index, 1);
    if (asker instanceof LearnerLink) {
      this.observerMaster?.answerRevalidation(asker, hi, lo, isValid);
    } else {
      // Its createSession may be on its way here, from a member that is ahead.
      const timeoutMs = asker.sessionTimeoutMs;
      const session = isValid ? this.#sessions.track(hi, lo, timeoutMs) : null;
      this.#intake.revalidated(asker, session);
    }
    return true;
  }

  /**
   * A session is used through an observer from now on: whoever used it here has moved on. The leader takes what comes
   * behind the question for the observer's, whatever it says, and however late that is.
   */
  #movedTo(link: LearnerLink, hi: number, lo: number): void {
    this.#intake.onSessionEnding(hi, lo);
    const session = this.#sessions.get(hi, lo);
    if (session !== undefined) session.owner = link;
  }

  /** Answers a PING of the leader: with the sessions that were heard of (`Learner.ping`). */
  answerPing(zxid: Zxid): void {
    const writer = this.#outbox;
    const packet = beginPacket(writer, PacketType.ping, zxid);
    this.#intake.heard.take((session) => {
      writer.writeLong(session.idHi, session.idLo);
      writer.writeInt(session.timeoutMs);
    });
    endPacket(writer, packet, null);
  }

  /** A committed transaction, `bytes[start, end)`: applies it, and answers it when it was asked for here. */
  commitOne(bytes: Uint8Array, start: number, end: number): void {
    const sessionHi = int32At(bytes, start);
    const sessionLo = int32At(bytes, start + 4);
    const xid = int32At(bytes, start + 8);
    if (!this.#isOldest(sessionHi, sessionLo, xid)) {
      this.#observerRequests.committed(sessionHi, sessionLo, xid);
      if (typeIn(bytes, start) === OpCode.closeSession)
        this.#intake.onSessionEnding(sessionHi, sessionLo);
      this.#applier.apply(bytes, start, end, null);
      return;
    }
    const { connection } = this.pending;
    const answer = connection !== null && connection.session !== null ? this.#body.clear() : null;
    this.#answerOldest(this.#applier.apply(bytes, start, end, answer));
  }

  /**
   * The leader has committed all that was proposed before the oldest sync.
   *
   * @returns false when no sync is the oldest request under way: the leader answered something that nobody asked
   */
  answerSync(): boolean {
    const asker = this.#syncAskers.first;
    if (asker !== null && asker !== undefined) {
      this.#syncAskers.shift();
      this.observerMaster?.answerSync(asker);
      return true;
    }
    if (this.pending.count === 0 || this.pending.type !== OpCode.sync) return false;
    const path = this.#syncPaths.shift();
    assert(path !== undefined, 'a sync under way has its path');
    this.#syncAskers.shift();
    this.#body.clear().writeString(path);
    this.#answerOldest(ErrorCode.ok);
    return true;
  }

  #answerOldest(error: ErrorCode): void {
    const { pending } = this;
    const { connection, xid, type, receivedMs } = pending;
    if (connection !== null) {
      connection.pendingWrites--;
      this.#intake.onWriteApplied(connection, xid, type as OpCode, error, this.#body, receivedMs);
    }
    this.largeBytes -= pending.largeBytes;
    this.pendingBytes -= this.#sizes[this.#sizesHead++] ?? 0;
    if (this.#sizesHead === sizesKeptMax) {
      this.#sizes = this.#sizes.slice(this.#sizesHead);
      this.#sizesHead = 0;
    }
    pending.shift();
  }

  /** Whether a transaction is what the oldest request under way asked for. */
  #isOldest(sessionHi: number, sessionLo: number, xid: number): boolean {
    const { pending } = this;
    if (pending.count === 0 || pending.type === OpCode.sync || pending.xid !== xid) return false;
    const session = pending.connection?.session ?? null;
    return session !== null && session.idHi === sessionHi && session.idLo === sessionLo;
  }
}

/** Passes the leader's answers on to observers (`ObserverMaster`). */
export interface ObserverAnswers {
  /** A sync of one of them is answered. */
  answerSync(link: LearnerLink): void;
  /** Whether a session lives that came back through one of them. */
  answerRevalidation(link: LearnerLink, hi: number, lo: number, isValid: boolean): void;
}

/** A session that the leader is being asked about. */
interface Asked {
  readonly sessionHi: number;
  readonly sessionLo: number;
  readonly asker: ClientConnection | LearnerLink;
}

/** Where the type stands in a REQUEST: after session and cxid. */
const typeInRequest = 12;
/** Session and answer. */
const verdictBytes = 9;
/** A vector of ids that is null. */
const noIdsBytes = 4;
/** Sizes of answered requests that are dropped together. */
const sizesKeptMax = 4096;
