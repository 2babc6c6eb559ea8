import { crc32 } from 'node:zlib';
import { type Acl, ErrorCode } from '@meerkat/protocol';
import { NodeKind, nodeKindOf } from '../ephemeral-type.ts';
import type { TreeOptions } from '../tree.ts';

/** A znode as plainly as it can be said. */
export interface ModelNode {
  data: Uint8Array | null;
  acl: readonly Acl[];
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  createCounter: number;
  aversion: number;
  ownerHi: number;
  ownerLo: number;
}

/** What a transaction does, in the words of `Tree`. */
export type Change =
  | {
      readonly type: 'create';
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly acl: readonly Acl[];
      readonly ownerHi: number;
      readonly ownerLo: number;
      readonly parentCVersion: number;
    }
  | { readonly type: 'delete'; readonly path: string }
  | {
      readonly type: 'setData';
      readonly path: string;
      readonly data: Uint8Array | null;
      readonly version: number;
    }
  | {
      readonly type: 'setAcl';
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  | { readonly type: 'kill'; readonly sessionHi: number; readonly sessionLo: number };

export const worldAcl: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/**
 * The data tree as a Map from paths to objects: the rules of `DataTree.java` with nothing made fast.
 * Quotas are left to their own tests.
 */
export class ModelTree {
  readonly nodes = new Map<string, ModelNode>();
  /** Sessions that had an ephemeral and were not killed since. */
  readonly sessions = new Set<string>();
  readonly #options: TreeOptions;

  constructor(options: TreeOptions) {
    this.#options = options;
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      this.nodes.set(path, newNode(new Uint8Array(0), worldAcl, 0, 0, 0, 0));
    }
    const config = this.nodes.get('/zookeeper/config') as ModelNode;
    config.aversion = -1;
    config.acl = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
  }

  apply(change: Change, zxid: number, time: number): ErrorCode {
    if (change.type === 'kill') return this.#kill(change.sessionHi, change.sessionLo, zxid);
    if (change.type === 'create') return this.#create(change, zxid, time);
    if (change.type === 'delete') return this.#delete(change.path, zxid);
    const node = this.nodes.get(change.path);
    if (node === undefined) return ErrorCode.noNode;
    if (change.type === 'setAcl') {
      node.acl = change.acl;
      node.aversion = change.version;
      return ErrorCode.ok;
    }
    node.data = change.data;
    node.version = change.version;
    node.mzxid = zxid;
    node.mtime = time;
    return ErrorCode.ok;
  }

  kindOf(path: string): NodeKind {
    const node = this.nodes.get(path) as ModelNode;
    return nodeKindOf(node.ownerHi, node.ownerLo, this.#options);
  }

  childrenOf(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return [...this.nodes.keys()].filter((other) => {
      const rest = other.slice(prefix.length);
      return other.startsWith(prefix) && rest !== '' && !rest.includes('/');
    });
  }

  ephemeralsOf(sessionHi: number, sessionLo: number): string[] {
    return [...this.nodes].flatMap(([path, node]) =>
      this.kindOf(path) === NodeKind.ephemeral &&
      node.ownerHi === sessionHi &&
      node.ownerLo === sessionLo
        ? [path]
        : [],
    );
  }

  /** The digest of the tree, computed from nothing. */
  digest(): bigint {
    let sum = 0n;
    for (const [path, node] of this.nodes) {
      if (!path.startsWith('/zookeeper/')) sum += BigInt(digestOf(path, node));
    }
    return BigInt.asIntN(64, sum);
  }

  #create(change: Change & { type: 'create' }, zxid: number, time: number): ErrorCode {
    const parent = this.nodes.get(parentOf(change.path));
    if (parent === undefined) return ErrorCode.noNode;
    const counter = change.parentCVersion === -1 ? parent.createCounter + 1 : change.parentCVersion;
    if (counter > parent.createCounter) {
      parent.createCounter = counter;
      parent.pzxid = zxid;
    }
    const existing = this.nodes.get(change.path);
    if (existing !== undefined) {
      existing.acl = change.acl;
      return ErrorCode.nodeExists;
    }
    const { ownerHi, ownerLo } = change;
    this.nodes.set(
      change.path,
      newNode(change.data, change.acl, zxid, time, change.ownerHi, change.ownerLo),
    );
    if (this.kindOf(change.path) === NodeKind.ephemeral) this.sessions.add(`${ownerHi}:${ownerLo}`);
    return ErrorCode.ok;
  }

  #delete(path: string, zxid: number): ErrorCode {
    const parent = this.nodes.get(parentOf(path));
    if (parent === undefined) return ErrorCode.noNode;
    parent.pzxid = Math.max(parent.pzxid, zxid);
    if (!this.nodes.delete(path)) return ErrorCode.noNode;
    for (const below of this.nodes.keys()) {
      if (below.startsWith(`${path}/`)) this.nodes.delete(below);
    }
    return ErrorCode.ok;
  }

  #kill(sessionHi: number, sessionLo: number, zxid: number): ErrorCode {
    for (const path of this.ephemeralsOf(sessionHi, sessionLo)) this.#delete(path, zxid);
    this.sessions.delete(`${sessionHi}:${sessionLo}`);
    return ErrorCode.ok;
  }
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

function newNode(
  data: Uint8Array | null,
  acl: readonly Acl[],
  zxid: number,
  time: number,
  ownerHi: number,
  ownerLo: number,
): ModelNode {
  return {
    data,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: time,
    mtime: time,
    version: 0,
    createCounter: 0,
    aversion: 0,
    ownerHi,
    ownerLo,
  };
}

function digestOf(path: string, node: ModelNode): number {
  const stat = new DataView(new ArrayBuffer(60));
  const longs = [node.czxid, node.mzxid, node.pzxid, node.ctime, node.mtime];
  longs.forEach((value, i) => {
    stat.setBigInt64(i * 8, BigInt(value));
  });
  stat.setInt32(40, node.version);
  stat.setInt32(44, node.createCounter);
  stat.setInt32(48, node.aversion);
  stat.setInt32(52, node.ownerHi);
  stat.setInt32(56, node.ownerLo);
  const parts = [Buffer.from(path === '/' ? '' : path), node.data ?? Buffer.alloc(0)];
  return crc32(Buffer.concat([...parts, new Uint8Array(stat.buffer)]));
}
