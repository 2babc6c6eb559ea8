import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { peerTest } from './support/peers.ts';
import { type ServerUnderTest, withServer } from './support/server-under-test.ts';

/* npm's node-zookeeper-client, the most used client for Node. It speaks the protocol of 3.4 and has callbacks only. */

type Callback = (error: ClientError | null, ...results: never[]) => void;

interface ClientError extends Error {
  getCode(): number;
}

interface ClientStat {
  readonly version: number;
  readonly numChildren: number;
  readonly dataLength: number;
}

interface ClientEvent {
  readonly type: number;
  readonly path: string;
}

type Watcher = (event: ClientEvent) => void;

interface Transaction {
  create(path: string, data: Buffer): Transaction;
  setData(path: string, data: Buffer, version?: number): Transaction;
  check(path: string, version?: number): Transaction;
  remove(path: string, version?: number): Transaction;
  commit(callback: Callback): void;
}

interface Client {
  connect(): void;
  close(): void;
  once(event: string, listener: () => void): void;
  addAuthInfo(scheme: string, auth: Buffer): void;
  getSessionId(): Buffer;
  create(path: string, data: Buffer | null, acls: unknown, mode: number, callback: Callback): void;
  remove(path: string, version: number, callback: Callback): void;
  exists(path: string, watcher: Watcher | null, callback: Callback): void;
  getData(path: string, watcher: Watcher | null, callback: Callback): void;
  setData(path: string, data: Buffer, version: number, callback: Callback): void;
  getChildren(path: string, watcher: Watcher | null, callback: Callback): void;
  getACL(path: string, callback: Callback): void;
  setACL(path: string, acls: unknown, version: number, callback: Callback): void;
  mkdirp(path: string, data: Buffer, callback: Callback): void;
  transaction(): Transaction;
}

interface Library {
  createClient(connectString: string, options: { readonly sessionTimeout: number }): Client;
  readonly CreateMode: Readonly<Record<string, number>>;
  readonly Event: Readonly<Record<string, number>>;
  readonly Exception: Readonly<Record<string, number>>;
  readonly ACL: Readonly<Record<string, unknown>>;
}

const peers = ['node-zookeeper-client'] as const;

peerTest('node-zookeeper-client creates, reads, changes and deletes nodes', peers, () =>
  withClients(async ({ CreateMode, Exception }, client) => {
    const create = (path: string, data: string, mode: number): Promise<[string]> =>
      ask((done) => client.create(path, Buffer.from(data), undefined, mode, done));
    assert.deepEqual(await create('/n', 'one', CreateMode.PERSISTENT ?? 0), ['/n']);
    assert.deepEqual(await create('/n/s-', '', CreateMode.EPHEMERAL_SEQUENTIAL ?? 3), [
      '/n/s-0000000000',
    ]);
    await fails(Exception.NODE_EXISTS, create('/n', '', CreateMode.PERSISTENT ?? 0));
    const [data, stat] = await ask<[Buffer, ClientStat]>((done) =>
      client.getData('/n', null, done),
    );
    assert.equal(data.toString(), 'one');
    assert.deepEqual([stat.version, stat.numChildren, stat.dataLength], [0, 1, 3]);
    const [changed] = await ask<[ClientStat]>((done) =>
      client.setData('/n', Buffer.from('two'), 0, done),
    );
    assert.equal(changed.version, 1);
    await fails(
      Exception.BAD_VERSION,
      ask((done) => client.setData('/n', Buffer.from('x'), 0, done)),
    );
    await ask((done) => client.mkdirp('/n/a/b/c', Buffer.from('deep'), done));
    const [children] = await ask<[string[]]>((done) => client.getChildren('/n', null, done));
    assert.deepEqual([...children].sort(), ['a', 's-0000000000']);
    const [absent] = await ask<[ClientStat | null]>((done) => client.exists('/absent', null, done));
    assert.equal(absent ?? null, null);
    await fails(
      Exception.NOT_EMPTY,
      ask((done) => client.remove('/n', -1, done)),
    );
    await ask((done) => client.remove('/n/a/b/c', -1, done));
    await fails(
      Exception.NO_NODE,
      ask((done) => client.remove('/n/a/b/c', -1, done)),
    );
  }),
);

