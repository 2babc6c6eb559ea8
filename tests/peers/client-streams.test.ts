import assert from 'node:assert/strict';
import {
  connect,
  json,
  type WatchNews,
  type WatchStream,
  type WatchStreamMode,
  type ZooKeeper,
} from '@meerkat/client';
import { withClients } from './support/clients.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* What our client adds to the protocol, on a real server: streams of watch events, lists of servers, values, protection. */

const modes: readonly WatchStreamMode[] = ['persistentRecursive', 'persistent', 'data', 'children'];
const peers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

peerTest('streams of every mode hear what happens, and leave no watch behind', peers, () =>
  withServer({}, (server) =>
    // One client for each: servers before 3.9 keep one mode for each path of a connection.
    withClients(server, 5, async (other, ...clients) => {
      await other.create('/w');
      const streams = await Promise.all(
        clients.map((zk, i) => zk.watch('/w', { mode: modes[i] ?? 'data' })),
      );
      for (const change of [
        () => other.setData('/w', 'x'),
        () => other.create('/w/c'),
        () => other.setData('/w/c', 'y'),
        () => other.delete('/w/c'),
        () => other.delete('/w'),
        () => other.create('/w'),
      ]) {
        await change();
        // First the event arrives, then the watch that was set again because of it is in place.
        for (const zk of clients) {
          await zk.sync('/w');
          await zk.exists('/nothing');
        }
      }
      const told = await Promise.all(streams.map(waiting));
      assert.deepEqual(told, [
        [
          'nodeDataChanged /w',
          'nodeCreated /w/c',
          'nodeDataChanged /w/c',
          'nodeDeleted /w/c',
          'nodeDeleted /w',
          'nodeCreated /w',
        ],
        [
          'nodeDataChanged /w',
          'nodeChildrenChanged /w',
          'nodeChildrenChanged /w',
          'nodeDeleted /w',
          'nodeCreated /w',
        ],
        ['nodeDataChanged /w', 'nodeDeleted /w', 'nodeCreated /w'],
        ['nodeChildrenChanged /w', 'nodeChildrenChanged /w', 'nodeDeleted /w', 'nodeCreated /w'],
      ]);
      for (const stream of streams) await stream.close();
      for (const zk of clients) assert.equal(await zk.checkWatches('/w', { type: 'any' }), false);
    }),
  ),
);

peerTest('a stream tells of the gap that a restart of the server leaves', peers, () =>
  withServer({}, (server) =>
    withClients(server, 1, async (zk) => {
      await zk.create('/w');
      const stream = await zk.watch('/w');
      await zk.setData('/w', '1');
      await server.kill();
      await server.restart();
      await zk.connected();
      await zk.setData('/w', '2');
      const told: string[] = [];
      for await (const news of stream) {
        told.push(inShort(news));
        if (told.length === 3) break;
      }
      assert.deepEqual(told, ['nodeDataChanged /w', 'gap reconnected', 'nodeDataChanged /w']);
    }),
  ),
);

peerTest('a session moves to the server of a new list, and no call is lost', peers, () =>
  withServer({}, async (server) => {
    const zk = await connect(server.connectString, { reconnectJitterMs: 0 });
    try {
      const { sessionId } = zk;
      await zk.create('/e', 'x', { mode: 'ephemeral' });
      const calls = Array.from({ length: 500 }, (_, i) => zk.setData('/e', `${i}`));
      // The same server by another name: for a client it is another one.
      assert.equal(zk.updateServerList(`localhost:${server.port}`), true);
      const later = Array.from({ length: 500 }, () => zk.getData('/e'));
      await Promise.all([...calls, ...later]);
      assert.ok(zk.state.status === 'connected');
      assert.equal(zk.state.server, `localhost:${server.port}`);
      assert.equal(zk.sessionId, sessionId);
    } finally {
      await zk.close();
    }
  }),
);

peerTest('values, counted up by several clients at once, and a create with protection', peers, () =>
  withServer({}, (server) =>
    withClients(server, 3, async (...clients) => {
      const counters = clients.map((zk: ZooKeeper) => zk.typed(json<{ n: number }>()));
      await counters[0]?.create('/n', { n: 0 });
      const updates = counters.flatMap((counter) =>
        Array.from({ length: 20 }, () => counter.update('/n', ({ n }) => ({ n: n + 1 }))),
      );
      await Promise.all(updates);
      assert.deepEqual((await counters[0]?.getData('/n'))?.value, { n: 60 });
      const options = { mode: 'ephemeralSequential', protection: true } as const;
      const path = await clients[0]?.create('/job-', 'x', options);
      assert.match(path ?? '', /^\/_c_[0-9a-f-]{36}-job-\d{10}$/);
    }),
  ),
);

/** What waits in a stream, in short. */
async function waiting(stream: WatchStream): Promise<string[]> {
  const told: string[] = [];
  while (stream.waiting > 0) {
    const { value } = await stream.next();
    if (value !== undefined) told.push(inShort(value));
  }
  return told;
}

function inShort(news: WatchNews): string {
  return news.type === 'gap' ? `gap ${news.reason}` : `${news.type} ${news.path}`;
}
