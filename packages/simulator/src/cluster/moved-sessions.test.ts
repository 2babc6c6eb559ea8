import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '@meerkat/protocol';
import { create, exists } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

test('what comes on an older connection behind a question about its session is not done', () => {
  const cluster = new ScriptedCluster({}).start();
  const follower = cluster.first('following');
  const { leader, fabric } = cluster;
  const old = ScriptedClient.open(cluster.server(follower));
  assert.equal(old.call(...create('/a')).err, ErrorCode.ok);
  // A write takes its time to the follower, the client comes back there, and gives that up for the leader.
  fabric.setSlow('clients', follower.host, 3000);
  old.send(...create('/late'));
  fabric.setSlow('clients', follower.host, 0);
  fabric.setBlocked(follower.host, leader.host, true);
  ScriptedClient.open(cluster.server(follower), { session: old.session }).disconnect();
  const moved = ScriptedClient.open(cluster.server(leader), { session: old.session });
  assert.equal(moved.call(...create('/moved')).err, ErrorCode.ok);
  cluster.advance(4000);
  fabric.setBlocked(follower.host, leader.host, false);
  cluster.advance(100);
  const back = ScriptedClient.open(cluster.server(leader), { session: old.session });
  assert.equal(back.call(...exists('/moved')).err, ErrorCode.ok);
  assert.equal(back.call(...exists('/late')).err, ErrorCode.noNode);
});
