import assert from 'node:assert/strict';
import { connect, NoNodeError } from '@meerkat/client';
import {
  AtomicLong,
  ChildrenCache,
  createProtected,
  DoubleBarrier,
  GroupMember,
  HoldLostError,
  LeaderLatch,
  LeaderSelector,
  MultiLock,
  Mutex,
  NodeCache,
  ReadWriteLock,
  ReentrantMutex,
  Semaphore,
  SharedCount,
  TreeCache,
  WaitTimeoutError,
  WorkQueue,
  type ZnodeCache,
} from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* Our own client's recipes, several clients on one server. */

const peers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

peerTest('locks: one at a time, in order, with growing tokens', peers, () =>
  withServer({}, (server) =>
    withClients(server, 3, async (...clients) => {
      let inside = 0;
      let rounds = 0;
      let last = 0n;
      const work = clients.map(async (zk) => {
        const mutex = new Mutex(zk, '/locks/mutex');
        for (let round = 0; round < 50; round++) {
          const lock = await mutex.acquire({ timeoutMs: 30_000 });
          assert.equal(++inside, 1);
          assert.ok(lock.token > last);
          last = lock.token;
          await zk.getData('/locks/mutex');
          inside--;
          rounds++;
          await lock.release();
        }
      });
      await Promise.all(work);
      assert.equal(rounds, 150);
      assert.deepEqual(await clients[0]?.getChildren('/locks/mutex'), []);
    }),
  ),
);

peerTest('locks: oversold without, exact with a check in the transaction', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      await one.create('/stock', '10');
      const mutex = new Mutex(one, '/lock');
      const lock = await mutex.acquire();
      await assert.rejects(new Mutex(two, '/lock').acquire({ timeoutMs: 50 }), WaitTimeoutError);
      assert.equal(await new Mutex(two, '/lock').tryAcquire(), null);
      await one.multi([lock.check, { op: 'setData', path: '/stock', data: '9' }]);
      await lock.release();
      const late = one.multi([lock.check, { op: 'setData', path: '/stock', data: '8' }]);
      await assert.rejects(late, NoNodeError);
    }),
  ),
);

peerTest('locks: read/write, reentrant, semaphore, several at once', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      const [first, second] = [new ReadWriteLock(one, '/rw'), new ReadWriteLock(two, '/rw')];
      const write = await first.write.acquire();
      const writing = second.write.acquire();
      const read = await write.downgrade();
      assert.equal(await second.read.tryAcquire(), null);
      await read.release();
      await (await writing).release();

      const reentrant = new ReentrantMutex(one, '/reentrant');
      const owner = {};
      const outer = await reentrant.acquire({ owner });
      await (await reentrant.acquire({ owner })).release();
      assert.equal(await new Mutex(two, '/reentrant').tryAcquire(), null);
      await outer.release();
      await (await new Mutex(two, '/reentrant').acquire()).release();

      const leases = await new Semaphore(one, '/semaphore', { leasesMax: 3 }).acquireMany(3);
      const fourth = new Semaphore(two, '/semaphore', { leasesMax: 3 }).acquire();
      await leases[0]?.release();
      await (await fourth).release();

      const both = await new MultiLock(one, [new Mutex(one, '/a'), new Mutex(one, '/b')]).acquire();
      assert.equal(both.isHeld, true);
      assert.equal(await new Mutex(two, '/b').tryAcquire(), null);
      await both.release();
    }),
  ),
);

peerTest('elections: hand-over, and the next one when the leader goes', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      const first = new LeaderLatch(one, '/latch', { id: 'first' });
      const leadership = await first.whenLeader();
      const second = new LeaderLatch(two, '/latch', { id: 'second' });
      while ((await first.candidates()).length < 2) await one.sync('/latch');
      await leadership.release();
      const next = await second.whenLeader();
      assert.ok(next.token > leadership.token);
      await second.close();
      await first.whenLeader();

      const turns: string[] = [];
      const controller = new AbortController();
      const { signal } = controller;
      const run = (id: string, zk: typeof one): Promise<void> =>
        new LeaderSelector(zk, '/selector', { id }).runInTurns(
          async () => {
            turns.push(id);
            if (turns.includes('one') && turns.includes('two')) controller.abort();
          },
          { signal },
        );
      await Promise.all([run('one', one), run('two', two)]);
      assert.ok(turns.includes('one') && turns.includes('two'));
      await first.close();
    }),
  ),
);

peerTest('a restart of the server is survived', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      const lock = await new Mutex(one, '/lock', { lostWhen: 'expired' }).acquire();
      const strict = await new Mutex(one, '/strict').acquire();
      const waiting = new Mutex(two, '/lock').acquire();
      const latch = new LeaderLatch(one, '/latch');
      const before = await latch.whenLeader();
      await server.kill();
      await server.restart();
      await Promise.all([one.connected(), two.connected()]);
      assert.equal(lock.isHeld, true);
      assert.equal(strict.isHeld, false);
      assert.equal((await latch.whenLeader()).token, before.token);
      await Promise.all([lock.release(), strict.release(), latch.close()]);
      await (await waiting).release();
    }),
  ),
);

