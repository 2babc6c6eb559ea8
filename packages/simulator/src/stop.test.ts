import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultReplicaConfig } from '@meerkat/engine';
import { InProcessServer } from './in-process-server.ts';
import { create, exists } from './model/operations.ts';
import { ScriptedClient } from './scripted-client.ts';

test('a server that stops under load keeps its word, and leaves no snapshot half written', () => {
  const txnLog = { ...defaultReplicaConfig.txnLog, preAllocSizeKb: 64, snapCount: 4 };
  for (let beforeStop = 0; beforeStop < 20; beforeStop++) {
    const server = new InProcessServer({ config: { txnLog }, disk: { latencyMs: 1 } }).start();
    const clients = [0, 1, 2].map(() => ScriptedClient.open(server));
    server.advance(50);
    for (const client of clients) client.take();
    for (const [c, client] of clients.entries()) {
      for (let i = 0; i < 30; i++) client.send(...create(`/${c}-${i}`));
    }
    for (let step = 0; step < beforeStop; step++) server.clock.step();
    server.stop();
    const told = clients.map((client) => client.takeSummary().length);
    const names = server.disk.list('/data/version-2');
    assert.deepEqual(
      names.filter((name) => !/^(log|snapshot)\.[0-9a-f]+$/.test(name)),
      [],
      `after ${beforeStop} steps`,
    );
    server.start();
    const client = ScriptedClient.open(server);
    server.advance(50);
    for (const [c, count] of told.entries()) {
      for (let i = 0; i < count; i++) {
        assert.equal(client.call(...exists(`/${c}-${i}`)).err, 0);
      }
    }
  }
});
