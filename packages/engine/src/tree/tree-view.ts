import { decodeUtf8, type JuteWriter, utf8 } from '@meerkat/protocol';
import { crc32UpdateInt, crc32UpdateLong } from '../checksums.ts';
import { NodeKind } from './ephemeral-type.ts';
import {
  Column,
  type NodeId,
  NodeTable,
  noNode,
  pageMask,
  pageShift,
  rootNode,
  rowInts,
} from './node-table.ts';
import { continueHash, PathIndex } from './path-index.ts';
import { Slab } from './slab.ts';

/**
 * The tree as reads see it: finds znodes by path and writes names, data and stats straight into
 * replies. Owns the memory that znodes are in; changes nothing, `Tree` does.
 *
 * Unless a method says otherwise, the znode it is given must exist.
 */
export class TreeView {
  /** The hash of the root's path, from which all others are continued. */
  /** The seed of path hashes. */
  readonly hashSeed: number;
  protected nodes: NodeTable = new NodeTable();
  protected slab: Slab = new Slab();
  protected index: PathIndex = new PathIndex(this.nodes, this.slab);

  constructor(hashSeed: number) {
    this.hashSeed = hashSeed | 0;
  }

  /** The znode at a path in UTF-8; the empty path is the root too. `noNode` when there is none. */
  find(path: Uint8Array, start: number, end: number): NodeId {
    if (end === start || (end - start === 1 && path[start] === slash)) return rootNode;
    return this.index.find(continueHash(this.hashSeed, path, start, end), path, start, end);
  }

  /** As `find`, for a path that is a string. */
  findString(path: string): NodeId {
    const bytes = utf8(path);
    return this.find(bytes, 0, bytes.length);
  }

  /** Whether the znode is there; any number may be asked for. */
  isLive(node: NodeId): boolean {
    return this.nodes.isLive(node);
  }

  /** Znodes, the root counted twice, as ZooKeeper does: it keeps the root as "" and as "/". */
  get nodeCount(): number {
    return this.nodes.count + 1;
  }

  /** Znodes below this one, at any depth. Takes time in proportion to them, except for the root. */
  allChildrenCount(node: NodeId): number {
    if (node === rootNode) return this.nodes.count - 1;
    let count = 0;
    for (
      let at = this.nextInSubtree(node, node);
      at !== noNode;
      at = this.nextInSubtree(at, node)
    ) {
      count++;
    }
    return count;
  }

  /** The path as a string; "/" for the root. */
  pathOf(node: NodeId): string {
    if (node === rootNode) return '/';
    const length = this.pathLength(node);
    if (pathScratch.length < length) pathScratch = new Uint8Array(length * 2);
    this.copyPath(node, pathScratch, 0);
    return decodeUtf8(pathScratch, 0, length);
  }

  /** Bytes of the path, 0 for the root. */
  pathLength(node: NodeId): number {
    let length = 0;
    for (let at = node; at !== rootNode; at = this.parentOf(at)) {
      length += 1 + this.nodes.nameLength(at);
    }
    return length;
  }

  /** Copies the path, empty for the root, to `target` at `at`; returns where it ends. */
  copyPath(node: NodeId, target: Uint8Array, at: number): number {
    const end = at + this.pathLength(node);
    let to = end;
    for (let id = node; id !== rootNode; id = this.parentOf(id)) {
      const block = this.nodes.get(id, Column.block);
      const names = this.slab.arrayOf(block);
      const nameAt = this.slab.offsetOf(block);
      const length = this.nodes.nameLength(id);
      to -= length;
      for (let i = 0; i < length; i++) target[to + i] = names[nameAt + i] as number;
      target[--to] = slash;
    }
    return end;
  }

  /** Writes the path as a jute string; "/" for the root. */
  writePath(writer: JuteWriter, node: NodeId): void {
    const length = this.pathLength(node);
    if (length === 0) {
      writer.writeInt(1);
      writer.writeByte(slash);
      return;
    }
    writer.writeInt(length);
    const at = writer.reserve(length);
    this.copyPath(node, writer.bytes, at);
  }

  /** Writes the last segment of the path as a jute string. */
  writeName(writer: JuteWriter, node: NodeId): void {
    const block = this.nodes.get(node, Column.block);
    const length = this.nodes.nameLength(node);
    const at = this.slab.offsetOf(block);
    writer.writeInt(length);
    writer.writeBytes(this.slab.arrayOf(block), at, at + length);
  }

