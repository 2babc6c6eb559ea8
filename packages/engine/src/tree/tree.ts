import { type Acl, assert, ErrorCode, utf8 } from '@meerkat/protocol';
import { openAclId } from './acl-table.ts';
import { prefixStateOf } from './digest.ts';
import { LoadableTree } from './loadable-tree.ts';
import { Column, type NodeId, noNode } from './node-table.ts';
import { continueHash } from './path-index.ts';
import { charactersIn, lastSlash, type TreeOptions } from './tree-store.ts';

export { nodeDigest } from './digest.ts';
export { NodeKind } from './ephemeral-type.ts';
export { type NodeId, noNode, rootNode } from './node-table.ts';
export { TreeLoadError } from './tree-load-error.ts';
export type { TreeOptions } from './tree-store.ts';

/** What is known of a change before it is made. */
export interface KnownChange {
  /** The znode that changes; of a creation, its parent. */
  node: NodeId;
  /** The CRC-32 register after path and data, of the znode changed or created. */
  prefixState: number;
  /** The digest of that znode afterwards. */
  digest: number;
  /** Of a creation: the hash of the path. */
  hash: number;
  /** Of a creation: the digest of the parent afterwards. */
  parentDigest: number;
}

/**
 * The data tree. Owns the rules of `DataTree.java` for applying transactions; checks no permission, version or limit, fires no watch, and knows no time.
 *
 * Changes are idempotent in the way a fuzzy snapshot needs: replaying a transaction whose effect is
 * there already, or was undone by a later one, is answered with an error code and leaves what the
 * following transactions need.
 */
export class Tree extends LoadableTree {
  /** The znode of the last `createNode`, `setData` or `setAcl` that succeeded: no need to find it again. */
  changedNode: NodeId = noNode;

  /** A tree as a new server has it: the root, /zookeeper, and in that quota and config. */
  constructor(options: TreeOptions) {
    super(options);
    this.#plantAll();
  }

  /** Makes it a tree as a new server has it again. */
  reset(): void {
    this.clear();
    this.isLoading = false;
    this.#plantAll();
  }

  /**
   * Applies a creation. The use of `aclId` that the caller holds passes to the tree, whatever comes
   * of it; see `AclTable`.
   *
   * @param data null for no data, else `data[dataStart, dataEnd)`
   * @param parentCVersion the parent's create counter afterwards; -1, in old transactions, is one more
   * @param known what the one who made the transaction found out already, so that it is not done twice
   * @returns noNode when the parent is missing; nodeExists when a replay meets the znode: its ACL and
   *   the counters of its parent are then brought up to this transaction
   * @throws EphemeralOwnerError when the owner is of an extended type that is not known
   */
  createNode(
    path: Uint8Array,
    start: number,
    end: number,
    data: Uint8Array | null,
    dataStart: number,
    dataEnd: number,
    aclId: number,
    ownerHi: number,
    ownerLo: number,
    parentCVersion: number,
    zxid: number,
    time: number,
    known: KnownChange | null = null,
  ): ErrorCode {
    const slashAt = lastSlash(path, start, end);
    if (slashAt < start) return this.#refuseCreation(aclId, ErrorCode.badArguments);
    if (slashAt === end - 1) return this.#refuseCreation(aclId, ErrorCode.nodeExists);
    const parentHash = known === null ? continueHash(this.hashSeed, path, start, slashAt) : 0;
    const parent = known?.node ?? this.index.find(parentHash, path, start, slashAt);
    if (parent === noNode) return this.#refuseCreation(aclId, ErrorCode.noNode);
    assert(this.nodes.isLive(parent), 'the parent of what is created is there', parent);
    const hash = known?.hash ?? continueHash(parentHash, path, slashAt, end);
    const existing = this.index.find(hash, path, start, end);
    this.#countCreation(parent, parentCVersion, zxid, known);
    if (existing !== noNode) {
      this.acls.removeUsage(this.aclId(existing));
      this.nodes.set(existing, Column.aclId, aclId);
      return ErrorCode.nodeExists;
    }
    const where = this.placeAt(path, start, slashAt + 1, end, hash);
    const content = this.contentOf(data, dataStart, dataEnd, aclId, ownerHi, ownerLo);
    content.known = known;
    const node = this.insert(parent, where, content);
    this.nodes.setLong(node, Column.czxid, zxid);
    this.nodes.setLong(node, Column.mzxid, zxid);
    this.nodes.setLong(node, Column.pzxid, zxid);
    this.nodes.setLong(node, Column.ctime, time);
    this.nodes.setLong(node, Column.mtime, time);
    if (known === null) this.addDigest(node);
    else if (this.digestEnabled) this.putDigest(node, known.digest);
    const dataBytes = Math.max(0, this.dataLength(node));
    this.dataBytes += charactersIn(path, start, end) + dataBytes;
    this.quotas.created(path, start, end, node, dataBytes);
    this.changedNode = node;
    return ErrorCode.ok;
  }

