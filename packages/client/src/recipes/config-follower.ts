import { DataInconsistencyError } from '../errors.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { CachedNode } from './cached-znodes.ts';
import { ChildrenCache } from './children-cache.ts';
import type { ConfigFallback } from './config-fallback.ts';
import {
  type ConfigKey,
  type ConfigKeys,
  type ConfigSnapshot,
  type GoodConfig,
  goodConfig,
  parseConfig,
} from './config-keys.ts';
import { childPath } from './parents.ts';
import { untilTold } from './waiting.ts';

/** What is followed, and who hears of it. */
export interface ConfigFollowing<K extends ConfigKeys> {
  readonly path: string;
  readonly keys: K;
  readonly fallback: ConfigFallback | null;
  readonly fallbackAfterMs: number;
  readonly onSnapshot: (snapshot: ConfigSnapshot<K>) => void;
  /** The session ended. */
  readonly onEnd: (error: Error) => void;
}

/**
 * Follows the stored values of a configuration and judges them by their schemas.
 *
 * Guarantee: each snapshot is what the service had at one moment, but for stored values that cannot be used: the last
 * good one stands in for these. It is taken when the cache of the znodes is in step, which it is not between two events
 * of one transaction.
 */
export class ConfigFollower<K extends ConfigKeys> {
  readonly #zk: ZooKeeper;
  readonly #following: ConfigFollowing<K>;
  readonly #closing = new AbortController();
  /** Each state of a znode is judged once, so that a value that has not changed stays the same object. */
  readonly #judged = new WeakMap<CachedNode, GoodConfig | Error>();
  #good = new Map<string, GoodConfig>();
  #current: ConfigSnapshot<K> | null = null;
  #cache: ChildrenCache | null = null;
  #running: Promise<void> = Promise.resolve();

  constructor(zk: ZooKeeper, following: ConfigFollowing<K>) {
    this.#zk = zk;
    this.#following = following;
  }

  /** The newest snapshot; null before the first. */
  get current(): ConfigSnapshot<K> | null {
    return this.#current;
  }

  /** True when the newest snapshot is what the service had when it last spoke to us. */
  get isInStep(): boolean {
    return this.#cache?.isInStep === true && this.#current?.source === 'service';
  }

  /** Stops, and waits until what was to be kept is. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`${this.#following.path} is followed no more`));
    await this.#running;
    await this.#following.fallback?.flush();
  }

  /** Waits for the first values: the service's, or after a while those of the fallback. */
  async begin(signal: AbortSignal): Promise<void> {
    const kept =
      (await this.#following.fallback?.load(this.#following.keys)) ?? new Map<string, GoodConfig>();
    this.#good = kept;
    const shown = untilTold<void>(signal, (resolve, reject) => {
      this.#running = this.#run(resolve).catch((error) => {
        this.#following.onEnd(error as Error);
        reject(error);
      });
      return () => {};
    });
    const isComplete = Object.entries(this.#following.keys).every(
      ([name, key]) => kept.has(name) || 'default' in key,
    );
    if (kept.size === 0 || !isComplete) return await shown;
    const { clock } = this.#zk.ports;
    const decided = new AbortController();
    const late = untilTold<void>(AbortSignal.any([signal, decided.signal]), (resolve) => {
      const timer = clock.startTimer(this.#following.fallbackAfterMs, resolve);
      return () => clock.cancelTimer(timer);
    });
    // The one that comes too late is nobody's.
    for (const one of [shown, late]) one.catch(() => {});
    await Promise.race([shown, late]).finally(() => decided.abort());
    if (this.#current === null) this.#publish(kept, 'file', new Map());
  }

  async #run(onShown: () => void): Promise<void> {
    const { signal } = this.#closing;
    try {
      this.#cache = await ChildrenCache.start(this.#zk, this.#following.path, { signal });
      try {
        for await (const { type } of this.#cache.changes({ signal })) {
          // Out of step again: its end shows all at one moment.
          if (type !== 'inStep' || !this.#cache.isInStep) continue;
          await this.#judge(this.#cache.all());
          onShown();
        }
      } finally {
        await this.#cache.close();
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Takes what is stored now, as far as it is good. */
  async #judge(nodes: readonly CachedNode[]): Promise<void> {
    const byPath = new Map(nodes.map((node) => [node.path, node]));
    const problems = new Map<string, Error>();
    const good = new Map<string, GoodConfig>();
    for (const [name, key] of Object.entries(this.#following.keys)) {
      const path = childPath(this.#following.path, name);
      const node = byPath.get(path);
      const judged = node === undefined ? missing(path) : await this.#judgeOne(key, node);
      const before = this.#good.get(name);
      if (!(judged instanceof Error)) {
        good.set(name, judged);
      } else if (node !== undefined || !('default' in key)) {
        if (before === undefined && !('default' in key)) throw judged;
        problems.set(name, judged);
        if (before !== undefined) good.set(name, before);
      }
    }
    this.#good = good;
    this.#publish(good, 'service', problems);
    this.#following.fallback?.save(good);
  }

  async #judgeOne(key: ConfigKey, node: CachedNode): Promise<GoodConfig | Error> {
    let judged = this.#judged.get(node);
    if (judged === undefined) {
      try {
        const stored = parseConfig(node.data, node.path);
        const { version } = node.stat;
        judged = await goodConfig(key, { stored, version }, node.path);
      } catch (error) {
        judged = error as Error;
      }
      this.#judged.set(node, judged);
    }
    return judged;
  }

  #publish(
    good: ReadonlyMap<string, GoodConfig>,
    source: 'service' | 'file',
    problems: ReadonlyMap<string, Error>,
  ): void {
    const names = Object.keys(this.#following.keys);
    const value = (name: string): unknown => {
      return good.has(name) ? good.get(name)?.value : this.#following.keys[name]?.default;
    };
    const versions = names.map((name) => [name, good.get(name)?.version ?? null] as const);
    const snapshot = {
      values: Object.fromEntries(names.map((name) => [name, value(name)])),
      versions: Object.fromEntries(versions),
      source,
      problems,
    } as unknown as ConfigSnapshot<K>;
    if (this.#current !== null && isSame(this.#current, snapshot)) return;
    this.#current = snapshot;
    this.#following.onSnapshot(snapshot);
  }
}

function missing(path: string): Error {
  const message = `Cannot use the value of ${path}: there is none, and no default`;
  return new DataInconsistencyError({ path, message });
}

function isSame<K>(one: ConfigSnapshot<K>, two: ConfigSnapshot<K>): boolean {
  if (one.source !== two.source || one.problems.size !== two.problems.size) return false;
  const names = Object.keys(one.values) as (keyof K & string)[];
  return names.every(
    (name) =>
      one.values[name] === two.values[name] &&
      one.versions[name] === two.versions[name] &&
      one.problems.get(name)?.message === two.problems.get(name)?.message,
  );
}
