import type { Acl } from '../acl.ts';
import { BadArgumentsError } from '../errors.ts';
import { Dispatcher } from '../listeners.ts';
import { validateTimeout } from '../options.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { ConfigFallback, type FallbackStore } from './config-fallback.ts';
import { ConfigFollower } from './config-follower.ts';
import {
  type ConfigVersion,
  type ConfigWrite,
  readHistory,
  storeConfig,
} from './config-history.ts';
import type { ConfigInputs, ConfigKeys, ConfigSnapshot, ConfigValues } from './config-keys.ts';
import { EventQueue } from './event-queue.ts';
import { childPath } from './parents.ts';
import { validated } from './standard-schema.ts';
import { type WaitOptions, within } from './waiting.ts';

/** Options of `ConfigCenter.start`. */
export interface ConfigOptions<K extends ConfigKeys> extends WaitOptions {
  readonly keys: K;
  /** Where the last good values are kept for a start without the service. Default: nowhere. */
  readonly fallback?: FallbackStore;
  /** So long the service is waited for before a start from the fallback, ms. Default 3000. */
  readonly fallbackAfterMs?: number;
  /** So many versions are kept of each key. Default 20. */
  readonly historyMax?: number;
  /** Of znodes that have to be created. Default `openAcl`. */
  readonly acl?: Acl;
}

/** Options of writes to a configuration. */
export interface ConfigSetOptions<K> extends WaitOptions {
  /** The versions that the values replace, as in `snapshot.versions`: fails with `BadVersionError` when others are there. */
  readonly versions?: { readonly [N in keyof K]?: number | null };
  /** Kept with the version: who, why. */
  readonly comment?: string;
}

/**
 * A configuration that all processes share and that changes while they run.
 *
 * Guarantee: `current` holds values that their schemas accept, all as the service had them at one moment; it follows the
 * service, never going back. A stored value that cannot be used never replaces a good one: it shows in `problems`. `set`
 * stores its values together or not at all, once. Without the service a process starts from the values it last had, and
 * says so (`source`).
 *
 * ```ts
 * await using config = await ConfigCenter.start(zk, '/config/web', {
 *   keys: { pool: { schema: poolSchema, default: { connectionsMax: 4 } } },
 *   fallback: fileStore('web-config.json'),
 * });
 * for await (const pool of config.changesOf('pool', { signal })) await rebuild(pool);
 * ```
 *
 * Layout: see `storeConfig`; any tool can read and write the values, which are JSON.
 */
