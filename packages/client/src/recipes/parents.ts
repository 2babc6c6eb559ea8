import { type Acl, openAcl } from '../acl.ts';
import { NodeExistsError, NoNodeError, UnimplementedError } from '../errors.ts';
import type { CreateMode } from '../operations/create.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { untilAnswered } from './waiting.ts';

/** Options of `createParents`. */
export interface CreateParentsOptions {
  /** Default `container`: the server removes them some time after their last child. */
  readonly mode?: 'container' | 'persistent';
  /** Default `openAcl`. */
  readonly acl?: Acl;
  readonly signal?: AbortSignal;
}

/**
 * Guarantee: when it resolves, the parent of `path` existed a moment ago. Safe to call by many at once, and again.
 *
 * Containers, as Curator makes them; a server that has none (before 3.5.1) gets persistent znodes.
 */
export async function createParents(
  zk: ZooKeeper,
  path: string,
  options: CreateParentsOptions = {},
): Promise<void> {
  const parent = parentOf(path);
  if (parent === '/') return;
  await createChain(zk, parent, options.mode ?? 'container', options);
}

/** The path above a path; '/' for those at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

/** The last name of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of a child. */
export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

async function createChain(
  zk: ZooKeeper,
  path: string,
  mode: CreateMode,
  options: CreateParentsOptions,
): Promise<void> {
  const acl = options.acl ?? openAcl;
  for (;;) {
    try {
      await untilAnswered(zk, () => zk.create(path, undefined, { mode, acl }), options.signal);
      return;
    } catch (error) {
      if (error instanceof NodeExistsError) return;
      if (error instanceof UnimplementedError && mode === 'container') {
        await createChain(zk, path, 'persistent', options);
        return;
      }
      if (!(error instanceof NoNodeError) || parentOf(path) === '/') throw error;
    }
    await createChain(zk, parentOf(path), mode, options);
  }
}
