import { noNode } from '@meerkat/engine';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { TreeHistory } from './tree-history.ts';
import { namesUnder, readZnode, subtreeOf, type TrueZnode } from './true-znode.ts';

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
    return tree === undefined ? null : readZnode(tree, path);
  }

  /** The names under a path, sorted, by the newest member. */
  children(path: string): string[] {
    const tree = this.#newest?.replica?.state.tree;
    return tree === undefined ? [] : namesUnder(tree, path).sort();
  }

  /** All paths at and under one, with what lies there, by the newest member. */
  below(path: string): Map<string, TrueZnode> {
    const tree = this.#newest?.replica?.state.tree;
    return tree === undefined ? new Map<string, TrueZnode>() : subtreeOf(tree, path);
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

/** The two halves of a session's id, as the engine has them. */
function halvesOf(id: bigint): [number, number] {
  return [Number(BigInt.asIntN(32, id >> 32n)), Number(BigInt.asIntN(32, id))];
}
