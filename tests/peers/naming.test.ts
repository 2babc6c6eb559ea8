import assert from 'node:assert/strict';
import {
  IdSequence,
  NameTakenError,
  NameTree,
  SnowflakeIds,
  WorkerId,
} from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* Ids and names on both servers, several clients at once. */

const peers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

peerTest('naming: every id is given once', peers, () =>
  withServer({}, (server) =>
    withClients(server, 3, async (...clients) => {
      const given = await Promise.all(
        clients.flatMap((zk, index) => {
          const ids = new IdSequence(zk, '/ids/orders', { blockSize: 1 + index * 10 });
          return Array.from({ length: 50 }, () => ids.next());
        }),
      );
      assert.equal(new Set(given).size, 150);

      const makers = await Promise.all(clients.map((zk) => SnowflakeIds.start(zk, '/ids/events')));
      const made = await Promise.all(
        makers.flatMap((ids) => Array.from({ length: 5000 }, () => ids.next())),
      );
      assert.equal(new Set(made).size, 15_000);
      assert.ok(made.every((id) => id > 0n && id < 1n << 63n));
      await Promise.all(makers.map((ids) => ids.close()));
      assert.deepEqual(await clients[0]?.getChildren('/ids/events/workers'), []);
    }),
  ),
);

peerTest('naming: numbers and names pass on with a greater token', peers, () =>
  withServer({}, (server) =>
    withClients(server, 3, async (one, two, three) => {
      const options = { workersMax: 1, timeoutMs: 20_000 };
      const first = await WorkerId.claim(one, '/workers', options);
      const waiting = WorkerId.claim(two, '/workers', options);
      const binding = await new NameTree(one, '/names').bind('eu/berlin/mail', '10.0.0.1');
      const names = new NameTree(three, '/names');
      await assert.rejects(names.bind('eu/berlin/mail', '10.0.0.2'), NameTakenError);
      const nearest = await names.resolveNearest('eu/berlin/mail/inbox');
      assert.equal(Buffer.from(nearest?.value ?? []).toString(), '10.0.0.1');
      await one.close();
      const second = await waiting;
      assert.ok(second.token > first.token);
      await two.multi([second.check]);
      const next = await names.bind('eu/berlin/mail', '10.0.0.2');
      assert.ok(next.token > binding.token);
      await next.unbind();
      assert.equal(await names.resolve('eu/berlin/mail'), null);
      await second.release();
      assert.deepEqual(await three.getChildren('/workers'), []);
    }),
  ),
);
