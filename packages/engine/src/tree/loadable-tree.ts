/**
 * A data tree that takes in a snapshot, znode by znode (`DataTree.deserialize`). Owns what is checked of bytes that come from
 * disk or from a leader before they are znodes; how transactions change them is `tree.ts`.
 */
import { assert, decodeUtf8 } from '@meerkat/protocol';
import { openAclId, unknownAclId } from './acl-table.ts';
import { Column, type NodeId, noNode, rootNode } from './node-table.ts';
import { continueHash } from './path-index.ts';
import { TreeLoadError } from './tree-load-error.ts';
import {
  charactersIn,
  lastSlash,
  type NodeContent,
  type PlaceInPath,
  TreeStore,
} from './tree-store.ts';

export abstract class LoadableTree extends TreeStore {
  readonly #place: PlaceInPath = { path: none, start: 0, nameStart: 0, end: 0, hash: 0 };
  readonly #content: NodeContent = {
    data: null,
    dataStart: 0,
    dataEnd: 0,
    aclId: openAclId,
    ownerHi: 0,
    ownerLo: 0,
    known: null,
  };
  /** Whether znodes are being loaded. */
  protected isLoading = false;

  /** Empties the tree, for `loadNode` to fill. Load `acls` after this and before the znodes. */
  beginLoad(): void {
    this.clear();
    this.isLoading = true;
  }

  /**
   * Adds a znode of a snapshot, after its parent; the root, with the empty path, first.
   *
   * @param dataLength -1 for null, else the data is `bytes[dataStart, dataStart + dataLength)`
   * @param aclIdHi high half of the ACL's number
   * @param statStart where in `bytes` the 60 bytes of its persisted stat start
   * @throws TreeLoadError when the znode has no parent or is there already
   * @throws JuteError when its path is not UTF-8
   * @throws EphemeralOwnerError when its owner is of an extended type that is not known
   */
  loadNode(
    bytes: Uint8Array,
    pathStart: number,
    pathEnd: number,
    dataStart: number,
    dataLength: number,
    aclIdHi: number,
    aclIdLo: number,
    statStart: number,
  ): void {
    assert(this.isLoading, 'a znode is loaded between beginLoad and finishLoad');
    assert(statStart + 60 <= bytes.length, 'a stat has 60 bytes', statStart, bytes.length);
    checkText(bytes, pathStart, pathEnd);
    const slashAt = lastSlash(bytes, pathStart, pathEnd);
    const parent = this.#parentOfLoaded(bytes, pathStart, slashAt, pathEnd);
    const nameStart = parent === noNode ? pathEnd : slashAt + 1;
    const hash = continueHash(this.hashSeed, bytes, pathStart, pathEnd);
    if (parent !== noNode && this.index.find(hash, bytes, pathStart, pathEnd) !== noNode) {
      throw new TreeLoadError(
        `Cannot load a znode: ${decodeUtf8(bytes, pathStart, pathEnd)} is there already`,
      );
    }
    const node = this.insert(
      parent,
      this.placeAt(bytes, pathStart, nameStart, pathEnd, hash),
      this.contentOf(
        dataLength === -1 ? null : bytes,
        dataStart,
        dataStart + Math.max(0, dataLength),
        this.#loadedAclId(aclIdHi, aclIdLo),
        intAt(bytes, statStart + 44),
        intAt(bytes, statStart + 48),
      ),
    );
    this.#loadStat(node, bytes, statStart);
    this.acls.addUsage(this.aclId(node));
    this.addDigest(node);
    const dataBytes = Math.max(0, dataLength);
    this.dataBytes += node === rootNode ? 1 + 2 * dataBytes : dataBytes;
    this.dataBytes += charactersIn(bytes, pathStart, pathEnd);
  }

  /**
   * Ends a load: finds the quotas and sums them up, forgets ACLs that nobody uses.
   *
   * @throws TreeLoadError when there is no root
   */
  finishLoad(): void {
    assert(this.isLoading, 'a load that ends has begun');
    if (this.nodes.count === 0) throw new TreeLoadError('Cannot load a tree: it has no root');
    this.isLoading = false;
    this.quotas.setUp();
    this.acls.purgeUnused();
  }

  #parentOfLoaded(bytes: Uint8Array, start: number, slashAt: number, end: number): NodeId {
    if (start === end && this.nodes.count === 0) return noNode;
    const parent =
      slashAt < start || this.nodes.count === 0
        ? noNode
        : this.index.find(
            continueHash(this.hashSeed, bytes, start, slashAt),
            bytes,
            start,
            slashAt,
          );
    if (parent !== noNode && slashAt + 1 < end) return parent;
    throw new TreeLoadError(
      `Cannot load a znode: current path is ${JSON.stringify(decodeUtf8(bytes, start, end))}, ` +
        'which has no parent in the tree',
    );
  }

  /** The table may be older than the znode: its ACL then comes with a transaction that is replayed. */
  #loadedAclId(hi: number, lo: number): number {
    const id = hi === 0 || (hi === -1 && lo < 0) ? lo : unknownAclId;
    return this.acls.has(id) ? id : unknownAclId;
  }

  #loadStat(node: NodeId, bytes: Uint8Array, at: number): void {
    const { nodes } = this;
    nodes.setHalves(node, Column.czxid, intAt(bytes, at), intAt(bytes, at + 4));
    nodes.setHalves(node, Column.mzxid, intAt(bytes, at + 8), intAt(bytes, at + 12));
    nodes.setHalves(node, Column.ctime, intAt(bytes, at + 16), intAt(bytes, at + 20));
    nodes.setHalves(node, Column.mtime, intAt(bytes, at + 24), intAt(bytes, at + 28));
    nodes.set(node, Column.version, intAt(bytes, at + 32));
    nodes.set(node, Column.createCounter, intAt(bytes, at + 36));
    nodes.set(node, Column.aversion, intAt(bytes, at + 40));
    nodes.setHalves(node, Column.pzxid, intAt(bytes, at + 52), intAt(bytes, at + 56));
  }

  /** Where a znode's path is, for `insert`: valid until the next one. */
  protected placeAt(
    path: Uint8Array,
    start: number,
    nameStart: number,
    end: number,
    hash: number,
  ): PlaceInPath {
    const place = this.#place;
    place.path = path;
    place.start = start;
    place.nameStart = nameStart;
    place.end = end;
    place.hash = hash;
    return place;
  }

  /** What a znode holds, for `insert`: valid until the next one. */
  protected contentOf(
    data: Uint8Array | null,
    dataStart: number,
    dataEnd: number,
    aclId: number,
    ownerHi: number,
    ownerLo: number,
  ): NodeContent {
    const content = this.#content;
    content.data = data;
    content.dataStart = dataStart;
    content.dataEnd = dataEnd;
    content.aclId = aclId;
    content.ownerHi = ownerHi;
    content.ownerLo = ownerLo;
    content.known = null;
    return content;
  }
}

const none = new Uint8Array(0);

/** A path that is not ASCII must be UTF-8, or nobody could ever name its znode. */
function checkText(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) <= 0x7f) continue;
    decodeUtf8(bytes, start, end);
    return;
  }
}

function intAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}
