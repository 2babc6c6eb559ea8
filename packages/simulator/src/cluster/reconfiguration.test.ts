import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

/** Five voters, who may be asked to let one of them go. */
function running(): ScriptedCluster {
  const config = { reconfigEnabled: true, skipAcl: true };
  return new ScriptedCluster({ voters: 5, config }).start();
}

function versionAt(cluster: ScriptedCluster, id: number): number {
  return cluster.member(id).replica?.member?.view.current.config.version ?? -1;
}

test('a change that is only proposed is not in force for a member that joins meanwhile', () => {
  const cluster = running();
  const { leader } = cluster;
  const [late, gone, ...others] = cluster.members.filter((each) => each !== leader);
  assert.ok(late !== undefined && gone !== undefined);
  late.crash('kill');
  gone.crash('kill');
  const client = ScriptedClient.open(cluster.server(leader));
  cluster.advance(50);
  const before = versionAt(cluster, leader.id);
  // The proposal is on its way to the others, so that only the leader has it, and soon whoever joins.
  for (const { host } of others) cluster.fabric.setSlow(leader.host, host, 4000);
  client.send(OpCode.reconfig, (writer) => {
    writer.writeString(null);
    writer.writeString(`${gone.id}`);
    writer.writeString(null);
    writer.writeLongFromDouble(-1);
  });
  cluster.advance(20);
  late.start();
  cluster.until(() => late.role === 'following', 3000);
  assert.equal(versionAt(cluster, leader.id), before);
  assert.equal(versionAt(cluster, late.id), before);
  // It counts there already, as it does for whoever has logged it.
  const seen = late.replica?.member?.membership.lastSeen;
  assert.equal(seen?.members.has(gone.id), false);
  cluster.until(() => versionAt(cluster, leader.id) > before);
  cluster.advance(50);
  assert.equal(versionAt(cluster, late.id), versionAt(cluster, leader.id));
});