  /** The last segment of the path as a string. */
  nameOf(node: NodeId): string {
    const block = this.nodes.get(node, Column.block);
    const at = this.slab.offsetOf(block);
    return decodeUtf8(this.slab.arrayOf(block), at, at + this.nodes.nameLength(node));
  }

  /** `noNode` for the root. */
  parentOf(node: NodeId): NodeId {
    return this.nodes.get(node, Column.parent);
  }

  /** The newest child, `noNode` when there is none. */
  firstChild(node: NodeId): NodeId {
    return this.nodes.get(node, Column.firstChild);
  }

  /** The next older child of the same parent. */
  nextSibling(node: NodeId): NodeId {
    return this.nodes.get(node, Column.nextSibling);
  }

  childCount(node: NodeId): number {
    return this.nodes.get(node, Column.childCount);
  }

  czxid(node: NodeId): number {
    return this.nodes.getLong(node, Column.czxid);
  }

  mzxid(node: NodeId): number {
    return this.nodes.getLong(node, Column.mzxid);
  }

  pzxid(node: NodeId): number {
    return this.nodes.getLong(node, Column.pzxid);
  }

  ctime(node: NodeId): number {
    return this.nodes.getLong(node, Column.ctime);
  }

  mtime(node: NodeId): number {
    return this.nodes.getLong(node, Column.mtime);
  }

  version(node: NodeId): number {
    return this.nodes.get(node, Column.version);
  }

  /** Children ever created: the persisted cversion, from which sequential names are made. */
  createCounter(node: NodeId): number {
    return this.nodes.get(node, Column.createCounter);
  }

  /** The cversion that clients see: children created and deleted (`DataNode.copyStat`). */
  reportedCVersion(node: NodeId): number {
    return (this.createCounter(node) * 2 - this.childCount(node)) | 0;
  }

  aversion(node: NodeId): number {
    return this.nodes.get(node, Column.aversion);
  }

  /** High half of the persisted ephemeralOwner. */
  ownerHi(node: NodeId): number {
    return this.kind(node) === NodeKind.persistent ? 0 : this.nodes.ownerHi(node);
  }

  /** Low half of the persisted ephemeralOwner. */
  ownerLo(node: NodeId): number {
    return this.kind(node) === NodeKind.persistent ? 0 : this.nodes.ownerLo(node);
  }

  kind(node: NodeId): NodeKind {
    return (this.nodes.marks(node) & kindMarks) as NodeKind;
  }

  /** The number of the ACL in `Tree.acls`. */
  aclId(node: NodeId): number {
    return this.nodes.get(node, Column.aclId);
  }

  /** Bytes of data, -1 when it is null. */
  dataLength(node: NodeId): number {
    return this.nodes.get(node, Column.dataLength);
  }

  /** The array that holds the data, from `dataStart` on. Valid until the next change of the tree. */
  dataArray(node: NodeId): Uint8Array {
    return this.slab.arrayOf(this.nodes.get(node, Column.block));
  }

  /** Where the data starts in `dataArray`. */
  dataStart(node: NodeId): number {
    return this.slab.offsetOf(this.nodes.get(node, Column.block)) + this.nodes.nameLength(node);
  }

  /** A copy of the data, null when it is null. */
  copyData(node: NodeId): Uint8Array | null {
    const length = this.dataLength(node);
    if (length === -1) return null;
    const start = this.dataStart(node);
    return this.dataArray(node).slice(start, start + length);
  }

  /** Writes the data as a jute buffer. */
  writeData(writer: JuteWriter, node: NodeId): void {
    const length = this.dataLength(node);
    writer.writeInt(length);
    if (length <= 0) return;
    const start = this.dataStart(node);
    writer.writeBytes(this.dataArray(node), start, start + length);
  }

