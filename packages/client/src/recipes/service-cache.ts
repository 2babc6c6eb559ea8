import { NoNodeError } from '../errors.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { CachedNode } from './cached-znodes.ts';
import { ChildrenCache } from './children-cache.ts';
import { childPath } from './parents.ts';
import { decodeInstance, type ServiceInstance } from './service-instance.ts';
import { untilAnswered, type WaitOptions, within } from './waiting.ts';

/**
 * The instances of one service, as they come and go.
 *
 * Guarantee: that of `ChildrenCache`: what is registered and unregistered shows after the time that an event and a read
 * take. While the connection is lost the last known instances stay, and `isInStep` is false: an old list is worth more
 * than none.
 *
 * ```ts
 * await using billing = await ServiceCache.start(zk, '/services', 'billing');
 * for await (const instances of billing.changes({ signal })) rebalance(instances);
 * ```
 *
 * Layout: Curator's `ServiceDiscovery`, `/base/name/id`. What cannot be read is left out, and listed in `unreadable`.
 */
export class ServiceCache implements AsyncDisposable {
  readonly name: string;
  readonly #cache: ChildrenCache;
  /** Each znode is parsed once. */
  readonly #parsed = new WeakMap<CachedNode, ServiceInstance | Error>();

  private constructor(name: string, cache: ChildrenCache) {
    this.name = name;
    this.#cache = cache;
  }

  /** Reads the instances and follows them. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static async start(
    zk: ZooKeeper,
    basePath: string,
    name: string,
    options: WaitOptions = {},
  ): Promise<ServiceCache> {
    const cache = await ChildrenCache.start(zk, childPath(basePath, name), options);
    return new ServiceCache(name, cache);
  }

  /** The instances known now, in the order of their znodes' names; those that are not enabled among them. */
  get instances(): ServiceInstance[] {
    return this.#all().flatMap(({ parsed }) => (parsed instanceof Error ? [] : [parsed]));
  }

  /** The znodes that hold something else, and what is wrong with it, by path. */
  get unreadable(): Map<string, Error> {
    const wrong = this.#all().flatMap(({ path, parsed }): [string, Error][] =>
      parsed instanceof Error ? [[path, parsed]] : [],
    );
    return new Map(wrong);
  }

  /** False while it fills and after a lost connection: the list may be old. */
  get isInStep(): boolean {
    return this.#cache.isInStep;
  }

  /** The instances now, then after each change. @throws SessionExpiredError when the session ended */
  async *changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ServiceInstance[], void, undefined> {
    for await (const { type } of this.#cache.changes(options)) {
      // Out of step again: its end shows a list that was one.
      if (type === 'inStep' && this.#cache.isInStep) yield this.instances;
    }
  }

  /** Stops following. */
  close(): Promise<void> {
    return this.#cache.close();
  }

  /** `await using cache = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #all(): { readonly path: string; readonly parsed: ServiceInstance | Error }[] {
    return this.#cache.all().map((node) => ({ path: node.path, parsed: this.#parse(node) }));
  }

  #parse(node: CachedNode): ServiceInstance | Error {
    let parsed = this.#parsed.get(node);
    if (parsed === undefined) {
      try {
        parsed = decodeInstance(node.data, node.path);
      } catch (error) {
        parsed = error as Error;
      }
      this.#parsed.set(node, parsed);
    }
    return parsed;
  }
}

/** The names of the services that are or were registered, sorted; none when there is no such path. */
export async function serviceNames(
  zk: ZooKeeper,
  basePath: string,
  options: WaitOptions = {},
): Promise<string[]> {
  return await within(zk, options, `list the services in ${basePath}`, async (signal) => {
    try {
      return (await untilAnswered(zk, () => zk.getChildren(basePath), signal)).sort();
    } catch (error) {
      if (error instanceof NoNodeError) return [];
      throw error;
    }
  });
}
