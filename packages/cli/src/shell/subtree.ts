import type { WatchOptions } from '@meerkat/client';
import { isNoNode } from './cli-error.ts';
import type { ShellClient } from './command.ts';
import { childPath } from './znode-path.ts';

/** Reads in flight while a tree is listed. */
const readsAtOnce = 100;

/**
 * All paths at and below `root`, parents before their children, level by level
 * (`ZKUtil.listSubTreeBFS`). Not a snapshot: the tree may change underneath.
 */
export async function listSubtree(client: ShellClient, root: string): Promise<string[]> {
  const tree = [root];
  let listed = 0;
  while (listed < tree.length) {
    const parents = tree.slice(listed, listed + readsAtOnce);
    listed += parents.length;
    const lists = await Promise.all(parents.map((path) => client.getChildren(path)));
    lists.forEach((names, i) => {
      for (const name of names) tree.push(childPath(parents[i] as string, name));
    });
  }
  return tree;
}

/**
 * Calls `visit` with `root`, then with the children of each znode, sorted, before it descends into
 * them (`ZKUtil.visitSubTreeDFS`). A znode that has gone meanwhile is passed over.
 */
export async function visitSubtree(
  client: ShellClient,
  root: string,
  watch: WatchOptions,
  visit: (path: string) => Promise<void> | void,
): Promise<void> {
  await client.getData(root, watch);
  await visit(root);
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const children = await childrenOf(client, path, watch);
    for (const child of children) await visit(child);
    pending.push(...children.reverse());
  }
}

async function childrenOf(
  client: ShellClient,
  path: string,
  watch: WatchOptions,
): Promise<string[]> {
  try {
    const names = await client.getChildren(path, watch);
    return names.sort().map((name) => childPath(path, name));
  } catch (error) {
    if (isNoNode(error)) return [];
    throw error;
  }
}
