import { type Acl, openAcl } from '../acl.ts';
import { BadVersionError, NodeExistsError, NoNodeError } from '../errors.ts';
import { type Data, toBytes } from '../operations/values.ts';
import { validatePath } from '../paths.ts';
import type { Stat } from '../stat.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { createParents } from './parents.ts';
import { deleteOwn } from './protective-create.ts';
import {
  isUnanswered,
  orAborted,
  untilAnswered,
  untilFired,
  type WaitOptions,
  within,
} from './waiting.ts';

/** Options of `PersistentNode.start`. */
export interface PersistentNodeOptions extends WaitOptions {
  /** Default `ephemeral`. */
  readonly mode?: 'ephemeral' | 'persistent' | 'container';
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A znode that stays, whoever deletes or changes it.
 *
 * Guarantee: as long as the session lives and a server is reached, the znode is there and holds the data given, but for the
 * time it takes to see and mend what somebody did to it. An ephemeral one belongs to this session: while somebody
 * else's znode stands at the path (that of our own former session, say), it waits for that one to go. `close` deletes it.
 *
 * ```ts
 * await using presence = await PersistentNode.start(zk, '/workers/7', JSON.stringify({ host }));
 * await presence.setData(JSON.stringify({ host, load: 3 }));
 * ```
 *
 * The end of the session is its end too: start a new one with a new client. Curator's `PersistentNode` does the same.
 */
export class PersistentNode implements AsyncDisposable {
  readonly path: string;
  readonly #zk: ZooKeeper;
  readonly #mode: 'ephemeral' | 'persistent' | 'container';
  readonly #acl: Acl;
  readonly #closing = new AbortController();
  readonly #failed = new AbortController();
  #data: Uint8Array | null;
  #running: Promise<void> = Promise.resolve();
  #tellThere: () => void = () => {};
  #wake: () => void = () => {};
  readonly #there: Promise<void> = new Promise((resolve) => {
    this.#tellThere = resolve;
  });

  private constructor(zk: ZooKeeper, path: string, data: Data, options: PersistentNodeOptions) {
    validatePath(path, 'keep');
    this.path = path;
    this.#zk = zk;
    this.#data = toBytes(data);
    this.#mode = options.mode ?? 'ephemeral';
    this.#acl = options.acl ?? openAcl;
  }

  /**
   * Makes the znode, and its parents if need be, and waits until it is there.
   *
   * @throws WaitTimeoutError (somebody else's may stand in its place); ZooKeeperError; or the signal's reason
   */
  static async start(
    zk: ZooKeeper,
    path: string,
    data: Data,
    options: PersistentNodeOptions = {},
  ): Promise<PersistentNode> {
    const node = new PersistentNode(zk, path, data, options);
    node.#running = node.#run();
    try {
      await within(zk, options, `make ${path}`, (signal) => {
        return orAborted(node.#there, AbortSignal.any([signal, node.#failed.signal]));
      });
      return node;
    } catch (error) {
      node.close().catch(() => {});
      throw error;
    }
  }

  /** Aborts when the znode is kept no more: the session ended, or the server refused. The reason says which. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Changes what it holds, now and whenever it has to be made again. */
  async setData(data: Data): Promise<void> {
    this.#data = toBytes(data);
    this.#wake();
    try {
      await untilAnswered(this.#zk, () => this.#zk.setData(this.path, this.#data));
    } catch (error) {
      // It is being made again: with this data.
      if (!(error instanceof NoNodeError)) throw error;
    }
  }

  /** Deletes the znode and stops. */
  async close(): Promise<void> {
    this.#closing.abort(new Error(`${this.path} is kept no more`));
    await this.#running;
    // Without a session an ephemeral znode is gone, and any other stays.
    await deleteOwn(this.#zk, this.path, ({ stat }) => this.#isOurs(stat));
  }

  /** `await using node = …`: deletes it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for (;;) await this.#keep(signal);
    } catch (error) {
      if (!signal.aborted) this.#failed.abort(error);
    }
  }

  /** Makes the znode if it is not there, then waits until something happens to it. */
  async #keep(signal: AbortSignal): Promise<void> {
    await this.#make();
    const read = async (watch: () => void): Promise<boolean> => {
      this.#wake = watch;
      try {
        const get = (): ReturnType<ZooKeeper['getData']> => this.#zk.getData(this.path, { watch });
        const { data, stat } = await untilAnswered(this.#zk, get, signal);
        if (!this.#isOurs(stat)) return true;
        if (!isEqual(data, this.#data)) {
          await this.#zk.setData(this.path, this.#data, { version: stat.version });
        }
        this.#tellThere();
        return true;
      } catch (error) {
        // Deleted or changed in this moment: begin again.
        if (signal.aborted || !isMendable(error)) throw error;
        return false;
      }
    };
    await untilFired(this.#zk, { path: this.path, type: 'data', signal, read });
  }

  async #make(): Promise<void> {
    const options = { mode: this.#mode, acl: this.#acl };
    for (;;) {
      try {
        await untilAnswered(this.#zk, () => this.#zk.create(this.path, this.#data, options));
        return;
      } catch (error) {
        if (error instanceof NodeExistsError) return;
        if (!(error instanceof NoNodeError)) throw error;
      }
      await createParents(this.#zk, this.path, { acl: this.#acl });
    }
  }

  #isOurs(stat: Stat): boolean {
    return this.#mode !== 'ephemeral' || stat.ephemeralOwner === this.#zk.sessionId;
  }
}

function isMendable(error: unknown): boolean {
  if (error instanceof NoNodeError || error instanceof BadVersionError) return true;
  return isUnanswered(error);
}

function isEqual(one: Uint8Array | null, two: Uint8Array | null): boolean {
  if (one === null || two === null) return one === two;
  return one.length === two.length && one.every((byte, index) => byte === two[index]);
}
