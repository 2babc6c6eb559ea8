import { ErrorCode } from '@meerkat/protocol';

/** A znode of the model. */
export interface ModelNode {
  data: Uint8Array | null;
  czxid: number;
  mzxid: number;
  pzxid: number;
  version: number;
  cversion: number;
  /** 0n when it is not ephemeral. */
  owner: bigint;
  readonly children: Set<string>;
}

/** What a change of the tree tells those who watch. Types as on the wire. */
export interface ModelChange {
  readonly type: number;
  readonly path: string;
}

/** What a create takes. */
export interface ModelCreate {
  readonly path: string;
  readonly data: Uint8Array | null;
  readonly owner: bigint;
  readonly sequential: boolean;
}

/** The answer of a refused request. */
export class ModelError extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`code ${code}`);
    this.code = code;
  }
}

/** A tree of znodes as plain as can be, to hold recipes against. Every write takes a zxid, failed ones too. */
export class ModelTree {
  readonly nodes: Map<string, ModelNode> = new Map();
  zxid = 0;

  constructor() {
    this.nodes.set('/', this.#node(null, 0n));
  }

  /** @throws ModelError noNode */
  get(path: string): ModelNode {
    const node = this.nodes.get(path);
    if (node === undefined) throw new ModelError(ErrorCode.noNode);
    return node;
  }

  /** Returns the path. @throws ModelError noNode, nodeExists, noChildrenForEphemerals */
  create(create: ModelCreate, changes: ModelChange[]): string {
    const parentPath = parentOf(create.path);
    const parent = this.get(parentPath);
    if (parent.owner !== 0n) throw new ModelError(ErrorCode.noChildrenForEphemerals);
    const number = create.sequential ? `${parent.cversion}`.padStart(10, '0') : '';
    const path = create.path + number;
    if (this.nodes.has(path)) throw new ModelError(ErrorCode.nodeExists);
    this.nodes.set(path, this.#node(create.data, create.owner));
    parent.children.add(path.slice(path.lastIndexOf('/') + 1));
    parent.cversion++;
    parent.pzxid = this.zxid;
    changes.push({ type: 1, path }, { type: 4, path: parentPath });
    return path;
  }

  /** @throws ModelError noNode, badVersion, notEmpty */
  delete(path: string, version: number, changes: ModelChange[]): void {
    const node = this.check(path, version);
    if (node.children.size > 0) throw new ModelError(ErrorCode.notEmpty);
    this.nodes.delete(path);
    const parentPath = parentOf(path);
    const parent = this.get(parentPath);
    parent.children.delete(path.slice(path.lastIndexOf('/') + 1));
    parent.cversion++;
    parent.pzxid = this.zxid;
    changes.push({ type: 2, path }, { type: 4, path: parentPath });
  }

  /** @throws ModelError noNode, badVersion */
  setData(
    path: string,
    data: Uint8Array | null,
    version: number,
    changes: ModelChange[],
  ): ModelNode {
    const node = this.check(path, version);
    node.data = data;
    node.version++;
    node.mzxid = this.zxid;
    changes.push({ type: 3, path });
    return node;
  }

  /** @throws ModelError noNode, badVersion */
  check(path: string, version: number): ModelNode {
    const node = this.get(path);
    if (version !== -1 && version !== node.version) throw new ModelError(ErrorCode.badVersion);
    return node;
  }

  /** A copy, to go back to when a transaction fails. */
  copy(): Map<string, ModelNode> {
    const nodes = [...this.nodes].map(([path, node]): [string, ModelNode] => [
      path,
      { ...node, children: new Set(node.children) },
    ]);
    return new Map(nodes);
  }

  /** Goes back to a copy. */
  restore(copy: Map<string, ModelNode>): void {
    this.nodes.clear();
    for (const [path, node] of copy) this.nodes.set(path, node);
  }

  #node(data: Uint8Array | null, owner: bigint): ModelNode {
    const { zxid } = this;
    const zxids = { czxid: zxid, mzxid: zxid, pzxid: zxid };
    return { data, ...zxids, version: 0, cversion: 0, owner, children: new Set() };
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}
