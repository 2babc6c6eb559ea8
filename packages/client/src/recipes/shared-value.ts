import { type Acl, openAcl } from '../acl.ts';
import { BadVersionError } from '../errors.ts';
import { type Data, toBytes } from '../operations/values.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { createUnlessThere } from './barrier.ts';
import { NodeCache } from './node-cache.ts';
import { type WaitOptions, within } from './waiting.ts';

/** Options of `SharedValue.start` and `SharedCount.start`. */
export interface SharedOptions extends WaitOptions {
  /** Of the znode if it has to be created. Default `openAcl`. */
  readonly acl?: Acl;
}

/** A value and the version by which to replace exactly it. */
export interface Versioned<T> {
  readonly value: T;
  readonly version: number;
}

/**
 * A value that all see and each may replace.
 *
 * Guarantee: `current` follows what the server has, never going back; `trySet` replaces the value only if nobody has
 * since the one it was given.
 *
 * ```ts
 * await using mode = await SharedValue.start(zk, '/shared/mode', 'normal');
 * await mode.trySet(mode.current, 'maintenance');
 * for await (const { value } of mode.changes({ signal })) apply(value);
 * ```
 *
 * Layout: Curator's `SharedValue`, a persistent znode with the bytes.
 */
export class SharedValue implements AsyncDisposable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #cache: NodeCache;
  #latest: Versioned<Uint8Array> & { readonly mzxid: bigint };

  private constructor(zk: ZooKeeper, cache: NodeCache, seed: Data) {
    this.path = cache.path;
    this.#zk = zk;
    this.#cache = cache;
    this.#latest = { value: toBytes(seed) ?? new Uint8Array(0), version: -1, mzxid: -1n };
  }

  /** Creates the value if there is none, and follows it. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static start(
    zk: ZooKeeper,
    path: string,
    seed: Data,
    options: SharedOptions = {},
  ): Promise<SharedValue> {
    return within(zk, options, `share ${path}`, async (signal) => {
      const data = toBytes(seed) ?? new Uint8Array(0);
      await createUnlessThere(zk, path, { acl: options.acl ?? openAcl, data, signal });
      return new SharedValue(zk, await NodeCache.start(zk, path, { signal }), seed);
    });
  }

  /** The newest value seen. */
  get current(): Versioned<Uint8Array> {
    const cached = this.#cache.current;
    if (cached !== null && cached.stat.mzxid > this.#latest.mzxid) {
      const { mzxid, version } = cached.stat;
      this.#latest = { value: cached.data ?? new Uint8Array(0), version, mzxid };
    }
    return { value: this.#latest.value, version: this.#latest.version };
  }

  /** Replaces the value, whatever it is. @throws ZooKeeperError as `setData` */
  async set(value: Data): Promise<void> {
    this.#onSet(value, await this.#zk.setData(this.path, value));
  }

  /**
   * Replaces the value if it is still the one given. False when somebody else was faster.
   *
   * @throws ZooKeeperError as `setData`: with `mayHaveHappened` nobody knows whether it was replaced
   */
  async trySet(before: Versioned<unknown>, value: Data): Promise<boolean> {
    try {
      const { version } = before;
      this.#onSet(value, await this.#zk.setData(this.path, value, { version }));
      return true;
    } catch (error) {
      if (error instanceof BadVersionError) return false;
      throw error;
    }
  }

  /** The present value, then each later one; some may be left out when they follow each other fast. */
  async *changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Versioned<Uint8Array>, void, undefined> {
    let told = -2n;
    for await (const { type } of this.#cache.changes(options)) {
      const { current } = this;
      if (type === 'removed' || this.#latest.mzxid === told) continue;
      told = this.#latest.mzxid;
      yield current;
    }
  }

  /** Stops following. The value stays. */
  close(): Promise<void> {
    return this.#cache.close();
  }

  /** `await using value = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #onSet(value: Data, stat: { readonly mzxid: bigint; readonly version: number }): void {
    const { mzxid, version } = stat;
    if (mzxid > this.#latest.mzxid) {
      this.#latest = { value: toBytes(value) ?? new Uint8Array(0), version, mzxid };
    }
  }
}
