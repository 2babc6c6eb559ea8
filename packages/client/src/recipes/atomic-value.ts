import { type Acl, openAcl } from '../acl.ts';
import { BadVersionError, NodeExistsError, NoNodeError, type ZooKeeperError } from '../errors.ts';
import { type Data, toBytes } from '../operations/values.ts';
import { validatePath } from '../paths.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { createParents } from './parents.ts';
import { isUnanswered, untilAnswered, type WaitOptions, within } from './waiting.ts';

/** Options of atomic values. */
export interface AtomicOptions {
  /** Of the znode if it has to be created. Default `openAcl`. */
  readonly acl?: Acl;
}

/** What an update did. */
export interface Updated<T> {
  readonly before: T;
  readonly after: T;
}

/**
 * A value that is replaced in one step.
 *
 * Guarantee: `update` replaces exactly the value that its function was given, and does so once. It reads, computes and
 * writes on condition that nobody wrote in between, and begins again if somebody did. After a lost connection it looks
 * whether the write happened; only when that cannot be told does it fail, with `mayHaveHappened`.
 *
 * ```ts
 * const settings = new AtomicValue(zk, '/settings');
 * await settings.update((bytes) => JSON.stringify({ ...parse(bytes), debug: true }));
 * ```
 *
 * Layout: Curator's `DistributedAtomicValue`, a persistent znode with the bytes.
 */
export class AtomicValue {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #acl: Acl;

  /** Sends nothing yet. @throws BadArgumentsError when the path is not valid */
  constructor(zk: ZooKeeper, path: string, options: AtomicOptions = {}) {
    validatePath(path, 'keep a value in');
    this.path = path;
    this.#zk = zk;
    this.#acl = options.acl ?? openAcl;
  }

  /** The present value; null when there is none, or null was stored. */
  async get(options: WaitOptions = {}): Promise<Uint8Array | null> {
    const read = (signal: AbortSignal): Promise<Read> => this.#read(signal);
    return (await within(this.#zk, options, `read ${this.path}`, read)).data;
  }

  /** Replaces the value, whatever it is. @throws ZooKeeperError; with `mayHaveHappened` nobody knows */
  async set(value: Data, options?: WaitOptions): Promise<void> {
    await this.update(() => value, options);
  }

  /** Replaces the value if its bytes are those expected (null: there is none). False when they are not. */
  async compareAndSet(expected: Data, value: Data, options?: WaitOptions): Promise<boolean> {
    const wanted = toBytes(expected);
    let isExpected = false;
    await this.update((before) => {
      isExpected = isEqual(before, wanted);
      return isExpected ? value : unchanged;
    }, options);
    return isExpected;
  }

  /**
   * Replaces the value by what `next` makes of it. `next` is called again when somebody else was faster; `unchanged` as its
   * result leaves the value as it is.
   *
   * @throws what `next` throws; WaitTimeoutError; ZooKeeperError, with `mayHaveHappened` when nobody knows whether the
   *   value was replaced; or the signal's reason
   */
  update(
    next: (before: Uint8Array | null) => Data | typeof unchanged,
    options: WaitOptions = {},
  ): Promise<Updated<Uint8Array | null>> {
    return within(this.#zk, options, `update ${this.path}`, async (signal) => {
      for (let read = await this.#read(signal); ; read = await this.#read(signal)) {
        const before = read.data;
        const value = next(before);
        if (value === unchanged) return { before, after: before };
        const after = toBytes(value);
        if (await this.#tryWrite(read, after, signal)) return { before, after };
      }
    });
  }

  async #read(signal: AbortSignal): Promise<Read> {
    try {
      const get = (): ReturnType<ZooKeeper['getData']> => this.#zk.getData(this.path, { signal });
      const { data, stat } = await untilAnswered(this.#zk, get, signal);
      return { data: data?.slice() ?? null, version: stat.version };
    } catch (error) {
      if (error instanceof NoNodeError) return { data: null, version: absent };
      throw error;
    }
  }

  /** False when somebody else was faster. */
  async #tryWrite(read: Read, after: Uint8Array | null, signal: AbortSignal): Promise<boolean> {
    try {
      const { version } = read;
      if (version === absent) await this.#zk.create(this.path, after, { acl: this.#acl });
      else await this.#zk.setData(this.path, after, { version });
      return true;
    } catch (error) {
      if (error instanceof BadVersionError || error instanceof NodeExistsError) return false;
      if (error instanceof NoNodeError) {
        // Without a parent, or deleted meanwhile.
        await createParents(this.#zk, this.path, { acl: this.#acl, signal });
        return false;
      }
      if (!isUnanswered(error)) throw error;
      await this.#findOut(read, after, error as ZooKeeperError, signal);
      return false;
    }
  }

  /** Returns when the write has certainly not happened. @throws the error when that cannot be told */
  async #findOut(
    before: Read,
    after: Uint8Array | null,
    error: ZooKeeperError,
    signal: AbortSignal,
  ): Promise<void> {
    if (!error.mayHaveHappened) return;
    // A server that took over may be behind the one that took the write.
    await untilAnswered(this.#zk, () => this.#zk.sync(this.path, { signal }), signal);
    const now = await this.#read(signal);
    if (now.version === before.version) return;
    const isNext = now.version === before.version + 1;
    if (isNext && !isEqual(now.data, after)) return;
    throw error;
  }
}

/** The result of an update's function that leaves the value as it is. */
export const unchanged: unique symbol = Symbol('unchanged');

interface Read {
  readonly data: Uint8Array | null;
  /** `absent` when there is no znode: the first version of one is 0. */
  readonly version: number;
}

const absent = -1;

function isEqual(one: Uint8Array | null, two: Uint8Array | null): boolean {
  if (one === null || two === null) return one === two;
  return one.length === two.length && one.every((byte, index) => byte === two[index]);
}
