import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { type Loss, ModelServer } from '../testing/model-server.ts';
import { Mutex } from './mutex.ts';

test('one at a time, in order, each with a greater token', async () => {
  const server = new ModelServer();
  const clients = [await server.client(), await server.client(), await server.client()];
  const order: number[] = [];
  const tokens: bigint[] = [];
  let inside = 0;
  const work = clients.map(async (zk, index) => {
    const lock = await new Mutex(zk, '/locks/m').acquire();
    assert.equal(++inside, 1);
    order.push(index);
    tokens.push(lock.token);
    await server.pass(100);
    inside--;
    await lock.release();
  });
  await Promise.all(work);
  assert.deepEqual(order, [0, 1, 2]);
  assert.deepEqual(
    [...tokens].sort((a, b) => (a < b ? -1 : 1)),
    tokens,
  );
  assert.deepEqual(server.children('/locks/m'), []);
  await server.pass(0);
  assert.equal(server.watches, 0);
});

test('a release wakes one contender only', async () => {
  const server = new ModelServer();
  const mutexes = await Promise.all(
    [1, 2, 3, 4].map(async () => new Mutex(await server.client(), '/m')),
  );
  const [first, ...waiting] = mutexes.map((mutex) => mutex.acquire());
  await server.pass(0);
  const lock = await first;
  assert.equal(server.watches, 4 + 3); // its own znode each, and the one before
  const lists = server.handled.get(OpCode.getChildren) ?? 0;
  await lock?.release();
  await (await waiting[0])?.release();
  assert.equal(server.handled.get(OpCode.getChildren), lists + 1);
  for (const next of waiting) await (await next).release();
});

test('the layout is that of Curator', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const lock = await new Mutex(zk, '/m', { data: 'me' }).acquire();
  assert.match(lock.path, /^\/m\/_c_[0-9a-f-]{36}-lock-0000000000$/);
  const [holder] = await new Mutex(zk, '/m').participants();
  assert.deepEqual([holder?.path, Buffer.from(holder?.data ?? []).toString()], [lock.path, 'me']);
});

test('tryAcquire does not wait', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lock = await new Mutex(one, '/m').tryAcquire();
  assert.equal(lock?.isHeld, true);
  assert.equal(await new Mutex(two, '/m').tryAcquire(), null);
  assert.equal(server.children('/m').length, 1);
  await lock?.release();
  assert.equal(lock?.isHeld, false);
  assert.equal(lock?.lost.aborted, false);
});

test('giving up by time or signal leaves the line, and no watch', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lock = await new Mutex(one, '/m').acquire();
  const late = outcome(new Mutex(two, '/m').acquire({ timeoutMs: 500 }));
  await server.pass(500);
  assert.equal(await late, 'WaitTimeoutError');
  const controller = new AbortController();
  const given = outcome(new Mutex(two, '/m').acquire({ signal: controller.signal }));
  await server.pass(0);
  controller.abort(new RangeError('enough'));
  assert.equal(await given, 'RangeError');
  await server.pass(0);
  assert.equal(server.children('/m').length, 1);
  assert.equal(server.watches, 1);
  assert.equal(lock.isHeld, true);
});

test('the lock is lost with the connection, and given back for certain', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lock = await new Mutex(one, '/m').acquire();
  await server.disconnect(one);
  assert.equal(lock.isHeld, false);
  assert.equal((lock.lost.reason as Error).name, 'HoldLostError');
  const next = new Mutex(two, '/m').acquire();
  await server.pass(0);
  assert.equal(server.children('/m').length, 2);
  const released = lock.release();
  await server.pass(2000);
  await released;
  assert.equal((await next).isHeld, true);
});

test('with lostWhen expired a short break is sat out, a long one is not', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const lock = await new Mutex(zk, '/m', { lostWhen: 'expired' }).acquire();
  await server.disconnect(zk);
  await server.pass(2000);
  assert.equal(zk.state.status, 'connected');
  await server.pass(9000);
  assert.equal(lock.isHeld, true);
  server.isDown = true;
  await server.disconnect(zk);
  await server.pass(2999);
  assert.equal(lock.isHeld, true);
  await server.pass(1);
  assert.equal(lock.isHeld, false);
});

test('the lock is lost with the session, and release says nothing of it', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const lock = await new Mutex(zk, '/m', { lostWhen: 'expired' }).acquire();
  await server.expire(zk);
  await server.pass(2000);
  assert.equal(zk.state.status, 'expired');
  assert.equal(lock.lost.aborted, true);
  await lock.release();
});

test('the lock is lost when somebody deletes its znode', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lock = await new Mutex(one, '/m').acquire();
  const waiting = new Mutex(two, '/m').acquire();
  await server.pass(0);
  await server.remove(lock.path);
  assert.equal(lock.lost.aborted, true);
  assert.equal((await waiting).isHeld, true);
});

test('one that waits learns that its znode was deleted', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const lock = await new Mutex(one, '/m').acquire();
  const waiting = outcome(new Mutex(two, '/m').acquire());
  await server.pass(0);
  const [, second] = await new Mutex(one, '/m').participants();
  await server.remove(second?.path ?? '');
  assert.equal(await waiting, 'HoldLostError');
  assert.equal(lock.isHeld, true);
});

test('the check makes a write depend on the lock', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/data', '0');
  const lock = await new Mutex(zk, '/m').acquire();
  await zk.multi([lock.check, { op: 'setData', path: '/data', data: '1' }]);
  await lock.release();
  const late = zk.multi([lock.check, { op: 'setData', path: '/data', data: '2' }]);
  assert.equal(await outcome(late), 'NoNodeError');
  assert.equal(Buffer.from((await zk.getData('/data')).data ?? []).toString(), '1');
});

for (const loss of ['request', 'reply'] satisfies Loss[]) {
  for (const opcode of [
    OpCode.create,
    OpCode.getChildren,
    OpCode.exists,
    OpCode.getData,
    OpCode.delete,
  ]) {
    test(`a lost ${loss} of operation ${opcode} is made up for`, async () => {
      const server = new ModelServer();
      const [one, two] = [await server.client(), await server.client()];
      const first = await new Mutex(one, '/m').acquire();
      server.loseNext(opcode, loss);
      const second = new Mutex(two, '/m').acquire();
      await server.pass(3000);
      const released = first.release();
      await server.pass(3000);
      await released;
      const lock = await second;
      assert.equal(lock.isHeld, true);
      assert.deepEqual(server.children('/m'), [lock.path.slice(3)]);
      await lock.release();
      assert.deepEqual(server.children('/m'), []);
    });
  }
}

test('waits for contenders of kazoo, and stands in its line if asked to', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const kazoo = await new Mutex(zk, '/m', { layout: 'kazoo' }).acquire();
  assert.match(kazoo.path, /^\/m\/[0-9a-f]{32}__lock__0000000000$/);
  assert.equal(await new Mutex(zk, '/m').tryAcquire(), null);
  await kazoo.release();
  assert.notEqual(await new Mutex(zk, '/m').tryAcquire(), null);
});

test('many rounds leave nothing behind', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const mutex = new Mutex(zk, '/m');
  for (let round = 0; round < 200; round++) await (await mutex.acquire()).release();
  const rounds = Array.from({ length: 20 }, async () => {
    for (let round = 0; round < 20; round++) {
      const { signal } = new AbortController();
      await (await mutex.acquire({ signal, timeoutMs: 60_000 })).release();
    }
  });
  await Promise.all(rounds);
  await server.pass(0);
  assert.equal(server.watches, 0);
  assert.ok(server.clock.pending <= 2, 'timers were left');
});
