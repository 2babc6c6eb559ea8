import type { Acl } from '../acl.ts';
import type { Data } from '../operations/values.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { ChildrenCache } from './children-cache.ts';
import { childPath, nameOf } from './parents.ts';
import { PersistentNode } from './persistent-node.ts';
import type { WaitOptions } from './waiting.ts';

/** Options of `GroupMember.join`. */
export interface GroupOptions extends WaitOptions {
  /** What this member says of itself. Default: nothing. */
  readonly data?: Data;
  /** Default `openAcl`. */
  readonly acl?: Acl;
}

/**
 * A member of a group that knows the others.
 *
 * Guarantee: a member is in the group from `join` until `close` or the end of its session; each sees the others come and
 * go in the order in which they do, after the time that takes.
 *
 * ```ts
 * await using me = await GroupMember.join(zk, '/groups/workers', hostname, { data: '10.0.0.7' });
 * for await (const members of me.changes({ signal })) rebalance([...members.keys()]);
 * ```
 *
 * Layout: Curator's `GroupMember`, an ephemeral child for each, its name the id. Ids must differ.
 */
export class GroupMember implements AsyncDisposable {
  readonly path: string;
  readonly id: string;
  readonly #node: PersistentNode;
  readonly #cache: ChildrenCache;

  private constructor(path: string, id: string, node: PersistentNode, cache: ChildrenCache) {
    this.path = path;
    this.id = id;
    this.#node = node;
    this.#cache = cache;
  }

  /** Joins. @throws WaitTimeoutError (somebody may have that id already); ZooKeeperError; or the signal's reason */
  static async join(
    zk: ZooKeeper,
    path: string,
    id: string,
    options: GroupOptions = {},
  ): Promise<GroupMember> {
    const node = await PersistentNode.start(zk, childPath(path, id), options.data ?? '', options);
    try {
      return new GroupMember(path, id, node, await ChildrenCache.start(zk, path, options));
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  /** Who is in the group, by id, this one among them, and what they say of themselves. */
  get members(): Map<string, Uint8Array | null> {
    return new Map(this.#cache.all().map(({ path, data }) => [nameOf(path), data]));
  }

  /** Changes what this member says of itself. */
  setData(data: Data): Promise<void> {
    return this.#node.setData(data);
  }

  /** Aborts when this one is a member no more: its session ended, or the server refused. */
  get failed(): AbortSignal {
    return this.#node.failed;
  }

  /** The members now, then after each change. */
  async *changes(
    options: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Map<string, Uint8Array | null>, void, undefined> {
    for await (const { type } of this.#cache.changes(options)) {
      // Out of step again: its end shows a group that was one.
      if (type === 'inStep' && this.#cache.isInStep) yield this.members;
    }
  }

  /** Leaves the group. */
  async close(): Promise<void> {
    await this.#cache.close();
    await this.#node.close();
  }

  /** `await using me = …`: leaves at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
