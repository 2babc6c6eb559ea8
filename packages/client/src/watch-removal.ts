import { ErrorCode } from '@meerkat/protocol';
import { NoWatcherError, ZooKeeperError } from './errors.ts';
import type { Operation } from './operations/operation.ts';
import * as watching from './operations/watching.ts';
import type { WatchKeeper } from './watch-keeper.ts';
import type { Watcher } from './watches.ts';

/** What to remove, and how to ask the server. */
export interface WatchRemoval {
  /** As the caller gave it. */
  readonly path: string;
  readonly serverPath: string;
  readonly type: watching.WatchSelection;
  /** Only this one; null for all. */
  readonly watcher: Watcher | null;
  /** True: there is no connection, and so no watch on any server. */
  readonly isLocal: boolean;
  /** True: a connection that is lost on the way will do. */
  readonly toleratesLoss: boolean;
  /** Sends a removal, or a look at what is to be removed. */
  readonly ask: (
    operation: Operation<watching.WatchSelection, void>,
    selection: watching.WatchSelection,
  ) => Promise<void>;
}

/**
 * Removes watches: on the server, then on our side.
 *
 * @throws NoWatcherError when there are none, or what the server answers
 */
export async function removeWatches(watches: WatchKeeper, removal: WatchRemoval): Promise<void> {
  const { path, serverPath, type, watcher } = removal;
  const kinds = watching.selectedKinds[type];
  if (!watches.registry.has(kinds, serverPath, watcher))
    throw new NoWatcherError({ doing: 'remove watches from', path });
  if (!removal.isLocal) await removeFromServer(watches, removal);
  watches.drop(kinds, serverPath, watcher);
}

async function removeFromServer(watches: WatchKeeper, removal: WatchRemoval): Promise<void> {
  const { serverPath, type, watcher, ask } = removal;
  const kinds = watching.selectedKinds[type];
  const isNew = type === 'persistent' || type === 'persistentRecursive';
  // The server keeps one watch for all our watchers: it goes with the last of them.
  const others = watcher !== null && watches.registry.hasOther(kinds, serverPath, watcher);
  if (others && isNew) return;
  try {
    if (others) await ask(watching.checkWatches, type);
    else await ask(watching.removeWatches, isNew ? knownType(watches, removal) : type);
  } catch (error) {
    if (!(error instanceof ZooKeeperError)) throw error;
    if (error.code === ErrorCode.connectionLoss && removal.toleratesLoss) return;
    // A watch that stays on the server tells us what nobody hears: better than one that somebody misses.
    if (error.code !== ErrorCode.marshallingError || !isNew) throw error;
  }
}

/** Servers before 3.9 remove persistent watches by the type `any` alone: it will do when there is nothing else. */
function knownType(watches: WatchKeeper, removal: WatchRemoval): watching.WatchSelection {
  const { serverPath, type } = removal;
  const kinds = watching.selectedKinds[type];
  const rest = watching.selectedKinds.any.filter((kind) => !kinds.includes(kind));
  return watches.registry.hasOther(rest, serverPath, nobody) ? type : 'any';
}

function nobody(): void {}
