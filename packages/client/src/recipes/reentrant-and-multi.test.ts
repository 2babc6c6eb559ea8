import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { MultiLock } from './multi-lock.ts';
import { Mutex } from './mutex.ts';
import { ReentrantMutex } from './reentrant-mutex.ts';

test('an owner enters again at once, another waits until it has left as often', async () => {
  const server = new ModelServer();
  const mutex = new ReentrantMutex(await server.client(), '/m');
  const [me, you] = [{}, {}];
  const outer = await mutex.acquire({ owner: me });
  const inner = await mutex.acquire({ owner: me });
  assert.equal(inner.token, outer.token);
  let entered = false;
  const other = mutex.acquire({ owner: you }).then((lock) => {
    entered = true;
    return lock;
  });
  await outer.release();
  await outer.release();
  await server.pass(0);
  assert.deepEqual([outer.isHeld, inner.isHeld, entered], [false, true, false]);
  await inner.release();
  const lock = await other;
  assert.ok(lock.token > outer.token);
  await lock.release();
  assert.deepEqual(server.children('/m'), []);
});

test('an owner that gives up leaves the line, unless another call of it waits on', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const mutex = new ReentrantMutex(zk, '/m');
  const holder = await new Mutex(zk, '/m').acquire();
  const owner = {};
  const patient = mutex.acquire({ owner });
  const hasty = outcome(mutex.acquire({ owner, timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await hasty, 'WaitTimeoutError');
  assert.equal(server.children('/m').length, 2);
  await holder.release();
  await (await patient).release();
  assert.deepEqual(server.children('/m'), []);
});

test('an owner whose lock was lost stands in line anew', async () => {
  const server = new ModelServer();
  const mutex = new ReentrantMutex(await server.client(), '/m');
  const owner = {};
  const first = await mutex.acquire({ owner });
  await server.remove(first.path);
  const second = await mutex.acquire({ owner });
  assert.ok(second.token > first.token);
  assert.equal(second.isHeld, true);
  await first.release();
  assert.equal(second.isHeld, true);
});

test('several locks: all or none', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const both = new MultiLock(one, [new Mutex(one, '/a'), new Mutex(one, '/b')]);
  const held = await both.acquire();
  assert.equal(held.tokens.length, 2);
  assert.equal(held.isHeld, true);
  const reversed = new MultiLock(two, [new Mutex(two, '/c'), new Mutex(two, '/b')]);
  const late = outcome(reversed.acquire({ timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await late, 'WaitTimeoutError');
  await server.pass(0);
  assert.deepEqual([server.children('/c').length, server.children('/b').length], [0, 1]);
  await server.remove(held.holds[1]?.path ?? '');
  assert.equal(held.lost.aborted, true);
  await held.release();
  assert.deepEqual(server.children('/a'), []);
});
