import {
  assert,
  type JuteReader,
  type JuteWriter,
  JuteReader as Reader,
  type Zxid,
} from '@meerkat/protocol';
import type { Clock } from './ports.ts';
import type { ReplicaState } from './requests/replica-state.ts';
import type { TransactionApplier } from './requests/transaction-applier.ts';
import type {
  RecoveryState,
  SnapshotCursor,
  SnapshotDigest,
  SnapshotSource,
} from './storage/index.ts';
import { digestVersion } from './tree/digest.ts';

/** Hears of the history that comes back from disk. */
export interface ReplayListener {
  /** The history is another one from here on: a snapshot's, or a new one. */
  onHistoryForgotten(): void;
  /** A transaction, `bytes[start, end)`, valid during the call, was replayed from a log. */
  onReplayed(bytes: Uint8Array, start: number, end: number, zxid: Zxid): void;
}

/**
 * Tree and sessions as one thing that is saved and brought back (`ZKDatabase.java`). Owns how a
 * snapshot's parts map to them; refuses to touch files.
 */
export class Database implements RecoveryState, SnapshotSource {
  readonly source: SnapshotSource = this;
  readonly #state: ReplicaState;
  /** When the last snapshot had been read, monotonic ms; null when none was. */
  loadedMs: number | null = null;
  readonly #applier: TransactionApplier;
  readonly #clock: Clock;
  readonly #reader = new Reader();

  constructor(state: ReplicaState, applier: TransactionApplier, clock: Clock) {
    this.#state = state;
    this.#applier = applier;
    this.#clock = clock;
  }

  /** Told of what is replayed from logs; null is nobody. */
  replayed: ReplayListener | null = null;

  readonly applyRecord = (bytes: Uint8Array, start: number, end: number, zxid: Zxid): void => {
    this.#applier.apply(bytes, start, end, null);
    this.replayed?.onReplayed(bytes, start, end, zxid);
  };

  reset(): void {
    this.replayed?.onHistoryForgotten();
    this.#state.tree.reset();
    this.#state.sessions.clear();
    this.#state.lastProcessedZxid = 0;
    this.#applier.startHistory(-1);
  }

  loadSession(idHi: number, idLo: number, timeoutMs: number): void {
    this.#state.sessions.restore(idHi, idLo, timeoutMs);
  }

  loadAcls(reader: JuteReader): void {
    // What a new tree has is in the snapshot too.
    this.#state.tree.beginLoad();
    this.#state.tree.acls.deserialize(reader);
  }

  loadNode(bytes: Uint8Array, start: number, end: number): void {
    const reader = this.#reader.reset(bytes, start, end);
    const pathLength = reader.skipBuffer();
    const pathEnd = reader.position;
    const dataLength = reader.skipBuffer();
    const dataStart = reader.position - Math.max(0, dataLength);
    const aclIdHi = reader.readInt();
    const aclIdLo = reader.readInt();
    const { tree } = this.#state;
    const pathStart = pathEnd - Math.max(0, pathLength);
    tree.loadNode(
      bytes,
      pathStart,
      pathEnd,
      dataStart,
      dataLength,
      aclIdHi,
      aclIdLo,
      reader.position,
    );
  }

  finishLoad(zxid: Zxid, digest: SnapshotDigest | null): void {
    this.#state.tree.finishLoad();
    this.#state.lastProcessedZxid = zxid;
    // The walk over the tree ended after this transaction: from it on the digests must agree.
    this.#applier.compareDigestsFrom(digest === null ? Number.POSITIVE_INFINITY : digest.zxid);
    this.#applier.startHistory(digest === null ? -1 : digest.zxid);
    this.loadedMs = this.#clock.monotonicMs();
  }

  /**
   * The end of a recovery: ephemerals of sessions that are no more are removed
   * (`ZooKeeperServer.loadData`). Returns how many.
   */
  removeOrphans(): number {
    const { tree, sessions } = this.#state;
    let removed = 0;
    for (const { hi, lo } of Array.from(tree.sessionsWithEphemerals())) {
      if (sessions.get(hi, lo) !== undefined) continue;
      removed += tree.killSession(hi, lo, this.#state.lastProcessedZxid);
    }
    this.#applier.compareDigestsFrom(this.#state.lastProcessedZxid + 1);
    return removed;
  }

  lastZxid(): Zxid {
    return this.#state.lastProcessedZxid as Zxid;
  }

  writeSessions(writer: JuteWriter): void {
    const countAt = writer.reserve(4);
    let count = 0;
    for (const session of this.#state.sessions.all()) {
      if (!session.committed) continue;
      writer.writeLong(session.idHi, session.idLo);
      writer.writeInt(session.timeoutMs);
      count++;
    }
    assert(count <= this.#state.sessions.count, 'sessions are counted', count);
    writer.view.setInt32(countAt, count);
  }

  writeAcls(writer: JuteWriter): void {
    this.#state.tree.acls.serialize(writer);
  }

  openCursor(): SnapshotCursor {
    return this.#state.tree.openCursor();
  }

  digest(): SnapshotDigest | null {
    if (!this.#state.config.digestEnabled) return null;
    const { digestHi, digestLo } = this.#state.tree;
    return { zxid: this.lastZxid(), version: digestVersion, digestHi, digestLo };
  }
}
