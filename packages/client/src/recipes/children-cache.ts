import type { ZooKeeper } from '../zookeeper.ts';
import type { CachedNode } from './cached-znodes.ts';
import { ZnodeCache } from './caches.ts';
import { childPath } from './parents.ts';
import type { WaitOptions } from './waiting.ts';

/**
 * A copy of a znode's children and what they hold.
 *
 * Guarantee: that of `TreeCache`, for the znode and its children, whatever lies below them left aside. It watches each of
 * them by one-shot watches, which the server makes up for after a lost connection.
 *
 * ```ts
 * await using workers = await ChildrenCache.start(zk, '/workers');
 * console.log(workers.all().map(({ path }) => path));
 * ```
 *
 * Nothing has to exist. Curator's `PathChildrenCache` does the same.
 */
export class ChildrenCache extends ZnodeCache {
  /** Reads the children and watches them. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static start(zk: ZooKeeper, path: string, options: WaitOptions = {}): Promise<ChildrenCache> {
    return new ChildrenCache(zk, path).fill(options);
  }

  private constructor(zk: ZooKeeper, path: string) {
    super(zk, path, 1, 'oneShot');
  }

  /** The copies of the children, by name. */
  all(): CachedNode[] {
    const paths = this.children(this.path).map((name) => childPath(this.path, name));
    return paths.flatMap((path) => this.get(path) ?? []);
  }
}
