import { utf8 } from '@meerkat/protocol';
import { type NodeId, noNode } from './node-table.ts';
import {
  QuotaPart,
  type QuotaRoot,
  QuotaRoots,
  quotaPartOf,
  quotaPath,
  quotaSubject,
} from './quota-roots.ts';
import { StatsTrack } from './stats-track.ts';
import type { TreeView } from './tree-view.ts';

/**
 * Keeps the sums of quotas: for each subtree that has limits, how many znodes and bytes of data are
 * in it, as text in its stats znode. That text is edited in place: version and mzxid stay, no watch
 * fires, and it counts in no digest. Enforces nothing. Source: `DataTree.updateQuotaStat`,
 * `updateQuotaForPath`, `setupQuota`.
 */
export class Quotas {
  readonly #tree: TreeView;
  readonly #replaceData: ReplaceData;
  readonly #roots = new QuotaRoots();

  constructor(tree: TreeView, replaceData: ReplaceData) {
    this.#tree = tree;
    this.#replaceData = replaceData;
  }

  /** The nearest znode with a quota at or above a path. */
  rootOf(path: Uint8Array, start: number, end: number): QuotaRoot | undefined {
    return this.#roots.find(path, start, end);
  }

  /** Every znode with a quota. */
  roots(): IterableIterator<QuotaRoot> {
    return this.#roots.all();
  }

  /** What the limits or stats znode at `path` says, undefined when it is missing. */
  read(path: Uint8Array): StatsTrack | undefined {
    const node = this.#tree.find(path, 0, path.length);
    return node === noNode ? undefined : StatsTrack.parse(this.#tree.copyData(node));
  }

  /** Notes that a znode was created: limits begin a quota, a stats znode gets its sums. */
  created(path: Uint8Array, start: number, end: number, node: NodeId, dataBytes: number): void {
    const part = quotaPartOf(path, start, end);
    if (part === QuotaPart.limits) this.#roots.add(quotaSubject(path, start, end));
    if (part === QuotaPart.stats) this.#recount(quotaSubject(path, start, end), node);
    this.changed(path, start, end, dataBytes, 1);
  }

  /** Notes that a znode was deleted: without limits there is no quota. */
  deleted(path: Uint8Array, start: number, end: number, dataBytes: number): void {
    const part = quotaPartOf(path, start, end);
    if (part === QuotaPart.limits) this.#roots.remove(quotaSubject(path, start, end));
    this.changed(path, start, end, -dataBytes, -1);
  }

  /** Adds to the sums of the nearest quota at or above a path. */
  changed(path: Uint8Array, start: number, end: number, bytes: number, count: number): void {
    const root = this.#roots.find(path, start, end);
    if (root === undefined) return;
    const node = this.#tree.find(root.statsPath, 0, root.statsPath.length);
    if (node === noNode) return;
    const track = StatsTrack.parse(this.#tree.copyData(node));
    track.count += count;
    track.bytes += bytes;
    this.#replaceData(node, track.toBytes());
  }

  /** Finds all quotas anew and sums each up, after a load. */
  setUp(): void {
    this.#roots.clear();
    const top = this.#tree.find(quotaPath, 0, quotaPath.length);
    if (top === noNode) return;
    for (let node = top; node !== noNode; node = this.#tree.nextInSubtree(node, top)) {
      const path = utf8(this.#tree.pathOf(node));
      if (this.#tree.childCount(node) > 0) continue;
      if (quotaPartOf(path, 0, path.length) !== QuotaPart.limits) continue;
      const subject = quotaSubject(path, 0, path.length);
      this.#roots.add(subject);
      const root = this.#roots.find(subject, 0, subject.length);
      if (root === undefined) continue;
      const stats = this.#tree.find(root.statsPath, 0, root.statsPath.length);
      if (stats !== noNode) this.#recount(subject, stats);
    }
  }

  /** Forgets all quotas. */
  clear(): void {
    this.#roots.clear();
  }

  /** Sums up the subtree at `subject`, itself included, into a stats znode. */
  #recount(subject: Uint8Array, statsNode: NodeId): void {
    const track = new StatsTrack();
    track.count = 0;
    track.bytes = 0;
    const top = subject.length === 0 ? noNode : this.#tree.find(subject, 0, subject.length);
    for (let node = top; node !== noNode; node = this.#tree.nextInSubtree(node, top)) {
      track.count++;
      track.bytes += Math.max(0, this.#tree.dataLength(node));
    }
    this.#replaceData(statsNode, track.toBytes());
  }
}

/** Gives a znode other data and leaves its stat as it is. */
export type ReplaceData = (node: NodeId, data: Uint8Array) => void;
