import type { ZooKeeper } from '../zookeeper.ts';
import { type AtomicOptions, AtomicValue, type Updated } from './atomic-value.ts';
import { decodeInteger, decodeLong, encodeInteger, encodeLong } from './integers.ts';
import type { WaitOptions } from './waiting.ts';

/**
 * A counter of 64 bits.
 *
 * Guarantee: that of `AtomicValue`: each `add` counts exactly once, or fails saying that nobody knows.
 *
 * ```ts
 * const orders = new AtomicLong(zk, '/counters/orders');
 * const { after: number } = await orders.add(1n);
 * ```
 *
 * Layout: Curator's `DistributedAtomicLong`, eight bytes, the highest first; it wraps around as Java does.
 */
export class AtomicLong {
  readonly path: string;
  readonly #value: AtomicValue;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options?: AtomicOptions) {
    this.path = path;
    this.#value = new AtomicValue(zk, path, options);
  }

  /** The present number; 0n when there is none. @throws DataInconsistencyError when it is not eight bytes */
  async get(options?: WaitOptions): Promise<bigint> {
    return decodeLong(await this.#value.get(options), this.path);
  }

  /** Replaces the number, whatever it is. */
  set(value: bigint, options?: WaitOptions): Promise<void> {
    return this.#value.set(encodeLong(value), options);
  }

  /** Adds. @throws as `AtomicValue.update`; DataInconsistencyError when there are not eight bytes */
  add(delta: bigint, options?: WaitOptions): Promise<Updated<bigint>> {
    return this.update((before) => before + delta, options);
  }

  /** Replaces the number by what `next` makes of it. @throws as `AtomicValue.update` */
  async update(next: (before: bigint) => bigint, options?: WaitOptions): Promise<Updated<bigint>> {
    const step = (bytes: Uint8Array | null): Uint8Array =>
      encodeLong(next(decodeLong(bytes, this.path)));
    const { before, after } = await this.#value.update(step, options);
    return { before: decodeLong(before, this.path), after: decodeLong(after, this.path) };
  }
}

/**
 * A counter of 32 bits.
 *
 * Guarantee: that of `AtomicLong`. Layout: Curator's `DistributedAtomicInteger`, four bytes, the highest first; it wraps
 * around as Java does.
 */
export class AtomicInteger {
  readonly path: string;
  readonly #value: AtomicValue;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options?: AtomicOptions) {
    this.path = path;
    this.#value = new AtomicValue(zk, path, options);
  }

  /** The present number; 0 when there is none. @throws DataInconsistencyError when it is not four bytes */
  async get(options?: WaitOptions): Promise<number> {
    return decodeInteger(await this.#value.get(options), this.path);
  }

  /** Replaces the number, whatever it is. */
  async set(value: number, options?: WaitOptions): Promise<void> {
    await this.#value.set(encodeInteger(value, this.path), options);
  }

  /** Adds. @throws as `AtomicValue.update`; DataInconsistencyError when there are not four bytes */
  async add(delta: number, options?: WaitOptions): Promise<Updated<number>> {
    const { path } = this;
    const step = (bytes: Uint8Array | null): Uint8Array =>
      encodeInteger((decodeInteger(bytes, path) + delta) | 0, path);
    const { before, after } = await this.#value.update(step, options);
    return { before: decodeInteger(before, path), after: decodeInteger(after, path) };
  }
}