  /**
   * Applies a deletion. A znode that still has children, which only a replay over a fuzzy snapshot
   * meets, goes with all of them: the transactions that follow create them again.
   *
   * @returns noNode when the parent or the znode is missing; the parent's pzxid has moved on even so
   */
  deleteNode(path: Uint8Array, start: number, end: number, zxid: number): ErrorCode {
    const slashAt = lastSlash(path, start, end);
    if (slashAt < start || slashAt === end - 1) return ErrorCode.badArguments;
    const parentHash = continueHash(this.hashSeed, path, start, slashAt);
    const parent = this.index.find(parentHash, path, start, slashAt);
    if (parent === noNode) return ErrorCode.noNode;
    if (zxid > this.pzxid(parent)) {
      this.subtractDigest(parent);
      this.nodes.setLong(parent, Column.pzxid, zxid);
      this.addDigest(parent);
    }
    const node = this.index.find(continueHash(parentHash, path, slashAt, end), path, start, end);
    if (node === noNode) return ErrorCode.noNode;
    if (this.childCount(node) > 0) this.#removeDescendants(node);
    this.remove(node, path, start, end);
    return ErrorCode.ok;
  }

  /**
   * Applies new data.
   *
   * @param data null for no data, else `data[dataStart, dataEnd)`
   * @param version the version afterwards
   * @param known what the one who made the transaction found out already, so that it is not done twice
   * @returns noNode when the znode is missing
   */
  setData(
    path: Uint8Array,
    start: number,
    end: number,
    data: Uint8Array | null,
    dataStart: number,
    dataEnd: number,
    version: number,
    zxid: number,
    time: number,
    known: KnownChange | null = null,
  ): ErrorCode {
    const node = known === null ? this.find(path, start, end) : known.node;
    if (node === noNode) return ErrorCode.noNode;
    assert(this.nodes.isLive(node), 'a znode that is changed is there', node);
    const bytesBefore = Math.max(0, this.dataLength(node));
    this.subtractDigest(node);
    this.replaceData(node, data, dataStart, dataEnd);
    this.nodes.setLong(node, Column.mtime, time);
    this.nodes.setLong(node, Column.mzxid, zxid);
    this.nodes.set(node, Column.version, version);
    if (this.digestEnabled && this.isDigested(node)) {
      const register =
        known?.prefixState ?? prefixStateOf(path, start, end, data, dataStart, dataEnd);
      this.nodes.set(node, Column.prefixState, register);
      this.putDigest(node, known?.digest ?? this.computeDigest(node));
    }
    const bytesMore = Math.max(0, this.dataLength(node)) - bytesBefore;
    this.dataBytes += bytesMore;
    this.quotas.changed(path, start, end, bytesMore, 0);
    this.changedNode = node;
    return ErrorCode.ok;
  }

  /**
   * Applies a new ACL. The use of `aclId` that the caller holds passes to the tree.
   *
   * @param version the aversion afterwards
   * @returns noNode when the znode is missing
   */
  setAcl(path: Uint8Array, start: number, end: number, aclId: number, version: number): ErrorCode {
    const node = this.find(path, start, end);
    if (node === noNode) {
      this.acls.removeUsage(aclId);
      return ErrorCode.noNode;
    }
    this.acls.removeUsage(this.aclId(node));
    this.subtractDigest(node);
    this.nodes.set(node, Column.aclId, aclId);
    this.nodes.set(node, Column.aversion, version);
    this.addDigest(node);
    this.changedNode = node;
    return ErrorCode.ok;
  }

