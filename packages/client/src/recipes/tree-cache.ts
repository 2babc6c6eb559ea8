import type { ZooKeeper } from '../zookeeper.ts';
import type { WatchMethod } from './cached-znodes.ts';
import { hasNoAddWatch, ZnodeCache } from './caches.ts';
import type { WaitOptions } from './waiting.ts';

/** Options of `TreeCache.start`. */
export interface TreeCacheOptions extends WaitOptions {
  /**
   * `recursive`: one persistent watch (servers from 3.6 on). `oneShot`: watches on each znode. Default: `recursive`, and
   * `oneShot` when the server says that it has no `addWatch`. Servers before 3.5 say nothing: choose `oneShot` for them.
   */
  readonly watches?: WatchMethod;
}

/**
 * A copy of a znode and everything below it.
 *
 * Guarantee: once started, the cache follows the server: every change shows after the time that an event and a read take,
 * in the order in which it happened (changes that follow each other fast may show as one). After a lost connection all is read
 * again; until it is in step again, `isInStep` is false, and `changes` says `missed`. `snapshot` is what the server
 * had at one moment.
 *
 * ```ts
 * await using cache = await TreeCache.start(zk, '/services');
 * cache.get('/services/billing')?.data;
 * for await (const change of cache.changes({ signal })) {
 *   if (change.type === 'added') console.log('new:', change.node.path);
 * }
 * ```
 *
 * Servers before 3.9 lose the recursive watch on a path when the same session sets a one-shot watch there
 * (ZOOKEEPER-4466): do not watch the root of a tree cache by other means on the same client, a `NodeCache` included.
 *
 * Nothing has to exist. Curator's `CuratorCache` and `TreeCache` do the same; on the server it leaves nothing but watches.
 */
export class TreeCache extends ZnodeCache {
  /**
   * Reads everything under `path`, many znodes at a time, and watches it.
   *
   * @throws WaitTimeoutError when the time is up; SessionExpiredError; or the signal's reason
   */
  static async start(
    zk: ZooKeeper,
    path: string,
    options: TreeCacheOptions = {},
  ): Promise<TreeCache> {
    const { watches } = options;
    if (watches === 'oneShot') return new TreeCache(zk, path, 'oneShot').fill(options);
    try {
      return await new TreeCache(zk, path, 'recursive').fill(options);
    } catch (error) {
      if (watches !== undefined || !hasNoAddWatch(error)) throw error;
    }
    return new TreeCache(zk, path, 'oneShot').fill(options);
  }

  private constructor(zk: ZooKeeper, path: string, method: WatchMethod) {
    super(zk, path, Number.MAX_SAFE_INTEGER, method);
  }
}