peerTest('node-zookeeper-client is told of changes', peers, () =>
  withClients(async ({ CreateMode, Event }, client, other) => {
    const persistent = CreateMode.PERSISTENT ?? 0;
    const created = watching((watcher, done) => client.exists('/w', watcher, done));
    await created.armed;
    await ask((done) => other.create('/w', Buffer.from('1'), undefined, persistent, done));
    assert.deepEqual(await created.event, { type: Event.NODE_CREATED, path: '/w' });
    const changed = watching((watcher, done) => client.getData('/w', watcher, done));
    await changed.armed;
    await ask((done) => other.setData('/w', Buffer.from('2'), -1, done));
    assert.deepEqual(await changed.event, { type: Event.NODE_DATA_CHANGED, path: '/w' });
    const grown = watching((watcher, done) => client.getChildren('/w', watcher, done));
    await grown.armed;
    await ask((done) => other.create('/w/c', null, undefined, persistent, done));
    assert.deepEqual(await grown.event, { type: Event.NODE_CHILDREN_CHANGED, path: '/w' });
    const deleted = watching((watcher, done) => client.exists('/w/c', watcher, done));
    await deleted.armed;
    await ask((done) => other.remove('/w/c', -1, done));
    assert.deepEqual(await deleted.event, { type: Event.NODE_DELETED, path: '/w/c' });
  }),
);

peerTest('node-zookeeper-client has transactions and ACLs', peers, () =>
  withClients(async ({ CreateMode, Exception, ACL }, client, other) => {
    const one = Buffer.from('1');
    await ask((done) =>
      client.transaction().create('/t', one).setData('/t', one, 0).check('/t', 1).commit(done),
    );
    await fails(
      Exception.NO_NODE,
      ask((done) => client.transaction().create('/t/kept', one).remove('/absent', -1).commit(done)),
    );
    const [kept] = await ask<[ClientStat | null]>((done) => client.exists('/t/kept', null, done));
    assert.equal(kept ?? null, null);
    client.addAuthInfo('digest', Buffer.from('node:secret'));
    const mine = ACL.CREATOR_ALL_ACL;
    await ask((done) => client.create('/mine', one, mine, CreateMode.PERSISTENT ?? 0, done));
    await fails(
      Exception.NO_AUTH,
      ask((done) => other.getData('/mine', null, done)),
    );
    const [acls] = await ask<[{ id: { scheme: string } }[]]>((done) =>
      client.getACL('/mine', done),
    );
    assert.equal(acls[0]?.id.scheme, 'digest');
    await ask((done) => client.setACL('/mine', ACL.OPEN_ACL_UNSAFE, -1, done));
    await ask((done) => other.getData('/mine', null, done));
  }),
);

peerTest('node-zookeeper-client keeps its session over a restart of the server', peers, () =>
  withClients(async ({ CreateMode }, client, other, server) => {
    const ephemeral = CreateMode.EPHEMERAL ?? 1;
    await ask((done) => client.create('/e', Buffer.from('e'), undefined, ephemeral, done));
    const session = client.getSessionId().toString('hex');
    const back = [client, other].map(
      (one) => new Promise<void>((resolve) => one.once('connected', resolve)),
    );
    await server.kill();
    await server.restart();
    await Promise.all(back);
    assert.equal(client.getSessionId().toString('hex'), session);
    const [stat] = await ask<[ClientStat | null]>((done) => other.exists('/e', null, done));
    assert.notEqual(stat ?? null, null);
    client.close();
    await new Promise<void>((resolve) => client.once('disconnected', resolve));
    const [gone] = await ask<[ClientStat | null]>((done) => other.exists('/e', null, done));
    assert.equal(gone ?? null, null);
  }),
);

function withClients(
  use: (library: Library, client: Client, other: Client, server: ServerUnderTest) => Promise<void>,
): Promise<void> {
  const library = createRequire(import.meta.url)('node-zookeeper-client') as Library;
  return withServer({}, async (server) => {
    const clients = await Promise.all([connect(library, server), connect(library, server)]);
    try {
      await use(library, clients[0], clients[1], server);
    } finally {
      for (const client of clients) client.close();
    }
  });
}

function connect(library: Library, server: ServerUnderTest): Promise<Client> {
  const client = library.createClient(server.connectString, { sessionTimeout: 10_000 });
  return new Promise((resolve) => {
    client.once('connected', () => resolve(client));
    client.connect();
  });
}

/** A call with a callback as a promise of its results. */
function ask<T extends unknown[]>(call: (done: Callback) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, ...results) => (error ? reject(error) : resolve(results as unknown[] as T)));
  });
}

/** Sets a watch; `armed` when the server has it, `event` when it fires. */
function watching(call: (watcher: Watcher, done: Callback) => void): {
  readonly armed: Promise<unknown>;
  readonly event: Promise<{ type: number; path: string }>;
} {
  let fire: (event: { type: number; path: string }) => void = () => {};
  const event = new Promise<{ type: number; path: string }>((resolve) => {
    fire = resolve;
  });
  const armed = ask((done) => call(({ type, path }) => fire({ type, path }), done));
  return { armed, event };
}

async function fails(code: number | undefined, call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error: ClientError) => {
    assert.equal(error.getCode(), code);
    return true;
  });
}
