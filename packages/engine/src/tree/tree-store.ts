import { assert, type JuteWriter } from '@meerkat/protocol';
import { AclTable } from './acl-table.ts';
import { DigestSum, isDigestedPath, prefixStateOf } from './digest.ts';
import { type EphemeralTypeOptions, NodeKind, nodeKindOf, ttlMsOf } from './ephemeral-type.ts';
import { Column, type NodeId, NodeTable, noNode, rootNode } from './node-table.ts';
import { Ephemerals, OwnedNodes, type SessionEphemerals } from './owned-nodes.ts';
import { continueHash, PathIndex } from './path-index.ts';
import type { QuotaRoot } from './quota-roots.ts';
import { Quotas } from './quotas.ts';
import { Slab } from './slab.ts';
import type { StatsTrack } from './stats-track.ts';
import { TreeCursor } from './tree-cursor.ts';
import { TreeView, undigestedMark } from './tree-view.ts';

/** What a tree depends on. */
export interface TreeOptions extends EphemeralTypeOptions {
  /** Keeps the digest of the tree. */
  readonly digestEnabled: boolean;
  /** Any number that clients cannot know: seeds the hashes of paths. 0 unless given. */
  readonly hashSeed?: number;
}

/**
 * Znodes and everything that is kept beside them: ACLs, ephemerals by session, containers and TTL
 * znodes, quotas, the digest, the places of cursors. Owns that all of these agree after each step;
 * knows no transactions, those are `Tree`.
 */
export class TreeStore extends TreeView {
  /** Which encodings of ephemeralOwner are in force. */
  readonly ephemeralTypes: EphemeralTypeOptions;
  readonly acls: AclTable = new AclTable();
  protected readonly digestEnabled: boolean;
  protected readonly digest: DigestSum = new DigestSum();
  protected readonly quotas: Quotas = new Quotas(this, (node, data) => {
    this.replaceData(node, data, 0, data.length);
  });
  protected ephemerals: Ephemerals = new Ephemerals(this.nodes);
  protected dataBytes = 0;
  #containers: OwnedNodes = new OwnedNodes(this.nodes);
  #ttls: OwnedNodes = new OwnedNodes(this.nodes);
  readonly #cursors: TreeCursor[] = [];

  constructor(options: TreeOptions) {
    super(options.hashSeed ?? 0);
    this.ephemeralTypes = options;
    this.digestEnabled = options.digestEnabled;
  }

  /** High half of the digest of the tree; 0 unless digests are enabled. */
  get digestHi(): number {
    return this.digest.hi;
  }

  /** Low half of the digest of the tree, signed. */
  get digestLo(): number {
    return this.digest.lo;
  }

  /**
   * Characters of all paths and bytes of all data, as ZooKeeper keeps it
   * (`DataTree.cachedApproximateDataSize`): edits of quota sums are left out.
   */
  get approximateDataBytes(): number {
    return this.dataBytes;
  }

  /** Ephemerals of all sessions. */
  get ephemeralCount(): number {
    return this.ephemerals.count;
  }

  /** The ephemerals of a session, oldest first. */
  ephemeralsOf(sessionHi: number, sessionLo: number): NodeId[] {
    return this.ephemerals.get(sessionHi, sessionLo)?.nodes.toArray() ?? [];
  }

  /** How many sessions `sessionsWithEphemerals` lists. */
  get sessionsWithEphemeralsCount(): number {
    return this.ephemerals.sessionCount;
  }

  /** Sessions that have, or had and were not closed since, an ephemeral (`DataTree.getSessions`). */
  sessionsWithEphemerals(): IterableIterator<SessionEphemerals> {
    return this.ephemerals.sessions();
  }

  /** Whether a number that was a session's ephemeral still is. */
  isEphemeralOf(node: NodeId, sessionHi: number, sessionLo: number): boolean {
    return (
      this.nodes.isLive(node) &&
      this.kind(node) === NodeKind.ephemeral &&
      this.ownerHi(node) === sessionHi &&
      this.ownerLo(node) === sessionLo
    );
  }

