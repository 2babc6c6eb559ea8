/**
 * Who is told what, and in which order, when znodes change.
 *
 * Owns the watches of all connections: two tables, data and children, as ZooKeeper's `DataTree` has
 * them, and the order of events of one change. Refuses to look at znodes or ACLs: what the znodes say
 * (`setWatches`, missing nodes) and who may read is the caller's.
 *
 * A million watches take no object each: entries in typed arrays, paths in slabs, found by hash.
 */
import { assert, EventType, WatcherType, type Zxid } from '@meerkat/protocol';
import { defaultLimits } from '../limits.ts';
import { Summary } from '../summary.ts';
import { hashPath } from './path-hash.ts';
import { type WatchedPath, WatchIndex } from './watch-index.ts';
import { WatchMode } from './watch-pool.ts';
import { WatcherRoll } from './watcher-roll.ts';

export type { WatchedPath } from './watch-index.ts';

/** A connection that watches: a small number, free for another one after `removeWatcher`. */
export type WatcherId = number;

/** An event that a change of a znode makes. */
export type ZnodeEvent =
  | typeof EventType.nodeCreated
  | typeof EventType.nodeDeleted
  | typeof EventType.nodeDataChanged
  | typeof EventType.nodeChildrenChanged;

/** Whose ACL decides whether a watcher may be told of an event. */
export const AclOf = { node: 0, parent: 1 } as const;

/** One of `AclOf`. */
export type AclOf = (typeof AclOf)[keyof typeof AclOf];

/** Whoever passes events on to connections. */
export interface WatchSink {
  /**
   * One watcher is to be told of one event. The calls of one event follow each other directly, with
   * the same arguments but the watcher. The watch is used up whether or not the sink passes it on: it
   * must not when the watcher may not read by the ACL that `aclOf` names (ZOOKEEPER-4799). The
   * sink may change the table, but not fire.
   *
   * @param bytes the event's path is `bytes[start, end)`: the array the change was reported with
   */
  deliver(
    watcher: WatcherId,
    type: EventType,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    aclOf: AclOf,
  ): void;
}

/** How many watches there may be; the defaults are those of `Limits`. */
export interface WatchBounds {
  /** `Limits.watchesMax`. */
  readonly watchesMax: number;
  /** `Limits.watchBytesMax`. */
  readonly watchBytesMax: number;
}

/** The watches of a replica. Paths are valid ones in UTF-8, `bytes[start, end)`. */
export class WatchTable {
  /** How often `hasRoomFor` said no. */
  refusedCount = 0;
  /** Of each kind of event that somebody watched: how many (`node_created_watch_count` and its kin). */
  readonly told: Readonly<Record<ZnodeEvent, Summary>> = {
    [EventType.nodeCreated]: new Summary(),
    [EventType.nodeDeleted]: new Summary(),
    [EventType.nodeDataChanged]: new Summary(),
    [EventType.nodeChildrenChanged]: new Summary(),
  };
  readonly #bounds: WatchBounds;
  readonly #data = new WatchIndex();
  readonly #children = new WatchIndex();
  readonly #roll = new WatcherRoll();
  #isFiring = false;

  constructor(bounds: WatchBounds = defaultLimits) {
    this.#bounds = bounds;
  }

  /**
   * Whether there is room for one more watch of any kind, on a path of `pathLength` bytes. Ask before
   * any of the `add…`: they trust that there is. When a table is full, a watch that is there already
   * is refused as well.
   */
  hasRoomFor(pathLength: number): boolean {
    const growth = this.#data.growthFor(pathLength) + this.#children.growthFor(pathLength);
    const { watchesMax, watchBytesMax } = this.#bounds;
    // A persistent watch is one in each table.
    const hasRoom =
      this.watchCount + 2 <= watchesMax &&
      (growth === 0 || this.pathBytes + growth <= watchBytesMax);
    if (!hasRoom) this.refusedCount++;
    return hasRoom;
  }

  /** Bytes that the watched paths take. */
  get pathBytes(): number {
    return this.#data.pathBytes + this.#children.pathBytes;
  }

