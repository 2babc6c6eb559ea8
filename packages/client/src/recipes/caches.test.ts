import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome, stateOf } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import type { CacheChange, WatchMethod } from './cached-znodes.ts';
import type { ZnodeCache } from './caches.ts';
import { ChildrenCache } from './children-cache.ts';
import { NodeCache } from './node-cache.ts';
import { TreeCache } from './tree-cache.ts';

/** The changes of a cache in short, as they come. */
function follow(cache: ZnodeCache): { readonly seen: string[]; readonly done: Promise<void> } {
  const seen: string[] = [];
  const done = (async () => {
    for await (const change of cache.changes()) seen.push(short(change));
  })();
  return { seen, done };
}

function short(change: CacheChange): string {
  if (!('node' in change)) return change.type;
  const data = Buffer.from(change.node.data ?? []).toString();
  return `${change.type} ${change.node.path}${data === '' ? '' : ` ${data}`}`;
}

async function makeTree(zk: ZooKeeper): Promise<void> {
  for (const path of ['/t', '/t/a', '/t/b', '/t/a/x']) await zk.create(path, path.slice(-1));
}

const methods: WatchMethod[] = ['recursive', 'oneShot'];

for (const watches of methods) {
  test(`a tree is filled and followed (${watches})`, async () => {
    const server = new ModelServer();
    const [zk, other] = [await server.client(), await server.client()];
    await makeTree(other);
    const cache = await TreeCache.start(zk, '/t', { watches });
    assert.equal(cache.size, 4);
    assert.deepEqual(cache.children('/t'), ['a', 'b']);
    const { seen, done } = follow(cache);
    await server.pass(0);
    seen.length = 0;
    await other.create('/t/c', 'new');
    await server.pass(0);
    await other.setData('/t/a/x', 'set');
    await server.pass(0);
    await other.delete('/t/b');
    await server.pass(0);
    assert.deepEqual(
      seen.filter((one) => one !== 'inStep'),
      ['added /t/c new', 'changed /t/a/x set', 'removed /t/b b'],
    );
    assert.equal(cache.isInStep, true);
    await cache.close();
    await done;
    if (watches === 'recursive') assert.equal(server.watches, 0);
  });

  test(`what happens while the connection is lost is found afterwards (${watches})`, async () => {
    const server = new ModelServer();
    const [zk, other] = [await server.client(), await server.client()];
    await makeTree(other);
    const cache = await TreeCache.start(zk, '/t', { watches });
    const { seen } = follow(cache);
    await server.pass(0);
    seen.length = 0;
    await server.disconnect(zk);
    assert.equal(cache.isInStep, false);
    const waiting = cache.snapshot();
    await other.delete('/t/a/x');
    await other.delete('/t/a');
    await other.create('/t/a', 'again');
    await other.create('/t/a/y', 'y');
    await other.setData('/t/b', 'B');
    await server.pass(2000);
    assert.equal(stateOf(zk).status, 'connected');
    const { nodes, zxid } = await waiting;
    assert.deepEqual([...nodes.keys()].sort(), ['/t', '/t/a', '/t/a/y', '/t/b']);
    assert.equal(zxid, BigInt(server.tree.zxid));
    if (watches === 'recursive') assert.equal(seen[0], 'missed');
    assert.equal(seen.at(-1), 'inStep');
    assert.ok(seen.includes('changed /t/b B'));
    assert.ok(seen.indexOf('removed /t/a a') < seen.indexOf('added /t/a again'));
    assert.equal(cache.isInStep, true);
    await cache.close();
  });

  test(`a tree that comes, goes and comes again (${watches})`, async () => {
    const server = new ModelServer();
    const [zk, other] = [await server.client(), await server.client()];
    const cache = await TreeCache.start(zk, '/t', { watches });
    assert.equal(cache.size, 0);
    for (let round = 0; round < 2; round++) {
      await makeTree(other);
      await server.pass(0);
      assert.equal(cache.size, 4);
      for (const path of ['/t/a/x', '/t/a', '/t/b', '/t']) await other.delete(path);
      await server.pass(0);
      assert.equal(cache.size, 0);
    }
    await cache.close();
  });

  test(`random changes and lost connections: the copy ends up equal (${watches})`, async () => {
    const server = new ModelServer();
    const [zk, other] = [await server.client(), await server.client()];
    await other.create('/t');
    const cache = await TreeCache.start(zk, '/t', { watches });
    const { random } = server.ports();
    for (let step = 0; step < 300; step++) {
      const path = ['/t', '/t/a', '/t/b', '/t/a/x', '/t/a/y', '/t/b/z'][random.below(6)] as string;
      const change = [
        () => other.create(path, `${step}`),
        () => other.setData(path, `${step}`),
        () => other.delete(path),
      ][random.below(3)];
      const changing = outcome(change?.() ?? Promise.resolve());
      if (random.below(3) === 0) await changing;
      if (random.below(20) === 0) await server.disconnect(zk);
      if (random.below(20) === 0) await server.pass(1500);
    }
    await server.pass(3000);
    const { nodes } = await cache.snapshot();
    const expected = [...server.tree.nodes].filter(([path]) => path.startsWith('/t'));
    const text = (data: Uint8Array | null): string => Buffer.from(data ?? []).toString();
    assert.deepEqual(
      Object.fromEntries([...nodes.values()].map(({ path, data }) => [path, text(data)])),
      Object.fromEntries(expected.map(([path, { data }]) => [path, text(data)])),
    );
    for (const [path, { children }] of expected) {
      assert.deepEqual(cache.children(path), [...children].sort());
    }
    await cache.close();
  });
}