  /** Container znodes. */
  get containerCount(): number {
    return this.#containers.count;
  }

  /** TTL znodes. */
  get ttlCount(): number {
    return this.#ttls.count;
  }

  /**
   * Containers and TTL znodes that may be deleted now (`ContainerManager.getCandidates`): without
   * children, and for a container once used or for too long not, for a TTL znode not changed
   * for that time.
   *
   * @param maxNeverUsedMs how long a container may wait for its first child; 0 for ever
   * @param max how many to name at most
   */
  expiredContainers(nowMs: number, maxNeverUsedMs: number, max: number): string[] {
    const paths: string[] = [];
    const containers = this.#containers;
    for (
      let at = containers.first;
      at !== noNode && paths.length < max;
      at = containers.after(at)
    ) {
      if (this.childCount(at) > 0) continue;
      const isUsed = this.createCounter(at) > 0;
      const isOverdue = maxNeverUsedMs !== 0 && nowMs - this.mtime(at) > maxNeverUsedMs;
      if (isUsed || isOverdue) paths.push(this.pathOf(at));
    }
    const ttls = this.#ttls;
    for (let at = ttls.first; at !== noNode && paths.length < max; at = ttls.after(at)) {
      if (this.childCount(at) > 0) continue;
      const ttlMs = ttlMsOf(this.ownerHi(at), this.ownerLo(at));
      if (ttlMs !== 0 && nowMs - this.mtime(at) > ttlMs) paths.push(this.pathOf(at));
    }
    return paths;
  }

  /** The nearest znode with a quota at or above a path. */
  quotaRoot(path: Uint8Array, start: number, end: number): QuotaRoot | undefined {
    return this.quotas.rootOf(path, start, end);
  }

  /** Every znode with a quota. */
  quotaRoots(): IterableIterator<QuotaRoot> {
    return this.quotas.roots();
  }

  /** The limits of a quota, undefined when their znode is missing. */
  quotaLimits(root: QuotaRoot): StatsTrack | undefined {
    return this.quotas.read(root.limitsPath);
  }

  /** The sums of a quota, undefined when their znode is missing. */
  quotaStats(root: QuotaRoot): StatsTrack | undefined {
    return this.quotas.read(root.statsPath);
  }

  /** Starts a walk for a snapshot. Close it when done. */
  openCursor(): TreeCursor {
    const cursor: TreeCursor = new TreeCursor({
      writeRecord: (writer, node) => this.writeRecord(writer, node),
      after: (node) => this.nextInSubtree(node, rootNode),
      closed: (closed) => {
        const index = this.#cursors.indexOf(closed);
        if (index !== -1) this.#cursors.splice(index, 1);
      },
    });
    this.#cursors.push(cursor);
    return cursor;
  }

  /** Writes a znode as snapshots hold it: path ("" for the root), data, ACL number and stat. */
  writeRecord(writer: JuteWriter, node: NodeId): void {
    const length = this.pathLength(node);
    writer.writeInt(length);
    const at = writer.reserve(length);
    this.copyPath(node, writer.bytes, at);
    this.writeData(writer, node);
    writer.writeLongFromDouble(this.aclId(node));
    this.writeStatPersisted(writer, node);
  }

