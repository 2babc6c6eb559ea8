import type { ZooKeeper } from '../zookeeper.ts';
import { decodeInteger, encodeInteger } from './integers.ts';
import { type SharedOptions, SharedValue, type Versioned } from './shared-value.ts';

/**
 * A number that all see and each may replace.
 *
 * Guarantee: that of `SharedValue`. To count, use `AtomicLong`.
 *
 * ```ts
 * await using workers = await SharedCount.start(zk, '/shared/workers', 4);
 * for await (const { value } of workers.changes({ signal })) resize(value);
 * ```
 *
 * Layout: Curator's `SharedCount`, four bytes, the highest first.
 */
export class SharedCount implements AsyncDisposable {
  readonly path: string;
  readonly #shared: SharedValue;

  private constructor(shared: SharedValue) {
    this.path = shared.path;
    this.#shared = shared;
  }

  /** Creates the number if there is none, and follows it. @throws as `SharedValue.start` */
  static async start(
    zk: ZooKeeper,
    path: string,
    seed: number,
    options?: SharedOptions,
  ): Promise<SharedCount> {
    return new SharedCount(await SharedValue.start(zk, path, encodeInteger(seed, path), options));
  }

  /** The newest number seen. */
  get current(): Versioned<number> {
    return this.#decode(this.#shared.current);
  }

  /** Replaces the number. */
  async set(value: number): Promise<void> {
    await this.#shared.set(encodeInteger(value, this.path));
  }

  /** Replaces the number if it is still the one given. False when somebody else was faster. */
  async trySet(before: Versioned<number>, value: number): Promise<boolean> {
    return await this.#shared.trySet(before, encodeInteger(value, this.path));
  }

  /** The present number, then each later one; some may be left out when they follow each other fast. */
  async *changes(options?: {
    readonly signal?: AbortSignal;
  }): AsyncGenerator<Versioned<number>, void, undefined> {
    for await (const shared of this.#shared.changes(options)) yield this.#decode(shared);
  }

  /** Stops following. The number stays. */
  close(): Promise<void> {
    return this.#shared.close();
  }

  /** `await using count = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #decode({ value, version }: Versioned<Uint8Array>): Versioned<number> {
    return { value: decodeInteger(value, this.path), version };
  }
}
