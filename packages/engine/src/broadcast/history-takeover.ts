/**
 * How a learner takes over the leader's history (`Learner.syncWithLeader`): it adds to its own (DIFF), cuts what the leader
 * does not have (TRUNC), or gets everything in place of its own (SNAP). The first packet says which.
 *
 * Owns what that does to disk and memory until proposals may follow: while the disk works nothing is read, and what memory
 * holds may be a mixture. Refuses to add to a history that is not trusted, and to receive a snapshot without end.
 */
import { assert, asZxid, type Zxid } from '@meerkat/protocol';
import type { MemberContext } from './member-context.ts';
import { PacketType, type ReceivedPacket } from './quorum-packet.ts';
import { SnapshotReceiver } from './snapshot-stream.ts';

/** Who takes the history over. */
export interface TakeoverEvents {
  /** It is the leader's now, up to `lastZxid`: proposals follow. */
  onHistoryTaken(lastZxid: Zxid): void;
  /** The disk is ready for more: what was held back is read. */
  onDiskReady(): void;
  /** It cannot be taken over. */
  onTakeoverFailed(reason: string): void;
}

/** How far it has come. */
type Stage =
  /** DIFF, TRUNC or SNAP is awaited. */
  | 'awaited'
  /** The log is being let go of, for a cut or a snapshot. */
  | 'clearing'
  | 'receiving'
  /** What was received as a snapshot goes to disk. */
  | 'adopting'
  | 'over';

export class HistoryTakeover {
  readonly #context: MemberContext;
  readonly #events: TakeoverEvents;
  #stage: Stage = 'awaited';
  #kind: 'none' | 'DIFF' | 'TRUNC' | 'SNAP' = 'none';
  #snapshot: SnapshotReceiver | null = null;
  /** Where the snapshot ends. */
  #snapshotZxid: Zxid = asZxid(0);
  #snapshotSinceMs = 0;
  /** The leader's epoch. */
  #epoch = 0;
  #isMemoryTainted = false;

  constructor(context: MemberContext, events: TakeoverEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** What the leader said first. */
  get kind(): 'none' | 'DIFF' | 'TRUNC' | 'SNAP' {
    return this.#kind;
  }

  /** Whether memory no longer holds what the disk holds: it has to be read again. */
  get isMemoryTainted(): boolean {
    return this.#isMemoryTainted;
  }

  /** Whether what comes is a snapshot, and no packets. */
  get isReceiving(): boolean {
    return this.#stage === 'receiving';
  }

  /** Whether this member's own disk works, so that nothing is read. */
  get isDiskBusy(): boolean {
    return this.#stage === 'clearing' || this.#stage === 'adopting';
  }

  /** Whether a snapshot is being received that is larger, or takes longer, than any may. */
  get isEndless(): boolean {
    if (this.#stage !== 'receiving') return false;
    const receivingMs = this.#context.clock.monotonicMs() - this.#snapshotSinceMs;
    return this.#snapshot?.isBeyondBounds(receivingMs) === true;
  }

  /** What the disk has under way comes to its end, and nobody is told. */
  stop(): void {
    this.#stage = 'over';
  }

  /**
   * DIFF, TRUNC or SNAP.
   *
   * @param ownZxid the last transaction that this member has; -1 when it has no database
   * @param epoch the leader's, promised before
   * @returns false when the packet is none of them
   */
  begin({ type, zxid }: ReceivedPacket, ownZxid: Zxid, epoch: number): boolean {
    assert(this.#stage === 'awaited', 'a history is taken over once');
    this.#epoch = epoch;
    if (type === PacketType.diff) this.#addTo(ownZxid);
    else if (type === PacketType.trunc) {
      if (zxid < 0 || zxid >= ownZxid) {
        this.#fail(`the leader says TRUNC to ${zxid}, which is not behind this member`);
      } else {
        this.#kind = 'TRUNC';
        this.#clear(() => this.#context.attempt(() => this.#truncate(zxid)));
      }
    } else if (type === PacketType.snap) {
      if (zxid < 0) this.#fail(`the leader says SNAP at ${zxid}`);
      else {
        this.#kind = 'SNAP';
        this.#clear(() => this.#receive(zxid));
      }
    } else return false;
    return true;
  }

  /** Bytes of the snapshot. Returns up to where they are. */
  receive(bytes: Uint8Array, start: number, end: number): number {
    const snapshot = this.#snapshot;
    assert(snapshot !== null, 'a snapshot is being received');
    const taken = snapshot.push(bytes, start, end);
    if (snapshot.isDone) this.#adopt();
    return taken;
  }

  #addTo(ownZxid: Zxid): void {
    const { storage } = this.#context;
    this.#kind = 'DIFF';
    if (storage.isDistrusted) {
      return this.#fail('the leader adds to a history that this member does not trust');
    }
    if (ownZxid < 0) {
      // A log alone would not be recovered; nothing is what this member's history begins with.
      storage.beginDatabase();
      this.#context.onHistoryReplaced();
    }
    this.#stage = 'over';
    this.#events.onHistoryTaken(asZxid(Math.max(0, ownZxid)));
  }

  /** The log is let go of, before what is on disk changes behind it. */
  #clear(next: () => void): void {
    this.#stage = 'clearing';
    this.#context.storage.close((error) => {
      if (this.#stage !== 'clearing') return;
      if (error !== null) return this.#fail('the log could not be closed');
      next();
    });
  }

  #truncate(zxid: Zxid): void {
    const { state, storage } = this.#context;
    this.#isMemoryTainted = true;
    this.#context.truncate(zxid);
    this.#isMemoryTainted = false;
    if (storage.isDistrusted) return this.#fail('its log cannot be cut where the leader says');
    assert(state.lastProcessedZxid <= zxid, 'a log that was cut ends there', zxid);
    this.#stage = 'over';
    this.#events.onHistoryTaken(asZxid(state.lastProcessedZxid));
    this.#events.onDiskReady();
  }

  #receive(zxid: Zxid): void {
    const { database, config, clock } = this.#context;
    const itemBytesMax = config.limits.frameBytesMax + config.limits.extraBytesMax;
    this.#isMemoryTainted = true;
    this.#snapshot = new SnapshotReceiver(database, zxid, itemBytesMax);
    this.#snapshotZxid = zxid;
    this.#snapshotSinceMs = clock.monotonicMs();
    this.#stage = 'receiving';
    this.#events.onDiskReady();
  }

  /** The snapshot is whole: it takes the place of all that was before, on disk too. */
  #adopt(): void {
    const { storage, recent, state } = this.#context;
    const zxid = this.#snapshotZxid;
    this.#snapshot = null;
    this.#stage = 'adopting';
    recent.clear();
    assert(state.lastProcessedZxid === zxid, 'a snapshot ends where the leader says');
    storage.adopt((error) => {
      if (error === null) {
        this.#isMemoryTainted = false;
        // The snapshot holds all that the epoch began with. Left in an older one, a member that lost its disk would count
        // for less than an older history, and could help to elect that without what its disk had acknowledged.
        this.#context.attempt(() => this.#context.epochs.enter(this.#epoch));
        this.#context.onHistoryReplaced();
      }
      if (this.#stage !== 'adopting') return;
      if (error !== null) return this.#fail(`the snapshot could not be written: ${error.message}`);
      this.#stage = 'over';
      this.#events.onHistoryTaken(zxid);
      this.#events.onDiskReady();
    });
  }

  #fail(reason: string): void {
    this.#stage = 'over';
    this.#events.onTakeoverFailed(reason);
  }
}