  /** Empties the tree: not even the root is left. */
  protected clear(): void {
    assert(this.#cursors.length === 0, 'no snapshot is being written', this.#cursors.length);
    this.nodes = new NodeTable();
    this.slab = new Slab();
    this.index = new PathIndex(this.nodes, this.slab);
    this.ephemerals = new Ephemerals(this.nodes);
    this.#containers = new OwnedNodes(this.nodes);
    this.#ttls = new OwnedNodes(this.nodes);
    this.acls.clear();
    this.quotas.clear();
    this.digest.clear();
    this.dataBytes = 0;
  }

  /**
   * Adds a znode with a stat of zeros, the first child of `parent`; `noNode` as the parent is for the
   * root, which is added first. Not in the digest yet: `addDigest` when its stat is set.
   *
   * @throws EphemeralOwnerError when the owner is of an extended type that is not known
   */
  protected insert(parent: NodeId, where: PlaceInPath, content: NodeContent): NodeId {
    const { path, start, nameStart, end } = where;
    const { data, dataStart, dataEnd, ownerHi, ownerLo } = content;
    const { nodes } = this;
    const kind = nodeKindOf(ownerHi, ownerLo, this.ephemeralTypes);
    const nameLength = end - nameStart;
    const dataLength = data === null ? 0 : dataEnd - dataStart;
    assert(dataLength >= 0, 'data ends behind its start', dataStart, dataEnd);
    const node = nodes.allocate();
    const isDigested = isDigestedPath(path, start, end);
    nodes.setName(node, nameLength, kind | (isDigested ? 0 : undigestedMark));
    nodes.set(node, Column.parent, parent);
    nodes.set(node, Column.aclId, content.aclId);
    nodes.set(node, Column.dataLength, data === null ? -1 : dataLength);
    const block = this.slab.allocate(nameLength + dataLength);
    nodes.set(node, Column.block, block);
    const target = this.slab.arrayOf(block);
    const at = this.slab.offsetOf(block);
    copyBytes(path, nameStart, end, target, at);
    if (data !== null) copyBytes(data, dataStart, dataEnd, target, at + nameLength);
    if (this.digestEnabled && isDigested) {
      const register =
        content.known?.prefixState ?? prefixStateOf(path, start, end, data, dataStart, dataEnd);
      nodes.set(node, Column.prefixState, register);
    }
    if (parent !== noNode) {
      this.#linkChild(parent, node);
      this.index.insert(node, where.hash);
    }
    if (kind !== NodeKind.persistent) this.#addOwned(node, kind, ownerHi, ownerLo);
    return node;
  }

  /** Takes a znode without children out of everything. */
  protected remove(node: NodeId, path: Uint8Array, start: number, end: number): void {
    assert(node !== rootNode && this.nodes.isLive(node), 'a removed znode is there', node);
    assert(this.childCount(node) === 0, 'a removed znode has no children', node);
    for (const cursor of this.#cursors) cursor.leave(node);
    this.subtractDigest(node);
    const dataBytes = Math.max(0, this.dataLength(node));
    this.dataBytes -= charactersIn(path, start, end) + dataBytes;
    this.acls.removeUsage(this.aclId(node));
    const kind = this.kind(node);
    if (kind !== NodeKind.persistent) this.#removeOwned(node, kind);
    this.index.remove(node, continueHash(this.hashSeed, path, start, end));
    this.#unlinkChild(node);
    this.slab.release(this.nodes.get(node, Column.block), this.nodes.nameLength(node) + dataBytes);
    this.nodes.release(node);
    this.quotas.deleted(path, start, end, dataBytes);
  }

  /** Gives a znode other data; its stat and the digest stay. */
  protected replaceData(
    node: NodeId,
    data: Uint8Array | null,
    dataStart: number,
    dataEnd: number,
  ): void {
    const { nodes, slab } = this;
    const nameLength = nodes.nameLength(node);
    const bytesBefore = nameLength + Math.max(0, this.dataLength(node));
    const dataLength = data === null ? 0 : dataEnd - dataStart;
    assert(dataLength >= 0, 'data ends behind its start', dataStart, dataEnd);
    let block = nodes.get(node, Column.block);
    if (!slab.isSameClass(bytesBefore, nameLength + dataLength)) {
      const moved = slab.allocate(nameLength + dataLength);
      const from = slab.offsetOf(block);
      const names = slab.arrayOf(block);
      copyBytes(names, from, from + nameLength, slab.arrayOf(moved), slab.offsetOf(moved));
      slab.release(block, bytesBefore);
      nodes.set(node, Column.block, moved);
      block = moved;
    }
    nodes.set(node, Column.dataLength, data === null ? -1 : dataLength);
    if (data === null) return;
    copyBytes(data, dataStart, dataEnd, slab.arrayOf(block), slab.offsetOf(block) + nameLength);
  }

  /** Counts the znode, as it is now, in the digest. */
  protected addDigest(node: NodeId): void {
    if (this.digestEnabled) this.putDigest(node, this.computeDigest(node));
  }

  /** Counts the znode with a digest that is known. */
  protected putDigest(node: NodeId, digest: number): void {
    this.nodes.set(node, Column.digest, digest);
    this.digest.add(digest);
  }

  /** Takes the znode out of the digest; its stat may change then. */
  protected subtractDigest(node: NodeId): void {
    if (this.digestEnabled) this.digest.subtract(this.digestOf(node));
  }

  #linkChild(parent: NodeId, node: NodeId): void {
    const { nodes } = this;
    const first = nodes.get(parent, Column.firstChild);
    nodes.set(node, Column.nextSibling, first);
    if (first !== noNode) nodes.set(first, Column.previousSibling, node);
    nodes.set(parent, Column.firstChild, node);
    nodes.set(parent, Column.childCount, nodes.get(parent, Column.childCount) + 1);
  }

  #unlinkChild(node: NodeId): void {
    const { nodes } = this;
    const parent = nodes.get(node, Column.parent);
    const next = nodes.get(node, Column.nextSibling);
    const previous = nodes.get(node, Column.previousSibling);
    if (previous === noNode) nodes.set(parent, Column.firstChild, next);
    else nodes.set(previous, Column.nextSibling, next);
    if (next !== noNode) nodes.set(next, Column.previousSibling, previous);
    nodes.set(parent, Column.childCount, nodes.get(parent, Column.childCount) - 1);
  }