  /**
   * Deletes all ephemerals of a session, oldest first, and forgets it. A closeSession transaction
   * that names paths has those deleted with `deleteNode` before (`DataTree.killSession`).
   *
   * @param onDelete told of each znode just before it goes, with its path, which it may keep
   * @returns how many were deleted
   */
  killSession(
    sessionHi: number,
    sessionLo: number,
    zxid: number,
    onDelete?: (path: Uint8Array, start: number, end: number, node: NodeId) => void,
  ): number {
    const ephemerals = this.ephemerals.get(sessionHi, sessionLo)?.nodes;
    if (ephemerals === undefined) return 0;
    let count = 0;
    for (let node = ephemerals.first; node !== noNode; node = ephemerals.first) {
      const path = this.#copyOfPath(node);
      onDelete?.(path, 0, path.length, node);
      const error = this.deleteNode(path, 0, path.length, zxid);
      assert(error === ErrorCode.ok, 'an ephemeral that is listed can be deleted', node, error);
      count++;
    }
    this.ephemerals.close(sessionHi, sessionLo);
    return count;
  }

  /**
   * Adds /zookeeper/config if it is not there, as a new server has it: empty, readable by all, and,
   * because ZooKeeper passes -1 as its ACL's version, with aversion -1 (`DataTree.addConfigNode`).
   */
  addConfigNode(): void {
    if (this.findString('/zookeeper/config') !== noNode) return;
    if (this.findString('/zookeeper') === noNode) return;
    const config = this.#plant('/zookeeper/config', this.acls.convertAcls(readableAcl));
    this.nodes.set(config, Column.aversion, -1);
  }

  /**
   * Puts the members of the ensemble into /zookeeper/config, which every member does for itself
   * (`ZKDatabase.initConfigInZKDatabase`).
   *
   * @param version the zxid that made the configuration
   * @param wallMs now
   */
  setConfig(text: string, version: number, wallMs: number): void {
    this.addConfigNode();
    const path = utf8('/zookeeper/config');
    const data = utf8(text);
    this.setData(path, 0, path.length, data, 0, data.length, -1, version, wallMs);
  }

  #plantAll(): void {
    this.#plant('');
    this.#plant('/zookeeper');
    this.#plant('/zookeeper/quota');
    this.addConfigNode();
  }

  /** Adds one of the znodes that every tree has, without data, with a stat of zeros. */
  #plant(path: string, aclId: number = openAclId): NodeId {
    const bytes = utf8(path);
    const slashAt = Math.max(0, path.lastIndexOf('/'));
    const parent = path === '' ? noNode : this.find(bytes, 0, slashAt);
    const nameStart = Math.min(slashAt + 1, bytes.length);
    const hash = continueHash(this.hashSeed, bytes, 0, bytes.length);
    const where = this.placeAt(bytes, 0, nameStart, bytes.length, hash);
    const node = this.insert(parent, where, this.contentOf(none, 0, 0, aclId, 0, 0));
    this.addDigest(node);
    // The root counts under both its names, "" and "/".
    this.dataBytes += Math.max(1, path.length);
    return node;
  }

  /** Moves the parent's counters on, unless it is past this transaction already. */
  #countCreation(
    parent: NodeId,
    parentCVersion: number,
    zxid: number,
    known: KnownChange | null,
  ): void {
    const counter = this.createCounter(parent);
    const counterAfter = parentCVersion === -1 ? (counter + 1) | 0 : parentCVersion;
    if (counterAfter <= counter) return;
    this.subtractDigest(parent);
    this.nodes.set(parent, Column.createCounter, counterAfter);
    this.nodes.setLong(parent, Column.pzxid, zxid);
    if (known === null) this.addDigest(parent);
    else if (this.digestEnabled) this.putDigest(parent, known.parentDigest);
  }

  #refuseCreation(aclId: number, error: ErrorCode): ErrorCode {
    this.acls.removeUsage(aclId);
    return error;
  }

  /** Removes what is below a znode, leaves first. */
  #removeDescendants(node: NodeId): void {
    while (this.childCount(node) > 0) {
      let leaf = this.firstChild(node);
      while (this.childCount(leaf) > 0) leaf = this.firstChild(leaf);
      const path = this.#copyOfPath(leaf);
      this.remove(leaf, path, 0, path.length);
    }
  }

  #copyOfPath(node: NodeId): Uint8Array {
    const path = new Uint8Array(this.pathLength(node));
    this.copyPath(node, path, 0);
    return path;
  }
}

/** Whether the znode counts in the tree's digest: all but those under /zookeeper/ do. */
export function isDigested(tree: Tree, node: NodeId): boolean {
  return tree.isDigested(node);
}

const none = new Uint8Array(0);

/** `world:anyone` may read: ZooKeeper's `READ_ACL_UNSAFE`. */
const readableAcl: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
