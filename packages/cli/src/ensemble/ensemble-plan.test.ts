import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireSameEnsemble, writeEnsemble } from './ensemble-folder.ts';
import { planEnsemble } from './ensemble-plan.ts';
import { findPorts } from './ports.ts';

const ports = [2181, 2182, 2183, 2184, 2185, 2186, 2187, 2188, 2189, 2190, 2191, 2192];

test('ports are those for clients, then for followers, then for elections', () => {
  const plan = planEnsemble({ members: 3, observers: 1, folder: '/e' }, ports);
  assert.equal(plan.connectString, '127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183,127.0.0.1:2184');
  const [first, , , fourth] = plan.members;
  assert.deepEqual([first?.role, fourth?.role], ['participant', 'observer']);
  assert.equal(fourth?.configurationPath, join('/e', '4', 'zoo.cfg'));
  const servers = first?.configuration.split('\n').filter((line) => line.startsWith('server.'));
  assert.deepEqual(servers, [
    'server.1=127.0.0.1:2185:2189:participant',
    'server.2=127.0.0.1:2186:2190:participant',
    'server.3=127.0.0.1:2187:2191:participant',
    'server.4=127.0.0.1:2188:2192:observer',
  ]);
  assert.match(fourth?.configuration ?? '', /^clientPort=2184$/m);
});

test('a folder keeps its number of members', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-ensemble-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const options = { members: 3, observers: 1, folder };
  requireSameEnsemble({ ...options, folder: join(folder, 'not-there') });
  requireSameEnsemble(options);
  writeEnsemble(planEnsemble(options, ports));
  assert.equal(readFileSync(join(folder, '4', 'data', 'myid'), 'utf8'), '4\n');
  requireSameEnsemble({ ...options, observers: 0 });
  assert.throws(() => requireSameEnsemble({ ...options, members: 2 }), {
    name: 'EnsembleFolderError',
    message: `Cannot start 2 members in ${folder}: it holds an ensemble of 3; give --members 3, or another --folder`,
  });
});

test('free ports differ, and ports that are in use are named', async () => {
  const found = await findPorts(0, 9);
  assert.equal(new Set(found).size, 9);
  await assert.rejects(findPorts(65_530, 9), { message: /above 65535; give a lower --port/ });
});
