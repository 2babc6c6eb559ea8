import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import {
  ConnectionLossError,
  connect,
  isFinal,
  NoNodeError,
  SessionExpiredError,
  type ZooKeeper,
} from '@meerkat/client';
import { Mutex } from '@meerkat/client/recipes';
import { TestEnsemble, type TestEnsembleOptions } from './index.ts';

/** An ensemble that ends with the test. */
async function start(t: TestContext, options?: TestEnsembleOptions): Promise<TestEnsemble> {
  const ensemble = await TestEnsemble.start(options);
  t.after(() => ensemble.close());
  return ensemble;
}

/** Resolves when the client has this status. */
async function status(zk: ZooKeeper, wanted: ZooKeeper['state']['status']): Promise<void> {
  for await (const state of zk.states()) {
    if (state.status === wanted) return;
    assert.ok(!isFinal(state), `${state.status} instead of ${wanted}`);
  }
}

async function text(zk: ZooKeeper, path: string): Promise<string> {
  return new TextDecoder().decode((await zk.getData(path)).data);
}

test('one member starts, serves and is gone with the ensemble', async () => {
  const ensemble = await TestEnsemble.start();
  const address = ensemble.connectString;
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  assert.equal(ensemble.members.length, 1);
  const [member] = ensemble.members;
  assert.deepEqual(
    { ...member, state: member?.state, role: member?.role },
    { index: 0, address, dataDirectory: null, state: 'running', role: 'standalone' },
  );
  assert.equal(await ensemble.leader(), member);
  const zk = await ensemble.client();
  await zk.create('/a', 'x');
  assert.equal(await text(zk, '/a'), 'x');
  await ensemble[Symbol.asyncDispose]();
  assert.equal(member?.state, 'killed');
  await assert.rejects(connect(address, { connectTimeoutMs: 1000 }), ConnectionLossError);
});

test('a start takes less than 100 ms', async (t) => {
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const startMs = performance.now();
    const ensemble = await start(t);
    tookMs.push(performance.now() - startMs);
    assert.equal(ensemble.members[0]?.state, 'running');
  }
  // The quickest: others use this machine too.
  assert.ok(Math.min(...tookMs) < 100, `it took ${tookMs.join(', ')} ms`);
});

for (const options of [
  {},
  { clock: 'manual' },
  { transport: 'memory' },
  { storage: 'directory' },
  { transport: 'memory', storage: 'directory', clock: 'manual' },
] satisfies TestEnsembleOptions[]) {
  test(`writes outlive kill and restart: ${JSON.stringify(options)}`, async (t) => {
    const ensemble = await start(t, options);
    const zk = await ensemble.client();
    const directory = ensemble.members[0]?.dataDirectory;
    await zk.create('/a', '0');
    for (let round = 1; round <= 3; round++) {
      await zk.setData('/a', String(round));
      await ensemble.kill();
      assert.equal(ensemble.members[0]?.state, 'killed');
      assert.equal(ensemble.members[0]?.role, null);
      await status(zk, 'disconnected');
      await ensemble.restart();
      await ensemble.advanceTime(100);
      await status(zk, 'connected');
      assert.equal(await text(zk, '/a'), String(round));
      await ensemble.restart();
      await ensemble.advanceTime(100);
      assert.equal(await text(zk, '/a'), String(round));
    }
    if (options.storage === 'directory') {
      assert.ok(readdirSync(`${directory}/version-2`).some((name) => name.startsWith('log.')));
      await ensemble.close();
      assert.ok(!existsSync(String(directory)));
    } else {
      assert.equal(directory, null);
    }
  });
}

test('expireSession: the ephemerals go, and the client has learned it', async (t) => {
  const ensemble = await start(t);
  const zk = await ensemble.client();
  const other = await ensemble.client();
  await zk.create('/mine', '', { mode: 'ephemeral' });
  const gone = new Promise((resolve) => {
    void other.exists('/mine', { watch: resolve });
  });
  const id = zk.sessionId;
  assert.ok(ensemble.sessions().some((session) => session.id === id && session.member !== null));
  await ensemble.expireSession(zk);
  assert.deepEqual(zk.state, { status: 'expired', by: 'server' });
  await gone;
  assert.equal(await other.exists('/mine'), null);
  await assert.rejects(zk.exists('/'), SessionExpiredError);
  assert.deepEqual(
    ensemble.sessions().map((session) => session.id),
    [other.sessionId],
  );
  await assert.rejects(ensemble.expireSession(id), /Cannot expire session 0x\w+: .*not know it/);
  await ensemble.expireSession(other.sessionId);
  assert.deepEqual(ensemble.sessions(), []);
});

test('expireSession of a client that is cut off does not wait for it', async (t) => {
  const ensemble = await start(t);
  const zk = await ensemble.client();
  ensemble.partition([[0], [zk]]);
  await ensemble.expireSession(zk);
  assert.equal(zk.state.status, 'connected');
  ensemble.heal();
  await assert.rejects(status(zk, 'closed'), /expired instead of closed/);
});

