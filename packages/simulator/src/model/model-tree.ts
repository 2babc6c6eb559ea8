import { type Acl, CreateFlag, ErrorCode, OpCode } from '@meerkat/protocol';

/**
 * ZooKeeper's data as anybody would write it down: a map of paths to records that never change, copied
 * with every transaction. Slow and obvious, to be compared with the engine.
 */
export interface ModelNode {
  readonly data: string | null;
  readonly acl: readonly Acl[];
  readonly czxid: number;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly ctime: number;
  readonly mtime: number;
  readonly version: number;
  readonly aversion: number;
  /** Children ever created. */
  readonly created: number;
  /** The session of an ephemeral, '' for others. */
  readonly owner: string;
  readonly isContainer: boolean;
  /** How long it stays without a change once it has no children, ms; 0 for ever. */
  readonly ttlMs: number;
}

/** All znodes after one transaction, by path. */
export type ModelTree = ReadonlyMap<string, ModelNode>;

/** A write as a client asks for it. */
export type ModelWrite =
  | {
      readonly kind: 'create';
      readonly type: number;
      readonly path: string;
      readonly data: string | null;
      readonly acl: readonly Acl[];
      readonly flags: number;
      /** Of a createTTL; `defaultTtlMs` unless given. */
      readonly ttlMs?: number;
    }
  | { readonly kind: 'delete'; readonly path: string; readonly version: number }
  | {
      readonly kind: 'setData';
      readonly path: string;
      readonly data: string | null;
      readonly version: number;
    }
  | {
      readonly kind: 'setAcl';
      readonly path: string;
      readonly acl: readonly Acl[];
      readonly version: number;
    }
  | { readonly kind: 'check'; readonly path: string; readonly version: number }
  | { readonly kind: 'multi'; readonly parts: readonly ModelWrite[] }
  | {
      readonly kind: 'reconfig';
      /** `server.4=…,server.5=…` */
      readonly joining: string | null;
      /** `4,5` */
      readonly leaving: string | null;
      /** All members, in place of a difference. */
      readonly newMembers: string | null;
      /** The version that it is meant for; -1 is any. */
      readonly fromConfig: number;
    }
  | { readonly kind: 'closeSession' };

/** One change of one znode, as watches see it. */
export interface ModelChange {
  readonly kind: 'create' | 'delete' | 'data';
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly parentAcl: readonly Acl[];
}

/** Who asks, and when. */
export interface ModelCaller {
  readonly session: string;
  /** The digest id that it has proved, '' for none. */
  readonly digestId: string;
}

/** What a write came to. */
export interface ModelOutcome {
  readonly err: number;
  /** The body of the reply in the form of `describeReply`; undefined with an error. */
  readonly body?: unknown;
  readonly tree: ModelTree;
  readonly changes: readonly ModelChange[];
}

/** How long a TTL znode stays that says nothing about it, ms. */
export const defaultTtlMs = 1_000_000;
const open: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const readable: readonly Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];

/** What a new server has. */
export function newTree(): ModelTree {
  const node: ModelNode = {
    data: '',
    acl: open,
    czxid: 0,
    mzxid: 0,
    pzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    aversion: 0,
    created: 0,
    owner: '',
    isContainer: false,
    ttlMs: 0,
  };
  return new Map([
    ['/', node],
    ['/zookeeper', node],
    ['/zookeeper/quota', node],
    ['/zookeeper/config', { ...node, acl: readable, aversion: -1 }],
  ]);
}

/** Applies one write, which is transaction `zxid` at `timeMs`. */
export function applyWrite(
  tree: ModelTree,
  write: ModelWrite,
  caller: ModelCaller,
  zxid: number,
  timeMs: number,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  switch (write.kind) {
    case 'create':
      return applyCreate(tree, write, caller, zxid, timeMs);
    case 'delete':
      return applyDelete(tree, write, caller, zxid);
    case 'setData':
      return applySetData(tree, write, caller, zxid, timeMs);
    case 'setAcl':
      return applySetAcl(tree, write, caller);
    case 'check': {
      const { path, version } = write;
      if (!isValid(path)) return refuse(ErrorCode.badArguments);
      const node = tree.get(path);
      if (node === undefined) return refuse(ErrorCode.noNode);
      if (!may(node.acl, 1, caller)) return refuse(ErrorCode.noAuth);
      if (version !== -1 && version !== node.version) return refuse(ErrorCode.badVersion);
      return { err: 0, tree, changes: [] };
    }
    case 'multi':
      return applyMulti(tree, write.parts, caller, zxid, timeMs);
    case 'reconfig':
      // A server that is alone has no members to change; for an ensemble there is `applyReconfig`.
      return refuse(ErrorCode.unimplemented);
    case 'closeSession': {
      let after = tree;
      const changes: ModelChange[] = [];
      for (const [path, node] of tree) {
        if (node.owner !== caller.session) continue;
        const removed = removeNode(after, path, zxid);
        after = removed.tree;
        changes.push(...removed.changes);
      }
      return { err: 0, tree: after, changes };
    }
  }
}

