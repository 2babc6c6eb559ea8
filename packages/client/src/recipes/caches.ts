import { ErrorCode } from '@meerkat/protocol';
import { UnimplementedError } from '../errors.ts';
import { validatePath } from '../paths.ts';
import type { Watcher } from '../watches.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import {
  type CacheChange,
  type CachedNode,
  CachedZnodes,
  type WatchMethod,
} from './cached-znodes.ts';
import { EventQueue } from './event-queue.ts';
import { orAborted, untilAnswered, untilTold, type WaitOptions, within } from './waiting.ts';

/** Options of `changes` of a cache. */
export interface ChangesOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal;
  /** Whether it begins with what is there already, each as `added`, then `inStep`. Default true. */
  readonly initial?: boolean;
  /** So many changes may wait for a slow reader; beyond that they are dropped, and `missed` says so. Default 10,000. */
  readonly lagMax?: number;
}

/** A copy of a cache at one moment: all of it was there at the same time. */
export interface CacheSnapshot {
  /** By path. */
  readonly nodes: ReadonlyMap<string, CachedNode>;
  /** It is what the server had after this transaction, as far as it lies under the root. */
  readonly zxid: bigint;
}

/** What all caches offer: a copy of znodes that keeps itself in step with the server. */
export class ZnodeCache implements AsyncDisposable {
  /** The znode that is cached, or under which all is cached. */
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #znodes: CachedZnodes;
  readonly #method: WatchMethod;
  readonly #queues = new Set<EventQueue<CacheChange>>();
  readonly #inStepListeners = new Set<() => void>();
  #watcher: Watcher | null = null;
  /** Removals that an answer has come after. */
  #confirmed = 0;
  #end: { readonly error: Error | null } | null = null;

  /** @internal Caches are made by their `start`. */
  constructor(zk: ZooKeeper, path: string, depthMax: number, method: WatchMethod) {
    validatePath(path, 'cache');
    this.path = path;
    this.#zk = zk;
    this.#method = method;
    this.#znodes = new CachedZnodes(zk, {
      root: path,
      depthMax,
      method,
      onChange: (change) => this.#onChange(change),
      onEnd: (error) => this.#finish(error),
    });
  }

  /** How many znodes are cached. */
  get size(): number {
    return this.#znodes.size;
  }

  /** True when the cache shows what the server had when it last spoke to us. False while it fills and after a lost connection. */
  get isInStep(): boolean {
    return this.#znodes.isInStep;
  }

  /** The present copy of a znode; `undefined` when there is none. */
  get(path: string): CachedNode | undefined {
    return this.#znodes.get(path);
  }

  /** The names of the cached children of a znode, sorted. */
  children(path: string): string[] {
    return this.#znodes.children(path);
  }

  /** All present copies. They change under the iteration when it waits between two: see `snapshot`. */
  nodes(): IterableIterator<CachedNode> {
    return this.#znodes.nodes();
  }

  /**
   * Waits until the cache is in step and copies it: the znodes as they were at one moment.
   *
   * @throws WaitTimeoutError, the signal's reason, or SessionExpiredError when the session ended
   */
  snapshot(options: WaitOptions = {}): Promise<CacheSnapshot> {
    return within(this.#zk, options, `take a snapshot of ${this.path}`, async (signal) => {
      await this.whenInStep(signal);
      for (let removals = this.#confirmed; removals !== this.#znodes.removals; ) {
        removals = this.#znodes.removals;
        // Any answer will do: it names a transaction that is not older than what was removed before.
        await untilAnswered(this.#zk, () => this.#zk.exists(this.path, { signal }), signal);
        this.#confirmed = removals;
        await this.whenInStep(signal);
      }
      const nodes = new Map<string, CachedNode>();
      for (const node of this.#znodes.nodes()) nodes.set(node.path, node);
      return { nodes, zxid: this.#zk.lastZxid };
    });
  }

  /**
   * What is there, then every change, in order. Changes that follow each other fast may come as one; a change is never left
   * out without `missed` before it. Ends when the cache is closed or the signal aborts.
   *
   * @throws SessionExpiredError when the session ended
   */
  async *changes(options: ChangesOptions = {}): AsyncGenerator<CacheChange, void, undefined> {
    const { signal, initial = true, lagMax = 10_000 } = options;
    const queue = new EventQueue<CacheChange>({ lagMax, missed: { type: 'missed' } });
    const present = initial ? [...this.#znodes.nodes()] : [];
    const isInStep = initial && this.isInStep;
    this.#queues.add(queue);
    if (this.#end !== null) queue.end(this.#end.error);
    try {
      for (const node of present) {
        if (signal?.aborted) return;
        yield { type: 'added', node };
      }
      if (isInStep) yield { type: 'inStep' };
      yield* queue.iterate(signal);
    } finally {
      this.#queues.delete(queue);
    }
  }

  /** Stops. What is cached stays readable, and grows old. */
  async close(): Promise<void> {
    if (this.#end !== null) return;
    this.#finish(null);
    if (this.#watcher === null) return;
    const { path } = this;
    const options = { type: 'any', watcher: this.#watcher, local: true } as const;
    await this.#zk.removeWatches(path, options).catch(() => {});
  }

  /** `await using cache = …`: closes at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Sets the watch, fills the cache, and waits until it is in step. */
  async fill(options: WaitOptions): Promise<this> {
    try {
      await within(this.#zk, options, `fill a cache of ${this.path}`, async (signal) => {
        if (this.#method === 'recursive') await this.#watch(signal);
        this.#znodes.start();
        await this.whenInStep(signal);
      });
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** @internal */
  async whenInStep(signal: AbortSignal): Promise<void> {
    while (!this.isInStep) {
      if (this.#end !== null) throw this.#end.error ?? new Error('the cache is closed');
      let listener = (): void => {};
      await untilTold<void>(signal, (resolve) => {
        listener = resolve;
        this.#inStepListeners.add(listener);
        return () => this.#inStepListeners.delete(listener);
      });
    }
  }

  async #watch(signal: AbortSignal): Promise<void> {
    this.#watcher = this.#znodes.watcher;
    const { watcher } = this.#znodes;
    const mode = 'persistentRecursive';
    const adding = untilAnswered(this.#zk, () => this.#zk.addWatch(this.path, watcher, { mode }));
    await orAborted(adding, signal);
  }

  #onChange(change: CacheChange): void {
    for (const queue of this.#queues) queue.push(change);
    if (change.type === 'inStep') this.#tellInStep();
  }

  #tellInStep(): void {
    for (const listener of this.#inStepListeners) listener();
  }

  #finish(error: Error | null): void {
    if (this.#end !== null) return;
    this.#end = { error };
    this.#znodes.close();
    for (const queue of this.#queues) queue.end(error);
    this.#tellInStep();
  }
}

/** True when the server does not know `addWatch` (before 3.6). */
export function hasNoAddWatch(error: unknown): boolean {
  return error instanceof UnimplementedError && error.code === ErrorCode.unimplemented;
}