test('a server without addWatch is watched by one-shot watches', async () => {
  const server = new ModelServer();
  server.unknown.add(OpCode.addWatch);
  const zk = await server.client();
  await makeTree(zk);
  const cache = await TreeCache.start(zk, '/t');
  assert.equal(cache.size, 4);
  await zk.setData('/t/a/x', 'set');
  await server.pass(0);
  assert.equal(Buffer.from(cache.get('/t/a/x')?.data ?? []).toString(), 'set');
  assert.equal(
    await outcome(TreeCache.start(zk, '/t', { watches: 'recursive' })),
    'UnimplementedError',
  );
});

test('children: nothing from below them', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await makeTree(zk);
  const cache = await ChildrenCache.start(zk, '/t');
  assert.deepEqual(
    cache.all().map(({ path }) => path),
    ['/t/a', '/t/b'],
  );
  await zk.create('/t/a/deep');
  await zk.create('/t/c');
  await server.pass(0);
  assert.deepEqual(
    cache.all().map(({ path }) => path),
    ['/t/a', '/t/b', '/t/c'],
  );
  assert.equal(cache.size, 4);
  await cache.close();
});

test('one node: created, changed, deleted', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const cache = await NodeCache.start(zk, '/n');
  assert.equal(cache.current, null);
  const { seen, done } = follow(cache);
  await zk.create('/n', '1');
  await server.pass(0);
  await zk.setData('/n', '2');
  await server.pass(0);
  await zk.delete('/n');
  await server.pass(0);
  await zk.create('/n', '3');
  await server.pass(0);
  assert.deepEqual(
    seen.filter((one) => one !== 'inStep'),
    ['added /n 1', 'changed /n 2', 'removed /n 2', 'added /n 3'],
  );
  await cache.close();
  await done;
});

test('a slow reader is told that it missed something', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/n');
  const cache = await NodeCache.start(zk, '/n');
  const changes = cache.changes({ lagMax: 3, initial: false });
  const first = changes.next();
  for (let round = 0; round < 5; round++) {
    await zk.setData('/n', `${round}`);
    await server.pass(0);
  }
  assert.equal(short((await first).value as CacheChange), 'changed /n 0');
  assert.equal(short((await changes.next()).value as CacheChange), 'missed');
  await cache.close();
});

test('the end of the session ends the cache', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const cache = await TreeCache.start(zk, '/');
  const { done } = follow(cache);
  const ended = outcome(done);
  await server.expire(zk);
  await server.pass(3000);
  assert.equal(await ended, 'SessionExpiredError');
  assert.equal(await outcome(cache.snapshot()), 'SessionExpiredError');
  assert.equal(cache.size, 1);
});

test('a fill that is given up leaves no watch', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const controller = new AbortController();
  const starting = outcome(TreeCache.start(zk, '/', { signal: controller.signal }));
  controller.abort(new RangeError('enough'));
  assert.equal(await starting, 'RangeError');
});

test('a snapshot names a transaction that is not older than what it shows', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  await other.create('/tree');
  await other.create('/tree/a');
  const cache = await TreeCache.start(zk, '/tree');
  await other.delete('/tree/a');
  await server.pass(0);
  const { nodes, zxid } = await cache.snapshot();
  assert.deepEqual([...nodes.keys()], ['/tree']);
  assert.ok(zxid >= other.lastZxid, `${zxid}, deleted by ${other.lastZxid}`);
  await cache.close();
});

test('a znode that was replaced while its change was read is watched with its children', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  for (const path of ['/t', '/t/a']) await other.create(path);
  const cache = await TreeCache.start(zk, '/t', { watches: 'oneShot' });
  await Promise.all([
    other.setData('/t/a', 'changed'),
    other.delete('/t/a'),
    other.create('/t/a', 'another'),
  ]);
  await server.pass(0);
  await other.create('/t/a/x');
  await server.pass(0);
  assert.deepEqual(cache.children('/t/a'), ['x']);
  await cache.close();
});

test('what is new below a znode that was replaced is not told as removed', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  for (const path of ['/t', '/t/a']) await other.create(path, 'old');
  const cache = await TreeCache.start(zk, '/t', { watches: 'oneShot' });
  const { seen } = follow(cache);
  await server.pass(0);
  seen.length = 0;
  server.loseNext(OpCode.getData, 'reply');
  await other.setData('/t/a', 'unread');
  await server.pass(0);
  for (const path of ['/t/a', '/t']) await other.delete(path);
  for (const path of ['/t', '/t/a']) await other.create(path, 'new');
  await server.pass(2000);
  assert.deepEqual(
    seen.filter((one) => one !== 'inStep'),
    ['removed /t/a old', 'added /t/a new', 'removed /t old', 'added /t new'],
  );
  await cache.close();
});
