import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { subtreeOf, type TrueZnode } from './true-znode.ts';

/** What lay at and under a path, by path. */
export type TreeState = ReadonlyMap<string, TrueZnode>;

/**
 * Every state that the znodes at and under a path went through, by the transactions after which they had it. Read from
 * the trees of members that serve, each time that one of them is the first to have applied a transaction: what no member
 * has served was never there.
 */
export class TreeHistory {
  readonly #root: string;
  readonly #states: { readonly fromZxid: number; readonly znodes: TreeState }[] = [];
  /** By path and `mzxid`. */
  readonly #znodes = new Map<string, TrueZnode>();
  #notedZxid = -1;

  constructor(root: string) {
    this.#root = root;
  }

  /** A member that serves may have applied something. */
  note(member: EnsembleMember): void {
    const zxid = member.lastProcessedZxid;
    if (member.replica === null || zxid <= this.#notedZxid) return;
    // What a new leader brings along was served by nobody between: all of it counts from the first that was not noted.
    const fromZxid = this.#notedZxid + 1;
    this.#notedZxid = zxid;
    const znodes = subtreeOf(member.replica.state.tree, this.#root);
    if (isSame(znodes, this.newest)) return;
    this.#states.push({ fromZxid, znodes });
    for (const [path, znode] of znodes) this.#znodes.set(`${path} ${znode.mzxid}`, znode);
  }

  get newest(): TreeState {
    return this.#states.at(-1)?.znodes ?? new Map<string, TrueZnode>();
  }

  /** What was there after a transaction. */
  at(zxid: number): TreeState {
    const state = this.#states.findLast(({ fromZxid }) => fromZxid <= zxid);
    return state?.znodes ?? new Map<string, TrueZnode>();
  }

  /** What was there after a transaction, and all that came later, in order. */
  since(zxid: number): TreeState[] {
    const later = this.#states.filter(({ fromZxid }) => fromZxid > zxid);
    return [this.at(zxid), ...later.map(({ znodes }) => znodes)];
  }

  /** All that ever was there, in order, as `of` makes it of each state. Ask again for what came since. */
  each<T>(of: (state: TreeState) => T): () => readonly T[] {
    const made = [of(new Map())];
    return () => {
      for (const { znodes } of this.#states.slice(made.length - 1)) made.push(of(znodes));
      return made;
    };
  }

  /** The znode that was at a path since a transaction; undefined when there never was one. */
  was(path: string, mzxid: number): TrueZnode | undefined {
    return this.#znodes.get(`${path} ${mzxid}`);
  }

  /** Whether, at some time after a transaction, another znode or none was at a path. */
  wasWithout(path: string, czxid: number, sinceZxid: number): boolean {
    return this.#states.some(
      ({ fromZxid, znodes }) => fromZxid > sinceZxid && znodes.get(path)?.czxid !== czxid,
    );
  }
}

function isSame(one: TreeState, two: TreeState): boolean {
  if (one.size !== two.size) return false;
  for (const [path, { mzxid }] of one) if (two.get(path)?.mzxid !== mzxid) return false;
  return true;
}