  #addOwned(node: NodeId, kind: NodeKind, ownerHi: number, ownerLo: number): void {
    this.nodes.setOwner(node, ownerHi, ownerLo);
    if (kind === NodeKind.ephemeral) this.ephemerals.add(node, ownerHi, ownerLo);
    else if (kind === NodeKind.container) this.#containers.add(node);
    else this.#ttls.add(node);
  }

  #removeOwned(node: NodeId, kind: NodeKind): void {
    if (kind === NodeKind.container) this.#containers.remove(node);
    else if (kind === NodeKind.ttl) this.#ttls.remove(node);
    else this.ephemerals.remove(node, this.ownerHi(node), this.ownerLo(node));
  }
}

/** A path in UTF-8 and where its last segment starts, with the path's hash. */
export interface PlaceInPath {
  path: Uint8Array;
  start: number;
  nameStart: number;
  end: number;
  hash: number;
}

/** What a new znode is made of. */
export interface NodeContent {
  data: Uint8Array | null;
  dataStart: number;
  dataEnd: number;
  aclId: number;
  ownerHi: number;
  ownerLo: number;
  /** Knows its CRC-32 register after path and data; null when it is to be computed. */
  known: { readonly prefixState: number } | null;
}

/** Where the last slash is, less than `start` when there is none. */
export function lastSlash(bytes: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at >= start && bytes[at] !== slash) at--;
  return at;
}

/** UTF-16 units of text in UTF-8: what Java's `String.length` says. */
export function charactersIn(bytes: Uint8Array, start: number, end: number): number {
  let count = end - start;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    // Bytes that continue a character do not count; one of four bytes is two units.
    if (byte > 0x7f && (byte & 0xc0) === 0x80) count--;
    if (byte >= 0xf0) count++;
  }
  return count;
}

function copyBytes(
  from: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > 48) {
    target.set(from.subarray(start, end), at);
    return;
  }
  for (let i = start, to = at; i < end; i++, to++) target[to] = from[i] as number;
}

const slash = 0x2f;
