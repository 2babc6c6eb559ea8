import type { Acl } from './acl.ts';
import type {
  AddWatchOptions,
  CheckWatchesOptions,
  CreateOptions,
  RemoveWatchesOptions,
  VersionOptions,
  WatchOptions,
} from './call-options.ts';
import { badArgument, Calls } from './calls.ts';
import type { Codec } from './codecs.ts';
import { parseConnectString } from './connect-string.ts';
import type { Credential } from './credentials.ts';
import { BadArgumentsError, NoWatcherError } from './errors.ts';
import type { SessionTicket } from './handshake.ts';
import type { SessionId, Zxid } from './ids.ts';
import * as acls from './operations/acls.ts';
import * as admin from './operations/admin.ts';
import * as children from './operations/children.ts';
import { type Created, createBody, createOperation, isSequential } from './operations/create.ts';
import * as data from './operations/data.ts';
import * as multis from './operations/multi.ts';
import { anyVersion, type Data } from './operations/values.ts';
import * as watching from './operations/watching.ts';
import { type ClientOptions, settingsOf, validateCredential } from './options.ts';
import { toServerPath, validatePath, validateSequentialPath } from './paths.ts';
import type { ClientPorts } from './ports.ts';
import { protectedCreate } from './protected-create.ts';
import { noTarget, type RequestOptions } from './request.ts';
import { Session } from './session.ts';
import type { Stat } from './stat.ts';
import { type ConnectionState, isConnected } from './states.ts';
import { TypedZnodes } from './typed-znodes.ts';
import { waitForConnection } from './wait-for-connection.ts';
import { removeWatches } from './watch-removal.ts';
import { validateWatchStream, WatchStream, type WatchStreamOptions } from './watch-stream.ts';
import type { Watcher } from './watches.ts';

/**
 * A client of a ZooKeeper ensemble: one session. `connect` makes one.
 *
 * Calls are sent in the order they are made and answered in that order; those made in one turn leave in one write, so
 * several at once cost little more than one. Every call settles exactly once: with its result, with the
 * error of the server, with `ConnectionLossError` when the connection was lost before the answer came (it may have
 * happened), or with `SessionExpiredError` after the end of the session. A call made without a connection waits
 * for one until every server has been tried in vain.
 *
 * Watchers and state listeners are called in the order in which things happened: ahead of the answers
 * that show the change.
 */
export class ZooKeeper implements AsyncDisposable {
  /** What the client asks of the world: recipes take time and chance from here too, virtual ones where the client does. */
  readonly ports: ClientPorts;
  readonly #session: Session;
  readonly #chroot: string;
  readonly #calls: Calls;
  readonly #watchLagMax: number;

  /**
   * Starts to dial at once. `connect` and `open` supply the ports of Node; the simulator supplies its own.
   *
   * @throws BadArgumentsError when the connect string or an option is not valid
   */
  constructor(connectString: string, options: ClientOptions, ports: ClientPorts) {
    const settings = settingsOf(connectString, options);
    this.ports = ports;
    this.#chroot = settings.chroot;
    this.#watchLagMax = settings.limits.watchLagMax;
    this.#session = new Session(settings, ports);
    const { chroot } = settings;
    const { requestTimeoutMs } = options;
    this.#calls = new Calls(this.#session, { chroot, clock: ports.clock, requestTimeoutMs });
  }

  /** Where the client stands now. */
  get state(): ConnectionState {
    return this.#session.state;
  }

  /** The session's id; 0n before a server has given one. */
  get sessionId(): SessionId {
    return this.#session.ticket?.id ?? 0n;
  }

  /** What another client needs to go on with this session; null before a server has given it. */
  get session(): SessionTicket | null {
    const ticket = this.#session.ticket;
    return ticket === null ? null : { id: ticket.id, password: ticket.password.slice() };
  }

  /** The session timeout that the server granted, ms; before that the one asked for. */
  get sessionTimeoutMs(): number {
    return this.#session.sessionTimeoutMs;
  }

  /** The path that all paths are under; '/' when there is none. */
  get chroot(): string {
    return this.#chroot === '' ? '/' : this.#chroot;
  }