function applyDelete(
  tree: ModelTree,
  write: ModelWrite & { kind: 'delete' },
  caller: ModelCaller,
  zxid: number,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  const { path, version } = write;
  const parentPath = parentOf(path);
  if (parentPath === null || special.has(path)) return refuse(ErrorCode.badArguments);
  const parent = tree.get(parentPath);
  if (parent === undefined) return refuse(ErrorCode.noNode);
  if (!may(parent.acl, 8, caller)) return refuse(ErrorCode.noAuth);
  const node = tree.get(path);
  if (node === undefined) return refuse(ErrorCode.noNode);
  if (version !== -1 && version !== node.version) return refuse(ErrorCode.badVersion);
  if (childrenOf(tree, path).length > 0) return refuse(ErrorCode.notEmpty);
  return { err: 0, ...removeNode(tree, path, zxid) };
}

function applySetData(
  tree: ModelTree,
  write: ModelWrite & { kind: 'setData' },
  caller: ModelCaller,
  zxid: number,
  timeMs: number,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  const { path, data, version } = write;
  if (!isValid(path)) return refuse(ErrorCode.badArguments);
  const node = tree.get(path);
  if (node === undefined) return refuse(ErrorCode.noNode);
  if (!may(node.acl, 2, caller)) return refuse(ErrorCode.noAuth);
  if (version !== -1 && version !== node.version) return refuse(ErrorCode.badVersion);
  const next = { ...node, data, version: node.version + 1, mzxid: zxid, mtime: timeMs };
  const after = new Map(tree).set(path, next);
  const change: ModelChange = { kind: 'data', path, acl: node.acl, parentAcl: open };
  return { err: 0, tree: after, changes: [change], body: { stat: statOf(after, path) } };
}

function applySetAcl(
  tree: ModelTree,
  write: ModelWrite & { kind: 'setAcl' },
  caller: ModelCaller,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  const { path, version } = write;
  if (!isValid(path)) return refuse(ErrorCode.badArguments);
  const acl = fixAcl(write.acl, caller);
  if (acl === null) return refuse(ErrorCode.invalidAcl);
  const node = tree.get(path);
  if (node === undefined) return refuse(ErrorCode.noNode);
  if (!may(node.acl, 16, caller)) return refuse(ErrorCode.noAuth);
  if (version !== -1 && version !== node.aversion) return refuse(ErrorCode.badVersion);
  // The version after -1, that of /zookeeper/config, is 0 and so is the one after -2.
  const after = new Map(tree).set(path, { ...node, acl, aversion: node.aversion + 1 });
  return { err: 0, tree: after, changes: [], body: { stat: statOf(after, path) } };
}

function applyCreate(
  tree: ModelTree,
  { type, path, data, acl: asked, flags, ttlMs = defaultTtlMs }: ModelWrite & { kind: 'create' },
  caller: ModelCaller,
  zxid: number,
  timeMs: number,
): ModelOutcome {
  const refuse = (err: number): ModelOutcome => ({ err, tree, changes: [] });
  const hasTtl =
    flags === CreateFlag.persistentWithTtl || flags === CreateFlag.persistentSequentialWithTtl;
  if (flags < 0 || flags > 6) return refuse(ErrorCode.badArguments);
  if (hasTtl !== (type === OpCode.createTTL)) return refuse(ErrorCode.badArguments);
  const parentPath = parentOf(path);
  if (parentPath === null) return refuse(ErrorCode.badArguments);
  const acl = fixAcl(asked, caller);
  if (acl === null) return refuse(ErrorCode.invalidAcl);
  const parent = tree.get(parentPath);
  if (parent === undefined) return refuse(ErrorCode.noNode);
  if (!may(parent.acl, 4, caller)) return refuse(ErrorCode.noAuth);
  const isSequential = [2, 3, 6].includes(flags);
  const name = isSequential ? path + String(parent.created).padStart(10, '0') : path;
  if (!isValid(name)) return refuse(ErrorCode.badArguments);
  if (tree.has(name)) return refuse(ErrorCode.nodeExists);
  if (parent.owner !== '') return refuse(ErrorCode.noChildrenForEphemerals);
  const isEphemeral = (flags === 1 || flags === 3) && type !== OpCode.createContainer;
  const node: ModelNode = {
    data,
    acl,
    czxid: zxid,
    mzxid: zxid,
    pzxid: zxid,
    ctime: timeMs,
    mtime: timeMs,
    version: 0,
    aversion: 0,
    created: 0,
    owner: isEphemeral ? caller.session : '',
    isContainer: type === OpCode.createContainer,
    ttlMs: hasTtl ? ttlMs : 0,
  };
  const after = new Map(tree)
    .set(parentPath, { ...parent, created: parent.created + 1, pzxid: zxid })
    .set(name, node);
  const change: ModelChange = { kind: 'create', path: name, acl, parentAcl: parent.acl };
  const body = type === OpCode.create ? { path: name } : { path: name, stat: statOf(after, name) };
  return { err: 0, tree: after, changes: [change], body };
}

