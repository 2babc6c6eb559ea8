import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ConnectionLossError, connect, type ZooKeeper } from '@meerkat/client';
import { TestEnsemble, type TestEnsembleOptions } from './index.ts';

/** An ensemble that ends with the test. */
async function start(t: TestContext, options: TestEnsembleOptions): Promise<TestEnsemble> {
  const ensemble = await TestEnsemble.start(options);
  t.after(() => ensemble.close());
  return ensemble;
}

async function text(zk: ZooKeeper, path: string): Promise<string> {
  await zk.sync();
  return new TextDecoder().decode((await zk.getData(path)).data ?? undefined);
}

/** What the members are, the leader last. */
function roles(ensemble: TestEnsemble): string[] {
  return ensemble.members.map(({ role }) => role ?? 'none').sort((a, b) => a.localeCompare(b));
}

for (const members of [2, 3, 5]) {
  test(`${members} members elect a leader, and all of them serve`, async (t) => {
    const ensemble = await start(t, { members });
    assert.deepEqual(roles(ensemble), [
      ...new Array<string>(members - 1).fill('follower'),
      'leader',
    ]);
    assert.equal((await ensemble.leader()).role, 'leader');
    for (const [index, { address }] of ensemble.members.entries()) {
      const zk = await connect(address, { ports: ensemble.ports });
      await zk.create(`/from-${index}`);
      const { data } = await zk.getConfig();
      assert.match(new TextDecoder().decode(data ?? undefined), new RegExp(`;${address}\n`));
      assert.equal((await zk.getChildren('/')).length, index + 2);
      await zk.close();
    }
  });
}

for (const clock of ['real', 'manual'] as const) {
  test(`what was acknowledged outlives the leader, clock ${clock}`, async (t) => {
    const ensemble = await start(t, { members: 3, clock });
    const zk = await ensemble.client();
    await zk.create('/a', '0');
    await zk.create('/mine', '', { mode: 'ephemeral' });
    for (let round = 1; round <= 3; round++) {
      await zk.setData('/a', String(round));
      const leader = await ensemble.leader();
      await ensemble.kill(leader);
      const next = await ensemble.leader();
      assert.notEqual(next, leader);
      await ensemble.advanceTime(1000);
      await zk.connected();
      assert.equal(await text(zk, '/a'), String(round));
      await ensemble.restart(leader);
      await ensemble.ready();
      assert.deepEqual(roles(ensemble), ['follower', 'follower', 'leader']);
    }
    assert.notEqual(await zk.exists('/mine'), null);
  });
}

test('a leader that is cut off steps down; the others go on', async (t) => {
  const ensemble = await start(t, { members: 3, clock: 'manual' });
  const { index } = await ensemble.leader();
  const others = [0, 1, 2].filter((each) => each !== index);
  const zk = await connect(others.map((each) => ensemble.members[each]?.address).join(','), {
    ports: ensemble.ports,
    sessionTimeoutMs: 30_000,
  });
  ensemble.partition([[index], others]);
  await ensemble.advanceTime(20_000);
  assert.equal(ensemble.members[index]?.role, null);
  assert.notEqual((await ensemble.leader()).index, index);
  await zk.connected();
  await zk.create('/without', '');
  ensemble.heal();
  await ensemble.ready();
  const late = await connect(String(ensemble.members[index]?.address), { ports: ensemble.ports });
  assert.notEqual(await late.exists('/without'), null);
  await late.close();
  await zk.close();
});

test('without a majority nobody serves, and nothing is lost', async (t) => {
  const ensemble = await start(t, { members: 3, clock: 'manual', storage: 'directory' });
  const zk = await ensemble.client({ sessionTimeoutMs: 60_000, requestTimeoutMs: 5000 });
  await zk.create('/a', 'x');
  const leader = await ensemble.leader();
  for (const member of ensemble.members) if (member !== leader) await ensemble.kill(member);
  await ensemble.advanceTime(15_000);
  assert.deepEqual(roles(ensemble), ['none', 'none', 'none']);
  const writing = assert.rejects(zk.setData('/a', 'y'), ConnectionLossError);
  await ensemble.advanceTime(10_000);
  await writing;
  await assert.rejects(ensemble.leader(), /Cannot find the leader: there is none/);
  await assert.rejects(ensemble.expireSession(zk), /no running member decides/);
  await ensemble.kill(leader);
  for (const member of ensemble.members) await ensemble.restart(member);
  await ensemble.ready();
  const again = await ensemble.client();
  assert.equal(await text(again, '/a'), 'x');
});

test('a member that stands still does not hold up the others', async (t) => {
  const ensemble = await start(t, { members: 3, clock: 'manual' });
  const follower = ensemble.members.find(({ role }) => role === 'follower');
  const leader = await ensemble.leader();
  ensemble.pause(follower);
  const zk = await connect(leader.address, { ports: ensemble.ports });
  await zk.create('/a');
  await ensemble.advanceTime(30_000);
  assert.equal(zk.state.status, 'connected');
  ensemble.resume(follower);
  await ensemble.ready();
  const late = await connect(String(follower?.address), { ports: ensemble.ports });
  assert.notEqual(await late.exists('/a'), null);
  await late.close();
  await zk.close();
});

test('sessions: known wherever they are, expired wherever they are, kept alive wherever they are', async (t) => {
  const ensemble = await start(t, { members: 3 });
  const clients: ZooKeeper[] = [];
  for (const { address } of ensemble.members) {
    const zk = await connect(address, { sessionTimeoutMs: 10_000 });
    t.after(() => zk.close());
    clients.push(zk);
  }
  await ensemble.advanceTime(60_000);
  assert.deepEqual(
    clients.map(({ state }) => state.status),
    ['connected', 'connected', 'connected'],
  );
  for (const [index, zk] of clients.entries()) {
    const session = ensemble.sessions().find(({ id }) => id === zk.sessionId);
    assert.equal(session?.member, ensemble.members[index]);
    await ensemble.expireSession(zk.sessionId);
    assert.ok(ensemble.sessions().every(({ id }) => id !== zk.sessionId));
  }
  const mine = await ensemble.client();
  await ensemble.expireSession(mine);
  assert.deepEqual(mine.state, { status: 'expired', by: 'server' });
});
