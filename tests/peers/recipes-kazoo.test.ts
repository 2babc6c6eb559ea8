import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Mutex } from '@meerkat/client/recipes';
import { withClients } from './support/clients.ts';
import { Partner } from './support/partner.ts';
import { programsDirectory } from './support/paths.ts';
import { peerTest, pythonPath } from './support/peers.ts';
import { withServer } from './support/server-under-test.ts';

/* Our mutex and kazoo's lock on the same znodes, each waiting for the other. */

const longMs = 20_000;

for (const layout of ['curator', 'kazoo'] as const) {
  peerTest(`with kazoo: a mutex, laid out as ${layout}`, ['kazoo'], () =>
    withServer({}, (server) =>
      withClients(server, 1, (zk) => {
        const program = join(programsDirectory, 'kazoo_partner.py');
        return Partner.with(pythonPath, [program, server.connectString], async (kazoo) => {
          // Without it kazoo does not know Curator's names.
          const patterns = layout === 'curator' ? ['-lock-'] : [];
          const mutex = new Mutex(zk, '/lock', { layout, data: 'ours' });
          const lock = await mutex.acquire();
          assert.equal(await kazoo.ask('try', '/lock', ...patterns), 'False');
          const theirs = kazoo.ask('lock', '/lock', longMs, ...patterns);
          while ((await mutex.participants()).length < 2) await zk.sync('/lock');
          assert.equal(await mutex.tryAcquire(), null);
          await lock.release();
          assert.equal(await theirs, 'True');
          const ours = mutex.acquire({ timeoutMs: longMs });
          while ((await mutex.participants()).length < 2) await zk.sync('/lock');
          assert.equal(await kazoo.ask('contenders', '/lock', ...patterns), 'kazoo,ours');
          assert.equal(await kazoo.ask('unlock', '/lock'), 'True');
          await (await ours).release();
        });
      }),
    ),
  );
}
