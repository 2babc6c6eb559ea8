import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from '@meerkat/client';
import { ConfigCenter } from '@meerkat/client/recipes';
import { Told } from '../support/told.ts';
import { expect, withZooKeeper } from '../support/zookeeper.ts';
import { MariadbServer } from './mariadb-server.ts';
import { followSettings, startPage } from './page.ts';
import { PoolHolder } from './pool-holder.ts';
import { type PoolSettings, poolSettings } from './settings.ts';

/*
 * Visitors load a page without a pause while its database settings change: another database and size of the pool, then
 * settings that do not work, then back to the first version. No request fails.
 */

const visitors = 8;

await withZooKeeper(async (connectString, root) => {
  await using database = await MariadbServer.start();
  console.log('MariaDB: one of our own, with the databases blue and green');
  await using zk = await connect(connectString);
  await zk.create(root);
  await zk.create(`${root}/pool`, JSON.stringify(database.settings('blue', 4)));

  const keys = { pool: { schema: poolSettings } };
  await using config = await ConfigCenter.start(zk, root, { keys });
  await using pool = await PoolHolder.start(config.values.pool);
  const page = await startPage(pool);
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/`;

  const stop = new AbortController();
  const changes = new Told<{ settings: PoolSettings; error: Error | null }>();
  const following = followSettings(config, pool, stop.signal, (settings, error) => {
    const what = `${settings.database}, at most ${settings.connectionsMax} connections`;
    console.log(`settings: ${what}: ${error === null ? 'in use' : 'refused by the database'}`);
    changes.tell({ settings, error });
  });

  const seen = new Map<string, number>();
  const loads = new Told<string>();
  let failures = 0;
  const visiting = Array.from({ length: visitors }, async () => {
    while (!stop.signal.aborted) {
      const response = await fetch(url);
      const text = (await response.text()).trim();
      if (!response.ok) failures++;
      seen.set(text, (seen.get(text) ?? 0) + 1);
      loads.tell(text);
    }
  });

  const blue = '<h1>hello from blue</h1>';
  const green = '<h1>hello from green</h1>';
  await loads.until((text) => text === blue);

  // From somewhere else: an operator's own connection.
  await using operatorClient = await connect(connectString);
  await using operator = await ConfigCenter.start(operatorClient, root, { keys });
  await operator.set({ pool: database.settings('green', 8) }, { comment: 'blue is being moved' });
  await loads.until((text) => text === green);

  const wrong = { ...database.settings('blue', 4), password: 'wrong' };
  await operator.set({ pool: wrong });
  const { error } = await changes.until(({ settings }) => settings.password === 'wrong');
  expect(error !== null, 'settings that do not work are refused');

  const refusal = await operator
    .set({ pool: database.settings('blue', 0) })
    .catch((reason: unknown) => reason);
  console.log(`settings: ${(refusal as Error).message}`);
  expect(refusal instanceof Error, 'settings that are not valid are not stored');

  await operator.rollBack('pool', 0);
  await loads.until((text) => text === blue);
  const versions = (await operator.history('pool')).map(({ version }) => version);
  console.log(`settings: rolled back to version 0; kept are ${versions.join(', ')}`);

  stop.abort();
  await Promise.all([following, ...visiting]);
  page.close();
  page.closeAllConnections();
  await once(page, 'close');
  for (const [text, count] of seen) console.log(`${count} visitors saw ${text}`);
  console.log(`${failures} requests failed`);
  expect(failures === 0, 'no request fails');
});