peerTest('the end of a session gives its locks to the next', peers, () =>
  withServer({}, (server) =>
    withClients(server, 1, async (zk) => {
      const brief = await connect(server.connectString);
      const lock = await new Mutex(brief, '/lock').acquire();
      const waiting = new Mutex(zk, '/lock').acquire();
      await brief.close();
      const next = await waiting;
      assert.ok(lock.lost.reason instanceof HoldLostError);
      assert.ok(next.token > lock.token);
      const path = await createProtected(zk, '/deep/below/job-', 'x', {
        mode: 'persistentSequential',
      });
      assert.match(path, /^\/deep\/below\/_c_[0-9a-f-]{36}-job-0000000000$/);
    }),
  ),
);

peerTest('caches follow, also over a restart of the server', peers, () =>
  withServer({}, (server) =>
    // Up to 3.8 a session's one-shot watch on a path puts out its recursive one there (ZOOKEEPER-4466): two clients.
    withClients(server, 3, async (one, two, three) => {
      for (const path of ['/t', '/t/a', '/t/b', '/t/a/x']) await two.create(path, path);
      const caches = [
        await TreeCache.start(one, '/t'),
        await TreeCache.start(three, '/t', { watches: 'oneShot' }),
      ];
      const children = await ChildrenCache.start(three, '/t');
      const node = await NodeCache.start(three, '/t/a/x');
      await server.kill();
      await server.restart();
      await two.connected();
      await two.delete('/t/b');
      await two.create('/t/c', 'new');
      await two.setData('/t/a/x', 'set');
      for (const cache of caches) {
        await until(cache, () => cache.get('/t/c') !== undefined && !cache.get('/t/b'));
        const { nodes } = await cache.snapshot();
        assert.deepEqual([...nodes.keys()].sort(), ['/t', '/t/a', '/t/a/x', '/t/c']);
      }
      await until(node, () => Buffer.from(node.current?.data ?? []).toString() === 'set');
      await until(children, () => children.children('/t').join() === 'a,c');
      for (const cache of [...caches, children, node]) await cache.close();
    }),
  ),
);

peerTest('a tree cache of many znodes', peers, () =>
  withServer({}, (server) =>
    withClients(server, 1, async (zk) => {
      await zk.create('/t');
      for (let folder = 0; folder < 20; folder++) {
        const names = Array.from({ length: 500 }, (_, index) => `/t/${folder}/${index}`);
        await Promise.all([`/t/${folder}`, ...names].map((path) => zk.create(path, path)));
      }
      const cache = await TreeCache.start(zk, '/t', { timeoutMs: 30_000 });
      assert.equal(cache.size, 1 + 20 + 10_000);
      await cache.close();
    }),
  ),
);

peerTest('counters, groups, barriers and queues', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      const counters = [new AtomicLong(one, '/long'), new AtomicLong(two, '/long')];
      await Promise.all(
        counters.flatMap((counter) => Array.from({ length: 20 }, () => counter.add(1n))),
      );
      assert.equal(await counters[0]?.get(), 40n);

      const count = await SharedCount.start(one, '/count', 1);
      const other = await SharedCount.start(two, '/count', 1);
      assert.equal(await count.trySet(count.current, 2), true);
      for await (const { value } of other.changes()) if (value === 2) break;
      await Promise.all([count.close(), other.close()]);

      const members = [
        await GroupMember.join(one, '/g', 'a'),
        await GroupMember.join(two, '/g', 'b'),
      ];
      for (const member of members) {
        for await (const now of member.changes()) if (now.size === 2) break;
      }
      await one.delete('/g/a');
      await Promise.all(members.map((member) => member.close()));
      assert.deepEqual(await one.getChildren('/g'), []);

      const barriers = [one, two].map((zk) => new DoubleBarrier(zk, '/double', { membersMin: 2 }));
      await Promise.all(barriers.map((barrier) => barrier.enter({ timeoutMs: 20_000 })));
      await Promise.all(barriers.map((barrier) => barrier.leave({ timeoutMs: 20_000 })));

      const options = { lockPath: '/work-locks' };
      const queues = [one, two].map((zk) => new WorkQueue(zk, '/work', options));
      const putting = Array.from({ length: 40 }, (_, index) => queues[index % 2]?.put(`${index}`));
      const controller = new AbortController();
      const { signal } = controller;
      const done: number[] = [];
      const working = queues.map(async (queue) => {
        for await (const work of queue.work({ signal })) {
          await work.done();
          for (const item of work.items) done.push(Number(Buffer.from(item).toString()));
          if (done.length === 40) controller.abort();
        }
      });
      await Promise.all([...putting, ...working]);
      assert.deepEqual(
        done.sort((a, b) => a - b),
        Array.from({ length: 40 }, (_, index) => index),
      );
    }),
  ),
);

/** Waits until a cache is in step and shows what is wanted. */
async function until(cache: ZnodeCache, isWanted: () => boolean): Promise<void> {
  for await (const { type } of cache.changes({ signal: AbortSignal.timeout(20_000) })) {
    if (type === 'inStep' && isWanted()) return;
  }
  assert.fail(`${cache.path} did not come to show what is there`);
}
