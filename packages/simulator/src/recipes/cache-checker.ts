import type { CacheChange, CachedNode, CacheSnapshot, ZnodeCache } from '@meerkat/client/recipes';
import type { RecipeProcess } from './recipe-process.ts';
import type { RecipeScenario } from './recipe-scenario.ts';
import type { TreeHistory, TreeState } from './tree-history.ts';
import type { TrueZnode } from './true-znode.ts';

/** A cache, and who has it. */
export interface CheckedCache {
  readonly process: RecipeProcess;
  readonly cache: ZnodeCache;
  /** How far below its root it goes. */
  readonly depthMax: number;
  /** Its changes are read so slowly that some may be dropped. */
  readonly isSlow: boolean;
}

/**
 * Holds what one cache shows and tells against what the members' trees held:
 *
 * - a snapshot is exactly what was there after the transaction that it names, and snapshots never go back;
 * - each change shows a znode that was there, and follows from the changes before it, unless `missed` was said to a slow
 *   reader; what is removed went; no znode goes back;
 * - in the end the cache, and who heard only its changes, have what the members hold.
 */
export class CacheChecker {
  readonly #scenario: RecipeScenario;
  readonly #checked: CheckedCache;
  readonly #history: TreeHistory;
  readonly #alias: string;
  /** What follows from the changes. */
  #copy = new Map<string, CachedNode>();
  /** The `mzxid` last seen of each path. */
  readonly #seen = new Map<string, bigint>();
  #snapshotZxid = 0n;
  /** Changes were dropped, and it was said so. */
  #hasMissed = false;

  constructor(scenario: RecipeScenario, checked: CheckedCache, history: TreeHistory) {
    this.#scenario = scenario;
    this.#checked = checked;
    this.#history = history;
    this.#alias = checked.process.alias;
  }

  /** The cache tells a change. */
  onChange(change: CacheChange): void {
    if (change.type === 'inStep') return;
    if (change.type === 'missed') {
      // The differences follow; but after dropped changes begin with what the cache has now.
      if (!this.#checked.isSlow) return;
      this.#hasMissed = true;
      this.#copy = new Map([...this.#checked.cache.nodes()].map((node) => [node.path, node]));
      return;
    }
    const { node } = change;
    const { path } = node;
    if (change.type === 'removed') this.#onRemoved(node);
    else this.#onPresent(node);
    const before = this.#copy.get(path);
    const isExpected =
      change.type === 'added' ? undefined : 'before' in change ? change.before : node;
    this.#demand(this.#hasMissed || before === isExpected, 'changes follow from each other', () => {
      return `${change.type} ${path} ${node.stat.mzxid} after ${before?.stat.mzxid}`;
    });
    if (change.type === 'removed') this.#copy.delete(path);
    else this.#copy.set(path, node);
  }

  /** The cache gives a copy of all. */
  onSnapshot({ nodes, zxid }: CacheSnapshot): void {
    this.#demand(zxid >= this.#snapshotZxid, 'snapshots never go back', () => {
      return `${zxid} after ${this.#snapshotZxid}`;
    });
    this.#snapshotZxid = zxid;
    const state = this.#within(this.#history.at(Number(zxid)));
    this.#compare(nodes, state, `a snapshot is what was there, at ${zxid}`);
  }

  /** All is quiet. */
  checkEnd(truth: TreeState): void {
    const { cache } = this.#checked;
    const state = this.#within(truth);
    this.#demand(cache.isInStep, 'caches get in step', () => cache.path);
    const nodes = new Map([...cache.nodes()].map((node) => [node.path, node]));
    this.#compare(nodes, state, 'caches converge');
    this.#compare(this.#copy, state, 'who hears the changes knows all');
    for (const path of state.keys()) {
      const names = [...state.keys()].filter((one) => one.slice(0, one.lastIndexOf('/')) === path);
      const expected = names
        .map((one) => one.slice(path.length + 1))
        .sort()
        .join();
      const listed = cache.children(path).join();
      this.#demand(listed === expected, 'children are listed', () => `${path}: ${listed}`);
    }
  }

  #onPresent(node: CachedNode): void {
    const { path, stat } = node;
    const was = this.#history.was(path, Number(stat.mzxid));
    this.#demand(was !== undefined && isSame(node, was), 'what is told was there', () => {
      return `${path} ${stat.mzxid}`;
    });
    const seen = this.#seen.get(path) ?? -1n;
    // A slow reader has taken over newer ones.
    const isLater = this.#hasMissed ? stat.mzxid >= 0n : stat.mzxid > seen;
    this.#demand(isLater, 'nothing goes back', () => `${path} ${stat.mzxid} after ${seen}`);
    this.#seen.set(path, stat.mzxid);
  }

  #onRemoved({ path, stat }: CachedNode): void {
    const [czxid, mzxid] = [Number(stat.czxid), Number(stat.mzxid)];
    this.#demand(this.#history.wasWithout(path, czxid, mzxid), 'what is removed went', () => {
      return `${path} ${mzxid}`;
    });
  }

  #compare(nodes: ReadonlyMap<string, CachedNode>, state: TreeState, rule: string): void {
    for (const [path, znode] of state) {
      const node = nodes.get(path);
      this.#demand(node !== undefined && isSame(node, znode), rule, () => {
        return `${path} is ${node?.stat.mzxid}, and not ${znode.mzxid}`;
      });
    }
    const strangers = [...nodes.keys()].filter((path) => !state.has(path));
    this.#demand(strangers.length === 0, rule, () => `${strangers.join()} should not be there`);
  }

  #within(state: TreeState): TreeState {
    const { cache, depthMax } = this.#checked;
    const depth = (path: string): number => path.slice(cache.path.length).split('/').length - 1;
    return new Map([...state].filter(([path]) => depth(path) <= depthMax));
  }

  #demand(holds: boolean, rule: string, detail: () => string): void {
    this.#scenario.demand(holds, rule, () => `${this.#alias}: ${detail()}`);
  }
}

function isSame({ data, stat }: CachedNode, znode: TrueZnode): boolean {
  return (
    Buffer.from(data ?? []).toString() === znode.data &&
    Number(stat.czxid) === znode.czxid &&
    Number(stat.mzxid) === znode.mzxid &&
    stat.version === znode.version &&
    stat.ctimeMs === znode.ctimeMs &&
    stat.mtimeMs === znode.mtimeMs &&
    BigInt.asIntN(64, stat.ephemeralOwner) === znode.owner &&
    stat.dataLength === Buffer.byteLength(znode.data)
  );
}
