import {
  ErrorCode,
  type EventType,
  JuteError,
  JuteReader,
  JuteWriter,
  OpCode,
  type Zxid,
} from '@meerkat/protocol';
import { digestVersion } from '../tree/digest.ts';
import { DigestHistory, isNotedInHistory } from '../tree/digest-history.ts';
import { containerOwner, ttlOwner } from '../tree/ephemeral-type.ts';
import { type KnownChange, type NodeId, noNode, rootNode } from '../tree/tree.ts';
import type { AclOf, WatcherId, WatchSink } from '../watches/watch-table.ts';
import { openAcl } from './access.ts';
import { skipAclVector } from './acl-wire.ts';
import type { ReplicaState } from './replica-state.ts';
import { type PathRange, readPath } from './request-path.ts';

/** Passes a watch event on to one connection, if its ACLs let it. */
export interface EventSink {
  deliver(
    watcher: WatcherId,
    type: EventType,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: number,
    acl: typeof openAcl,
  ): void;
}

/**
 * Applies transactions to the tree, one after the other, straight from the bytes of the log: what a
 * client asked, what a replay reads and what a leader sends all come through here (`DataTree.processTxn`).
 *
 * Owns the meaning of each transaction type, the firing of watches and the result part of replies.
 * Refuses to judge: a transaction that cannot be applied to a fuzzy tree is skipped as ZooKeeper skips it.
 */
export class TransactionApplier implements WatchSink {
  /** Transactions whose digest differed from the tree's after them: never fatal, never to be seen. */
  digestMismatches = 0;
  /** The tree's digest now and then, as long as it was sound. */
  readonly digests: DigestHistory = new DigestHistory();
  #compareFromZxid = 0;
  /** Up to here the tree may be ahead of the log. */
  #fuzzyUpToZxid = -1;
  readonly #state: ReplicaState;
  readonly #events: EventSink;
  readonly #reader = new JuteReader();
  readonly #scratch = new JuteWriter(256);
  readonly #path: PathRange = { start: 0, end: 0 };
  // The header of the transaction being applied.
  #sessionHi = 0;
  #sessionLo = 0;
  #zxid = 0 as Zxid;
  #timeMs = 0;
  // Whose permission decides who hears of the change.
  #nodeAcl = openAcl;
  #parentAcl = openAcl;
  // Of the create being applied.
  #dataStart = 0;
  #dataLength = -1;
  #aclId = -1;
  /** Of the setData or create being applied. */
  #known: KnownChange | null = null;

  constructor(state: ReplicaState, events: EventSink) {
    this.#state = state;
    this.#events = events;
  }

  /**
   * Applies the transaction in `bytes[start, end)`: header, record, digest.
   *
   * @param reply gets the body of the reply when the transaction succeeds; null when nobody waits
   * @param known what this replica found out when it made the transaction; null for any other
   * @returns the error that the transaction stands for, or ok
   * @throws JuteError when the bytes are not a transaction
   */
  apply(
    bytes: Uint8Array,
    start: number,
    end: number,
    reply: JuteWriter | null,
    known: KnownChange | null = null,
  ): ErrorCode {
    this.#known = known;
    const reader = this.#reader.reset(bytes, start, end);
    this.#sessionHi = reader.readInt();
    this.#sessionLo = reader.readInt();
    reader.readInt();
    const zxid = reader.readSafeLong() as Zxid;
    this.#zxid = zxid;
    this.#timeMs = reader.readSafeLong();
    const type = reader.readInt() as OpCode;
    const error = this.#applyRecord(type, reply);
    const state = this.#state;
    // Only now: a snapshot that starts meanwhile must not be named after half a transaction.
    if (zxid > state.lastProcessedZxid) state.lastProcessedZxid = zxid;
    if (
      state.config.digestEnabled &&
      zxid >= this.#compareFromZxid &&
      reader.remaining >= digestBytes
    ) {
      this.#compareDigest();
    }
    if (isNotedInHistory(zxid) && zxid > this.#fuzzyUpToZxid) {
      this.digests.add(zxid, state.tree.digestHi, state.tree.digestLo);
    }
    return error;
  }

