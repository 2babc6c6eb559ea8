import assert from 'node:assert/strict';
import {
  leastLoaded,
  type ServiceInstance,
  ServiceProvider,
  ServiceRegistration,
  uriOf,
} from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { javaArguments } from './support/java-programs.ts';
import { Partner } from './support/partner.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* Service discovery: ours with itself on both servers, and ours with Curator's, each finding the other's instances. */

const serverPeers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];
const discoveryPeers: PeerName[] = ['java', 'javac', 'zookeeper.jar', 'curator-x-discovery'];

/** Waits until a provider knows instances with exactly these ids. */
async function untilKnown(provider: ServiceProvider, ...ids: string[]): Promise<ServiceInstance[]> {
  const signal = AbortSignal.timeout(20_000);
  for await (const instances of provider.cache.changes({ signal })) {
    if (instances.map(({ id }) => id).join() === ids.join()) return instances;
  }
  assert.fail(`the instances did not come to be ${ids.join()}`);
}

peerTest('service discovery: three instances, one dies, one is unhealthy', serverPeers, () =>
  withServer({}, (server) =>
    withClients(server, 4, async (...clients) => {
      const [zk, ...owners] = clients;
      assert.ok(zk);
      let isFit = true;
      const registrations = await Promise.all(
        owners.map((owner, index) =>
          ServiceRegistration.start(
            owner,
            '/services',
            { name: 'web', id: `${index}`, address: '127.0.0.1', port: 8000 + index },
            { health: { check: () => index !== 2 || isFit, intervalMs: 60_000 } },
          ),
        ),
      );
      const strategy = leastLoaded();
      const provider = await ServiceProvider.start(zk, '/services', 'web', { strategy });
      await untilKnown(provider, '0', '1', '2');
      const used = new Set<string>();
      const gate: { open: () => void } = { open: () => {} };
      const opened = new Promise<void>((resolve) => {
        gate.open = resolve;
      });
      const calls = [0, 1, 2].map(() =>
        provider.use(async (instance) => {
          used.add(uriOf(instance));
          await opened;
        }),
      );
      assert.deepEqual(
        [...used].sort(),
        [0, 1, 2].map((index) => `http://127.0.0.1:800${index}`),
      );
      gate.open();
      await Promise.all(calls);
      await owners[0]?.close();
      await untilKnown(provider, '1', '2');
      isFit = false;
      await registrations[2]?.checkHealth();
      await untilKnown(provider, '1');
      isFit = true;
      await registrations[2]?.checkHealth();
      await untilKnown(provider, '1', '2');
      await Promise.all(registrations.slice(1).map((registration) => registration.close()));
      await untilKnown(provider);
      await provider.close();
    }),
  ),
);

peerTest('service discovery: with Curator, both ways', discoveryPeers, async () => {
  const args = await javaArguments('CuratorDiscovery', 'curator');
  await withServer({}, (server) =>
    withClients(server, 1, (zk) =>
      Partner.with('java', [...args, server.connectString], async (curator) => {
        const plain = { name: 'web', id: 'a', address: 'ours.example', port: 1 };
        const first = await ServiceRegistration.start(zk, '/services', plain);
        const metadata = { version: '3', nested: { tags: ['x', 1, true, null] } };
        const told = { weight: 2.5, zone: 'eu', metadata, uriSpec: '{scheme}://{address}/{id}' };
        const full = { ...plain, id: 'b', ...told, sslPort: 443, type: 'static' } as const;
        const second = await ServiceRegistration.start(zk, '/services', full);
        assert.equal(await curator.ask('names'), 'web');
        assert.equal(
          await curator.ask('instances', 'web'),
          'a ours.example 1 DYNAMIC null; ' +
            'b ours.example 1 STATIC {weight=2.5, zone=eu, version=3, nested={tags=[x, 1, true, null]}}',
        );
        assert.equal(await curator.ask('uri', 'web', 'b'), 'https://ours.example/b');
        const picked = [await curator.ask('pick', 'web'), await curator.ask('pick', 'web')];
        assert.deepEqual(picked.sort(), ['a', 'b']);
        for (let errors = 0; errors < 2; errors++) await curator.ask('fail', 'web', 'a');
        assert.equal(await curator.ask('pick', 'web'), 'b');

        await curator.ask('register', 'web', 'c', 7, 'weight=4', 'zone=us', 'rack=r1');
        await curator.ask('register', 'web', 'd', 8);
        const provider = await ServiceProvider.start(zk, '/services', 'web', { zone: 'us' });
        const known = await untilKnown(provider, 'a', 'b', 'c', 'd');
        const [c, d] = known.slice(2);
        assert.ok(c !== undefined && d !== undefined);
        assert.deepEqual([c.weight, c.zone, c.metadata], [4, 'us', { rack: 'r1' }]);
        assert.deepEqual([d.weight, d.zone, d.metadata, d.payload], [1, null, {}, null]);
        assert.equal(uriOf(d), 'http://theirs.example:8/d');
        assert.equal(provider.pick()?.id, 'c');
        await curator.ask('unregister', 'c');
        await untilKnown(provider, 'a', 'b', 'd');
        await first.close();
        await second.close();
        await untilKnown(provider, 'd');
        while ((await curator.ask('pick', 'web')) !== 'd') await zk.sync('/services');
        await provider.close();
      }),
    ),
  );
});
