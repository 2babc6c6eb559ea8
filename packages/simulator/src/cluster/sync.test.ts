import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { create, exists, getData, onPath, readText, setData } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

const sync = onPath(OpCode.sync, '/a');

/** How long a request takes, virtual ms. */
function timeOf(cluster: ScriptedCluster, action: () => void): number {
  const fromMs = cluster.clock.monotonicMs();
  action();
  return cluster.clock.monotonicMs() - fromMs;
}

test('a leader that is cut off and does not know it never answers a sync', () => {
  const cluster = new ScriptedCluster().start();
  const old = cluster.leader;
  const stale = ScriptedClient.open(cluster.server(old));
  assert.equal(stale.call(...create('/a', { data: 'old' })).err, ErrorCode.ok);
  assert.equal(stale.call(...sync).err, ErrorCode.ok);
  cluster.isolate(old);
  // It believes to lead, and answers reads; a sync it takes and keeps.
  assert.equal(old.role, 'leading');
  stale.send(...sync);
  const behind = stale.send(...getData('/a'));
  cluster.until(() => cluster.members.some((each) => each !== old && each.role === 'leading'));
  const current = cluster.leader;
  assert.notEqual(current, old);
  const writer = ScriptedClient.open(cluster.server(current));
  assert.equal(writer.call(...setData('/a', 'new')).err, ErrorCode.ok);
  const another = ScriptedClient.open(cluster.server(old));
  for (let i = 0; i < 20 && old.role === 'leading'; i++) {
    stale.send(...sync);
    cluster.advance(500);
  }
  cluster.until(() => stale.isClosed && another.isClosed);
  const heard = stale.takeSummary();
  assert.ok(!heard.some((each) => each.startsWith(`#${behind}`)));
  assert.deepEqual(
    heard.filter((each) => each.startsWith('#')),
    [],
  );
});

test('nor does a follower that is cut off with it', () => {
  const cluster = new ScriptedCluster({ voters: 5 }).start();
  const old = cluster.leader;
  const [beside] = cluster.members.filter(({ role }) => role === 'following');
  assert.ok(beside !== undefined);
  const stale = ScriptedClient.open(cluster.server(beside));
  assert.equal(stale.call(...sync).err, ErrorCode.ok);
  for (const one of [old, beside]) {
    for (const other of cluster.members) {
      if (other === old || other === beside) continue;
      cluster.fabric.setBlocked(one.host, other.host, true);
      cluster.fabric.setBlocked(other.host, one.host, true);
    }
  }
  stale.send(...sync);
  const isNew = (each: EnsembleMember): boolean => each !== old && each.role === 'leading';
  cluster.until(() => cluster.members.some(isNew));
  const writer = ScriptedClient.open(cluster.server(cluster.leader));
  assert.equal(writer.call(...create('/a')).err, ErrorCode.ok);
  stale.send(...sync);
  cluster.until(() => stale.isClosed);
  assert.deepEqual(
    stale.take().filter(({ kind }) => kind === 'reply'),
    [],
  );
});

test('a sync takes one round trip to a quorum, a follower’s of three no more than itself', () => {
  for (const [voters, role, roundTrips] of [
    [3, 'leading', 2],
    [3, 'following', 2],
    [5, 'following', 3],
  ] as const) {
    const cluster = new ScriptedCluster({ voters }).start();
    cluster.advance(100);
    const client = ScriptedClient.open(cluster.server(cluster.first(role)));
    const tookMs = timeOf(cluster, () => {
      assert.equal(client.call(...sync).err, ErrorCode.ok);
    });
    // Two milliseconds each, the client's own included.
    assert.ok(tookMs <= 2 * roundTrips + 1, `${voters} ${role}: ${tookMs} ms`);
  }
});

test('syncs are answered in their place, however they are mixed with writes and reads', () => {
  for (const voters of [3, 5]) {
    const cluster = new ScriptedCluster({ voters, observers: 1 }).start();
    const clients = cluster.members.map((member) => ScriptedClient.open(cluster.server(member)));
    const expected = clients.map((): string[] => []);
    for (let i = 0; i < 30; i++) {
      clients.forEach((client, k) => {
        const own = expected[k];
        for (let n = 0; n < (i + k) % 4; n++) own?.push(`#${client.send(...sync)}`);
        if ((i + k) % 3 === 0) own?.push(`#${client.send(...create(`/n${k}-${i}`))}`);
        if ((i + k) % 5 < 2) own?.push(`#${client.send(...exists('/'))}`);
        if ((i + k) % 7 === 0) own?.push(`#${client.send(...sync)}`);
      });
      cluster.advance(i % 4);
    }
    cluster.advance(200);
    clients.forEach((client, k) => {
      assert.deepEqual(client.takeSummary().slice(1), expected[k]);
    });
  }
});

test('a read behind a sync shows what another member had acknowledged before', () => {
  const cluster = new ScriptedCluster({ voters: 5, observers: 1 }).start();
  const clients = cluster.members.map((member) => ScriptedClient.open(cluster.server(member)));
  assert.equal(clients[0]?.call(...create('/a')).err, ErrorCode.ok);
  for (let i = 0; i < 30; i++) {
    const writer = clients[i % clients.length];
    const reader = clients[(i * 5 + 2) % clients.length];
    assert.ok(writer !== undefined && reader !== undefined);
    assert.equal(writer.call(...setData('/a', `v${i}`)).err, ErrorCode.ok);
    assert.equal(reader.call(...sync).err, ErrorCode.ok);
    assert.equal(readText(reader.call(...getData('/a')).body), `v${i}`);
  }
});