export class ConfigCenter<K extends ConfigKeys> implements AsyncDisposable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #keys: K;
  readonly #options: ConfigOptions<K>;
  readonly #fallback: ConfigFallback | null;
  readonly #follower: ConfigFollower<K>;
  readonly #closed = new AbortController();
  readonly #failed = new AbortController();
  readonly #dispatcher = new Dispatcher(undefined);
  readonly #listeners = new Set<(snapshot: ConfigSnapshot<K>) => void>();
  readonly #queues = new Set<EventQueue<ConfigSnapshot<K>>>();

  private constructor(zk: ZooKeeper, path: string, options: ConfigOptions<K>) {
    const { historyMax = 20, keys, fallback, fallbackAfterMs = 3000 } = options;
    validateTimeout(fallbackAfterMs);
    if (!Number.isInteger(historyMax) || historyMax < 1) {
      const message = `Cannot follow ${path}: current value is historyMax ${historyMax}, it must be 1 or more`;
      throw new BadArgumentsError({ message });
    }
    this.#zk = zk;
    this.path = path;
    this.#keys = options.keys;
    this.#options = options;
    this.#fallback = fallback === undefined ? null : new ConfigFallback(fallback, path);
    this.#follower = new ConfigFollower(zk, {
      path,
      keys,
      fallback: this.#fallback,
      fallbackAfterMs,
      onSnapshot: (snapshot) => this.#onSnapshot(snapshot),
      onEnd: (error) => this.#fail(error),
    });
  }

  /**
   * Reads the values and follows them. With a fallback, a client made by `open`, which does not wait for a server, lets a
   * process start while the service is away.
   *
   * @throws DataInconsistencyError when a key has no value that can be used, and no default; WaitTimeoutError;
   *   SessionExpiredError; or the signal's reason
   */
  static async start<K extends ConfigKeys>(
    zk: ZooKeeper,
    path: string,
    options: ConfigOptions<K>,
  ): Promise<ConfigCenter<K>> {
    const config = new ConfigCenter(zk, path, options);
    try {
      await within(zk, options, `read the configuration ${path}`, (signal) =>
        config.#follower.begin(signal),
      );
      return config;
    } catch (error) {
      await config.close();
      throw error;
    }
  }

  /** All values, as they were at one moment. It does not change: ask again for newer ones. */
  get current(): ConfigSnapshot<K> {
    return this.#follower.current as ConfigSnapshot<K>;
  }

  /** Short for `current.values`. */
  get values(): ConfigValues<K> {
    return this.current.values;
  }

  /** True when `current` is what the service had when it last spoke to us. */
  get isInStep(): boolean {
    return this.#follower.isInStep;
  }

  /** Why the fallback could not be read or written last; null when it could, or there is none. */
  get fallbackProblem(): Error | null {
    return this.#fallback?.problem ?? null;
  }

  /** Aborts when it is followed no more, since the session ended; the values stay. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Tells each later snapshot to `listener`. Returns the function that ends it. */
  onChange(listener: (snapshot: ConfigSnapshot<K>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The present snapshot, then each later one; a slow reader gets the newest only. Ends with `close`. */
  async *changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ConfigSnapshot<K>, void, undefined> {
    const queue = new EventQueue<ConfigSnapshot<K>>({ lagMax: 1 });
    queue.push(this.current);
    if (this.#closed.signal.aborted) queue.end(null);
    if (this.failed.aborted) queue.end(this.failed.reason as Error);
    this.#queues.add(queue);
    try {
      yield* queue.iterate(options.signal);
    } finally {
      this.#queues.delete(queue);
    }
  }

  /** The present value of a key, then each other one that it gets. */
  async *changesOf<N extends keyof K & string>(
    name: N,
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ConfigValues<K>[N], void, undefined> {
    let told: { readonly value: unknown } | null = null;
    for await (const { values } of this.changes(options)) {
      if (told !== null && told.value === values[name]) continue;
      told = { value: values[name] };
      yield values[name];
    }
  }

  /**
   * Stores values, all of them or none. They show in `current` after the time that an event takes.
   *
   * @returns the versions that they have become
   * @throws DataInconsistencyError when a schema refuses its value; BadVersionError; ZooKeeperError, with
   *   `mayHaveHappened` when nobody knows whether they were stored; WaitTimeoutError; or the signal's reason
   */
  async set(
    values: Partial<ConfigInputs<K>>,
    options: ConfigSetOptions<K> = {},
  ): Promise<{ readonly [N in keyof K]?: number }> {
    const names = Object.keys(values);
    const writes = await Promise.all(
      names.map(async (name): Promise<ConfigWrite> => {
        const path = childPath(this.path, name);
        const stored: unknown = values[name];
        await validated(this.#keyOf(name).schema, stored, path);
        const version = options.versions?.[name];
        if (version === undefined) return { path, stored };
        return { path, stored, version: version ?? -1 };
      }),
    );
    const versions = await this.#store(writes, options);
    return Object.fromEntries(names.map((name, index) => [name, versions[index]])) as {
      [N in keyof K]?: number;
    };
  }

  /** The last versions of a key, the newest first. */
  history(name: keyof K & string, options: WaitOptions = {}): Promise<ConfigVersion[]> {
    this.#keyOf(name);
    const path = childPath(this.path, name);
    return within(this.#zk, options, `read the history of ${path}`, (signal) =>
      readHistory(this.#zk, path, signal),
    );
  }

  /**
   * Stores a kept version of a key again, as its next version, which is returned.
   *
   * @throws BadArgumentsError when that version is not kept; and as `set`
   */
  async rollBack(
    name: keyof K & string,
    version: number,
    options: WaitOptions = {},
  ): Promise<number> {
    const kept = await this.history(name, options);
    const found = kept.find((one) => one.version === version);
    const path = childPath(this.path, name);
    if (found === undefined) {
      const versions = kept.map((one) => one.version).join(', ') || 'none';
      const message = `Cannot roll ${path} back to version ${version}: current value is the kept versions ${versions}`;
      throw new BadArgumentsError({ path, message });
    }
    await validated(this.#keyOf(name).schema, found.stored, path);
    const comment = `rolled back to version ${version}`;
    const [stored = -1] = await this.#store([{ path, stored: found.stored }], {
      ...options,
      comment,
    });
    return stored;
  }

  /** Stops following. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#follower.close();
    for (const queue of this.#queues) queue.end(null);
  }

  /** `await using config = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #keyOf(name: string): K[string] {
    const key = Object.hasOwn(this.#keys, name) ? this.#keys[name] : undefined;
    if (key !== undefined) return key as K[string];
    const known = Object.keys(this.#keys).join(', ');
    const message = `Cannot find the key ${name} of ${this.path}: current value is the keys ${known}`;
    throw new BadArgumentsError({ message });
  }

  #store(writes: ConfigWrite[], options: ConfigSetOptions<K>): Promise<number[]> {
    const { historyMax = 20, acl } = this.#options;
    const { comment } = options;
    return within(this.#zk, options, `store a configuration in ${this.path}`, (signal) =>
      storeConfig(this.#zk, writes, {
        historyMax,
        signal,
        ...(comment === undefined ? {} : { comment }),
        ...(acl === undefined ? {} : { acl }),
      }),
    );
  }

  #onSnapshot(snapshot: ConfigSnapshot<K>): void {
    for (const queue of this.#queues) queue.push(snapshot);
    this.#dispatcher.dispatch(this.#listeners, snapshot);
  }

  #fail(error: Error): void {
    this.#failed.abort(error);
    for (const queue of this.#queues) queue.end(error);
  }
}
