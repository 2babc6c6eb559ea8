import assert from 'node:assert/strict';
import type { ZooKeeper } from '@meerkat/client';
import {
  AtomicInteger,
  AtomicLong,
  AtomicValue,
  Barrier,
  DelayQueue,
  DoubleBarrier,
  GroupMember,
  LeaderLatch,
  LeaderSelector,
  Mutex,
  PriorityQueue,
  ReadWriteLock,
  Semaphore,
  SharedCount,
  SimpleQueue,
  type Work,
  WorkQueue,
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

curatorTest('barriers', async ({ zk, curator }) => {
  const barrier = new Barrier(zk, '/barrier');
  await barrier.set();
  assert.equal(await curator.ask('waitOnBarrier', '/barrier', briefMs), 'false');
  const theirs = curator.ask('waitOnBarrier', '/barrier', longMs);
  await barrier.remove();
  assert.equal(await theirs, 'true');
  await curator.ask('setBarrier', '/barrier');
  const ours = barrier.wait({ timeoutMs: longMs });
  await curator.ask('removeBarrier', '/barrier');
  await ours;

  const both = new DoubleBarrier(zk, '/double', { membersMin: 2 });
  const [entered] = await Promise.all([
    curator.ask('enter', '/double', 2, longMs),
    both.enter({ timeoutMs: longMs }),
  ]);
  assert.equal(entered, 'true');
  const [left] = await Promise.all([
    curator.ask('leave', '/double', longMs),
    both.leave({ timeoutMs: longMs }),
  ]);
  assert.equal(left, 'true');
});

curatorTest('a shared count', async ({ zk, curator }) => {
  const count = await SharedCount.start(zk, '/count', 5);
  assert.equal(await curator.ask('count', '/count', 99), '5');
  await curator.ask('setCount', '/count', -7);
  for await (const { value } of count.changes()) if (value === -7) break;
  assert.equal(await count.trySet(count.current, 11), true);
  while ((await curator.ask('count', '/count', 99)) !== '11') await zk.sync('/count');
  await count.close();
});

curatorTest('atomic values', async ({ zk, curator }) => {
  const long = new AtomicLong(zk, '/atomic/long');
  assert.equal((await long.add(40n)).after, 40n);
  assert.equal(await curator.ask('addLong', '/atomic/long', -50), '-10');
  assert.equal(await long.get(), -10n);
  const adding = Promise.all(Array.from({ length: 20 }, () => long.add(1n)));
  for (let round = 0; round < 20; round++) await curator.ask('addLong', '/atomic/long', 1);
  await adding;
  assert.equal(await curator.ask('getLong', '/atomic/long'), '30');
  const integer = new AtomicInteger(zk, '/atomic/integer');
  assert.equal(await curator.ask('addInt', '/atomic/integer', 7), '7');
  assert.deepEqual(await integer.add(-9), { before: 7, after: -2 });
  await new AtomicValue(zk, '/atomic/value').set('one');
  assert.equal(await curator.ask('getValue', '/atomic/value'), 'one');
  assert.equal(await curator.ask('swapValue', '/atomic/value', 'one', 'two'), 'true');
  assert.equal(await new AtomicValue(zk, '/atomic/value').compareAndSet('two', 'three'), true);
});

curatorTest('a group', async ({ zk, curator }) => {
  const ours = await GroupMember.join(zk, '/group', 'ours', { data: '1' });
  await curator.ask('join', '/group', 'theirs', '2');
  for await (const members of ours.changes()) if (members.size === 2) break;
  assert.equal(Buffer.from(ours.members.get('theirs') ?? []).toString(), '2');
  while ((await curator.ask('members', '/group')) !== 'ours=1,theirs=2') await zk.sync('/group');
  await curator.ask('quit', '/group');
  for await (const members of ours.changes()) if (members.size === 1) break;
  await ours.close();
});

curatorTest('queues', async ({ zk, curator }) => {
  const simple = new SimpleQueue(zk, '/simple');
  await simple.put('a');
  assert.equal(await curator.ask('poll', '/simple', longMs), 'a');
  const waiting = simple.take({ timeoutMs: longMs });
  assert.equal(await curator.ask('offer', '/simple', 'b'), 'true');
  assert.equal(Buffer.from(await waiting).toString(), 'b');

  const work = new WorkQueue(zk, '/work', { lockPath: '/work-locks' });
  await curator.ask('put', '/work', 'one');
  await curator.ask('putMany', '/work', 'two', 'three');
  assert.deepEqual(await takeAll(work, 2), ['one', 'two,three']);
  await work.put('four', 'five');
  await curator.ask('consume', '/work', '/work-locks');
  assert.equal(await curator.ask('consumed', '/work', longMs), 'four');
  assert.equal(await curator.ask('consumed', '/work', longMs), 'five');

  const priorities = new PriorityQueue(zk, '/priorities');
  for (const priority of [3, -2, 1]) {
    await curator.ask('putPriority', '/priorities', priority, `theirs${priority}`);
    await priorities.put(priority, `ours${priority}`);
  }
  while ((await zk.getChildren('/priorities')).length < 6) await zk.sync('/priorities');
  assert.deepEqual(
    (await takeAll(priorities, 6)).map((item) => item.replace(/[a-z]+/, '')),
    ['-2', '-2', '1', '1', '3', '3'],
  );
  await priorities.put(7, 'last');
  await curator.ask('consumePriority', '/priorities');
  assert.equal(await curator.ask('consumed', '/priorities', longMs), 'last');

  const delays = new DelayQueue(zk, '/delays');
  await curator.ask('putDelayed', '/delays', 200, 'later');
  await curator.ask('putDelayed', '/delays', 100, 'sooner');
  assert.deepEqual(await takeAll(delays, 2), ['sooner', 'later']);
  await delays.put({ delayMs: 50 }, 'ours');
  await curator.ask('consumeDelayed', '/delays');
  assert.equal(await curator.ask('consumed', '/delays', longMs), 'ours');
});

/** Takes that much work, each within reason, and marks it as done. */
async function takeAll(
  queue: { take(options: { readonly timeoutMs: number }): Promise<Work> },
  count: number,
): Promise<string[]> {
  const taken: string[] = [];
  for (let index = 0; index < count; index++) {
    const work = await queue.take({ timeoutMs: longMs });
    taken.push(work.items.map((item) => Buffer.from(item).toString()).join());
    await work.done();
  }
  return taken;
}
