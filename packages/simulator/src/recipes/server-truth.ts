import { noNode } from '@meerkat/engine';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { TreeHistory } from './tree-history.ts';

/** A znode that somebody holds something by. */
export interface WatchedZnode {
  readonly path: string;
  /** The zxid that it was created at. */
  readonly czxid: number;
  /** Whose session it goes with. */
  readonly sessionId: bigint;
  /** It is gone; `isSessionOver` when its session has ended there. */
  onGone(isSessionOver: boolean): void;
}

/** What lies at a path. */
export interface TrueZnode {
  readonly data: string;
  readonly czxid: number;
  readonly mzxid: number;
  readonly version: number;
  readonly ctimeMs: number;
  readonly mtimeMs: number;
  /** The session that it goes with; 0 for a persistent one. */
  readonly owner: bigint;
}

/**
 * What the members' trees hold, read from the trees: the truth that recipes are held against. Owns which of the
 * watched znodes are gone.
 */
export class ServerTruth {
  readonly #members: readonly EnsembleMember[];
  readonly #present = new Set<WatchedZnode>();
  readonly #histories: TreeHistory[] = [];

  constructor(members: readonly EnsembleMember[]) {
    this.#members = members;
  }

  /** From now on it is known whether this znode is there. */
  watch(znode: WatchedZnode): void {
    this.#present.add(znode);
  }

  /** From now on it is known what was at and under a path. */
  historyOf(path: string): TreeHistory {
    const history = new TreeHistory(path);
    this.#histories.push(history);
    return history;
  }

  /** A member has applied a transaction, or begins to serve. */
  onApplied(member: EnsembleMember): void {
    if (!member.isServing) return;
    for (const znode of this.#present) this.#look(member, znode);
    for (const history of this.#histories) history.note(member);
  }

  /** Whether any member, and so a majority, has deleted a watched znode. */
  isGone(znode: WatchedZnode): boolean {
    if (!this.#present.has(znode)) return true;
    for (const member of this.#members) if (member.isServing) this.#look(member, znode);
    return !this.#present.has(znode);
  }

  /** Whether a session has ended, by the newest member. */
  isSessionOver(id: bigint): boolean {
    const [hi, lo] = halvesOf(id);
    return this.#newest?.replica?.state.sessions.get(hi, lo) === undefined;
  }

  /** What lies at a path, by the newest member; null when nothing does. */
  get(path: string): TrueZnode | null {
    const tree = this.#newest?.replica?.state.tree;
    return tree === undefined ? null : read(tree, path);
  }

  /** The names under a path, sorted, by the newest member. */
  children(path: string): string[] {
    const tree = this.#newest?.replica?.state.tree;
    return tree === undefined ? [] : namesUnder(tree, path).sort();
  }

  /** All paths at and under one, with what lies there, by the newest member. */
  below(path: string): Map<string, TrueZnode> {
    const tree = this.#newest?.replica?.state.tree;
    return tree === undefined ? new Map() : subtreeOf(tree, path);
  }

  get #newest(): EnsembleMember | undefined {
    const serving = this.#members.filter((member) => member.isServing);
    return serving.sort((a, b) => b.lastProcessedZxid - a.lastProcessedZxid)[0];
  }

  #look(member: EnsembleMember, znode: WatchedZnode): void {
    const { replica } = member;
    if (replica === null || member.lastProcessedZxid < znode.czxid) return;
    const { tree, sessions } = replica.state;
    const id = tree.findString(znode.path);
    if (id !== noNode && tree.czxid(id) === znode.czxid) return;
    if (!this.#present.delete(znode)) return;
    const [hi, lo] = halvesOf(znode.sessionId);
    znode.onGone(sessions.get(hi, lo) === undefined);
  }
}

/** What lies at and under a path of a tree, by path. */
export function subtreeOf(tree: EngineTree, root: string): Map<string, TrueZnode> {
  const found = new Map<string, TrueZnode>();
  const visit = (path: string): void => {
    const znode = read(tree, path);
    if (znode === null) return;
    found.set(path, znode);
    for (const name of namesUnder(tree, path)) visit(path === '/' ? `/${name}` : `${path}/${name}`);
  };
  visit(root);
  return found;
}

function read(tree: EngineTree, path: string): TrueZnode | null {
  const id = tree.findString(path);
  if (id === noNode) return null;
  const data = tree.copyData(id);
  return {
    data: data === null ? '' : Buffer.from(data).toString(),
    czxid: tree.czxid(id),
    mzxid: tree.mzxid(id),
    version: tree.version(id),
    ctimeMs: tree.ctime(id),
    mtimeMs: tree.mtime(id),
    owner: (BigInt(tree.ownerHi(id)) << 32n) | BigInt(tree.ownerLo(id) >>> 0),
  };
}

function namesUnder(tree: EngineTree, path: string): string[] {
  const id = tree.findString(path);
  const names: string[] = [];
  if (id === noNode) return names;
  for (let at = tree.firstChild(id); at !== noNode; at = tree.nextSibling(at)) {
    names.push(tree.nameOf(at));
  }
  return names;
}

/** The two halves of a session's id, as the engine has them. */
function halvesOf(id: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, id >> 32n)), Number(BigInt.asIntN(32, id))];
}

type EngineTree = NonNullable<EnsembleMember['replica']>['state']['tree'];
