/**
 * The writes of a learner's clients: forwarded to the leader as REQUEST packets, and answered when their
 * transactions come back committed (`FollowerRequestProcessor.java`, `CommitProcessor.java`).
 *
 * Owns the requests under way, in the order in which the leader will commit them, and the syncs among them. Refuses to
 * judge anything: the leader does.
 */
import { assert, ErrorCode, type JuteReader, JuteWriter, OpCode } from '@meerkat/protocol';
import type { ClientConnection } from '../requests/client-connection.ts';
import { PendingTransactions } from '../requests/pending-transactions.ts';
import type { TransactionApplier } from '../requests/transaction-applier.ts';
import type { ReplySink } from '../requests/write-pipeline.ts';
import type { WriteRequest, WriteRoute } from '../requests/write-route.ts';
import { beginPacket, endPacket, PacketType } from './quorum-packet.ts';

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
  readonly #replies: ReplySink;
  readonly #body = new JuteWriter(4096);
  /** Bytes of each pending request, from `#sizesHead` on. */
  #sizes: number[] = [];
  #sizesHead = 0;
  /** Paths of the syncs under way; null ones too. */
  readonly #syncPaths: (string | null)[] = [];
  /** Connections whose sessions the leader is being asked about, by session. */
  readonly #asked = new Map<string, ClientConnection>();

  /** @param outbox what goes to the leader at the end of the turn */
  constructor(outbox: JuteWriter, applier: TransactionApplier, replies: ReplySink) {
    this.#outbox = outbox;
    this.#applier = applier;
    this.#replies = replies;
  }

  /** See `WriteRoute`. The leader makes the transaction, at its own time. */
  prepare(request: WriteRequest, reader: JuteReader, _wallMs: number): number {
    const { connection, type, xid } = request;
    const bodyStart = reader.position;
    if (type === OpCode.sync) {
      this.#syncPaths.push(reader.readNullableString());
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

  /** See `WriteRoute`: syncs go to the leader. */
  awaitsOthers(): boolean {
    return false;
  }

  /** See `WriteRoute`. The answer comes to `takeVerdict`. */
  revalidate(connection: ClientConnection, sessionHi: number, sessionLo: number): void {
    const writer = this.#outbox;
    const packet = beginPacket(writer, PacketType.revalidate, -1);
    writer.writeLong(sessionHi, sessionLo);
    writer.writeInt(connection.sessionTimeoutMs);
    endPacket(writer, packet, null);
    this.#asked.set(`${sessionHi}:${sessionLo}`, connection);
  }

  /** The leader has said whether a session lives. Returns who asked, null when nobody did. */
  takeVerdict(sessionHi: number, sessionLo: number): ClientConnection | null {
    const key = `${sessionHi}:${sessionLo}`;
    const connection = this.#asked.get(key) ?? null;
    this.#asked.delete(key);
    return connection;
  }

  /** A committed transaction, `bytes[start, end)`: applies it, and answers it when it was asked for here. */
  commitOne(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const sessionHi = view.getInt32(start);
    const sessionLo = view.getInt32(start + 4);
    if (!this.#isOldest(sessionHi, sessionLo, view.getInt32(start + 8))) {
      const type = view.getInt32(start + typeInBody);
      if (type === OpCode.closeSession) this.#replies.onSessionEnding(sessionHi, sessionLo);
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
    if (this.pending.count === 0 || this.pending.type !== OpCode.sync) return false;
    const path = this.#syncPaths.shift();
    assert(path !== undefined, 'a sync under way has its path');
    this.#body.clear().writeString(path);
    this.#answerOldest(ErrorCode.ok);
    return true;
  }

  #answerOldest(error: ErrorCode): void {
    const { pending } = this;
    const { connection, xid, type, receivedMs } = pending;
    if (connection !== null) {
      connection.pendingWrites--;
      this.#replies.onWriteApplied(connection, xid, type as OpCode, error, this.#body, receivedMs);
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

/** Where the type stands in a transaction: after clientId, cxid, zxid and time. */
const typeInBody = 28;
/** Sizes of answered requests that are dropped together. */
const sizesKeptMax = 4096;
