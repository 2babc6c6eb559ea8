import type { ZooKeeper } from '../zookeeper.ts';
import type { CachedNode } from './cached-znodes.ts';
import { ZnodeCache } from './caches.ts';
import type { WaitOptions } from './waiting.ts';

/**
 * A copy of one znode.
 *
 * Guarantee: that of `TreeCache`, for one znode: its creation, every change of its data (those that follow each other fast
 * may show as one), its deletion.
 *
 * ```ts
 * await using settings = await NodeCache.start(zk, '/settings');
 * for await (const change of settings.changes({ signal })) {
 *   if (change.type !== 'inStep') apply(settings.current?.data ?? null);
 * }
 * ```
 *
 * Nothing has to exist. Curator's `NodeCache` does the same.
 */
export class NodeCache extends ZnodeCache {
  /** Reads the znode and watches it. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static start(zk: ZooKeeper, path: string, options: WaitOptions = {}): Promise<NodeCache> {
    return new NodeCache(zk, path).fill(options);
  }

  private constructor(zk: ZooKeeper, path: string) {
    super(zk, path, 0, 'oneShot');
  }

  /** The present copy, null when there is no such znode. */
  get current(): CachedNode | null {
    return this.get(this.path) ?? null;
  }
}
