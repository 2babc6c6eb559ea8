import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { Barrier } from './barrier.ts';
import { DoubleBarrier } from './double-barrier.ts';
import { GroupMember } from './group-member.ts';
import { PersistentNode } from './persistent-node.ts';

test('a barrier holds all until it is removed', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const barrier = new Barrier(one, '/barriers/b');
  await barrier.wait();
  await barrier.set();
  await barrier.set();
  let passed = false;
  const waiting = new Barrier(two, '/barriers/b').wait().then(() => {
    passed = true;
  });
  const late = outcome(new Barrier(two, '/barriers/b').wait({ timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await late, 'WaitTimeoutError');
  await two.setData('/barriers/b', 'changed');
  await server.pass(0);
  assert.equal(passed, false);
  await barrier.remove();
  await barrier.remove();
  await waiting;
  await server.pass(0);
  assert.equal(server.watches, 0);
});

test('all enter together and leave together', async () => {
  const server = new ModelServer();
  const clients = await Promise.all([1, 2, 3].map(() => server.client()));
  const steps: string[] = [];
  const members = clients.map((zk) => new DoubleBarrier(zk, '/d', { membersMin: 3 }));
  const entering = members.map(async (member, index) => {
    if (index === 2) await server.pass(100);
    steps.push('in');
    await member.enter();
    steps.push('entered');
  });
  await Promise.all(entering);
  assert.deepEqual(steps, ['in', 'in', 'in', 'entered', 'entered', 'entered']);
  let left = 0;
  const leaving = members.slice(0, 2).map((member) => member.leave().then(() => left++));
  await server.pass(100);
  assert.equal(left, 0);
  await members[2]?.leave();
  await Promise.all(leaving);
  assert.deepEqual(server.children('/d'), []);
});

test('a member that dies inside has left; one that gives up has not entered', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const members = [one, two].map((zk) => new DoubleBarrier(zk, '/d', { membersMin: 2 }));
  const late = outcome(members[0]?.enter({ timeoutMs: 100 }) ?? Promise.resolve());
  await server.pass(100);
  assert.equal(await late, 'WaitTimeoutError');
  await server.pass(0);
  assert.deepEqual(server.children('/d'), []);
  const again = [one, two].map((zk) => new DoubleBarrier(zk, '/d', { membersMin: 2 }));
  await Promise.all(again.map((member) => member.enter()));
  const leaving = again[0]?.leave();
  await server.pass(0);
  await server.expire(two);
  await leaving;
  assert.deepEqual(server.children('/d'), []);
  assert.throws(() => new DoubleBarrier(one, '/d', { membersMin: 0 }), /current value is 0/);
});

test('a persistent node is made again, with its data', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  const node = await PersistentNode.start(zk, '/here/me', 'one');
  await server.remove('/here/me');
  await server.pass(0);
  assert.equal(server.tree.get('/here/me').owner, zk.sessionId);
  await other.setData('/here/me', 'spoiled');
  await server.pass(0);
  assert.equal(Buffer.from(server.tree.get('/here/me').data ?? []).toString(), 'one');
  await node.setData('two');
  await server.remove('/here/me');
  await server.pass(0);
  assert.equal(Buffer.from(server.tree.get('/here/me').data ?? []).toString(), 'two');
  await server.disconnect(zk);
  await server.remove('/here/me');
  await server.pass(3000);
  assert.deepEqual(server.children('/here'), ['me']);
  await node.close();
  assert.deepEqual(server.children('/here'), []);
  assert.equal(node.failed.aborted, false);
});

test("somebody else's znode must go first", async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  await other.create('/me', 'theirs', { mode: 'ephemeral' });
  assert.equal(
    await Promise.race([
      outcome(PersistentNode.start(zk, '/me', 'ours', { timeoutMs: 100 })),
      server.pass(200).then(() => 'nothing'),
    ]),
    'WaitTimeoutError',
  );
  const starting = PersistentNode.start(zk, '/me', 'ours');
  await server.pass(0);
  await other.close();
  const node = await starting;
  assert.equal(server.tree.get('/me').owner, zk.sessionId);
  await server.expire(zk);
  await server.pass(3000);
  assert.equal(node.failed.aborted, true);
  await node.close();
});

test('members of a group see each other come and go', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const first = await GroupMember.join(one, '/g', 'first', { data: '1' });
  const seen: string[] = [];
  const following = (async () => {
    for await (const members of first.changes()) seen.push([...members.keys()].join());
  })();
  const second = await GroupMember.join(two, '/g', 'second', { data: '2' });
  await server.pass(0);
  assert.equal(Buffer.from(first.members.get('second') ?? []).toString(), '2');
  await second.setData('22');
  await server.pass(0);
  assert.equal(Buffer.from(first.members.get('second') ?? []).toString(), '22');
  await second.close();
  await server.pass(0);
  await first.close();
  await following;
  assert.deepEqual([...new Set(seen)], ['first', 'first,second']);
  assert.equal(seen.at(-1), 'first');
  assert.deepEqual(server.children('/g'), []);
});

test("a persistent node deleted twice, for a lost answer, leaves somebody else's alone", async () => {
  const server = new ModelServer();
  const [one, two] = await Promise.all([1, 2].map(() => server.client()));
  assert.ok(one && two);
  const mine = await PersistentNode.start(one, '/here', 'mine');
  const waiting = PersistentNode.start(two, '/here', 'theirs');
  server.loseNext(OpCode.delete, 'reply');
  const closed = mine.close();
  const theirs = await waiting;
  const made = await two.exists('/here');
  await server.pass(3000);
  await closed;
  assert.equal((await two.exists('/here'))?.czxid, made?.czxid);
  await theirs.close();
});

test('a barrier is not called removed when the session has ended', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const barrier = new Barrier(zk, '/barrier');
  await barrier.set();
  await server.expire(zk);
  const removed = outcome(barrier.remove());
  await server.pass(3000);
  assert.equal(await removed, 'SessionExpiredError');
});

test('one who enters while the last one leaves is waited for', async () => {
  const server = new ModelServer();
  const [one, two] = await Promise.all([1, 2].map(() => server.client()));
  assert.ok(one && two);
  const [first, late] = [one, two].map((zk) => new DoubleBarrier(zk, '/round', { membersMin: 1 }));
  assert.ok(first && late);
  await first.enter();
  let isOut = false;
  const leaving = first.leave().then(() => {
    isOut = true;
  });
  await late.enter();
  await server.pass(100);
  assert.equal(isOut, false);
  await late.leave();
  await leaving;
});
