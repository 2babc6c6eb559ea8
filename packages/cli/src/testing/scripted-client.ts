import {
  type AclEntry,
  type ConnectionState,
  errorOf,
  type NodeData,
  openAcl,
  Stat,
  type Watcher,
} from '@meerkat/client';
import { asZxid, ErrorCode, JuteWriter, writeStat } from '@meerkat/protocol';
import type { ShellClient } from '../shell/command.ts';

interface Znode {
  data: Uint8Array | null;
  acl: readonly AclEntry[];
  version: number;
  aversion: number;
  ephemeral: boolean;
}

/** A server and its client in one, for commands: a small tree that answers as ZooKeeper would. */
export class ScriptedClient implements ShellClient {
  state: ConnectionState = { status: 'connecting' };
  /** What was called beyond the tree, as text. */
  readonly calls: string[] = [];
  /** The code that the next call fails with. */
  nextFailure: number | undefined;
  readonly #tree = new Map<string, Znode>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  readonly #listeners = new Set<(state: ConnectionState) => void>();

  constructor() {
    for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
      this.#tree.set(path, newZnode(new Uint8Array(0)));
    }
  }

  /** All paths, sorted. */
  get paths(): string[] {
    return [...this.#tree.keys()].sort();
  }

  change(state: ConnectionState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  onState = (listener: (state: ConnectionState) => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  connected = async (): Promise<void> => {
    this.#failIfTold('/');
    this.change(connectedState);
  };

  close = async (options?: { readonly keepSession?: boolean }): Promise<void> => {
    this.calls.push(`close keepSession=${options?.keepSession === true}`);
    this.change({ status: 'closed' });
  };

  create: ShellClient['create'] = async (path, value, options) => {
    this.#failIfTold(path);
    const mode = options?.mode ?? 'persistent';
    const created = mode.includes('equential') ? `${path}0000000000` : path;
    const parent = this.#tree.get(created.slice(0, created.lastIndexOf('/')) || '/');
    if (parent === undefined) throw errorOf(ErrorCode.noNode, { path });
    if (parent.ephemeral) throw errorOf(ErrorCode.noChildrenForEphemerals, { path });
    if (this.#tree.has(created)) throw errorOf(ErrorCode.nodeExists, { path });
    const bytes = value === null || value === undefined ? null : Buffer.from(value);
    this.#tree.set(created, {
      ...newZnode(bytes),
      acl: options?.acl ?? openAcl,
      ephemeral: mode.startsWith('ephemeral'),
    });
    this.calls.push(`create ${mode} ttlMs=${options?.ttlMs}`);
    return created;
  };

  delete: ShellClient['delete'] = async (path, options) => {
    this.#check(path, options?.version, 'version');
    if (this.#childNames(path).length > 0) throw errorOf(ErrorCode.notEmpty, { path });
    this.#tree.delete(path);
  };

  exists: ShellClient['exists'] = async (path, options) => {
    this.#watch(path, options?.watch);
    return this.#tree.has(path) ? this.#stat(path) : null;
  };

  getData: ShellClient['getData'] = async (path, options): Promise<NodeData> => {
    const { data } = this.#znode(path);
    this.#watch(path, options?.watch);
    return { data, stat: this.#stat(path) };
  };

  setData: ShellClient['setData'] = async (path, value, options) => {
    const znode = this.#check(path, options?.version, 'version');
    znode.data = value === null ? null : Buffer.from(value);
    znode.version++;
    for (const watcher of this.#watchers.get(path) ?? []) {
      watcher({ type: 'nodeDataChanged', path, zxid: 7n });
    }
    this.#watchers.delete(path);
    return this.#stat(path);
  };

  getAcl: ShellClient['getAcl'] = async (path) => {
    return { acl: this.#znode(path).acl, stat: this.#stat(path) };
  };

  setAcl: ShellClient['setAcl'] = async (path, acl, options) => {
    const znode = this.#check(path, options?.version, 'aversion');
    znode.acl = acl;
    znode.aversion++;
    return this.#stat(path);
  };

  getChildren: ShellClient['getChildren'] = async (path, options) => {
    this.#znode(path);
    this.#watch(path, options?.watch);
    return this.#childNames(path).reverse();
  };

  getChildrenWithStat: ShellClient['getChildrenWithStat'] = async (path, options) => {
    return { children: await this.getChildren(path, options), stat: this.#stat(path) };
  };

  getAllChildrenNumber: ShellClient['getAllChildrenNumber'] = async (path) => {
    this.#znode(path);
    return this.paths.filter((each) => each.startsWith(`${path}/`)).length;
  };

  getEphemerals: ShellClient['getEphemerals'] = async (prefix) => {
    const start = prefix ?? '/';
    return this.paths.filter((each) => each.startsWith(start) && this.#tree.get(each)?.ephemeral);
  };

  getConfig: ShellClient['getConfig'] = async (options) =>
    this.getData('/zookeeper/config', options);

  multi: ShellClient['multi'] = async (operations) => {
    this.calls.push(`multi of ${operations.length}`);
    for (const { path } of operations) await this.delete(path);
    return operations.map(() => ({ op: 'delete' as const }));
  };

  sync: ShellClient['sync'] = async (path) => this.#failIfTold(path ?? '/');

  addAuth: ShellClient['addAuth'] = async (scheme, auth) => {
    this.calls.push(`addAuth ${scheme} ${String(auth)}`);
  };

  whoAmI: ShellClient['whoAmI'] = async () => [{ scheme: 'ip', user: '127.0.0.1' }];

  addWatch: ShellClient['addWatch'] = async (path, watcher, options) => {
    this.calls.push(`addWatch ${path} ${options?.mode}`);
    this.#watch(path, watcher);
  };

  removeWatches: ShellClient['removeWatches'] = async (path, options) => {
    this.#failIfTold(path);
    this.calls.push(`removeWatches ${path} ${options?.type} local=${options?.local}`);
  };

  reconfig: ShellClient['reconfig'] = async (change) => {
    this.#failIfTold('');
    this.calls.push(
      `reconfig ${JSON.stringify({ ...change, fromConfig: String(change.fromConfig) })}`,
    );
    return { data: Buffer.from('version=5'), stat: this.#stat('/') };
  };

  #failIfTold(path: string): void {
    const code = this.nextFailure;
    this.nextFailure = undefined;
    if (code !== undefined) throw errorOf(code, { path });
  }

  #znode(path: string): Znode {
    this.#failIfTold(path);
    const znode = this.#tree.get(path);
    if (znode === undefined) throw errorOf(ErrorCode.noNode, { path });
    return znode;
  }

  #check(path: string, version: number | undefined, counter: 'version' | 'aversion'): Znode {
    const znode = this.#znode(path);
    if (version !== undefined && version !== -1 && version !== znode[counter]) {
      throw errorOf(ErrorCode.badVersion, { path });
    }
    return znode;
  }

  #childNames(path: string): string[] {
    const prefix = path === '/' ? '/' : `${path}/`;
    return this.paths
      .filter((each) => each.startsWith(prefix) && each !== prefix)
      .map((each) => each.slice(prefix.length))
      .filter((name) => !name.includes('/'));
  }

  #watch(path: string, watcher: Watcher | undefined): void {
    if (watcher === undefined) return;
    const watchers = this.#watchers.get(path) ?? new Set();
    this.#watchers.set(path, watchers.add(watcher));
  }

  #stat(path: string): Stat {
    const { data, version, aversion, ephemeral } = this.#tree.get(path) as Znode;
    const writer = new JuteWriter();
    writeStat(writer, {
      czxid: asZxid(1),
      mzxid: asZxid(0x2a),
      ctime: 0,
      mtime: 0,
      version,
      cversion: 0,
      aversion,
      ephemeralOwnerHi: ephemeral ? 0x100 : 0,
      ephemeralOwnerLo: 0,
      dataLength: data?.length ?? 0,
      numChildren: this.#childNames(path).length,
      pzxid: asZxid(1),
    });
    return new Stat(writer.toBytes(), 0);
  }
}

/** The state of a client that a server serves. */
export const connectedState: ConnectionState = {
  status: 'connected',
  sessionId: 1n,
  sessionTimeoutMs: 30_000,
  server: '127.0.0.1:2181',
  resumed: false,
};

function newZnode(data: Uint8Array | null): Znode {
  return { data, acl: openAcl, version: 0, aversion: 0, ephemeral: false };
}
