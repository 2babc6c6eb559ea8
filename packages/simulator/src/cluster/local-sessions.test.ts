import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import { create, ephemeral, exists, getChildren, multi, setData } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

/** A running cluster of three with local sessions. */
function running(localSessionsUpgradingEnabled = true): ScriptedCluster {
  return new ScriptedCluster({
    ensemble: () => ({ localSessionsEnabled: true, localSessionsUpgradingEnabled }),
  }).start();
}

/** How many transactions of the epoch a member has applied. */
function transactionsOf({ lastProcessedZxid }: { lastProcessedZxid: number }): number {
  return lastProcessedZxid % 2 ** 32;
}

const roles = ['leading', 'following'] as const;

for (const role of roles) {
  test(`a new session of a member that is ${role} is known there alone`, () => {
    const cluster = running();
    const member = cluster.first(role);
    const before = transactionsOf(member);
    const client = ScriptedClient.open(cluster.server(member));
    assert.ok((client.session?.timeOut ?? 0) > 0);
    cluster.advance(100);
    assert.equal(transactionsOf(member), before);
    for (const each of cluster.members) {
      assert.equal(each.replica?.state.sessions.count, each === member ? 1 : 0);
    }
    assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
    assert.equal(client.call(...setData('/a', 'y')).err, ErrorCode.ok);
    assert.equal(transactionsOf(member), before + 2);
    const written = client.send(...create('/b'));
    const closed = client.send(OpCode.closeSession);
    cluster.advance(50);
    assert.deepEqual(client.takeSummary().slice(-2), [`#${written}`, `#${closed}`]);
    assert.ok(client.isClosed);
    assert.equal(transactionsOf(member), before + 3);
    assert.equal(member.replica?.state.sessions.count, 0);
  });

  test(`a local session of a member that is ${role} becomes everybody's with its first ephemeral`, () => {
    const cluster = running();
    const member = cluster.first(role);
    const client = ScriptedClient.open(cluster.server(member));
    const before = transactionsOf(member);
    assert.equal(client.call(...ephemeral('/e')).err, ErrorCode.ok);
    assert.equal(transactionsOf(member), before + 2);
    cluster.advance(50);
    for (const { replica } of cluster.members) {
      assert.equal(replica?.state.sessions.count, 1);
      assert.equal(replica?.state.sessions.localCount, 0);
    }
    assert.deepEqual(client.takeSummary(), [`session ${client.session?.timeOut}`]);
    // It moves like any other.
    const other = cluster.members.find((each) => each !== member);
    assert.ok(other !== undefined);
    const moved = ScriptedClient.open(cluster.server(other), { session: client.session });
    assert.equal(moved.session?.sessionIdLo, client.session?.sessionIdLo);
    assert.equal(moved.call(...exists('/e')).err, ErrorCode.ok);
    assert.equal(moved.call(OpCode.closeSession).err, ErrorCode.ok);
    cluster.advance(50);
    const reader = ScriptedClient.open(cluster.server(member));
    assert.equal(reader.call(...exists('/e')).err, ErrorCode.noNode);
  });

  test(`so it does with a multi, and with what is sent at once, on a member that is ${role}`, () => {
    const cluster = running();
    const client = ScriptedClient.open(cluster.server(cluster.first(role)));
    const xids = [
      client.send(...create('/a')),
      client.send(...exists('/a')),
      client.send(...multi([create('/b'), ephemeral('/b2')])),
      client.send(...ephemeral('/c')),
      client.send(...getChildren('/')),
    ];
    cluster.advance(100);
    const heard = client.takeSummary().slice(1);
    assert.deepEqual(
      heard,
      xids.map((xid) => `#${xid}`),
    );
  });

  test(`without upgrades a local session of a member that is ${role} has no ephemerals`, () => {
    const cluster = running(false);
    const member = cluster.first(role);
    const client = ScriptedClient.open(cluster.server(member));
    assert.equal(client.call(...ephemeral('/e')).err, ErrorCode.ephemeralOnLocalSession);
    const several = client.call(...multi([create('/b'), ephemeral('/e')]));
    assert.notEqual(several.body.remaining, 0);
    assert.equal(client.call(...exists('/b')).err, ErrorCode.noNode);
    assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
    assert.equal(member.replica?.state.sessions.localCount, 1);
  });

  test(`a silent local session of a member that is ${role} ends there, without a transaction`, () => {
    const cluster = running();
    const member = cluster.first(role);
    const server = cluster.server(member);
    const silent = ScriptedClient.open(server, { timeOut: 4000 });
    const heard = ScriptedClient.open(server, { timeOut: 4000 });
    const before = transactionsOf(member);
    for (let i = 0; i < 5; i++) {
      cluster.advance(2000);
      heard.call(OpCode.ping, () => {}, -2);
    }
    assert.ok(silent.isClosed);
    assert.ok(!heard.isClosed);
    assert.equal(transactionsOf(member), before);
  });
}