  /**
   * Another tree takes the place of the one before: its history starts behind the last transaction
   * that a fuzzy snapshot may hold in part, -1 when it says of none.
   */
  startHistory(fuzzyUpToZxid: number): void {
    this.digests.clear();
    this.#fuzzyUpToZxid = fuzzyUpToZxid;
  }

  /**
   * Before this transaction the tree may be ahead of the log, so that digests differ without fault: a
   * fuzzy snapshot has just been loaded.
   */
  compareDigestsFrom(zxid: number): void {
    this.#compareFromZxid = zxid;
  }

  /** Called by the watch table for each watcher of what has just been applied. */
  deliver(
    watcher: WatcherId,
    type: EventType,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: number,
    aclOf: AclOf,
  ): void {
    const acl = aclOf === 0 ? this.#nodeAcl : this.#parentAcl;
    this.#events.deliver(watcher, type, bytes, start, end, zxid, acl);
  }

  #applyRecord(type: OpCode, reply: JuteWriter | null): ErrorCode {
    switch (type) {
      case OpCode.create:
      case OpCode.create2:
      case OpCode.createContainer:
      case OpCode.createTTL:
        return this.#create(type, reply);
      case OpCode.delete:
      case OpCode.deleteContainer:
        readPath(this.#reader, this.#path);
        return this.#delete(this.#reader.bytes, this.#path.start, this.#path.end);
      case OpCode.setData:
        return this.#setData(reply);
      case OpCode.reconfig:
        return this.#reconfig(reply);
      case OpCode.setACL:
        return this.#setAcl(reply);
      case OpCode.createSession:
        this.#state.sessions.restore(this.#sessionHi, this.#sessionLo, this.#reader.readInt());
        return ErrorCode.ok;
      case OpCode.closeSession:
        return this.#closeSession();
      case OpCode.error:
        return this.#reader.readInt() as ErrorCode;
      case OpCode.check:
        readPath(this.#reader, this.#path);
        this.#reader.readInt();
        return ErrorCode.ok;
      case OpCode.multi:
        return this.#multi(reply);
      default:
        throw new JuteError(`Cannot apply a transaction: current type is ${type}`);
    }
  }

  #create(type: OpCode, reply: JuteWriter | null): ErrorCode {
    const { tree } = this.#state;
    const reader = this.#reader;
    this.#readCreate();
    let ownerHi = 0;
    let ownerLo = 0;
    let parentCVersion: number;
    if (type === OpCode.createContainer) {
      parentCVersion = reader.readInt();
      ownerHi = containerOwner.hi;
      ownerLo = containerOwner.lo;
    } else if (type === OpCode.createTTL) {
      parentCVersion = reader.readInt();
      const owner = ttlOwner(reader.readInt(), reader.readInt());
      if (owner === null) throw new JuteError('Cannot apply a createTTL: its ttl is out of range');
      ownerHi = owner.hi;
      ownerLo = owner.lo;
    } else {
      if (reader.readBoolean()) {
        ownerHi = this.#sessionHi;
        ownerLo = this.#sessionLo;
      }
      // CreateTxnV0, before 3.4, ends here.
      parentCVersion = reader.remaining >= 4 ? reader.readInt() : -1;
    }
    const { start, end } = this.#path;
    const bytes = reader.bytes;
    const data = this.#dataLength === -1 ? null : bytes;
    const dataEnd = this.#dataStart + Math.max(0, this.#dataLength);
    const error = tree.createNode(
      bytes,
      start,
      end,
      data,
      this.#dataStart,
      dataEnd,
      this.#aclId,
      ownerHi,
      ownerLo,
      parentCVersion,
      this.#zxid,
      this.#timeMs,
      this.#known,
    );
    if (error !== ErrorCode.ok) return error;
    this.#fireCreated(bytes, start, end);
    if (reply !== null) {
      reply.writeInt(end - start);
      reply.writeBytes(bytes, start, end);
      if (type !== OpCode.create) tree.writeStat(reply, tree.changedNode);
    }
    return ErrorCode.ok;
  }