function applyMulti(
  tree: ModelTree,
  parts: readonly ModelWrite[],
  caller: ModelCaller,
  zxid: number,
  timeMs: number,
): ModelOutcome {
  let after = tree;
  const changes: ModelChange[] = [];
  const results: unknown[] = [];
  for (const [i, part] of parts.entries()) {
    const outcome = applyWrite(after, part, caller, zxid, timeMs);
    if (outcome.err !== 0) {
      const errors = parts.map((_, j) => (j < i ? 0 : j === i ? outcome.err : -2));
      return {
        err: 0,
        tree,
        changes: [],
        body: { results: errors.map((err) => ({ type: -1, err })) },
      };
    }
    after = outcome.tree;
    changes.push(...outcome.changes);
    results.push({ type: resultTypeOf(part), err: 0, ...(outcome.body as object) });
  }
  return { err: 0, tree: after, changes, body: { results } };
}

function resultTypeOf(part: ModelWrite): number {
  if (part.kind === 'create') {
    return part.type === OpCode.create ? OpCode.create : OpCode.create2;
  }
  if (part.kind === 'delete') return OpCode.delete;
  return part.kind === 'check' ? OpCode.check : OpCode.setData;
}

/**
 * Deletes a container or TTL znode, as a leader does by itself at `timeMs`.
 *
 * @param maxNeverUsedMs how long a container may wait for its first child; 0 for ever
 * @returns null when it may not do so
 */
export function deleteUseless(
  tree: ModelTree,
  path: string,
  zxid: number,
  timeMs: number,
  maxNeverUsedMs: number,
): ModelOutcome | null {
  const node = tree.get(path);
  if (node === undefined || childrenOf(tree, path).length > 0) return null;
  const idleMs = timeMs - node.mtime;
  const isUnused = node.created === 0 && (maxNeverUsedMs === 0 || idleMs <= maxNeverUsedMs);
  const isOver = node.isContainer ? !isUnused : node.ttlMs > 0 && idleMs > node.ttlMs;
  return isOver ? { err: 0, ...removeNode(tree, path, zxid) } : null;
}

function removeNode(
  tree: ModelTree,
  path: string,
  zxid: number,
): { tree: ModelTree; changes: readonly ModelChange[] } {
  const parentPath = parentOf(path) as string;
  const parent = tree.get(parentPath) as ModelNode;
  const node = tree.get(path) as ModelNode;
  const after = new Map(tree).set(parentPath, { ...parent, pzxid: zxid });
  after.delete(path);
  return {
    tree: after,
    changes: [{ kind: 'delete', path, acl: node.acl, parentAcl: parent.acl }],
  };
}

/** The Stat of a znode as clients see it. */
export function statOf(tree: ModelTree, path: string): Record<string, unknown> {
  const node = tree.get(path) as ModelNode;
  const numChildren = childrenOf(tree, path).length;
  return {
    czxid: node.czxid,
    mzxid: node.mzxid,
    ctime: node.ctime,
    mtime: node.mtime,
    version: node.version,
    cversion: node.created * 2 - numChildren,
    aversion: node.aversion,
    owner: node.owner,
    dataLength: Buffer.byteLength(node.data ?? ''),
    numChildren,
    pzxid: node.pzxid,
  };
}

/** Names of children, sorted. */
export function childrenOf(tree: ModelTree, path: string): string[] {
  const prefix = path === '/' ? '/' : `${path}/`;
  const names: string[] = [];
  for (const each of tree.keys()) {
    if (each === '/' || !each.startsWith(prefix)) continue;
    const name = each.slice(prefix.length);
    if (!name.includes('/')) names.push(name);
  }
  return names.sort();
}

/** Whether an ACL gives the caller one of these permissions. */
export function may(acl: readonly Acl[], perms: number, caller: ModelCaller): boolean {
  return acl.some(
    ({ perms: given, id }) =>
      (given & perms) !== 0 &&
      (id.scheme === 'world' || (id.scheme === 'digest' && id.id === caller.digestId)),
  );
}

function fixAcl(acl: readonly Acl[], caller: ModelCaller): readonly Acl[] | null {
  const fixed: Acl[] = [];
  for (const entry of acl) {
    if (entry.id.scheme === 'auth') {
      if (caller.digestId === '') return null;
      fixed.push({ perms: entry.perms, id: { scheme: 'digest', id: caller.digestId } });
    } else if (entry.id.scheme === 'world' || entry.id.scheme === 'digest') {
      fixed.push(entry);
    } else {
      return null;
    }
  }
  return fixed.length === 0 ? null : fixed;
}

const special = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);

/** The part before the last slash; null when there is none. */
function parentOf(path: string): string | null {
  const slash = path.lastIndexOf('/');
  if (slash === -1) return null;
  return slash === 0 ? '/' : path.slice(0, slash);
}

function isValid(path: string): boolean {
  if (path === '/') return true;
  if (!path.startsWith('/') || path.endsWith('/')) return false;
  return path
    .slice(1)
    .split('/')
    .every((name) => name !== '' && name !== '.' && name !== '..');
}