  /** Watches in both tables: `zk_watch_count` (`DataTree.getWatchCount`). */
  get watchCount(): number {
    return this.#data.watchCount + this.#children.watchCount;
  }

  /** Watches in the data table, all that `wchs` counts. */
  get dataWatchCount(): number {
    return this.#data.watchCount;
  }

  /** Paths in the data table, as `wchs` counts them. */
  get pathCount(): number {
    return this.#data.pathCount;
  }

  /** Watchers in the data table, as `wchs` counts them: also those whose watches have all fired. */
  get watcherCount(): number {
    return this.#data.watcherCount;
  }

  /** Sets the one-shot watch of getData and exists. */
  addData(watcher: WatcherId, bytes: Uint8Array, start: number, end: number): void {
    this.#data.add(watcher, bytes, start, end, WatchMode.standard);
  }

  /** Sets the one-shot watch of getChildren. */
  addChild(watcher: WatcherId, bytes: Uint8Array, start: number, end: number): void {
    this.#children.add(watcher, bytes, start, end, WatchMode.standard);
  }

  /** Sets a watch that stays, in both tables. */
  addPersistent(watcher: WatcherId, bytes: Uint8Array, start: number, end: number): void {
    this.#data.add(watcher, bytes, start, end, WatchMode.persistent);
    this.#children.add(watcher, bytes, start, end, WatchMode.persistent);
  }

  /** Sets a watch that stays on a path and all below it; never told of `nodeChildrenChanged`. */
  addPersistentRecursive(watcher: WatcherId, bytes: Uint8Array, start: number, end: number): void {
    this.#data.add(watcher, bytes, start, end, WatchMode.persistentRecursive);
  }

  /**
   * A znode was created: `nodeCreated` to its data table, then `nodeChildrenChanged` to its parent's
   * child table.
   */
  nodeCreated(bytes: Uint8Array, start: number, end: number, zxid: Zxid, sink: WatchSink): void {
    this.#fireData(EventType.nodeCreated, bytes, start, end, zxid, sink);
    this.#fireParent(bytes, start, end, zxid, sink);
  }