test('advanceTime: who is silent expires, who is connected does not', async (t) => {
  const ensemble = await start(t, { clock: 'manual' });
  const silent = await ensemble.client({ sessionTimeoutMs: 10_000 });
  const alive = await ensemble.client({ sessionTimeoutMs: 10_000 });
  const foreign = await connect(ensemble.connectString, { sessionTimeoutMs: 10_000 });
  t.after(() => foreign.close());
  for (const [path, zk] of Object.entries({
    '/silent': silent,
    '/alive': alive,
    '/foreign': foreign,
  })) {
    await zk.create(path, '', { mode: 'ephemeral' });
  }
  ensemble.partition([[0], [silent]]);
  await ensemble.advanceTime(7_000);
  assert.equal(silent.state.status, 'disconnected');
  assert.notEqual(await alive.exists('/silent'), null);
  const beforeMs = ensemble.nowMs;
  await ensemble.advanceTime(60_000);
  assert.equal(ensemble.nowMs - beforeMs, 60_000);
  assert.deepEqual(silent.state, { status: 'expired', by: 'client' });
  assert.deepEqual((await alive.getChildren('/')).sort(), ['alive', 'foreign', 'zookeeper']);
  assert.equal(foreign.state.status, 'connected');
  ensemble.partition([[0], ['clients']]);
  await ensemble.advanceTime(15_000);
  ensemble.heal();
  await ensemble.advanceTime(0);
  assert.deepEqual(ensemble.sessions(), []);
});

test('advanceTime: containers and TTL znodes go', async (t) => {
  const ensemble = await start(t);
  const zk = await ensemble.client();
  await zk.create('/container', '', { mode: 'container' });
  await zk.create('/container/child');
  await zk.delete('/container/child');
  await zk.create('/ttl', '', { mode: 'persistentWithTtl', ttlMs: 3_600_000 });
  await ensemble.advanceTime(61_000);
  assert.equal(await zk.exists('/container'), null);
  assert.notEqual(await zk.exists('/ttl'), null);
  await ensemble.advanceTime(2 * 3_600_000);
  assert.equal(await zk.exists('/ttl'), null);
});

test('advanceTime: calls made at once go one after the other; what is no time is refused', async (t) => {
  const ensemble = await start(t, { clock: 'manual' });
  const beforeMs = ensemble.nowMs;
  await Promise.all([ensemble.advanceTime(1000), ensemble.advanceTime(2000)]);
  assert.equal(ensemble.nowMs - beforeMs, 3000);
  for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assert.rejects(ensemble.advanceTime(ms), /Cannot advance time: current value is/);
  }
});

test('advanceTime: a client that is never idle does not hold time up', async (t) => {
  for (const clock of ['manual', 'real'] as const) {
    const ensemble = await start(t, { clock });
    const zk = await ensemble.client();
    let isOver = false;
    const work = (async () => {
      while (!isOver) await zk.setData('/', 'x');
    })();
    await ensemble.advanceTime(5000);
    isOver = true;
    await work;
    assert.equal(zk.state.status, 'connected');
  }
});

test('pause: connections are taken and nothing is answered; resume goes on where it stood', async (t) => {
  const ensemble = await start(t, { clock: 'manual' });
  const zk = await ensemble.client({ sessionTimeoutMs: 10_000 });
  await zk.create('/mine', '', { mode: 'ephemeral' });
  ensemble.pause();
  ensemble.pause();
  assert.equal(ensemble.members[0]?.state, 'paused');
  let isAnswered = false;
  const answer = zk.exists('/mine').finally(() => {
    isAnswered = true;
  });
  await ensemble.advanceTime(5000);
  assert.equal(isAnswered, false);
  assert.equal(zk.state.status, 'connected');
  await assert.rejects(ensemble.expireSession(zk), /no running member decides/);
  ensemble.resume();
  assert.notEqual(await answer, null);
  ensemble.pause();
  await ensemble.advanceTime(8000);
  assert.equal(zk.state.status, 'disconnected');
  ensemble.resume();
  await ensemble.advanceTime(100);
  // A server does not take its own pause for its clients' silence.
  await status(zk, 'connected');
  assert.notEqual(await zk.exists('/mine'), null);
});

test('partition: what is sent across waits until it is healed', async (t) => {
  const ensemble = await start(t, { clock: 'manual' });
  const near = await ensemble.client();
  const far = await ensemble.client();
  ensemble.partition([[0, near], [far]]);
  const write = far.create('/far', 'x');
  await near.create('/near', 'x');
  await ensemble.advanceTime(1000);
  assert.equal(await near.exists('/far'), null);
  let isConnected = false;
  ensemble.partition([[0], ['clients'], [near, 0]]);
  const late = ensemble.client().then((zk) => {
    isConnected = true;
    return zk;
  });
  await ensemble.advanceTime(1000);
  assert.equal(isConnected, false);
  assert.notEqual(await near.exists('/near'), null);
  ensemble.heal();
  assert.equal(await write, '/far');
  await (await late).close();
  assert.throws(() => ensemble.partition([[1]]), /Cannot partition: current value is 1;/);
  assert.throws(() => ensemble.partition([['client' as 'clients']]), /Cannot partition/);
});