test('a member answers for its local sessions itself, and for nobody else’s', () => {
  const cluster = running();
  const [one, other] = cluster.members.filter(({ role }) => role === 'following');
  assert.ok(one !== undefined && other !== undefined);
  const client = ScriptedClient.open(cluster.server(one));
  client.disconnect();
  cluster.advance(10);
  const back = ScriptedClient.open(cluster.server(one), { session: client.session });
  assert.equal(back.session?.sessionIdLo, client.session?.sessionIdLo);
  assert.equal(back.call(...create('/a')).err, ErrorCode.ok);
  for (const member of [other, cluster.leader]) {
    const stranger = ScriptedClient.open(cluster.server(member), { session: client.session });
    assert.equal(stranger.session?.timeOut, 0);
    assert.ok(stranger.isClosed);
  }
  // The leader's own are no concern of a follower's either.
  const ofLeader = ScriptedClient.open(cluster.server(cluster.leader));
  const stranger = ScriptedClient.open(cluster.server(one), { session: ofLeader.session });
  assert.equal(stranger.session?.timeOut, 0);
  assert.ok(!ofLeader.isClosed);
});

test('what a session asked before its end is not taken for the wish of a local one', () => {
  const cluster = running();
  const follower = cluster.first('following');
  const { leader, fabric } = cluster;
  const client = ScriptedClient.open(cluster.server(follower));
  assert.equal(client.call(...ephemeral('/e')).err, ErrorCode.ok);
  fabric.setBlocked(follower.host, leader.host, true);
  client.send(...create('/late'));
  cluster.advance(10);
  const moved = ScriptedClient.open(cluster.server(leader), { session: client.session });
  assert.equal(moved.call(OpCode.closeSession).err, ErrorCode.ok);
  fabric.setBlocked(follower.host, leader.host, false);
  cluster.advance(100);
  const reader = ScriptedClient.open(cluster.server(leader));
  assert.equal(reader.call(...exists('/e')).err, ErrorCode.noNode);
  assert.equal(reader.call(...exists('/late')).err, ErrorCode.noNode);
});

test('local sessions end with the role of their member, upgraded ones stay', () => {
  const cluster = running();
  const member = cluster.first('following');
  const local = ScriptedClient.open(cluster.server(member));
  const upgraded = ScriptedClient.open(cluster.server(member));
  assert.equal(upgraded.call(...ephemeral('/e')).err, ErrorCode.ok);
  cluster.leader.crash('kill');
  cluster.until(() => member.role === 'looking');
  cluster.until(() => member.role !== 'looking');
  assert.ok(local.isClosed);
  const server = cluster.server(member);
  assert.equal(ScriptedClient.open(server, { session: local.session }).session?.timeOut, 0);
  const back = ScriptedClient.open(server, { session: upgraded.session });
  assert.equal(back.session?.sessionIdLo, upgraded.session?.sessionIdLo);
  assert.equal(back.call(...exists('/e')).err, ErrorCode.ok);
});
