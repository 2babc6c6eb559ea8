import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import { check, create, exists, multi, setData } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

function onPath(path: string): (writer: { writeString(text: string): void }) => void {
  return (writer) => writer.writeString(path);
}

/** A cluster of three of which two are gone, and the third has been looking long enough. */
function lonely(localSessionsEnabled = true, options = { readOnlyModeEnabled: true }) {
  const cluster = new ScriptedCluster({
    config: options,
    ensemble: () => ({ localSessionsEnabled }),
  }).start();
  const client = ScriptedClient.open(cluster.server(cluster.leader));
  assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
  cluster.advance(100);
  const last = cluster.first('following');
  for (const member of cluster.members) if (member !== last) member.crash('kill');
  cluster.until(() => last.role === 'looking');
  return { cluster, last, server: cluster.server(last), old: client };
}

test('a member without a leader serves read-only clients after a grace period', () => {
  const { cluster, server, last } = lonely();
  const early = ScriptedClient.open(server, { readOnly: true });
  assert.equal(early.session, null);
  assert.ok(early.isClosed);
  cluster.advance(2000);
  assert.equal(last.replica?.intake.isReadOnly, true);
  const client = ScriptedClient.open(server, { readOnly: true });
  assert.equal(client.session?.readOnly, true);
  assert.equal(client.call(...exists('/a', true)).err, ErrorCode.ok);
  assert.equal(client.call(OpCode.ping, () => {}, -2).err, ErrorCode.ok);
});

test('whoever wants more than reads is turned away without an answer', () => {
  const { cluster, server, old } = lonely();
  cluster.advance(2000);
  for (const readOnly of [false, null]) {
    const client = ScriptedClient.open(server, { readOnly });
    assert.equal(client.session, null);
    assert.ok(client.isClosed);
  }
  // Its session was local to a member that is gone.
  const elsewhere = ScriptedClient.open(server, { readOnly: true, session: old.session });
  assert.equal(elsewhere.session?.timeOut, 0);
});

test('a global session is not renewed without a leader, and a new one not begun', () => {
  const { cluster, server, old } = lonely(false);
  cluster.advance(2000);
  for (const session of [old.session, null]) {
    const client = ScriptedClient.open(server, { readOnly: true, session });
    assert.equal(client.session, null);
    assert.ok(client.isClosed);
  }
});

test('every write, a sync, a check and a multi are answered NOTREADONLY', () => {
  const { cluster, server, last } = lonely();
  cluster.advance(2000);
  const client = ScriptedClient.open(server, { readOnly: true });
  const requests = [
    create('/b'),
    setData('/a', 'y'),
    [OpCode.sync, onPath('/a')],
    check('/a'),
    multi([check('/a')]),
  ] as const;
  for (const [type, write] of requests) {
    const { err, zxid } = client.call(type, write);
    assert.equal(err, ErrorCode.notReadOnly);
    assert.equal(zxid, last.lastProcessedZxid);
  }
  assert.equal(client.call(...exists('/a')).err, ErrorCode.ok);
  assert.equal(client.call(OpCode.closeSession).err, ErrorCode.ok);
  assert.ok(client.isClosed);
});

test('a read-only session ends with its silence, and lives as long as it is heard', () => {
  const { cluster, server, last } = lonely();
  cluster.advance(2000);
  const silent = ScriptedClient.open(server, { readOnly: true, timeOut: 4000 });
  const heard = ScriptedClient.open(server, { readOnly: true, timeOut: 4000 });
  for (let i = 0; i < 5; i++) {
    cluster.advance(2000);
    heard.call(OpCode.ping, () => {}, -2);
  }
  assert.ok(silent.isClosed);
  assert.ok(!heard.isClosed);
  assert.equal(last.replica?.state.sessions.localCount, 1);
});

test('it is over once there is a leader', () => {
  const { cluster, server, last } = lonely();
  cluster.advance(2000);
  const client = ScriptedClient.open(server, { readOnly: true });
  for (const member of cluster.members) if (member !== last) member.start();
  cluster.until(() => last.role !== 'looking');
  assert.ok(client.isClosed);
  assert.equal(last.replica?.intake.isReadOnly, false);
  const again = ScriptedClient.open(server, { readOnly: true });
  assert.equal(again.session?.readOnly, false);
  assert.equal(again.call(...create('/b')).err, ErrorCode.ok);
});

test('without readonlymode.enabled nobody is served', () => {
  const { cluster, server } = lonely(true, { readOnlyModeEnabled: false });
  cluster.advance(5000);
  const client = ScriptedClient.open(server, { readOnly: true });
  assert.equal(client.session, null);
  assert.ok(client.isClosed);
});