test('partition: nobody hears of a kill behind it', async (t) => {
  const ensemble = await start(t, { clock: 'manual' });
  const zk = await ensemble.client({ sessionTimeoutMs: 30_000 });
  ensemble.partition([[0], ['clients']]);
  await ensemble.kill();
  await ensemble.advanceTime(10_000);
  assert.equal(zk.state.status, 'connected');
  ensemble.heal();
  await status(zk, 'disconnected');
  await ensemble.restart();
  await ensemble.advanceTime(1000);
  await status(zk, 'connected');
});

test('disconnectClients: the session goes on', async (t) => {
  const ensemble = await start(t);
  const zk = await ensemble.client();
  await zk.create('/mine', '', { mode: 'ephemeral' });
  const states: string[] = [];
  zk.onState((state) => states.push(state.status));
  ensemble.disconnectClients();
  await status(zk, 'disconnected');
  await status(zk, 'connected');
  assert.notEqual(await zk.exists('/mine'), null);
  assert.deepEqual(states, ['disconnected', 'connected']);
});

test('clients over TCP see the same: kill, restart, expiry, partition', async (t) => {
  const ensemble = await start(t);
  const zk = await connect(ensemble.connectString, { reconnectJitterMs: 0, retryDelayMs: 1 });
  t.after(() => zk.close());
  await zk.create('/a', new Uint8Array(900_000).fill(7));
  for (let i = 0; i < 20; i++) assert.equal((await zk.getData('/a')).data?.length, 900_000);
  const many = await Promise.all(Array.from({ length: 20 }, () => zk.getData('/a')));
  assert.ok(many.every(({ data }) => data?.length === 900_000));
  ensemble.partition([[0], ['clients']]);
  const held = zk.create('/b', new Uint8Array(900_000));
  ensemble.heal();
  assert.equal(await held, '/b');
  await ensemble.kill();
  await status(zk, 'disconnected');
  await ensemble.restart();
  await status(zk, 'connected');
  await ensemble.expireSession(zk);
  await assert.rejects(status(zk, 'closed'), /expired instead of closed/);
});

test('the ports are for connect() as well, and know only their own members', async (t) => {
  const ensemble = await start(t, { transport: 'memory' });
  const zk = await connect(`${ensemble.connectString}/app`, { ports: ensemble.ports });
  t.after(() => zk.close());
  await assert.rejects(zk.create('/a'), NoNodeError);
  const elsewhere = connect('zk1:2181', { ports: ensemble.ports, connectTimeoutMs: 100 });
  await assert.rejects(elsewhere, (error: Error) =>
    /Cannot dial zk1:2181/.test(String(error.cause)),
  );
});

test('a lock is handed over when its holder expires', async (t) => {
  const ensemble = await start(t);
  const one = await ensemble.client();
  const two = await ensemble.client();
  const held = await new Mutex(one, '/lock').acquire();
  const next = new Mutex(two, '/lock').acquire();
  await ensemble.expireSession(one);
  const lock = await next;
  assert.ok(held.lost.aborted);
  assert.ok(lock.token > held.token);
});

test('options and members that cannot be are refused by name', async (t) => {
  const refused: [TestEnsembleOptions, RegExp][] = [
    [{ members: 0 }, /option members: current value is 0; it must be a whole number from 1 to/],
    [{ members: 1.5 }, /option members/],
    [{ members: 10 }, /option members: current value is 10; it must be a whole number/],
    [{ transport: 'udp' as 'tcp' }, /option transport: current value is udp; it must be 'tcp' or/],
    [{ storage: 'disk' as 'memory' }, /option storage/],
    [{ clock: 'fast' as 'real' }, /option clock/],
    [{ tickTimeMs: 0 }, /option tickTimeMs/],
  ];
  for (const [options, message] of refused) {
    await assert.rejects(TestEnsemble.start(options), message);
  }
  const ensemble = await start(t);
  assert.throws(() => ensemble.pause(1), /Cannot pause a member: current value is 1; there are/);
  await ensemble.kill();
  assert.throws(() => ensemble.pause(), /Cannot pause member 0: current value is killed/);
  assert.throws(() => ensemble.resume(0), /Cannot resume member 0: current value is killed/);
  await ensemble.kill();
});

test('close ends clients, and what is asked afterwards', async () => {
  const ensemble = await TestEnsemble.start();
  const zk = await ensemble.client();
  ensemble.pause();
  const failing = assert.rejects(zk.exists('/'), SessionExpiredError);
  await Promise.all([ensemble.close(), ensemble.close()]);
  await failing;
  assert.equal(zk.state.status, 'closed');
  await assert.rejects(ensemble.client(), /Cannot make a client: the ensemble is closed/);
  await assert.rejects(ensemble.restart(), /the ensemble is closed/);
  await assert.rejects(ensemble.advanceTime(1), /the ensemble is closed/);
  assert.throws(() => ensemble.pause(0), /the ensemble is closed/);
});
