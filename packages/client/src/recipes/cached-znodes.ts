import { NoAuthError, NoNodeError, SessionExpiredError } from '../errors.ts';
import type { NodeData } from '../operations/data.ts';
import type { Stat } from '../stat.ts';
import { type ConnectionState, isConnected, isFinal } from '../states.ts';
import type { WatchEvent, Watcher } from '../watches.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { childPath, nameOf, parentOf } from './parents.ts';
import { isUnanswered } from './waiting.ts';

/** A znode as it was when it was last read. */
export interface CachedNode {
  readonly path: string;
  readonly data: Uint8Array | null;
  /** As of the last change of the data: what the children do shows in `children`, not here. */
  readonly stat: Stat;
}

/** What happened to a cache. */
export type CacheChange =
  | { readonly type: 'added'; readonly node: CachedNode }
  | { readonly type: 'changed'; readonly node: CachedNode; readonly before: CachedNode }
  | { readonly type: 'removed'; readonly node: CachedNode }
  /** Changes may have been missed. What follows, up to `inStep`, is the difference. */
  | { readonly type: 'missed' }
  /** The cache shows what the server has: it was filled, or has caught up. */
  | { readonly type: 'inStep' };

/** How znodes are watched: one watch for a whole subtree, or one-shot watches on each znode. */
export type WatchMethod = 'recursive' | 'oneShot';

/** What is cached, and who hears of it. */
export interface CacheSettings {
  readonly root: string;
  /** How far below the root: 0 itself only, 1 its children too. */
  readonly depthMax: number;
  readonly method: WatchMethod;
  readonly onChange: (change: CacheChange) => void;
  /** The session is over, or reading is refused in a way that does not pass. */
  readonly onEnd: (error: Error) => void;
}

/**
 * Keeps a copy of znodes in step with the server. What all caches share.
 *
 * Owns the copy, which reads are under way, and which must be made again. Relies on the order of one connection: an event
 * arrives ahead of the answer of any read that shows the change, so a znode read after its last event is up to date. Reads
 * are pipelined, so many at a time.
 */
export class CachedZnodes {
  readonly #zk: ZooKeeper;
  readonly #settings: CacheSettings;
  readonly #nodes = new Map<string, CachedNode>();
  /** The names below a path, of those that are cached: apart, for a child may be read before its parent. */
  readonly #children = new Map<string, Set<string>>();
  /** What is to be read. `true`: its list of children too. */
  readonly #wanted = new Map<string, boolean>();
  /** The paths of `#wanted` that are not being read, in order. */
  #queue: string[] = [];
  #queueHead = 0;
  /** Paths being read; those changed meanwhile are on `#wanted` again. */
  readonly #reading = new Set<string>();
  readonly #stopListening: () => void;
  /** Counts connections: what was asked over an earlier one does not count. */
  #epoch = 0;
  #isInStep = false;
  #removals = 0;
  #isClosed = false;
  /** Whom the watcher tells: nobody once this is closed, so that watches still set do not keep the copy in memory. */
  readonly #told: { onEvent: (event: WatchEvent) => void };
  /** To be set on the root when the method is `recursive`. */
  readonly watcher: Watcher;