  /** The newest transaction that an answer has shown. */
  get lastZxid(): Zxid {
    return BigInt(this.#session.lastZxid);
  }

  /** Why the last attempt to reach a server failed; null after one that did not. */
  get lastDialError(): Error | null {
    return this.#session.lastDialError;
  }

  /** Calls sent and not answered yet. */
  get inFlight(): number {
    return this.#session.queue.inFlight;
  }

  /** Calls that wait for a connection, or for fewer to be in flight. */
  get waiting(): number {
    return this.#session.queue.waiting;
  }

  /** Tells each later state to `listener`. Returns the function that ends it. */
  onState(listener: (state: ConnectionState) => void): () => void {
    return this.#session.feed.listen(listener);
  }

  /** `for await (const state of zk.states())`: the present state, then each later one; ends after a final one. */
  states(options?: {
    readonly signal?: AbortSignal;
  }): AsyncGenerator<ConnectionState, void, undefined> {
    return this.#session.feed.iterate(options?.signal);
  }

  /** Resolves when a call made now would be sent at once: wait for it between batches of many calls. */
  capacity(): Promise<void> {
    return this.#session.queue.capacity();
  }

  /**
   * Resolves once a server serves the session.
   *
   * @throws ConnectionLossError after `timeoutMs`; `cause` says why the last attempt failed
   * @throws SessionExpiredError | AuthFailedError when the client has ended
   */
  connected(options?: RequestOptions): Promise<void> {
    return this.#calls.guard(options, () =>
      waitForConnection(this.#session, this.ports.clock, options ?? {}),
    );
  }

  /**
   * Creates a znode. Returns its path, which for a sequential mode ends in ten digits.
   *
   * @param value what it holds; nothing (zero bytes) by default
   * @throws NodeExistsError | NoNodeError | NoAuthError | InvalidAclError | NoChildrenForEphemeralsError | …
   */
  create(path: string, value?: Data, options?: CreateOptions): Promise<string> {
    if (options?.protection === true) return this.#createProtected(path, value, options);
    return this.#create(path, value, options, false) as Promise<string>;
  }

  /** As `create`; returns the znode's Stat too. */
  createWithStat(path: string, value?: Data, options?: CreateOptions): Promise<Created> {
    if (options?.protection === true) {
      const message = `Cannot create ${path} with its Stat: current value is option protection, which create() alone has`;
      return Promise.reject(new BadArgumentsError({ path, message }));
    }
    return this.#create(path, value, options, true) as Promise<Created>;
  }

  /**
   * Deletes a znode that has no children.
   *
   * @throws NoNodeError | BadVersionError | NotEmptyError | NoAuthError
   */
  delete(path: string, options?: VersionOptions): Promise<void> {
    return this.#calls.call(data.remove, path, options?.version ?? anyVersion, options);
  }

  /** The Stat of a znode, null when there is none. A watch is set either way. */
  exists(path: string, options?: WatchOptions): Promise<Stat | null> {
    return this.#calls.read(data.exists, path, options);
  }

  /** A znode's data and Stat. @throws NoNodeError | NoAuthError */
  getData(path: string, options?: WatchOptions): Promise<data.NodeData> {
    return this.#calls.read(data.getData, path, options);
  }

  /** Replaces a znode's data. Returns the new Stat. @throws NoNodeError | BadVersionError | NoAuthError */
  setData(path: string, value: Data, options?: VersionOptions): Promise<Stat> {
    const body = { data: value, version: options?.version ?? anyVersion };
    return this.#calls.call(data.setData, path, body, options);
  }

  /**
   * The znodes whose data is of one kind: reads and writes values in the place of bytes.
   *
   * ```ts
   * const users = zk.typed(json<User>());
   * const { value, stat } = await users.getData('/users/42');
   * await users.setData('/users/42', { ...value, name: 'Ada' }, { version: stat.version });
   * ```
   */
  typed<Value, Input = Value>(codec: Codec<Value, Input>): TypedZnodes<Value, Input> {
    return new TypedZnodes(this, codec);
  }

  /** A znode's ACL and Stat. @throws NoNodeError | NoAuthError */
  getAcl(path: string, options?: RequestOptions): Promise<acls.AclAndStat> {
    return this.#calls.call(acls.getAcl, path, null, options);
  }

  /**
   * Replaces a znode's ACL; `version` is that of the ACL, `Stat.aversion`. Returns the new Stat.
   *
   * @throws NoNodeError | BadVersionError | NoAuthError | InvalidAclError
   */
  setAcl(path: string, acl: Acl, options?: VersionOptions): Promise<Stat> {
    const body = { acl, version: options?.version ?? anyVersion };
    return this.#calls.call(acls.setAcl, path, body, options);
  }

  /** The names of a znode's children, in no particular order. @throws NoNodeError | NoAuthError */
  getChildren(path: string, options?: WatchOptions): Promise<string[]> {
    return this.#calls.read(children.getChildren, path, options);
  }

  /** The names of a znode's children, and its Stat. @throws NoNodeError | NoAuthError */
  getChildrenWithStat(path: string, options?: WatchOptions): Promise<children.ChildrenAndStat> {
    return this.#calls.read(children.getChildrenWithStat, path, options);
  }

  /** How many znodes there are below this one. @throws NoNodeError | NoAuthError */
  getAllChildrenNumber(path: string, options?: RequestOptions): Promise<number> {
    return this.#calls.call(children.getAllChildrenNumber, path, null, options);
  }

  /** The paths of this session's ephemeral znodes under `path` (default all). */
  getEphemerals(path = '/', options?: RequestOptions): Promise<string[]> {
    return this.#calls.call(children.getEphemerals, path, null, options);
  }

  /** Waits until the server has caught up with its leader: what was written before by anyone is seen after it. */
  sync(path = '/', options?: RequestOptions): Promise<void> {
    return this.#calls.call(data.sync, path, null, options);
  }

  /**
   * Writes in one transaction: all or nothing, at one zxid.
   *
   * @throws ZooKeeperError of the operation that failed, by its class; `multi` says which and how the others ended
   */
  multi(
    operations: readonly multis.MultiOperation[],
    options?: RequestOptions,
  ): Promise<multis.MultiResult[]> {
    return this.#calls.several(multis.multi, operations, options);
  }

  /** Reads several znodes in one request; each read fails or succeeds by itself (servers from 3.6 on). */
  multiRead(
    operations: readonly multis.MultiReadOperation[],
    options?: RequestOptions,
  ): Promise<multis.MultiReadResult[]> {
    return this.#calls.several(multis.multiRead, operations, options);
  }

  /**
   * Watches a znode, existing or not, until `removeWatches`: `persistent` for what happens to it and to the list of its
   * children, `persistentRecursive` for what happens to it and all below it (servers from 3.6 on).
   */
  async addWatch(path: string, watcher: Watcher, options?: AddWatchOptions): Promise<void> {
    const mode = options?.mode ?? 'persistentRecursive';
    if (!Object.hasOwn(watching.addWatch, mode)) throw badArgument('add a watch with mode', mode);
    if (typeof watcher !== 'function') throw badArgument('watch with', watcher);
    const call = this.#calls.call(watching.addWatch[mode], path, null, options, watcher);
    // Until it is answered, whoever removes another watcher of this path must leave the server's watch alone.
    const end = this.#session.watches.registry.expect(mode, toServerPath(this.#chroot, path));
    await call.finally(end);
  }

  /**
   * Watches a znode, as a stream of events: one that survives lost connections and says when events may have been missed.
   * Resolves when the server has set the watch, so what is read next is no older than the first event.
   *
   * ```ts
   * await using changes = await zk.watch('/config');
   * await load();
   * for await (const change of changes) {
   *   if (change.type === 'gap') await load();
   *   else await update(change.path);
   * }
   * ```
   *
   * @throws BadArgumentsError | UnimplementedError (a persistent mode, and a server before 3.6) | NoAuthError
   */
  async watch(path: string, options: WatchStreamOptions = {}): Promise<WatchStream> {
    validatePath(path, 'watch');
    validateWatchStream(path, options);
    const { signal, timeoutMs } = options;
    signal?.throwIfAborted();
    const stream = new WatchStream(this, path, options, this.#watchLagMax);
    return stream.start({
      ...(signal === undefined ? {} : { signal }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    });
  }

  /** Whether watches are set anew on a new connection: option `rearmWatches`. */
  get rearmsWatches(): boolean {
    return this.#session.rearmsWatches;
  }

  /**
   * Removes watches of ours. Watchers removed are told so.
   *
   * @throws NoWatcherError when there are none of that kind
   */
  async removeWatches(path: string, options: RemoveWatchesOptions = {}): Promise<void> {
    const { type = 'any', watcher = null, local = false } = options;
    if (!Object.hasOwn(watching.selectedKinds, type))
      throw badArgument('remove watches of type', type);
    validatePath(path, 'remove watches from');
    const serverPath = toServerPath(this.#chroot, path);
    await removeWatches(this.#session.watches, {
      path,
      serverPath,
      type,
      watcher,
      isLocal: local && !isConnected(this.state),
      toleratesLoss: local,
      ask: (operation, selection) => this.#calls.call(operation, path, selection, options),
    });
  }

  /** True when the server has a watch of this type for this session on the path. */
  async checkWatches(path: string, options?: CheckWatchesOptions): Promise<boolean> {
    const type = options?.type ?? 'any';
    if (!Object.hasOwn(watching.selectedKinds, type))
      throw badArgument('look for watches of type', type);
    try {
      await this.#calls.call(watching.checkWatches, path, type, options);
      return true;
    } catch (error) {
      if (error instanceof NoWatcherError) return false;
      throw error;
    }
  }

  /** Who the server takes this connection for (servers from 3.7 on). */
  whoAmI(options?: RequestOptions): Promise<acls.ClientIdentity[]> {
    return this.#calls.submit(acls.whoAmI, noTarget, null, null, options);
  }

  /**
   * Proves who the client is, now and on every later connection. Settles when a server has answered.
   *
   * @throws AuthFailedError when the server refuses: the client has then ended
   */
  addAuth(scheme: string, auth: Credential['auth'], options?: RequestOptions): Promise<void> {
    return this.#calls.guard(options, () => {
      validateCredential({ scheme, auth });
      const request = this.#session.addAuth({ scheme, auth });
      this.#calls.limit(request, options);
      return request.promise;
    });
  }

  /** The ensemble's configuration, as text in `data`; not under the chroot. */
  getConfig(options?: WatchOptions): Promise<data.NodeData> {
    const target = { path: configPath, serverPath: configPath, chroot: '' };
    const watcher = options?.watch ?? null;
    return this.#calls.submit(data.getData, target, watcher !== null, watcher, options);
  }

  /**
   * Changes the ensemble's membership. Returns the new configuration.
   *
   * @throws ReconfigDisabledError | UnimplementedError | NewConfigNoQuorumError | ReconfigInProgressError |
   *   BadVersionError | NoAuthError
   */
  reconfig(change: admin.Reconfiguration, options?: RequestOptions): Promise<data.NodeData> {
    return this.#calls.submit(admin.reconfig, noTarget, change, null, options);
  }

  /**
   * Takes a new list of servers. The session moves to another one when its own is not on the list, and else with the
   * probability that leaves all servers with the same load (ZOOKEEPER-1355): once the calls under way are answered.
   *
   * @param connectString as for `connect`; a chroot must be the present one
   * @returns whether the session moves
   * @throws BadArgumentsError when it is not valid, or names another chroot
   */
  updateServerList(connectString: string): boolean {
    const { servers, srvName, chroot } = parseConnectString(connectString);
    if (chroot !== '' && chroot !== this.#chroot) {
      const message = `Cannot update the list of servers: current value is ${JSON.stringify(connectString)}, and the chroot must stay ${this.chroot}`;
      throw new BadArgumentsError({ message });
    }
    return this.#session.updateServers(servers, srvName);
  }

  /** Asks the server for a sign of life. Returns how long it took, ms. @throws ConnectionLossError */
  ping(options?: RequestOptions): Promise<number> {
    return this.#calls.guard(options, () => {
      const request = this.#session.ping();
      this.#calls.limit(request, options);
      return request.promise;
    });
  }

  /**
   * Ends the session, after the calls made before: its ephemeral znodes go at once. Resolves when that is done, or the
   * server cannot be told. Further calls fail with `SessionExpiredError`.
   *
   * @param options with `keepSession` only the connection is closed: the session lives until it expires, and whoever has
   *   `session` may go on with it
   */
  close(options?: { readonly keepSession?: boolean }): Promise<void> {
    return this.#session.close(options?.keepSession === true);
  }

  /** `await using zk = await connect(…)`: closes at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #create(
    path: string,
    value: Data | undefined,
    options: CreateOptions | undefined,
    withStat: boolean,
  ): Promise<Created | string> {
    const body = createBody(value, options);
    return this.#calls.call(
      createOperation(body.mode, withStat),
      path,
      body,
      options,
      null,
      isSequential(body.mode),
    );
  }

  #createProtected(path: string, value: Data | undefined, options: CreateOptions): Promise<string> {
    return this.#calls.guard(options, () => {
      const { mode } = createBody(value, options);
      if (isSequential(mode)) validateSequentialPath(path, 'create');
      else validatePath(path, 'create');
      return protectedCreate(this, path, value, options);
    });
  }
}

/** Where the ensemble keeps its configuration (`ZooDefs.CONFIG_NODE`). */
const configPath = '/zookeeper/config';
