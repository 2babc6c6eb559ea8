import { ErrorCode } from '@meerkat/protocol';
import {
  childrenOf,
  type ModelCaller,
  type ModelNode,
  type ModelTree,
  may,
  statOf,
} from './model-tree.ts';
import type { ModelWatches } from './model-watches.ts';

/** A request that changes no znode. */
export type ModelRead =
  | {
      readonly kind: 'exists' | 'getData' | 'getChildren' | 'getChildren2';
      readonly path: string;
      readonly watch: boolean;
    }
  | {
      readonly kind: 'getAcl' | 'getAllChildrenNumber' | 'getEphemerals' | 'sync';
      readonly path: string;
    }
  | {
      readonly kind: 'multiRead';
      readonly parts: readonly (ModelRead & { kind: 'getData' | 'getChildren' })[];
    }
  | { readonly kind: 'addWatch'; readonly path: string; readonly mode: number }
  | {
      readonly kind: 'removeWatches' | 'checkWatches';
      readonly path: string;
      readonly type: number;
    }
  | {
      readonly kind: 'setWatches';
      readonly relativeZxid: number;
      readonly data: readonly string[];
      readonly exist: readonly string[];
      readonly child: readonly string[];
      readonly persistent: readonly string[];
      readonly recursive: readonly string[];
    }
  | { readonly kind: 'malformed' };

/** What a read is answered, and the events that come before that. */
export interface ModelAnswer {
  readonly err: number;
  readonly body?: unknown;
  readonly events?: readonly string[];
}

/** Answers a read from the tree as it was then; sets the watches that come with it. */
export function answerRead(
  tree: ModelTree,
  read: ModelRead,
  caller: ModelCaller,
  watches: ModelWatches,
): ModelAnswer {
  switch (read.kind) {
    case 'exists':
    case 'getData':
    case 'getChildren':
    case 'getChildren2':
      return answerZnode(tree, read, caller, watches);
    case 'getAcl':
      return answerAcl(tree, read.path, caller);
    case 'getAllChildrenNumber': {
      const path = named(read.path);
      const node = tree.get(path);
      if (node === undefined) return { err: ErrorCode.noNode };
      if (!may(node.acl, 1, caller)) return { err: ErrorCode.noAuth };
      const prefix = path === '/' ? '/' : `${path}/`;
      const below = [...tree.keys()].filter((each) => each !== '/' && each.startsWith(prefix));
      return { err: 0, body: { count: below.length } };
    }
    case 'getEphemerals': {
      const own = [...tree].filter(([, node]) => node.owner === caller.session);
      const paths = own.map(([path]) => path).filter((path) => path.startsWith(read.path));
      return { err: 0, body: { paths: paths.sort() } };
    }
    case 'sync':
      return { err: 0, body: { path: read.path } };
    case 'multiRead':
      return {
        err: 0,
        body: { results: read.parts.map((part) => multiResult(tree, part, caller)) },
      };
    case 'addWatch':
      watches.add(read.mode === 0 ? 'persistent' : 'recursive', read.path);
      return { err: 0, body: { code: 0 } };
    case 'removeWatches':
      return { err: watches.remove(read.path, read.type) ? 0 : ErrorCode.noWatcher };
    case 'checkWatches':
      return { err: watches.has(read.path, read.type) ? 0 : ErrorCode.noWatcher };
    case 'setWatches':
      return answerSetWatches(tree, read, watches);
    case 'malformed':
      return { err: ErrorCode.marshallingError };
  }
}

/** The empty path names the root too. */
function named(path: string): string {
  return path === '' ? '/' : path;
}

function answerZnode(
  tree: ModelTree,
  { kind, path, watch }: Extract<ModelRead, { watch: boolean }>,
  caller: ModelCaller,
  watches: ModelWatches,
): ModelAnswer {
  const node = tree.get(named(path));
  if (node === undefined) {
    if (kind === 'exists' && watch) watches.add('data', path);
    return { err: ErrorCode.noNode };
  }
  if (!may(node.acl, 1, caller)) return { err: ErrorCode.noAuth };
  const isOfChildren = kind === 'getChildren' || kind === 'getChildren2';
  if (watch) watches.add(isOfChildren ? 'child' : 'data', path);
  const stat = statOf(tree, named(path));
  if (kind === 'exists') return { err: 0, body: { stat } };
  if (kind === 'getData') return { err: 0, body: { data: node.data, stat } };
  const children = childrenOf(tree, named(path));
  return { err: 0, body: kind === 'getChildren' ? { children } : { children, stat } };
}

function answerAcl(tree: ModelTree, path: string, caller: ModelCaller): ModelAnswer {
  const node = tree.get(named(path));
  if (node === undefined) return { err: ErrorCode.noNode };
  if (!may(node.acl, 1 | 16, caller)) return { err: ErrorCode.noAuth };
  const isShown = may(node.acl, 16, caller);
  const acl = node.acl.map(({ perms, id: { scheme, id } }) => ({
    perms,
    id: { scheme, id: scheme === 'digest' && !isShown ? `${id.split(':')[0]}:x` : id },
  }));
  return { err: 0, body: { acl, stat: statOf(tree, named(path)) } };
}

function multiResult(
  tree: ModelTree,
  part: ModelRead & { kind: 'getData' | 'getChildren'; path: string },
  caller: ModelCaller,
): unknown {
  const node: ModelNode | undefined = tree.get(named(part.path));
  if (node === undefined) return { type: -1, err: ErrorCode.noNode };
  if (!may(node.acl, 1, caller)) return { type: -1, err: ErrorCode.noAuth };
  if (part.kind === 'getChildren') {
    return { type: 8, err: 0, children: childrenOf(tree, named(part.path)) };
  }
  return { type: 4, err: 0, data: node.data, stat: statOf(tree, named(part.path)) };
}

function answerSetWatches(
  tree: ModelTree,
  lists: ModelRead & { kind: 'setWatches' },
  watches: ModelWatches,
): ModelAnswer {
  const events: string[] = [];
  const { relativeZxid } = lists;
  for (const path of lists.data) {
    const node = tree.get(named(path));
    if (node === undefined) events.push(`2 ${path}`);
    else if (node.mzxid > relativeZxid) events.push(`3 ${path}`);
    else watches.add('data', path);
  }
  for (const path of lists.exist) {
    if (tree.has(named(path))) events.push(`1 ${path}`);
    else watches.add('data', path);
  }
  for (const path of lists.child) {
    const node = tree.get(named(path));
    if (node === undefined) events.push(`2 ${path}`);
    else if (node.pzxid > relativeZxid) events.push(`4 ${path}`);
    else watches.add('child', path);
  }
  for (const path of lists.persistent) watches.add('persistent', path);
  for (const path of lists.recursive) watches.add('recursive', path);
  return { err: 0, events };
}
