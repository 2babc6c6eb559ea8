import assert from 'node:assert/strict';
import type { ZooKeeper } from '@meerkat/client';
import {
  LeaderLatch,
  LeaderSelector,
  Mutex,
  ReadWriteLock,
  Semaphore,
} from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { javaArguments } from './support/java-programs.ts';
import { Partner } from './support/partner.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { withServer } from './support/server-under-test.ts';

/* Our recipes and Curator's on the same znodes, each waiting for the other. */

const peers: PeerName[] = ['java', 'javac', 'zookeeper.jar', 'curator'];
const longMs = 20_000;
const briefMs = 100;

interface Shared {
  readonly zk: ZooKeeper;
  readonly curator: Partner;
}

function curatorTest(name: string, use: (shared: Shared) => Promise<void>): void {
  peerTest(`with Curator: ${name}`, peers, async () => {
    const args = await javaArguments('CuratorPartner', 'curator');
    await withServer({}, (server) =>
      withClients(server, 1, (zk) =>
        Partner.with('java', [...args, server.connectString], (curator) => use({ zk, curator })),
      ),
    );
  });
}

curatorTest('a mutex', async ({ zk, curator }) => {
  const mutex = new Mutex(zk, '/mutex');
  const lock = await mutex.acquire();
  assert.equal(await curator.ask('mutex', '/mutex', briefMs), 'false');
  const theirs = curator.ask('mutex', '/mutex', longMs);
  while ((await mutex.participants()).length < 2) await zk.sync('/mutex');
  assert.equal(await mutex.tryAcquire(), null);
  await lock.release();
  assert.equal(await theirs, 'true');
  const ours = mutex.acquire();
  while ((await mutex.participants()).length < 2) await zk.sync('/mutex');
  assert.equal(await curator.ask('participants', '/mutex'), '2');
  assert.equal(await curator.ask('unlock', '/mutex'), 'done');
  const next = await ours;
  assert.ok(next.token > lock.token);
  await next.release();
});

curatorTest('a read/write lock', async ({ zk, curator }) => {
  const lock = new ReadWriteLock(zk, '/rw');
  const reading = await lock.read.acquire();
  assert.equal(await curator.ask('read', '/rw', longMs), 'true');
  assert.equal(await curator.ask('unread', '/rw'), 'done');
  assert.equal(await curator.ask('write', '/rw', briefMs), 'false');
  const theirs = curator.ask('write', '/rw', longMs);
  while ((await lock.read.participants()).length < 2) await zk.sync('/rw');
  assert.equal(await lock.read.tryAcquire(), null);
  await reading.release();
  assert.equal(await theirs, 'true');
  const ours = lock.write.acquire();
  assert.equal(await lock.read.tryAcquire(), null);
  await curator.ask('unwrite', '/rw');
  const writing = await ours;
  assert.equal(await curator.ask('read', '/rw', briefMs), 'false');
  const behind = curator.ask('write', '/rw', longMs);
  while ((await lock.read.participants()).length < 2) await zk.sync('/rw');
  const downgraded = await writing.downgrade();
  assert.equal(downgraded.isHeld, true);
  await downgraded.release();
  assert.equal(await behind, 'true');
});

curatorTest('a semaphore', async ({ zk, curator }) => {
  const semaphore = new Semaphore(zk, '/semaphore', { leasesMax: 2 });
  const leases = await semaphore.acquireMany(2);
  assert.equal(await curator.ask('lease', '/semaphore', 2, briefMs), 'false');
  const theirs = curator.ask('lease', '/semaphore', 2, longMs);
  await leases[0]?.release();
  assert.equal(await theirs, 'true');
  const third = semaphore.acquire({ timeoutMs: longMs });
  await curator.ask('unlease', '/semaphore');
  await (await third).release();
  await leases[1]?.release();
});

curatorTest('a leader latch', async ({ zk, curator }) => {
  const latch = new LeaderLatch(zk, '/latch', { id: 'ours' });
  await latch.whenLeader();
  await curator.ask('latch', '/latch', 'theirs');
  while ((await latch.candidates()).length < 2) await zk.sync('/latch');
  assert.equal(await curator.ask('leads', '/latch', briefMs), 'false');
  assert.equal(await curator.ask('leader', '/latch'), 'ours');
  assert.equal(await curator.ask('candidates', '/latch'), 'ours,theirs');
  await latch.leadership?.release();
  assert.equal(await curator.ask('leads', '/latch', longMs), 'true');
  const [leader] = await latch.candidates();
  assert.equal(leader?.id, 'theirs');
  await curator.ask('unlatch', '/latch');
  await latch.whenLeader({ timeoutMs: longMs });
  await latch.close();
});

curatorTest('a leader selector', async ({ zk, curator }) => {
  const selector = new LeaderSelector(zk, '/selector', { id: 'ours' });
  await selector.run(async () => {
    await curator.ask('select', '/selector', 'theirs');
    while ((await selector.candidates()).length < 2) await zk.sync('/selector');
    assert.equal(await curator.ask('selected', '/selector', briefMs), 'false');
    assert.equal(await curator.ask('selectors', '/selector'), 'ours,theirs');
  });
  assert.equal(await curator.ask('selected', '/selector', longMs), 'true');
  const again = selector.run(async () => 'led');
  await curator.ask('resign', '/selector');
  assert.equal(await again, 'led');
});
