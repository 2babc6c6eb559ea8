import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { Semaphore } from './semaphore.ts';

test('no more leases than there are, in order', async () => {
  const server = new ModelServer();
  const semaphores = await Promise.all(
    [1, 2, 3].map(async () => new Semaphore(await server.client(), '/s', { leasesMax: 2 })),
  );
  const [a, b, c] = semaphores as [Semaphore, Semaphore, Semaphore];
  const [one, two] = [await a.acquire(), await b.acquire()];
  assert.match(one.path, /^\/s\/leases\/_c_[0-9a-f-]{36}-lease-0000000000$/);
  assert.notEqual(one.token, two.token);
  let got = false;
  const third = c.acquire().then((lease) => {
    got = true;
    return lease;
  });
  await server.pass(0);
  assert.equal(got, false);
  assert.equal(server.children('/s/locks').length, 1);
  await two.release();
  const lease = await third;
  assert.equal(server.children('/s/leases').length, 2);
  for (const held of [one, lease]) await held.release();
  await server.pass(0);
  assert.deepEqual([server.children('/s/leases'), server.children('/s/locks')], [[], []]);
  assert.equal(server.watches, 0);
});

test('several at once: all or none', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const first = new Semaphore(one, '/s', { leasesMax: 3 });
  const leases = await first.acquireMany(2);
  assert.equal(leases.length, 2);
  const second = new Semaphore(two, '/s', { leasesMax: 3 });
  const late = outcome(second.acquireMany(2, { timeoutMs: 500 }));
  await server.pass(500);
  assert.equal(await late, 'WaitTimeoutError');
  await server.pass(0);
  assert.equal(server.children('/s/leases').length, 2);
  assert.deepEqual(server.children('/s/locks'), []);
  assert.equal(await outcome(second.acquireMany(4)), 'BadArgumentsError');
});

test('the leases of a session that ends come back', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lease = await new Semaphore(one, '/s', { leasesMax: 1 }).acquire();
  const waiting = new Semaphore(two, '/s', { leasesMax: 1 }).acquire();
  await server.pass(0);
  await server.expire(one);
  assert.equal((await waiting).isHeld, true);
  assert.equal(lease.isHeld, false);
});

test('a number of leases that makes no sense is refused', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  assert.throws(() => new Semaphore(zk, '/s', { leasesMax: 0 }), /current value is 0/);
});
