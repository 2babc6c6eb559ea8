import { noNode } from '@meerkat/engine';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';

/** What lies at a path. */
export interface TrueZnode {
  readonly bytes: Uint8Array;
  /** The bytes as text. */
  readonly data: string;
  readonly czxid: number;
  readonly mzxid: number;
  readonly version: number;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  /** The session that it goes with; 0 for a persistent one. */
  readonly owner: bigint;
}

/** What lies at and under a path of a tree, by path. */
export function subtreeOf(tree: EngineTree, root: string): Map<string, TrueZnode> {
  const found = new Map<string, TrueZnode>();
  const visit = (path: string): void => {
    const znode = readZnode(tree, path);
    if (znode === null) return;
    found.set(path, znode);
    for (const name of namesUnder(tree, path)) visit(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  visit(root);
  return found;
}

/** What lies at a path of a tree; null when nothing does. */
export function readZnode(tree: EngineTree, path: string): TrueZnode | null {
  const id = tree.findString(path);
  if (id === noNode) return null;
  const bytes = tree.copyData(id) ?? new Uint8Array(0);
  return {
    bytes,
    data: Buffer.from(bytes).toString(),
    czxid: tree.czxid(id),
    mzxid: tree.mzxid(id),
    version: tree.version(id),
    ctimeMs: tree.ctime(id),
    mtimeMs: tree.mtime(id),
    owner: (BigInt(tree.ownerHi(id)) << 32n) | BigInt(tree.ownerLo(id) >>> 0),
  };
}

/** The names of what lies right under a path of a tree. */
export function namesUnder(tree: EngineTree, path: string): string[] {
  const id = tree.findString(path);
  const names: string[] = [];
  if (id === noNode) return names;
  for (let at = tree.firstChild(id); at !== noNode; at = tree.nextSibling(at)) {
    names.push(tree.nameOf(at));
  }
  return names;
}

/** A member's tree. */
type EngineTree = NonNullable<EnsembleMember['replica']>['state']['tree'];
