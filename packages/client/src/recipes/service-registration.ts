import { type Acl, openAcl } from '../acl.ts';
import { validateTimeout } from '../options.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { childPath } from './parents.ts';
import { PersistentNode } from './persistent-node.ts';
import { uuid } from './protective-create.ts';
import {
  encodeInstance,
  instanceOf,
  type ServiceDescription,
  type ServiceInstance,
} from './service-instance.ts';
import { orAborted, untilTold, type WaitOptions, within } from './waiting.ts';

/** How a registration finds out whether its own instance is fit. */
export interface HealthOptions {
  /** False, an error, or no answer in time: not fit. The signal aborts when the time is up. */
  readonly check: (signal: AbortSignal) => boolean | Promise<boolean>;
  /** From one answer to the next question, ms. Default 5000. */
  readonly intervalMs?: number;
  /** For one answer, ms. Default 5000. */
  readonly timeoutMs?: number;
  /** So many bad answers in a row take the instance out. Default 1. */
  readonly failuresMax?: number;
  /** So many good answers in a row put it back. Default 1. */
  readonly passesMin?: number;
}

/** Options of `ServiceRegistration.start`. */
export interface RegistrationOptions extends WaitOptions {
  /** Default: always fit. */
  readonly health?: HealthOptions;
  /** Default `openAcl`. */
  readonly acl?: Acl;
  /** The time of the registration, ms since 1970. Default `Date.now`. */
  readonly nowMs?: () => number;
}

/**
 * One instance of a service, registered.
 *
 * Guarantee: while it is fit, the session lives and a server is reached, the instance is registered, whoever deletes
 * its znode; an instance that its own health check calls unfit is taken out, and put back when it is fit again. After
 * the end of the session, and after `close`, nobody finds it. What others read may be old by the time it takes to tell
 * them, and by a session timeout when the process dies.
 *
 * ```ts
 * await using registration = await ServiceRegistration.start(zk, '/services', {
 *   name: 'billing', address: '10.0.0.7', port: 8080, weight: 2, zone: 'eu-1', metadata: { version: '3.1' },
 * }, { health: { check: () => pool.isOpen } });
 * await registration.update({ weight: 1 });
 * ```
 *
 * Layout: Curator's `ServiceDiscovery`, JSON in `/base/name/id`; ephemeral unless its type is `static`.
 */
export class ServiceRegistration implements AsyncDisposable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: Acl;
  readonly #health: HealthOptions | undefined;
  readonly #closing = new AbortController();
  readonly #failed = new AbortController();
  #description: ServiceDescription;
  #instance: ServiceInstance;
  #node: PersistentNode | null = null;
  /** One change at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #checking: Promise<void> = Promise.resolve();
  #passes = 0;
  #failures = 0;

  private constructor(
    zk: ZooKeeper,
    basePath: string,
    description: ServiceDescription,
    options: RegistrationOptions,
  ) {
    const { nowMs = Date.now, acl = openAcl, health } = options;
    validateTimeout(health?.intervalMs);
    validateTimeout(health?.timeoutMs);
    this.#zk = zk;
    this.#acl = acl;
    this.#health = health;
    this.#description = description;
    const registrationTimeMs = nowMs();
    this.#instance = instanceOf(description, { id: uuid(zk), registrationTimeMs });
    this.path = childPath(childPath(basePath, this.#instance.name), this.#instance.id);
  }

  /**
   * Registers an instance and waits until others can find it; or, with a health check that says no, until that has answered.
   *
   * @throws BadArgumentsError when the description is not valid; WaitTimeoutError (somebody may have that id already);
   *   ZooKeeperError; or the signal's reason
   */
  static async start(
    zk: ZooKeeper,
    basePath: string,
    description: ServiceDescription,
    options: RegistrationOptions = {},
  ): Promise<ServiceRegistration> {
    const registration = new ServiceRegistration(zk, basePath, description, options);
    const doing = `register ${registration.path}`;
    await within(zk, options, doing, (signal) => registration.#look(signal));
    if (options.health !== undefined) registration.#checking = registration.#keepLooking();
    return registration;
  }

  /** What it says of itself. */
  get instance(): ServiceInstance {
    return this.#instance;
  }

  /** False while its health check has taken it out, and in the end. */
  get isRegistered(): boolean {
    return this.#node !== null && !this.failed.aborted;
  }

  /** Aborts when it is kept registered no more: the session ended, or the server refused. The reason says which. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Changes what it says of itself. @throws BadArgumentsError; ZooKeeperError as `setData` */
  async update(changes: Omit<Partial<ServiceDescription>, 'name' | 'id' | 'type'>): Promise<void> {
    const { id, registrationTimeMs } = this.#instance;
    const description = { ...this.#description, ...changes };
    this.#instance = instanceOf(description, { id, registrationTimeMs });
    this.#description = description;
    await this.#serially(() => this.#node?.setData(encodeInstance(this.#instance)));
  }

  /** Asks the health check now, and acts on the answer. */
  checkHealth(): Promise<void> {
    return this.#look(this.#closing.signal);
  }

  /** Unregisters. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`${this.path} is registered no more`));
    await this.#checking;
    await this.#serially(() => this.#takeOut());
  }

  /** `await using registration = …`: unregisters at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #keepLooking(): Promise<void> {
    const signal = AbortSignal.any([this.#closing.signal, this.#failed.signal]);
    const { clock } = this.#zk.ports;
    try {
      for (;;) {
        await untilTold<void>(signal, (resolve) => {
          const timer = clock.startTimer(this.#health?.intervalMs ?? 5000, resolve);
          return () => clock.cancelTimer(timer);
        });
        await this.#look(signal);
      }
    } catch (error) {
      if (!signal.aborted) this.#failed.abort(error);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { failuresMax = 1, passesMin = 1 } = this.#health ?? {};
    const isFit = await this.#isFit(signal);
    this.#passes = isFit ? this.#passes + 1 : 0;
    this.#failures = isFit ? 0 : this.#failures + 1;
    if (this.#passes >= passesMin) await this.#serially(() => this.#putIn(signal));
    else if (this.#failures >= failuresMax) await this.#serially(() => this.#takeOut());
  }

  async #isFit(signal: AbortSignal): Promise<boolean> {
    if (this.#health === undefined) return true;
    const { check, timeoutMs = 5000 } = this.#health;
    try {
      return await within(this.#zk, { signal, timeoutMs }, `check ${this.path}`, (time) =>
        orAborted(Promise.resolve(check(time)), time),
      );
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }

  async #putIn(signal: AbortSignal): Promise<void> {
    if (this.#node !== null || this.#closing.signal.aborted) return;
    const mode = this.#instance.type === 'static' ? 'persistent' : 'ephemeral';
    const options = { mode, acl: this.#acl, signal } as const;
    const data = encodeInstance(this.#instance);
    const node = await PersistentNode.start(this.#zk, this.path, data, options);
    node.failed.addEventListener('abort', () => this.#failed.abort(node.failed.reason));
    this.#node = node;
  }

  async #takeOut(): Promise<void> {
    const node = this.#node;
    this.#node = null;
    await node?.close();
  }

  #serially(run: () => Promise<void> | undefined): Promise<void> {
    const ran = this.#last.then(run);
    this.#last = ran.catch(() => {});
    return ran;
  }
}