  /**
   * Writes the Stat that clients see, 68 bytes: cversion counts creations and deletions, and the
   * owner is 0 unless it is a session (`DataNode.copyStat`).
   */
  writeStat(writer: JuteWriter, node: NodeId): void {
    const page = this.nodes.pages[node >>> pageShift] as Int32Array;
    const row = (node & pageMask) * rowInts;
    const isEphemeral = this.kind(node) === NodeKind.ephemeral;
    const childCount = page[row + Column.childCount] as number;
    const at = writer.reserve(68);
    const view = writer.view;
    view.setInt32(at, page[row + Column.czxid] as number);
    view.setInt32(at + 4, page[row + Column.czxid + 1] as number);
    view.setInt32(at + 8, page[row + Column.mzxid] as number);
    view.setInt32(at + 12, page[row + Column.mzxid + 1] as number);
    view.setInt32(at + 16, page[row + Column.ctime] as number);
    view.setInt32(at + 20, page[row + Column.ctime + 1] as number);
    view.setInt32(at + 24, page[row + Column.mtime] as number);
    view.setInt32(at + 28, page[row + Column.mtime + 1] as number);
    view.setInt32(at + 32, page[row + Column.version] as number);
    view.setInt32(at + 36, (page[row + Column.createCounter] as number) * 2 - childCount);
    view.setInt32(at + 40, page[row + Column.aversion] as number);
    view.setInt32(at + 44, isEphemeral ? this.nodes.ownerHi(node) : 0);
    view.setInt32(at + 48, isEphemeral ? this.nodes.ownerLo(node) : 0);
    view.setInt32(at + 52, Math.max(0, page[row + Column.dataLength] as number));
    view.setInt32(at + 56, childCount);
    view.setInt32(at + 60, page[row + Column.pzxid] as number);
    view.setInt32(at + 64, page[row + Column.pzxid + 1] as number);
  }

  /** Writes the stat as snapshots hold it, 60 bytes. */
  writeStatPersisted(writer: JuteWriter, node: NodeId): void {
    writer.writeLongFromDouble(this.czxid(node));
    writer.writeLongFromDouble(this.mzxid(node));
    writer.writeLongFromDouble(this.ctime(node));
    writer.writeLongFromDouble(this.mtime(node));
    writer.writeInt(this.version(node));
    writer.writeInt(this.createCounter(node));
    writer.writeInt(this.aversion(node));
    writer.writeLong(this.ownerHi(node), this.ownerLo(node));
    writer.writeLongFromDouble(this.pzxid(node));
  }

  /** The CRC-32 register after path and data. Only kept with digests enabled, outside /zookeeper/. */
  prefixState(node: NodeId): number {
    return this.nodes.get(node, Column.prefixState);
  }

  /** Whether the znode counts in the tree's digest; see `isDigestedPath`. */
  isDigested(node: NodeId): boolean {
    return (this.nodes.marks(node) & undigestedMark) === 0;
  }

  /** The znode's digest as it counts in the tree's, 32 bits as a signed number; 0 when it does not count. */
  digestOf(node: NodeId): number {
    return this.nodes.get(node, Column.digest);
  }

  /** The digest that the znode should have, from its stat. */
  protected computeDigest(node: NodeId): number {
    if (!this.isDigested(node)) return 0;
    const page = this.nodes.pages[node >>> pageShift] as Int32Array;
    const row = (node & pageMask) * rowInts;
    let register = page[row + Column.prefixState] as number;
    // czxid, mzxid, pzxid, ctime and mtime stand in the order of the digest.
    for (let at = row + Column.czxid; at <= row + Column.mtime; at += 2) {
      register = crc32UpdateLong(register, page[at] as number, page[at + 1] as number);
    }
    const version = page[row + Column.version] as number;
    register = crc32UpdateLong(register, version, page[row + Column.createCounter] as number);
    register = crc32UpdateInt(register, page[row + Column.aversion] as number);
    return ~crc32UpdateLong(register, this.ownerHi(node), this.ownerLo(node));
  }

  /** Bytes of memory held for znodes, and how many of the slab's are in use. */
  memory(): TreeMemory {
    return {
      rowBytes: this.nodes.reservedBytes,
      indexBytes: this.index.reservedBytes,
      slabBytes: this.slab.reservedBytes,
      slabUsedBytes: this.slab.usedBytes,
    };
  }

  /** The znode after `node` in pre-order within the subtree of `top`; `noNode` at its end. */
  nextInSubtree(node: NodeId, top: NodeId): NodeId {
    const child = this.firstChild(node);
    if (child !== noNode) return child;
    return this.nextOutside(node, top);
  }

  /** The znode after the whole subtree of `node` in pre-order within that of `top`. */
  nextOutside(node: NodeId, top: NodeId): NodeId {
    for (let at = node; at !== top; at = this.parentOf(at)) {
      const sibling = this.nextSibling(at);
      if (sibling !== noNode) return sibling;
    }
    return noNode;
  }
}

/** What the tree takes. */
export interface TreeMemory {
  readonly rowBytes: number;
  readonly indexBytes: number;
  readonly slabBytes: number;
  readonly slabUsedBytes: number;
}

/** The marks of a row that hold its kind. */
export const kindMarks = 0b011;

/** The mark of a row that does not count in the digest. */
export const undigestedMark = 0b100;

const slash = 0x2f;
let pathScratch = new Uint8Array(256);
