import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFlag, ErrorCode, OpCode } from '@meerkat/protocol';
import { create, exists, remove, setData } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

const ttl = { type: OpCode.createTTL, flags: CreateFlag.persistentWithTtl, ttlMs: 5000 };
const container = { type: OpCode.createContainer, flags: CreateFlag.container };

/** A cluster that looks for useless znodes every second, with a client of its leader. */
function running() {
  const cluster = new ScriptedCluster({
    config: {
      extendedTypesEnabled: true,
      container: { checkIntervalMs: 1000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 0 },
    },
  }).start();
  return { cluster, client: ScriptedClient.open(cluster.server(cluster.leader)) };
}

/** What leaves the leader takes so long to its followers, and nothing is committed meanwhile. */
function slowDown(cluster: ScriptedCluster, ms: number): void {
  const { leader, fabric } = cluster;
  for (const { host } of cluster.members)
    if (host !== leader.host) fabric.setSlow(leader.host, host, ms);
}

test('a TTL znode that is being changed is not deleted for its age', () => {
  const { cluster, client } = running();
  assert.equal(client.call(...create('/t', ttl)).err, ErrorCode.ok);
  cluster.advance(4000);
  slowDown(cluster, 2000);
  client.send(...setData('/t', 'y'));
  cluster.advance(2000);
  slowDown(cluster, 0);
  cluster.advance(2000);
  assert.equal(client.call(...exists('/t')).err, ErrorCode.ok);
  cluster.advance(8000);
  assert.equal(client.call(...exists('/t')).err, ErrorCode.noNode);
});

test('a container that is being made anew is not deleted for what the old one was', () => {
  const { cluster, client } = running();
  slowDown(cluster, 3000);
  // All of this is committed at once, and the last two only later.
  client.send(...create('/c', container));
  client.send(...create('/c/child'));
  client.send(...remove('/c/child', -1));
  cluster.advance(2500);
  client.send(...remove('/c', -1));
  client.send(...create('/c', container));
  cluster.advance(3400);
  slowDown(cluster, 0);
  cluster.advance(3000);
  assert.equal(client.call(...exists('/c')).err, ErrorCode.ok);
});