  #readCreate(): void {
    const reader = this.#reader;
    readPath(reader, this.#path);
    this.#dataLength = reader.skipBuffer();
    this.#dataStart = reader.position - Math.max(0, this.#dataLength);
    this.#aclId = this.#readAclId();
  }

  #readAclId(): number {
    const reader = this.#reader;
    const start = reader.position;
    skipAclVector(reader);
    return this.#state.tree.acls.fromWire(reader.bytes, start, reader.position);
  }

  #fireCreated(bytes: Uint8Array, start: number, end: number): void {
    const { watches, tree } = this.#state;
    if (watches.watchCount === 0) return;
    this.#nodeAcl = this.#aclOf(tree.changedNode);
    this.#parentAcl = this.#aclOf(this.#parentOf(bytes, start, end));
    watches.nodeCreated(bytes, start, end, this.#zxid, this);
  }

  #delete(bytes: Uint8Array, start: number, end: number): ErrorCode {
    const { watches, tree } = this.#state;
    const watched = watches.watchCount > 0;
    if (watched) {
      const node = tree.find(bytes, start, end);
      if (node !== noNode) {
        this.#nodeAcl = this.#aclOf(node);
        this.#parentAcl = this.#aclOf(this.#parentOf(bytes, start, end));
      }
    }
    const error = tree.deleteNode(bytes, start, end, this.#zxid);
    if (watched && error === ErrorCode.ok) watches.nodeDeleted(bytes, start, end, this.#zxid, this);
    return error;
  }

  /** The members of the ensemble: the answer is that of a getData. */
  #reconfig(reply: JuteWriter | null): ErrorCode {
    const reader = this.#reader;
    const before = reader.position;
    reader.skipBuffer();
    reply?.writeBuffer(reader.readBuffer());
    reader.position = before;
    return this.#setData(reply);
  }

  #setData(reply: JuteWriter | null): ErrorCode {
    const { tree, watches } = this.#state;
    const reader = this.#reader;
    readPath(reader, this.#path);
    const { start, end } = this.#path;
    const dataLength = reader.skipBuffer();
    const dataEnd = reader.position;
    const version = reader.readInt();
    const bytes = reader.bytes;
    const error = tree.setData(
      bytes,
      start,
      end,
      dataLength === -1 ? null : bytes,
      dataEnd - Math.max(0, dataLength),
      dataEnd,
      version,
      this.#zxid,
      this.#timeMs,
      this.#known,
    );
    if (error !== ErrorCode.ok) return error;
    const watched = watches.watchCount > 0;
    if (!watched && reply === null) return error;
    const node = tree.changedNode;
    if (watched) {
      this.#nodeAcl = this.#aclOf(node);
      watches.nodeDataChanged(bytes, start, end, this.#zxid, this);
    }
    if (reply !== null) tree.writeStat(reply, node);
    return error;
  }

  #setAcl(reply: JuteWriter | null): ErrorCode {
    const { tree } = this.#state;
    const reader = this.#reader;
    readPath(reader, this.#path);
    const { start, end } = this.#path;
    const aclId = this.#readAclId();
    const error = tree.setAcl(reader.bytes, start, end, aclId, reader.readInt());
    if (error === ErrorCode.ok && reply !== null) {
      tree.writeStat(reply, tree.changedNode);
    }
    return error;
  }

  /** The session ends: first the paths that the transaction names, then what else it owns. */
  #closeSession(): ErrorCode {
    const { tree, sessions } = this.#state;
    if (this.#hasPathList()) this.#deleteListed();
    const owned = [...tree.ephemeralsOf(this.#sessionHi, this.#sessionLo)];
    for (const node of owned) {
      const path = this.#scratch.clear();
      tree.writePath(path, node);
      this.#delete(path.bytes, 4, path.length);
    }
    // It has none any more, but the tree lists every session that ever had one.
    tree.killSession(this.#sessionHi, this.#sessionLo, this.#zxid);
    sessions.remove(this.#sessionHi, this.#sessionLo);
    return ErrorCode.ok;
  }

  /**
   * Without `closeSessionTxn.enabled` nothing but a digest follows the header. Twelve bytes that begin
   * with 2 are a digest: a list of two paths takes more.
   */
  #hasPathList(): boolean {
    const reader = this.#reader;
    if (reader.remaining !== digestBytes) return reader.remaining > 0;
    const first = reader.readInt();
    reader.position -= 4;
    return first !== digestVersion;
  }

  #deleteListed(): void {
    const reader = this.#reader;
    const count = reader.readVectorCount(4);
    for (let i = 0; i < count; i++) {
      readPath(reader, this.#path);
      this.#delete(reader.bytes, this.#path.start, this.#path.end);
    }
  }

  /** All operations at one zxid; when one of them has failed, only the results are told. */
  #multi(reply: JuteWriter | null): ErrorCode {
    const reader = this.#reader;
    const count = reader.readVectorCount(8);
    const first = reader.position;
    let failed = false;
    for (let i = 0; i < count; i++) {
      failed ||= reader.readInt() === OpCode.error;
      reader.skipBuffer();
    }
    reader.position = first;
    let passedError = false;
    for (let i = 0; i < count; i++) {
      const type = reader.readInt() as OpCode;
      const length = Math.max(0, reader.readInt());
      const next = reader.position + length;
      passedError ||= type === OpCode.error;
      if (!failed) this.#applySubTransaction(type, next, reply);
      else if (reply !== null) {
        const untouched = passedError ? ErrorCode.runtimeInconsistency : ErrorCode.ok;
        writeErrorResult(
          reply,
          type === OpCode.error ? (reader.readInt() as ErrorCode) : untouched,
        );
      }
      reader.position = next;
    }
    if (reply !== null) writeMultiHeader(reply, -1, true, -1);
    return ErrorCode.ok;
  }

  #applySubTransaction(type: OpCode, end: number, reply: JuteWriter | null): void {
    const reader = this.#reader;
    const outerEnd = reader.end;
    reader.end = end;
    const start = reply?.length ?? 0;
    if (reply !== null) writeMultiHeader(reply, resultType(type), false, 0);
    const error = this.#applyRecord(type, reply);
    if (reply !== null && error !== ErrorCode.ok) {
      reply.length = start;
      writeErrorResult(reply, error);
    }
    reader.end = outerEnd;
  }

  #parentOf(bytes: Uint8Array, start: number, end: number): NodeId {
    let slash = end - 1;
    while (slash > start && bytes[slash] !== 0x2f) slash--;
    return slash <= start ? rootNode : this.#state.tree.find(bytes, start, slash);
  }

  #aclOf(node: NodeId): typeof openAcl {
    if (node === noNode) return openAcl;
    return this.#state.tree.acls.get(this.#state.tree.aclId(node));
  }

  #compareDigest(): void {
    const reader = this.#reader;
    const { tree } = this.#state;
    const version = reader.readInt();
    const hi = reader.readInt();
    const lo = reader.readInt();
    if (version === digestVersion && (hi !== tree.digestHi || lo !== tree.digestLo))
      this.digestMismatches++;
  }
}

/** What a result says it is: creates with a Stat are all create2 (`OpResult.java`). */
function resultType(type: OpCode): number {
  if (type === OpCode.createContainer || type === OpCode.createTTL) return OpCode.create2;
  return type === OpCode.deleteContainer ? OpCode.delete : type;
}

function writeMultiHeader(reply: JuteWriter, type: number, done: boolean, error: number): void {
  reply.writeInt(type);
  reply.writeBoolean(done);
  reply.writeInt(error);
}

function writeErrorResult(reply: JuteWriter, error: ErrorCode): void {
  writeMultiHeader(reply, OpCode.error, false, error);
  reply.writeInt(error);
}

/** A TxnDigest: version (4), digest (8). */
const digestBytes = 12;
