import type { Acl } from '@meerkat/protocol';
import { openAcl } from '../tree/acl-table.ts';
import { nodeDigest } from '../tree/digest.ts';
import { type NodeId, noNode, type Tree } from '../tree/tree.ts';

/** A znode as it will be after the pending transactions (`ChangeRecord` of `ZooKeeperServer.java`). */
export class ChangeRecord {
  /** The znode in the tree, `noNode` while it is still to be created. */
  node: NodeId = noNode;
  /** Its path when it was not in the tree: the first `pathLength` bytes. */
  path: Uint8Array = new Uint8Array(0);
  /** 0 when it was in the tree. */
  pathLength = 0;
  /** What it is found by while it is pending: the number of `node`, or the hash of the path. */
  key = 0;
  /** The next record in the same chain of `RecordBuckets`. */
  nextInBucket: ChangeRecord | null = null;
  /** False when a pending transaction deletes it. */
  exists = false;
  /** The newest transaction that changes it; 0 when none does. */
  zxid = 0;
  czxid = 0;
  mzxid = 0;
  pzxid = 0;
  ctime = 0;
  mtime = 0;
  version = 0;
  /** Children ever created: the stored cversion. */
  createCounter = 0;
  aversion = 0;
  ownerHi = 0;
  ownerLo = 0;
  childCount = 0;
  /** Bytes of data, -1 for null. */
  dataLength = -1;
  /** CRC32 register after path and data; see `nodeDigest`. */
  prefixState = 0;
  /** What it adds to the tree's digest, as of the last change that has ended. */
  digest = 0;
  /** Whether it counts in the tree's digest: what lies below /zookeeper does not. */
  digested = true;
  acl: readonly Acl[] = openAcl;

  /** Names the znode by a path, copied. */
  setPath(path: Uint8Array, start: number, end: number): void {
    this.pathLength = end - start;
    if (this.path.length < this.pathLength) this.path = new Uint8Array(this.pathLength);
    for (let i = start; i < end; i++) this.path[i - start] = path[i] as number;
  }

  /** Whether it is named by this path. */
  hasPath(path: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.pathLength) return false;
    for (let i = start; i < end; i++) if (path[i] !== this.path[i - start]) return false;
    return true;
  }

  /** Takes the state of a znode of the tree. */
  readFrom(tree: Tree, node: NodeId): this {
    this.node = node;
    this.pathLength = 0;
    this.exists = true;
    this.zxid = 0;
    this.czxid = tree.czxid(node);
    this.mzxid = tree.mzxid(node);
    this.pzxid = tree.pzxid(node);
    this.ctime = tree.ctime(node);
    this.mtime = tree.mtime(node);
    this.version = tree.version(node);
    this.createCounter = tree.createCounter(node);
    this.aversion = tree.aversion(node);
    this.ownerHi = tree.ownerHi(node);
    this.ownerLo = tree.ownerLo(node);
    this.childCount = tree.childCount(node);
    this.dataLength = tree.dataLength(node);
    this.prefixState = tree.prefixState(node);
    this.digested = tree.isDigested(node);
    this.digest = tree.digestOf(node);
    this.acl = tree.acls.get(tree.aclId(node));
    return this;
  }

  /** Takes the state of another record. */
  copyFrom(other: ChangeRecord): this {
    this.node = other.node;
    this.path = other.path;
    this.pathLength = other.pathLength;
    this.exists = other.exists;
    this.zxid = other.zxid;
    this.czxid = other.czxid;
    this.mzxid = other.mzxid;
    this.pzxid = other.pzxid;
    this.ctime = other.ctime;
    this.mtime = other.mtime;
    this.version = other.version;
    this.createCounter = other.createCounter;
    this.aversion = other.aversion;
    this.ownerHi = other.ownerHi;
    this.ownerLo = other.ownerLo;
    this.childCount = other.childCount;
    this.dataLength = other.dataLength;
    this.prefixState = other.prefixState;
    this.digested = other.digested;
    this.digest = other.digest;
    this.acl = other.acl;
    return this;
  }

  /** What it adds to the tree's digest with the fields as they are. */
  computeDigest(): number {
    if (!this.digested) return 0;
    return nodeDigest(
      this.prefixState,
      this.czxid,
      this.mzxid,
      this.pzxid,
      this.ctime,
      this.mtime,
      this.version,
      this.createCounter,
      this.aversion,
      this.ownerHi,
      this.ownerLo,
    );
  }
}
