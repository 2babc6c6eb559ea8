import type { Acl } from '../acl.ts';
import { NoNodeError, type ZooKeeperError } from '../errors.ts';
import type { NodeData } from '../operations/data.ts';
import type { Data } from '../operations/values.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { childPath, createParents, nameOf, parentOf } from './parents.ts';
import { isSessionEnded, isUnanswered, orAborted, untilAnswered } from './waiting.ts';

/** Options of `createProtected`. */
export interface ProtectedCreateOptions {
  /** Default `ephemeralSequential`. */
  readonly mode?: 'persistentSequential' | 'ephemeralSequential' | 'persistent' | 'ephemeral';
  /** Of the znode and of the parents that had to be created. Default `openAcl`. */
  readonly acl?: Acl;
  /** Gives up. Should the znode come to be all the same, it is deleted again. */
  readonly signal?: AbortSignal;
  /** Put before the name; must not occur twice. Default `_c_<uuid>-`, by which Curator recognises its own. */
  readonly prefix?: string;
}

/**
 * Guarantee: exactly one znode is created, however often the connection is lost on the way; when the call fails, none
 * is left (an ephemeral one at the latest when the session ends).
 *
 * An answer may be lost although the create happened. The znode therefore carries a name that nobody else can have given
 * it, `_c_<uuid>-` and the name asked for, and is looked for before a second attempt: Curator's `withProtection`.
 * Missing parents are created as containers.
 *
 * ```ts
 * const path = await createProtected(zk, '/jobs/job-', 'payload', { mode: 'persistentSequential' });
 * // /jobs/_c_4f0c…-job-0000000007
 * ```
 *
 * @returns the path
 * @throws ZooKeeperError the server's answer, or the signal's reason
 */
export async function createProtected(
  zk: ZooKeeper,
  path: string,
  data?: Data,
  options: ProtectedCreateOptions = {},
): Promise<string> {
  const { signal } = options;
  signal?.throwIfAborted();
  const created = createSurely(zk, path, data, options);
  if (signal === undefined) return created;
  try {
    return await orAborted(created, signal);
  } catch (error) {
    // Given up: what may still come to be is taken back, whenever that is.
    if (signal.aborted) created.then((late) => deleteSurely(zk, late)).catch(() => {});
    throw error;
  }
}

/**
 * Guarantee: when it resolves, the znode is gone, whoever deleted it; an ephemeral one is gone, too, once the session has
 * ended. It is tried again after every lost connection.
 */
export async function deleteSurely(zk: ZooKeeper, path: string): Promise<void> {
  try {
    await untilAnswered(zk, () => zk.delete(path));
  } catch (error) {
    if (!(error instanceof NoNodeError) && !isSessionEnded(error)) throw error;
  }
}

/**
 * Guarantee: when it resolves, the znode at the path is not ours any more: it was deleted, or another's stands there, which
 * is left alone. For names that others may take once they are free: before each attempt it looks whose it is.
 */
export async function deleteOwn(
  zk: ZooKeeper,
  path: string,
  isOwn: (znode: NodeData) => boolean,
): Promise<void> {
  for (;;) {
    try {
      if (!isOwn(await readInStep(zk, path))) return;
      await zk.delete(path);
      return;
    } catch (error) {
      if (error instanceof NoNodeError || isSessionEnded(error)) return;
      if (!isUnanswered(error)) throw error;
    }
  }
}

/** Reads a znode as it is now, even if the server that took over a lost connection is behind. @throws as `getData` */
export function readInStep(zk: ZooKeeper, path: string): Promise<NodeData> {
  return untilAnswered(zk, async () => {
    // In one write.
    const [, znode] = await Promise.all([zk.sync(path), zk.getData(path)]);
    return znode;
  });
}

/** `_c_<uuid>-`, the uuid from the client's own source of chance (`ProtectedMode` of Curator). */
export function protectivePrefix(zk: ZooKeeper): string {
  return `_c_${uuid(zk)}-`;
}

/** A random UUID (version 4), from the client's own source of chance. */
export function uuid(zk: ZooKeeper): string {
  const words = [0, 0, 0, 0].map(() => zk.ports.random.below(0x1_0000_0000));
  const digits = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 3) | 8).toString(16);
  const version4 = `${digits.slice(0, 12)}4${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
  return version4.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

async function createSurely(
  zk: ZooKeeper,
  path: string,
  data: Data | undefined,
  options: ProtectedCreateOptions,
): Promise<string> {
  const { mode = 'ephemeralSequential', acl, prefix = protectivePrefix(zk) } = options;
  const parent = parentOf(path);
  const ownPath = childPath(parent, prefix + nameOf(path));
  const createOptions = acl === undefined ? { mode } : { mode, acl };
  for (;;) {
    try {
      return await zk.create(ownPath, data, createOptions);
    } catch (error) {
      if (error instanceof NoNodeError) {
        await createParents(zk, ownPath, acl === undefined ? {} : { acl });
        continue;
      }
      if (!isUnanswered(error)) throw error;
      // The first look may be too early for what the old server has taken and not passed on: `sync` waits for it.
      const found = (error as ZooKeeperError).mayHaveHappened
        ? await findProtected(zk, parent, prefix)
        : null;
      if (found !== null) return childPath(parent, found);
    }
    await zk.connected();
  }
}

/** The child whose name starts with `prefix`, null when there is none. */
async function findProtected(
  zk: ZooKeeper,
  parent: string,
  prefix: string,
): Promise<string | null> {
  try {
    const children = await untilAnswered(zk, async () => {
      // In one write: the server that took over may be behind.
      const [, names] = await Promise.all([zk.sync(parent), zk.getChildren(parent)]);
      return names;
    });
    return children.find((name) => name.startsWith(prefix)) ?? null;
  } catch (error) {
    if (error instanceof NoNodeError) return null;
    throw error;
  }
}
