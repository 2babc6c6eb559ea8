import assert from 'node:assert/strict';
import { join } from 'node:path';
import { connect, fileStore, open } from '@meerkat/client';
import { ConfigCenter, type StandardSchema } from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { temporaryDirectory } from './support/paths.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { defaultTarget, withServer } from './support/server-under-test.ts';

/* The configuration centre on both servers, with a real file to fall back to. */

const peers: PeerName[] = defaultTarget === 'java' ? ['java', 'zookeeper.jar'] : [];

interface Pool {
  readonly host: string;
  readonly connectionsMax: number;
}

const poolSchema: StandardSchema<Pool> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { connectionsMax } = value as Pool;
      if (Number.isInteger(connectionsMax) && connectionsMax > 0) return { value: value as Pool };
      return { issues: [{ message: 'must be above 0', path: ['connectionsMax'] }] };
    },
  },
};

const keys = { pool: { schema: poolSchema } };

peerTest('configuration centre: live, versioned, rolled back', peers, () =>
  withServer({}, (server) =>
    withClients(server, 2, async (one, two) => {
      await one.create('/config');
      await one.create('/config/pool', '{"host":"a","connectionsMax":1}');
      const [reader, writer] = await Promise.all(
        [one, two].map((zk) => ConfigCenter.start(zk, '/config', { keys, historyMax: 5 })),
      );
      assert.ok(reader && writer);
      const seen: string[] = [];
      const signal = AbortSignal.timeout(20_000);
      const following = (async () => {
        for await (const { connectionsMax } of reader.changesOf('pool', { signal })) {
          seen.push(`${connectionsMax}`);
          if (connectionsMax === 5) return;
          await writer.set({ pool: { host: 'a', connectionsMax: connectionsMax + 1 } });
        }
      })();
      await following;
      assert.deepEqual(seen, ['1', '2', '3', '4', '5']);
      await assert.rejects(
        writer.set({ pool: { host: 'a', connectionsMax: 0 } }),
        /connectionsMax: must be above 0/,
      );
      const versions = (await writer.history('pool')).map(({ version }) => version);
      assert.deepEqual(versions, [4, 3, 2, 1, 0]);
      assert.equal(await writer.rollBack('pool', 0), 5);
      for await (const pool of reader.changesOf('pool', { signal })) {
        if (pool.connectionsMax === 1) break;
      }
      await two.setData('/config/pool', '{"connectionsMax":-1}');
      for await (const { problems } of reader.changes({ signal })) if (problems.size > 0) break;
      assert.equal(reader.values.pool.connectionsMax, 1);
      await Promise.all([reader.close(), writer.close()]);
    }),
  ),
);

peerTest('configuration centre: starts from its file while the service is away', peers, () =>
  withServer({}, async (server) => {
    const fallback = fileStore(join(temporaryDirectory('config'), 'pool.json'));
    const first = await connect(server.connectString);
    const before = await ConfigCenter.start(first, '/config', {
      keys: { pool: { ...keys.pool, default: { host: 'b', connectionsMax: 9 } } },
      fallback,
    });
    await before.set({ pool: { host: 'b', connectionsMax: 2 } });
    for await (const pool of before.changesOf('pool')) if (pool.connectionsMax === 2) break;
    await before.close();
    await first.close();
    await server.stop();

    const zk = open(server.connectString);
    const config = await ConfigCenter.start(zk, '/config', { keys, fallback, fallbackAfterMs: 50 });
    assert.equal(config.current.source, 'file');
    assert.deepEqual(config.values.pool, { host: 'b', connectionsMax: 2 });
    await server.restart();
    const signal = AbortSignal.timeout(20_000);
    for await (const { source } of config.changes({ signal })) if (source === 'service') break;
    assert.equal(config.isInStep, true);
    await config.set({ pool: { host: 'c', connectionsMax: 3 } });
    for await (const pool of config.changesOf('pool', { signal })) if (pool.host === 'c') break;
    await config.close();
    await zk.close();
  }),
);
