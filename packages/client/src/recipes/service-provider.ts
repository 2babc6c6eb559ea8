import { validateTimeout } from '../options.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { NoInstanceError } from './errors.ts';
import { type ProviderStrategy, roundRobin } from './provider-strategies.ts';
import { ServiceCache } from './service-cache.ts';
import type { ServiceInstance } from './service-instance.ts';
import type { WaitOptions } from './waiting.ts';

/** When an instance that fails is left out, and how long: Curator's `DownInstancePolicy`, with its defaults. */
export interface DownPolicy {
  /** So many errors within `windowMs` take an instance out. Default 2. */
  readonly errorsMax?: number;
  /** From the first error on, ms: then all is forgotten, and it is tried again. Default 30,000. */
  readonly windowMs?: number;
}

/** Options of `ServiceProvider.start`. */
export interface ServiceProviderOptions extends WaitOptions {
  /** Default `roundRobin()`. It belongs to this provider alone. */
  readonly strategy?: ProviderStrategy;
  /** Instances of this zone are taken as long as one is fit; then those of any. Default: no preference. */
  readonly zone?: string;
  readonly downPolicy?: DownPolicy;
  /** Leaves out instances for which it is false. */
  readonly filter?: (instance: ServiceInstance) => boolean;
}

/**
 * Chooses an instance of a service for each call.
 *
 * Guarantee: an instance that was registered, enabled and not down by what this process knew at the moment of the choice.
 * It may be gone all the same when the call reaches it: note the error, and choose again; `use` does both.
 *
 * ```ts
 * await using billing = await ServiceProvider.start(zk, '/services', 'billing', { zone: 'eu-1' });
 * const answer = await billing.use((instance) => fetch(uriOf(instance)), { attemptsMax: 3 });
 * ```
 *
 * What Curator's `ServiceProvider` offers, and the two strategies that need to know of weights and calls under way.
 */
export class ServiceProvider implements AsyncDisposable {
  readonly cache: ServiceCache;
  readonly #zk: ZooKeeper;
  readonly #strategy: ProviderStrategy;
  readonly #zone: string | undefined;
  readonly #filter: (instance: ServiceInstance) => boolean;
  readonly #errorsMax: number;
  readonly #windowMs: number;
  readonly #errors = new Map<string, { count: number; readonly sinceMs: number }>();
  readonly #loads = new Map<string, number>();

  private constructor(zk: ZooKeeper, cache: ServiceCache, options: ServiceProviderOptions) {
    const { errorsMax = 2, windowMs = 30_000 } = options.downPolicy ?? {};
    this.#zk = zk;
    this.cache = cache;
    this.#strategy = options.strategy ?? roundRobin();
    this.#zone = options.zone;
    this.#filter = options.filter ?? (() => true);
    this.#errorsMax = errorsMax;
    this.#windowMs = windowMs;
  }

  /** Reads the instances of a service and follows them. @throws WaitTimeoutError; SessionExpiredError; or the signal's reason */
  static async start(
    zk: ZooKeeper,
    basePath: string,
    name: string,
    options: ServiceProviderOptions = {},
  ): Promise<ServiceProvider> {
    validateTimeout(options.downPolicy?.windowMs);
    return new ServiceProvider(zk, await ServiceCache.start(zk, basePath, name, options), options);
  }

  /** The instances that may be chosen now: registered, enabled, not down, of our zone if it has any. */
  get candidates(): ServiceInstance[] {
    this.#forgetOldErrors();
    const fit = this.cache.instances.filter(
      (instance) => instance.enabled && !this.isDown(instance) && this.#filter(instance),
    );
    if (this.#zone === undefined) return fit;
    const near = fit.filter(({ zone }) => zone === this.#zone);
    return near.length > 0 ? near : fit;
  }

  /** An instance for one call; null when there is none. Do not keep it: choose anew for the next. */
  pick(): ServiceInstance | null {
    return this.#pickFrom(this.candidates);
  }

  /**
   * Makes a call to an instance, and notes an error when it fails; with `attemptsMax` above 1 it is made again to others
   * that were not tried yet. Only for calls that may happen twice, then.
   *
   * @throws NoInstanceError when there is none; else what the last call threw
   */
  async use<T>(
    call: (instance: ServiceInstance) => Promise<T>,
    options: { readonly attemptsMax?: number } = {},
  ): Promise<T> {
    const { attemptsMax = 1 } = options;
    const tried = new Set<string>();
    let failed: { readonly error: unknown } | null = null;
    while (tried.size < attemptsMax) {
      const instance = this.#pickFrom(this.candidates.filter(({ id }) => !tried.has(id)));
      if (instance === null) break;
      tried.add(instance.id);
      try {
        return await this.#countLoad(instance, call);
      } catch (error) {
        this.noteError(instance);
        failed = { error };
      }
    }
    if (failed !== null) throw failed.error;
    const known = this.cache.instances.length;
    throw new NoInstanceError(
      `Cannot call ${this.cache.name}: current value is ${known} instances, none of them fit`,
    );
  }

  /** An instance has failed. Enough of that, and it is left out for a while. */
  noteError(instance: ServiceInstance): void {
    this.#forgetOldErrors();
    const key = keyOf(instance);
    const noted = this.#errors.get(key);
    if (noted !== undefined) noted.count++;
    else this.#errors.set(key, { count: 1, sinceMs: this.#zk.ports.clock.nowMs() });
  }

  /** True when an instance has failed so often that it is left out at present. */
  isDown(instance: ServiceInstance): boolean {
    this.#forgetOldErrors();
    return (this.#errors.get(keyOf(instance))?.count ?? 0) >= this.#errorsMax;
  }

  /** How many calls by `use` to an instance are under way. */
  loadOf(instance: ServiceInstance): number {
    return this.#loads.get(keyOf(instance)) ?? 0;
  }

  /** Stops following. Calls under way go on. */
  close(): Promise<void> {
    return this.cache.close();
  }

  /** `await using provider = …`: stops at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #pickFrom(instances: readonly ServiceInstance[]): ServiceInstance | null {
    if (instances.length === 0) return null;
    const loadOf = (instance: ServiceInstance): number => this.loadOf(instance);
    return this.#strategy.pick(instances, { random: this.#zk.ports.random, loadOf });
  }

  async #countLoad<T>(
    instance: ServiceInstance,
    call: (instance: ServiceInstance) => Promise<T>,
  ): Promise<T> {
    const key = keyOf(instance);
    this.#loads.set(key, this.loadOf(instance) + 1);
    try {
      return await call(instance);
    } finally {
      const left = this.loadOf(instance) - 1;
      if (left > 0) this.#loads.set(key, left);
      else this.#loads.delete(key);
    }
  }

  #forgetOldErrors(): void {
    const nowMs = this.#zk.ports.clock.nowMs();
    for (const [key, { sinceMs }] of this.#errors) {
      if (nowMs - sinceMs >= this.#windowMs) this.#errors.delete(key);
    }
  }
}

/** An instance that registers again begins anew: its errors were another's. */
function keyOf({ id, registrationTimeMs }: ServiceInstance): string {
  return `${id} ${registrationTimeMs}`;
}
