/**
 * Brings one learner after another to the leader's history: chooses how, and writes what that takes. Owns the count
 * of observers that are being brought up to date (`LearnerSyncThrottler.java`).
 */
import { assert, asZxid, type JuteWriter, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { listSnapshots } from '../storage/index.ts';
import type { LearnerLink, SyncStream } from './learner-link.ts';
import { isUnreadableLog, LogRange } from './log-range.ts';
import type { MemberContext } from './member-context.ts';
import { beginPacket, endPacket, PacketType, writeBarePacket } from './quorum-packet.ts';
import { SnapshotSender } from './snapshot-stream.ts';
import { planSync, type SyncPlan } from './sync-plan.ts';

export class LearnerSync {
  readonly #context: MemberContext;
  readonly #observers = new Map<LearnerLink, SyncPlan['kind']>();
  /** Servers for whom the logs on disk did not do: they get a snapshot. */
  readonly #snapshotOnly = new Set<number>();

  constructor(context: MemberContext) {
    this.#context = context;
  }

  /** Writes all that a learner lacks. Returns what it gets; null when it has to try again later. */
  begin(link: LearnerLink): SyncPlan['kind'] | null {
    const { state, recent } = this.#context;
    const peer = link.peerLastZxid;
    let range: LogRange | null = null;
    const plan = planSync(peer, asZxid(state.lastProcessedZxid), recent, () => {
      range = this.#snapshotOnly.delete(link.sid) ? null : this.#openRange(peer);
      return range !== null;
    });
    if (!this.#isAllowed(link, plan.kind)) {
      (range as LogRange | null)?.close();
      return null;
    }
    const { counters } = this.#context;
    if (plan.kind === 'SNAP') counters.snapshotsSent++;
    else counters.differencesSent++;
    const opType = { DIFF: PacketType.diff, TRUNC: PacketType.trunc, SNAP: PacketType.snap };
    writeBarePacket(link.outbox, opType[plan.kind], plan.zxid);
    if (plan.kind === 'SNAP') link.startStream(new SnapshotStream(this.#context));
    else if (range !== null) link.startStream(new LogStream(range, recent.zxidOf(plan.from)));
    this.#writeRecent(link, plan.from);
    return plan.kind;
  }

  /** What was sent of the logs turned out to have a hole, or cannot be read: next time it is a snapshot. */
  failed(link: LearnerLink): void {
    this.#snapshotOnly.add(link.sid);
  }

  /** A learner is in sync, or gone. */
  ended(link: LearnerLink): void {
    this.#observers.delete(link);
  }

  /** Committed ones with their COMMITs, then those that are only proposed. */
  #writeRecent(link: LearnerLink, from: number): void {
    const { recent } = this.#context;
    const { outbox } = link;
    const end = link.type === 'participant' ? recent.end : recent.committedEnd;
    for (let number = from; number < end; number++) {
      const block = recent.blockOf(number);
      outbox.writeBytes(block, recent.packetStart(number), recent.packetEnd(number));
      if (number < recent.committedEnd) {
        writeBarePacket(outbox, PacketType.commit, recent.zxidOf(number));
      }
    }
  }

  /** The logs on disk after `peer`, when they go on from it and are not too long. */
  #openRange(peer: Zxid): LogRange | null {
    const { disk, storage, ensemble, recent } = this.#context;
    const directories = storage.directories;
    if (directories === null || ensemble.snapshotSizeFactor < 0) return null;
    // What memory holds is committed, but may not be on this member's disk up to its beginning.
    if (this.#context.durableZxid < recent.zxidOf(recent.first) - 1) return null;
    // Where a snapshot of a leader was taken over, the logs before it end anywhere: a hole that zxids do not show
    // when an epoch begins behind it [ZOOKEEPER-2418].
    if (peer < storage.unbrokenFrom) return null;
    const newest = listSnapshots(disk, directories.snapshots).at(-1);
    const snapshotBytes = newest === undefined ? 0 : disk.sizeBytes(newest.path);
    const bytesMax = Math.max(
      snapshotBytes * ensemble.snapshotSizeFactor,
      ensembleLimits.diskDiffBytesMin,
    );
    // The disk's part ends where memory's begins.
    const through = asZxid(recent.zxidOf(recent.first) - 1);
    const range = new LogRange(disk, directories.logs, peer, through);
    try {
      if (range.isJoined && range.sizeBytes <= bytesMax) return range;
    } catch (error) {
      // A snapshot does not need them.
      if (!isUnreadableLog(error)) throw error;
    }
    range.close();
    return null;
  }

  #isAllowed(link: LearnerLink, kind: SyncPlan['kind']): boolean {
    if (link.type === 'participant') return true;
    const { snapSyncsMax, diffSyncsMax } = this.#context.ensemble;
    const isSnap = kind === 'SNAP';
    let count = 0;
    for (const other of this.#observers.values()) if ((other === 'SNAP') === isSnap) count++;
    if (count >= (isSnap ? snapSyncsMax : diffSyncsMax)) return false;
    this.#observers.set(link, kind);
    return true;
  }
}

/** A snapshot of the tree as it is sent to a learner. */
class SnapshotStream implements SyncStream {
  readonly #sender: SnapshotSender;
  readonly #context: MemberContext;
  #isSent = false;

  constructor(context: MemberContext) {
    this.#context = context;
    this.#sender = new SnapshotSender(context.database);
  }

  writeNext(outbox: JuteWriter): boolean {
    const piece = this.#sender.next(ensembleLimits.streamPieceBytes);
    this.#isSent = piece === null;
    if (piece === null) return false;
    outbox.writeBytes(piece, 0, piece.length);
    return true;
  }

  close(): void {
    this.#sender.close();
    if (this.#isSent) this.#context.notice('stream ended', null, 'a snapshot was sent');
  }
}

/** Transactions of the log on disk, each with its COMMIT. */
class LogStream implements SyncStream {
  readonly #range: LogRange;
  readonly #next: Zxid;
  #outbox: JuteWriter | null = null;
  #hasMore = true;
  readonly #write = (bytes: Uint8Array, start: number, end: number, zxid: Zxid): void => {
    const outbox = this.#outbox;
    assert(outbox !== null, 'a log is sent to somebody', zxid);
    const packet = beginPacket(outbox, PacketType.proposal, zxid);
    outbox.writeBytes(bytes, start, end);
    endPacket(outbox, packet, null);
    writeBarePacket(outbox, PacketType.commit, zxid);
  };

  /** @param next the first transaction in memory, which has to follow */
  constructor(range: LogRange, next: Zxid) {
    this.#range = range;
    this.#next = next;
  }

  writeNext(outbox: JuteWriter): boolean {
    if (!this.#hasMore) return false;
    this.#outbox = outbox;
    this.#hasMore = this.#range.next(ensembleLimits.streamPieceBytes, this.#write);
    if (!this.#hasMore) this.#range.checkJoins(this.#next);
    return true;
  }

  close(): void {
    this.#range.close();
  }
}
