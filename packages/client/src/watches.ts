import { EventType } from '@meerkat/protocol';
import type { Zxid } from './ids.ts';

/** What a watch event tells. */
export type WatchEventType =
  | 'nodeCreated'
  | 'nodeDeleted'
  | 'nodeDataChanged'
  | 'nodeChildrenChanged'
  | 'dataWatchRemoved'
  | 'childWatchRemoved'
  | 'persistentWatchRemoved'
  | 'sessionEnded';

/** Told to a watcher. */
export interface WatchEvent {
  /**
   * What happened. The `…WatchRemoved` types follow from our own `removeWatches`; `sessionEnded` is the last
   * thing a watcher hears: the session expired, was closed, or failed to authenticate.
   */
  readonly type: WatchEventType;
  /** The znode it happened to; for `sessionEnded` the path that was watched. */
  readonly path: string;
  /**
   * The transaction that caused it; -1n when the server does not say (ZooKeeper before 3.9, and events
   * made up for while the client was disconnected).
   */
  readonly zxid: Zxid;
}

/** Hears of changes. The same function set twice on a path is told once. */
export type Watcher = (event: WatchEvent) => void;

/** The five lists a watcher can stand on: as `setWatches2` names them. */
export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'persistentRecursive';

/** The watches of one kind that a request restores, in the words of `SetWatches2`. */
export type WatchPaths = Readonly<Record<WatchKind, readonly string[]>>;

/** The type of each event that a server sends. */
export const eventTypes: ReadonlyMap<number, WatchEventType> = new Map<number, WatchEventType>([
  [EventType.nodeCreated, 'nodeCreated'],
  [EventType.nodeDeleted, 'nodeDeleted'],
  [EventType.nodeDataChanged, 'nodeDataChanged'],
  [EventType.nodeChildrenChanged, 'nodeChildrenChanged'],
]);

/**
 * Who watches what. Keyed by paths on the server, so that events and re-arming need no translation.
 * Rules: ZooKeeper's `ZKWatchManager.java`.
 */
export class WatchRegistry {
  readonly #lists: Record<WatchKind, Map<string, Set<Watcher>>> = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    persistentRecursive: new Map(),
  };
  /** How many watchers are on their way to each list, by list and path. */
  readonly #expected = new Map<string, number>();

  /** True when nobody watches anything. */
  get isEmpty(): boolean {
    return kinds.every((kind) => this.#lists[kind].size === 0);
  }

  /** Puts a watcher on a list; the server has agreed. */
  add(kind: WatchKind, serverPath: string, watcher: Watcher): void {
    const watchers = this.#lists[kind].get(serverPath);
    if (watchers === undefined) this.#lists[kind].set(serverPath, new Set([watcher]));
    else watchers.add(watcher);
  }

  /** True when `watcher` (any, when null) stands on one of the lists at this path. */
  has(among: readonly WatchKind[], serverPath: string, watcher: Watcher | null): boolean {
    return among.some((kind) => {
      const watchers = this.#lists[kind].get(serverPath);
      return watchers !== undefined && (watcher === null || watchers.has(watcher));
    });
  }

  /** A watcher is on its way to a list: until the function returned is called it counts as there for `hasOther`. */
  expect(kind: WatchKind, serverPath: string): () => void {
    const key = `${kind}${serverPath}`;
    this.#expected.set(key, (this.#expected.get(key) ?? 0) + 1);
    return () => {
      const left = (this.#expected.get(key) ?? 1) - 1;
      if (left === 0) this.#expected.delete(key);
      else this.#expected.set(key, left);
    };
  }

  /** True when someone besides `watcher` stands on one of the lists at this path, or is on the way. */
  hasOther(among: readonly WatchKind[], serverPath: string, watcher: Watcher): boolean {
    return among.some((kind) => {
      if (this.#expected.has(`${kind}${serverPath}`)) return true;
      const watchers = this.#lists[kind].get(serverPath);
      return watchers !== undefined && watchers.size > (watchers.has(watcher) ? 1 : 0);
    });
  }

  /** Takes `watcher` (all, when null) off these lists at this path. Returns whom. */
  remove(among: readonly WatchKind[], serverPath: string, watcher: Watcher | null): Set<Watcher> {
    const removed = new Set<Watcher>();
    for (const kind of among) {
      const watchers = this.#lists[kind].get(serverPath);
      if (watchers === undefined) continue;
      for (const candidate of watchers) {
        if (watcher === null || candidate === watcher) removed.add(candidate);
      }
      for (const gone of removed) watchers.delete(gone);
      if (watchers.size === 0) this.#lists[kind].delete(serverPath);
    }
    return removed;
  }

  /** Whom an event concerns; one-shot watchers leave their lists. */
  take(type: WatchEventType, serverPath: string): Set<Watcher> {
    const found = new Set<Watcher>();
    for (const kind of oneShotKinds[type] ?? []) {
      for (const watcher of this.#lists[kind].get(serverPath) ?? []) found.add(watcher);
      this.#lists[kind].delete(serverPath);
    }
    for (const watcher of this.#lists.persistent.get(serverPath) ?? []) found.add(watcher);
    // A recursive watch hears of creations, changes and deletions, which say all that a children event would.
    if (type !== 'nodeChildrenChanged') this.#collectRecursive(serverPath, found);
    return found;
  }

  /** Empties all lists. Returns each watcher with each path it watched. */
  takeAll(): Map<string, Set<Watcher>> {
    const all = new Map<string, Set<Watcher>>();
    for (const kind of kinds) {
      for (const [path, watchers] of this.#lists[kind]) {
        const known = all.get(path);
        if (known === undefined) all.set(path, new Set(watchers));
        else for (const watcher of watchers) known.add(watcher);
      }
      this.#lists[kind].clear();
    }
    return all;
  }

  /** All watched paths, in portions of about `bytesMax` of text each (`ClientCnxn.primeConnection`). */
  *portions(bytesMax: number): Generator<WatchPaths> {
    let portion = emptyPortion();
    let bytes = 0;
    let hasPaths = false;
    for (const kind of kinds) {
      for (const path of this.#lists[kind].keys()) {
        portion[kind].push(path);
        hasPaths = true;
        bytes += path.length;
        if (bytes < bytesMax) continue;
        yield portion;
        portion = emptyPortion();
        bytes = 0;
        hasPaths = false;
      }
    }
    // Not by its bytes: the empty path, which servers take for the root, has none.
    if (hasPaths) yield portion;
  }

  #collectRecursive(serverPath: string, found: Set<Watcher>): void {
    const recursive = this.#lists.persistentRecursive;
    if (recursive.size === 0) return;
    for (let path = serverPath; ; path = path.slice(0, path.lastIndexOf('/')) || '/') {
      for (const watcher of recursive.get(path) ?? []) found.add(watcher);
      if (path === '/') return;
    }
  }
}

const kinds: readonly WatchKind[] = ['data', 'exist', 'child', 'persistent', 'persistentRecursive'];

const oneShotKinds: Partial<Record<WatchEventType, readonly WatchKind[]>> = {
  nodeCreated: ['data', 'exist'],
  nodeDataChanged: ['data', 'exist'],
  nodeChildrenChanged: ['child'],
  nodeDeleted: ['data', 'exist', 'child'],
};

function emptyPortion(): Record<WatchKind, string[]> {
  return { data: [], exist: [], child: [], persistent: [], persistentRecursive: [] };
}
