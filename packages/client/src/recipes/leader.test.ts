import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { LeaderLatch } from './leader-latch.ts';
import { LeaderSelector } from './leader-selector.ts';

test('the first candidate leads, the next one after it', async () => {
  const server = new ModelServer();
  const first = new LeaderLatch(await server.client(), '/e', { id: 'first' });
  const one = await first.whenLeader();
  const second = new LeaderLatch(await server.client(), '/e', { id: 'second' });
  await server.pass(0);
  assert.deepEqual([first.isLeader, second.isLeader], [true, false]);
  const candidates = await second.candidates();
  assert.deepEqual(
    candidates.map(({ id, isLeader }) => [id, isLeader]),
    [
      ['first', true],
      ['second', false],
    ],
  );
  assert.match(one.path, /^\/e\/_c_[0-9a-f-]{36}-latch-0000000000$/);
  await first.close();
  const two = await second.whenLeader();
  assert.ok(two.token > one.token);
  assert.equal(one.lost.aborted, false);
  await second.close();
  assert.deepEqual(server.children('/e'), []);
  assert.equal(await outcome(second.whenLeader()), 'HoldLostError');
});

test('a leader that hands over goes to the end of the line', async () => {
  const server = new ModelServer();
  const first = new LeaderLatch(await server.client(), '/e');
  const leadership = await first.whenLeader();
  const second = new LeaderLatch(await server.client(), '/e');
  await server.pass(0);
  await leadership.release();
  await second.whenLeader();
  assert.equal(first.isLeader, false);
  await server.pass(0);
  assert.equal(server.children('/e').length, 2);
  await second.close();
  assert.ok((await first.whenLeader()).token > leadership.token);
  await first.close();
});

test('a lost connection ends the leadership, the same place brings it back', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const latch = new LeaderLatch(zk, '/e');
  const changes: boolean[] = [];
  const watching = (async () => {
    for await (const { leadership } of latch.changes()) changes.push(leadership !== null);
  })();
  const before = await latch.whenLeader();
  await server.disconnect(zk);
  assert.equal(latch.isLeader, false);
  assert.equal(before.lost.aborted, true);
  await server.pass(2000);
  const after = await latch.whenLeader();
  assert.equal(after.token, before.token);
  await latch.close();
  await watching;
  assert.deepEqual(changes, [false, true, false, true, false]);
});

test('a latch whose znode was deleted joins the line again', async () => {
  const server = new ModelServer();
  const latch = new LeaderLatch(await server.client(), '/e');
  const before = await latch.whenLeader();
  await server.remove(before.path);
  await server.pass(0);
  assert.ok((await latch.whenLeader()).token > before.token);
  await latch.close();
});

test('the end of the session is the end of the latch', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const latch = new LeaderLatch(zk, '/e');
  await latch.whenLeader();
  await server.expire(zk);
  await server.pass(3000);
  assert.equal(latch.isLeader, false);
  assert.equal(await outcome(latch.whenLeader()), 'SessionExpiredError');
  await latch.close();
});

test('selectors take turns', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const ran: string[] = [];
  const controller = new AbortController();
  const turns = [one, two].map((zk, index) =>
    new LeaderSelector(zk, '/e', { id: `${index}` }).runInTurns(
      async () => {
        ran.push(`${index}`);
        await server.pass(10);
        if (ran.length === 6) controller.abort();
      },
      { signal: controller.signal },
    ),
  );
  await Promise.all(turns);
  assert.deepEqual(ran, ['0', '1', '0', '1', '0', '1']);
  await server.pass(0);
  assert.deepEqual(server.children('/e'), []);
});

test('a job returns its result and passes on its error; the leadership ends either way', async () => {
  const server = new ModelServer();
  const selector = new LeaderSelector(await server.client(), '/e', { id: 'me' });
  const id = await selector.run(async () => (await selector.candidates())[0]?.id);
  assert.equal(id, 'me');
  const failing = selector.run(async () => {
    throw new RangeError('no');
  });
  assert.equal(await outcome(failing), 'RangeError');
  assert.deepEqual(server.children('/e'), []);
});

test('a lost leadership that is given back gives the place up, and the latch stands in line again', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const latch = new LeaderLatch(zk, '/e');
  const before = await latch.whenLeader();
  await server.disconnect(zk);
  const releasing = before.release();
  await server.pass(5000);
  await releasing;
  const after = await latch.whenLeader();
  assert.notEqual(after.path, before.path);
  assert.equal(after.isHeld, true);
  assert.deepEqual(
    server.children('/e').map((name) => `/e/${name}`),
    [after.path],
  );
  await latch.close();
});
