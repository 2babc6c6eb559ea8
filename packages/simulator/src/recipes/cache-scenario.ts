import { ZooKeeperError } from '@meerkat/client';
import {
  type CacheChange,
  type CachedNode,
  ChildrenCache,
  NodeCache,
  TreeCache,
  type ZnodeCache,
} from '@meerkat/client/recipes';
import { CacheChecker, type CheckedCache } from './cache-checker.ts';
import { isEnd, type RecipeProcess } from './recipe-process.ts';
import { RecipeScenario } from './recipe-scenario.ts';
import type { TreeHistory } from './tree-history.ts';

const root = '/cached/tree';
const paths = ['a', 'b', 'a/x', 'a/y', 'b/x', 'b/x/deep'].map((name) => `${root}/${name}`);

/** What a process keeps, and how deep below the root it goes. */
export interface Kept {
  readonly cache: ZnodeCache;
  readonly depthMax: number;
}

/**
 * Processes that change a tree, and keep copies of it of all kinds. What a copy shows was there, never goes back, and is
 * in the end what the members hold.
 */
export class CacheScenario extends RecipeScenario {
  readonly #history: TreeHistory = this.host.truth.historyOf(root);
  readonly #checkers = new Map<string, CacheChecker>();

  async live(process: RecipeProcess): Promise<void> {
    await process.ensure('/cached');
    const { cache, depthMax } = await this.start(process);
    const isSlow = process.random.percent(25);
    const checked = { process, cache, depthMax, isSlow };
    const checker = new CacheChecker(this, checked, this.#history);
    this.#checkers.set(process.alias, checker);
    const following = this.#follow(checked, checker);
    const changing = this.#change(process);
    const copying = this.#copy(process, cache, checker);
    await Promise.all([following, changing, copying]);
  }

  /** Starts a cache of any kind. */
  protected async start(process: RecipeProcess): Promise<Kept> {
    const { zk } = process;
    const kind = process.random.below(4);
    if (kind === 0) return { cache: await NodeCache.start(zk, root), depthMax: 0 };
    if (kind === 1) return { cache: await ChildrenCache.start(zk, root), depthMax: 1 };
    const watches = kind === 2 ? 'recursive' : 'oneShot';
    this.say(`${process.alias} keeps a tree by ${watches} watches`);
    return { cache: await TreeCache.start(zk, root, { watches }), depthMax: 9 };
  }

  async #follow(checked: CheckedCache, checker: CacheChecker): Promise<void> {
    const { process, cache, isSlow } = checked;
    const { random } = process;
    const limits = isSlow ? { lagMax: 1 + random.below(4) } : {};
    for await (const change of cache.changes(limits)) {
      this.count('changes');
      checker.onChange(change);
      this.say(`${process.alias} sees ${short(change)}`);
      if (isSlow) await process.sleep(random.below(300));
    }
  }

  /** Changes the tree in all ways, now and then several times at once, and never twice the same. */
  async #change(process: RecipeProcess): Promise<void> {
    for (let number = 0; !this.isEnding; number++) {
      await process.sleep(20 + process.random.below(300));
      const count = process.random.percent(30) ? 5 : 1;
      const names = Array.from({ length: count }, (_, at) => `${process.alias}-${number}-${at}`);
      await Promise.all(names.map((data) => this.#try(() => this.#changeOnce(process, data))));
    }
  }

  /** What is refused, or of which nobody knows, is no matter: the trees say what was done. */
  async #try(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
      this.count('written');
    } catch (error) {
      if (!(error instanceof ZooKeeperError) || isEnd(error)) throw error;
    }
  }

  async #changeOnce({ zk, random }: RecipeProcess, data: string): Promise<void> {
    const path = paths[random.below(paths.length)] as string;
    const other = paths[random.below(paths.length)] as string;
    const mode = random.percent(20) ? 'ephemeral' : 'persistent';
    const choice = random.below(100);
    if (this.host.truth.get(root) === null) await zk.create(root, data);
    else if (choice < 35) await zk.create(path, data, { mode });
    else if (choice < 60) await zk.setData(path, data);
    else if (choice < 63) await zk.setData(root, data);
    else if (choice < 75) await zk.delete(path);
    else if (choice < 80)
      await zk.multi([
        { op: 'delete', path },
        { op: 'create', path, data },
      ]);
    else if (choice < 90) {
      await zk.multi([
        { op: 'setData', path, data },
        { op: 'setData', path: other, data },
      ]);
    } else await this.#clear(zk);
  }

  /** Takes a part of the tree away at once, now and then with the root. */
  async #clear(zk: RecipeProcess['zk']): Promise<void> {
    const present = [...this.host.truth.below(root).keys()].reverse();
    const under = paths[this.host.random.below(2)] as string;
    const isAll = this.host.random.percent(30);
    const doomed = present.filter((path) => isAll || path.startsWith(under));
    const removals = doomed.map((path) => ({ op: 'delete', path }) as const);
    if (removals.length > 0) await zk.multi(removals);
  }

  async #copy(process: RecipeProcess, cache: ZnodeCache, checker: CacheChecker): Promise<void> {
    while (!this.isEnding) {
      await process.sleep(process.random.below(500));
      checker.onSnapshot(await cache.snapshot());
      this.count('snapshots');
      this.serve(process);
    }
    this.idle.add(process.alias);
  }

  checkEnd(): void {
    for (const { alias } of this.host.clients) {
      const checker = this.#checkers.get(alias);
      this.demand(checker !== undefined, 'everybody has a cache', () => alias);
      checker?.checkEnd(this.host.truth.below(root));
    }
  }
}

/** A change, for the trace. */
function short(change: CacheChange): string {
  if (!('node' in change)) return change.type;
  const { path, stat }: CachedNode = change.node;
  return `${change.type} ${path} ${stat.mzxid}`;
}