  /**
   * A znode was deleted: `nodeDeleted` to its data table, then to those of its child table who have
   * not been told, then `nodeChildrenChanged` to its parent's child table.
   */
  nodeDeleted(bytes: Uint8Array, start: number, end: number, zxid: Zxid, sink: WatchSink): void {
    if (this.#data.watchCount === 0) this.#roll.begin();
    else this.#fireData(EventType.nodeDeleted, bytes, start, end, zxid, sink);
    if (this.#children.watchCount === 0) return;
    // Still the same event: who was told by the data table is not put on the roll again.
    this.#roll.clear();
    this.#children.take(this.#roll, hashPath(bytes, start, end), bytes, start, end);
    this.#tell(EventType.nodeDeleted, bytes, start, end, zxid, AclOf.node, sink);
    this.#fireParent(bytes, start, end, zxid, sink);
  }

  /** The data of a znode was set: `nodeDataChanged` to its data table. */
  nodeDataChanged(
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    sink: WatchSink,
  ): void {
    this.#fireData(EventType.nodeDataChanged, bytes, start, end, zxid, sink);
  }

  /**
   * Removes watches as `removeWatches` asks (`DataTree.removeWatch`); false: there was none, NOWATCHER.
   */
  remove(
    watcher: WatcherId,
    bytes: Uint8Array,
    start: number,
    end: number,
    type: WatcherType,
  ): boolean {
    const fromChildren = this.#children.remove(watcher, bytes, start, end, childModes(type));
    const fromData = this.#data.remove(watcher, bytes, start, end, dataModes(type));
    return fromChildren || fromData;
  }

  /** Whether there is a watch as `checkWatches` asks (`DataTree.containsWatcher`). */
  has(
    watcher: WatcherId,
    bytes: Uint8Array,
    start: number,
    end: number,
    type: WatcherType,
  ): boolean {
    return (
      this.#data.has(watcher, bytes, start, end, dataModes(type)) ||
      this.#children.has(watcher, bytes, start, end, childModes(type))
    );
  }

  /**
   * A connection has closed: removes its watches. With `watchesMax` it stops after about as many,
   * to be called again later; the number is free for another connection once it has returned true.
   */
  removeWatcher(watcher: WatcherId, watchesMax: number = Number.POSITIVE_INFINITY): boolean {
    assert(watchesMax > 0, 'removing watches gets on', watchesMax);
    const dataDone = this.#data.removeWatcher(watcher, watchesMax);
    const childrenDone = this.#children.removeWatcher(watcher, watchesMax);
    return dataDone && childrenDone;
  }

  /**
   * For `wchc`: each watcher of the data table. The table may change between two steps of this and of
   * the next two: what comes or goes meanwhile may be told or not.
   */
  watchers(): IterableIterator<WatcherId> {
    return this.#data.watchers();
  }

  /** The paths that a watcher has in the data table. */
  pathsOf(watcher: WatcherId): IterableIterator<string> {
    return this.#data.pathsOf(watcher);
  }

  /** For `wchp`: each path of the data table and those who watch it. */
  pathsWatched(): IterableIterator<WatchedPath> {
    return this.#data.pathsWatched();
  }

  #fireData(
    type: ZnodeEvent,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    sink: WatchSink,
  ): void {
    if (this.#data.watchCount === 0) return;
    this.#roll.begin();
    this.#data.take(this.#roll, hashPath(bytes, start, end), bytes, start, end);
    this.#data.takeAncestors(this.#roll, bytes, start, end);
    this.#tell(type, bytes, start, end, zxid, AclOf.node, sink);
  }

  #fireParent(bytes: Uint8Array, start: number, end: number, zxid: Zxid, sink: WatchSink): void {
    if (this.#children.watchCount === 0) return;
    const parentEnd = endOfParent(bytes, start, end);
    this.#roll.begin();
    const hash = hashPath(bytes, start, parentEnd);
    this.#children.take(this.#roll, hash, bytes, start, parentEnd);
    const type = EventType.nodeChildrenChanged;
    this.#tell(type, bytes, start, parentEnd, zxid, AclOf.parent, sink);
  }

  #tell(
    type: ZnodeEvent,
    bytes: Uint8Array,
    start: number,
    end: number,
    zxid: Zxid,
    aclOf: AclOf,
    sink: WatchSink,
  ): void {
    assert(!this.#isFiring, 'a sink does not fire watches', start, end);
    const { count, watchers } = this.#roll;
    if (count === 0) return;
    this.told[type].add(count);
    this.#isFiring = true;
    for (let i = 0; i < count; i++) {
      sink.deliver(watchers[i] as number, type, bytes, start, end, zxid, aclOf);
    }
    this.#isFiring = false;
  }
}

const slash = 0x2f;
const allModes = WatchMode.standard | WatchMode.persistent | WatchMode.persistentRecursive;

/** Where the path of the parent of `bytes[start, end)` ends; it starts at `start` too. */
function endOfParent(bytes: Uint8Array, start: number, end: number): number {
  assert(end - start > 1, 'the root is neither created nor deleted', start, end);
  let at = end - 1;
  while (at > start && bytes[at] !== slash) at--;
  return at === start ? start + 1 : at;
}

/** The modes in the data table that a type of watcher means. */
function dataModes(type: WatcherType): number {
  switch (type) {
    case WatcherType.data:
      return WatchMode.standard;
    case WatcherType.any:
      return allModes;
    case WatcherType.persistent:
      return WatchMode.persistent;
    case WatcherType.persistentRecursive:
      return WatchMode.persistentRecursive;
    default:
      return 0;
  }
}

/** The modes in the child table that a type of watcher means. */
function childModes(type: WatcherType): number {
  switch (type) {
    case WatcherType.children:
      return WatchMode.standard;
    case WatcherType.any:
      return allModes;
    case WatcherType.persistent:
      return WatchMode.persistent;
    default:
      return 0;
  }
}