  constructor(zk: ZooKeeper, settings: CacheSettings) {
    this.#zk = zk;
    this.#settings = settings;
    this.#stopListening = zk.onState((state) => this.#onState(state));
    this.#told = { onEvent: (event) => this.#onEvent(event) };
    this.watcher = watcherOf(this.#told);
  }

  /** Reads everything. The watch of the method `recursive` is set already, with `watcher`. */
  start(): void {
    this.#want(this.#settings.root, true);
  }

  /** True when the copy shows what the server had when it last spoke to us. */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  /** How often an event has removed a znode: only the next answer says as of which transaction that is. */
  get removals(): number {
    return this.#removals;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(path: string): CachedNode | undefined {
    return this.#nodes.get(path);
  }

  /** The names of the cached children, sorted. */
  children(path: string): string[] {
    return [...(this.#children.get(path) ?? [])].sort();
  }

  /** All that is cached, in no particular order. */
  nodes(): IterableIterator<CachedNode> {
    return this.#nodes.values();
  }

  /** Stops. Watches are left to fire for nobody, but for the recursive one, which is its owner's. */
  close(): void {
    this.#isClosed = true;
    this.#told.onEvent = () => {};
    this.#stopListening();
  }

  #onEvent({ type, path }: WatchEvent): void {
    if (type === 'nodeDeleted') this.#onDeleted(path);
    else if (type === 'nodeCreated') this.#want(path, this.#settings.method === 'oneShot');
    else if (type === 'nodeDataChanged') this.#want(path, false);
    else if (type === 'nodeChildrenChanged') this.#want(path, true);
  }

  #onState(state: ConnectionState): void {
    if (this.#isClosed) return;
    if (isFinal(state)) {
      const message = `Cannot keep ${this.#settings.root} in step: current value is a session that is ${state.status}`;
      this.#settings.onEnd(new SessionExpiredError({ message }));
    } else if (isConnected(state)) {
      this.#onConnected();
    } else {
      this.#isInStep = false;
    }
  }

  #onConnected(): void {
    this.#epoch++;
    const unread = [...this.#reading];
    this.#reading.clear();
    if (this.#settings.method === 'recursive') {
      this.#settings.onChange({ type: 'missed' });
      this.#wanted.clear();
    }
    // One-shot watches are made up for by the server: only what was under way must be asked again. The root too, for its
    // answer comes after what is made up for.
    for (const path of [this.#settings.root, ...unread]) this.#wanted.set(path, true);
    this.#queue = [...this.#wanted.keys()];
    this.#queueHead = 0;
    this.#pump();
  }

  #onDeleted(path: string): void {
    this.#removals += 1;
    this.#remove(path);
    // It may have been created again, and in the method `oneShot` only the root's own watch would say so.
    if (path === this.#settings.root && this.#settings.method === 'oneShot') this.#want(path, true);
  }

  #want(path: string, list: boolean): void {
    this.#isInStep = false;
    this.#enqueue(path, list);
    this.#pump();
  }

  #enqueue(path: string, list: boolean): void {
    const known = this.#wanted.get(path);
    this.#wanted.set(path, list || known === true);
    if (known === undefined && !this.#reading.has(path)) this.#queue.push(path);
  }

  #pump(): void {
    if (!isConnected(this.#zk.state) || this.#isClosed) return;
    while (this.#reading.size < readsMax && this.#queueHead < this.#queue.length) {
      this.#readNext(this.#settings.method === 'recursive' ? batchMax : 1);
    }
    if (this.#queueHead < this.#queue.length) return;
    this.#queue = [];
    this.#queueHead = 0;
    if (this.#reading.size > 0 || this.#isInStep) return;
    this.#isInStep = true;
    this.#settings.onChange({ type: 'inStep' });
  }

  /** Reads what stands next on the queue: several znodes in one request, where the server has that. */
  #readNext(countMax: number): void {
    const batch: Wanted[] = [];
    while (batch.length < countMax && this.#queueHead < this.#queue.length) {
      const path = this.#queue[this.#queueHead++] as string;
      batch.push({ path, list: this.#wanted.get(path) === true });
      this.#wanted.delete(path);
      this.#reading.add(path);
    }
    const epoch = this.#epoch;
    if (batch.length > 1) this.#readMany(batch, epoch);
    else for (const wanted of batch) this.#readOne(wanted, epoch);
  }

  #readOne(wanted: Wanted, epoch: number): void {
    const { path } = wanted;
    this.#zk.getData(path, this.#watching).then(
      (read) => this.#onData(wanted, epoch, read),
      (error) => this.#onFailed(path, epoch, error as Error),
    );
  }

  #readMany(batch: readonly Wanted[], epoch: number): void {
    const operations = batch.map(({ path }) => ({ op: 'getData', path }) as const);
    this.#zk.multiRead(operations).then(
      (results) => {
        for (const [index, result] of results.entries()) {
          const wanted = batch[index] as Wanted;
          if (result.op === 'getData') this.#onData(wanted, epoch, result);
          else if (result.op === 'error') this.#onFailed(wanted.path, epoch, result.error);
        }
      },
      (error) => {
        for (const { path } of batch) this.#onFailed(path, epoch, error as Error);
      },
    );
  }

  #onData({ path, list }: Wanted, epoch: number, read: NodeData): void {
    if (epoch !== this.#epoch || this.#isClosed) return;
    const isNew = this.#nodes.get(path)?.stat.czxid !== read.stat.czxid;
    this.#put(path, read);
    const { root, depthMax, method } = this.#settings;
    // Whoever finds another znode than was expected watches nobody's children yet.
    const isToList = list || (isNew && method === 'oneShot');
    if (!isToList || depthOf(path, root) >= depthMax) {
      this.#onRead(path, epoch);
    } else if (method === 'recursive' && read.stat.numChildren === 0) {
      // Without a watch of its own a znode without children need not be asked for them.
      this.#putChildren(path, []);
      this.#onRead(path, epoch);
    } else {
      this.#list(path, epoch);
    }
  }

  #list(path: string, epoch: number): void {
    this.#zk.getChildren(path, this.#watching).then(
      (names) => {
        if (epoch === this.#epoch && !this.#isClosed) this.#putChildren(path, names);
        this.#onRead(path, epoch);
      },
      (error) => this.#onFailed(path, epoch, error as Error),
    );
  }

  get #watching(): { watch?: Watcher } {
    return this.#settings.method === 'oneShot' ? { watch: this.watcher } : {};
  }

  #onRead(path: string, epoch: number): void {
    if (epoch !== this.#epoch || this.#isClosed) return;
    this.#reading.delete(path);
    if (this.#wanted.has(path)) this.#queue.push(path);
    // A batch is answered as one: wait until there is room for another.
    if (this.#reading.size <= readsMax - batchMax) this.#pump();
  }

  #onFailed(path: string, epoch: number, error: Error): void {
    if (epoch !== this.#epoch || this.#isClosed) return;
    if (error instanceof NoNodeError) {
      this.#remove(path);
      if (path === this.#settings.root && this.#settings.method === 'oneShot') {
        this.#watchForRoot(epoch);
        return;
      }
    } else if (isUnanswered(error)) {
      // A lost connection: everything is asked again over the next. A missed time limit: at once.
      this.#enqueue(path, true);
      if (!isConnected(this.#zk.state)) return;
    } else if (error instanceof NoAuthError) {
      this.#remove(path);
    } else {
      this.#settings.onEnd(error);
      return;
    }
    this.#onRead(path, epoch);
  }

  /** Nothing is there: `exists` watches for its creation. */
  #watchForRoot(epoch: number): void {
    const { root } = this.#settings;
    this.#zk.exists(root, { watch: this.watcher }).then(
      (stat) => {
        if (stat !== null && epoch === this.#epoch) this.#enqueue(root, true);
        this.#onRead(root, epoch);
      },
      (error) => this.#onFailed(root, epoch, error as Error),
    );
  }

  #put(path: string, { data, stat }: NodeData): void {
    const known = this.#nodes.get(path);
    if (known?.stat.czxid === stat.czxid && known.stat.mzxid === stat.mzxid) return;
    // Deleted and created again, unseen: another znode of the same name. Of what is below, some may be its own already.
    if (known !== undefined && known.stat.czxid !== stat.czxid) this.#remove(path, stat.czxid);
    const node = { path, data: data?.slice() ?? null, stat: stat.copy() };
    const before = this.#nodes.get(path);
    this.#nodes.set(path, node);
    if (before === undefined) {
      if (path !== this.#settings.root) this.#addChild(parentOf(path), nameOf(path));
      this.#settings.onChange({ type: 'added', node });
    } else {
      this.#settings.onChange({ type: 'changed', node, before });
    }
  }

  #addChild(path: string, name: string): void {
    const names = this.#children.get(path);
    if (names === undefined) this.#children.set(path, new Set([name]));
    else names.add(name);
  }

  #putChildren(path: string, names: readonly string[]): void {
    const known = this.#children.get(path);
    if (known !== undefined) {
      const present = new Set(names);
      for (const name of known) if (!present.has(name)) this.#remove(childPath(path, name));
    }
    // With watches of its own a child that is known tells itself what happens to it.
    const all = this.#settings.method === 'recursive';
    for (const name of names) {
      const child = childPath(path, name);
      if (all || !this.#nodes.has(child)) this.#enqueue(child, true);
    }
  }

  /** Removes what is cached at and below a path; what was created after `untilZxid` stays. */
  #remove(path: string, untilZxid: bigint | null = null): void {
    for (const name of this.#children.get(path) ?? []) {
      this.#remove(childPath(path, name), untilZxid);
    }
    const node = this.#nodes.get(path);
    if (node === undefined || (untilZxid !== null && node.stat.czxid > untilZxid)) return;
    this.#nodes.delete(path);
    if (path !== this.#settings.root) this.#forgetChild(parentOf(path), nameOf(path));
    this.#settings.onChange({ type: 'removed', node });
  }

  #forgetChild(path: string, name: string): void {
    const names = this.#children.get(path);
    if (names?.delete(name) === true && names.size === 0) this.#children.delete(path);
  }
}

/** Made here, so that the function holds on to nothing else. */
function watcherOf(told: { onEvent: (event: WatchEvent) => void }): Watcher {
  return (event) => told.onEvent(event);
}

/** How many znodes below `root` a path is. */
function depthOf(path: string, root: string): number {
  if (path === root) return 0;
  const below = root === '/' ? path : path.slice(root.length);
  let depth = 0;
  for (let at = 0; at !== -1; at = below.indexOf('/', at + 1)) depth++;
  return depth;
}

interface Wanted {
  readonly path: string;
  readonly list: boolean;
}

/** Znodes in one request: even if each holds the megabyte that it may, the answer is within `replyBytesMax`. */
const batchMax = 32;

/** Reads under way at a time: enough to keep a connection busy, few enough for other calls to get through. */
const readsMax = 2000;
