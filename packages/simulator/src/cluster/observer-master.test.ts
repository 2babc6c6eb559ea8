import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import {
  create,
  ephemeral,
  exists,
  getData,
  multi,
  onPath,
  readText,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';
import { ScriptedCluster } from '../scripted-cluster.ts';

const observerMasterPort = 2191;
const sync = onPath(OpCode.sync, '/a');

/** Three voters and observers that follow followers. */
function running(observers = 1): ScriptedCluster {
  return new ScriptedCluster({ observers, ensemble: () => ({ observerMasterPort }) }).start();
}

function masterOf(cluster: ScriptedCluster, id: number): number {
  const master = cluster.member(id).replica?.member?.learnerMasterId;
  assert.ok(typeof master === 'number');
  return master;
}

test('an observer follows a follower, and is told what is committed', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  const master = cluster.member(masterOf(cluster, observer.id));
  assert.equal(master.role, 'following');
  assert.equal(cluster.leader.replica?.member?.learners.length, 2);
  const writer = ScriptedClient.open(cluster.server(cluster.leader));
  const reader = ScriptedClient.open(cluster.server(observer));
  assert.equal(writer.call(...create('/a')).err, ErrorCode.ok);
  assert.equal(reader.call(...sync).err, ErrorCode.ok);
  assert.equal(reader.call(...exists('/a', true)).err, ErrorCode.ok);
  assert.equal(writer.call(...setData('/a', 'y')).err, ErrorCode.ok);
  cluster.advance(20);
  assert.equal(reader.takeEvents().length, 1);
});

test('what its clients ask for goes to the leader and comes back in order', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  const master = cluster.member(masterOf(cluster, observer.id));
  const client = ScriptedClient.open(cluster.server(observer));
  // Of the follower too, so that answers might be mixed up.
  const other = ScriptedClient.open(cluster.server(master));
  const xids: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < 10; i++) {
    xids.push(`#${client.send(...create(`/o${i}`))}`, `#${client.send(...sync)}`);
    others.push(`#${other.send(...sync)}`, `#${other.send(...create(`/f${i}`))}`);
    xids.push(`#${client.send(...getData(`/o${i}`))}`, `#${client.send(...sync)}`);
    cluster.advance(i % 3);
  }
  cluster.advance(100);
  assert.deepEqual(client.takeSummary().slice(1), xids);
  assert.deepEqual(other.takeSummary().slice(1), others);
  assert.equal(client.call(...multi([ephemeral('/e'), create('/e2')])).err, ErrorCode.ok);
  assert.equal(client.call(OpCode.closeSession).err, ErrorCode.ok);
  cluster.advance(20);
  assert.equal(other.call(...exists('/e')).err, ErrorCode.noNode);
  assert.equal(other.call(...exists('/e2')).err, ErrorCode.ok);
});

test('sessions of its clients live as long as they are heard, and move', () => {
  const cluster = running(2);
  const [one, two] = cluster.members.filter(({ role }) => role === 'observing');
  assert.ok(one !== undefined && two !== undefined);
  const client = ScriptedClient.open(cluster.server(one), { timeOut: 4000 });
  const silent = ScriptedClient.open(cluster.server(two), { timeOut: 4000 });
  for (let i = 0; i < 8; i++) {
    cluster.advance(1500);
    client.call(OpCode.ping, () => {}, -2);
  }
  assert.ok(silent.isClosed);
  const sessionOf = (member: typeof one): number => member.replica?.state.sessions.count ?? -1;
  for (const member of cluster.members) assert.equal(sessionOf(member), 1);
  for (const member of [two, cluster.leader, cluster.first('following'), one]) {
    const moved = ScriptedClient.open(cluster.server(member), { session: client.session });
    assert.equal(moved.session?.sessionIdLo, client.session?.sessionIdLo);
    assert.equal(moved.call(...create(`/by${member.id}`)).err, ErrorCode.ok);
    moved.disconnect();
    cluster.advance(5);
  }
  const expired = ScriptedClient.open(cluster.server(one), { session: silent.session });
  assert.equal(expired.session?.timeOut, 0);
});

test('it goes on with another follower when its own is gone', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  const master = cluster.member(masterOf(cluster, observer.id));
  const client = ScriptedClient.open(cluster.server(observer));
  assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
  master.crash('kill');
  cluster.until(() => observer.role === 'looking');
  cluster.advance(2);
  assert.ok(client.isClosed);
  const writer = ScriptedClient.open(cluster.server(cluster.leader));
  assert.equal(writer.call(...setData('/a', 'new')).err, ErrorCode.ok);
  cluster.until(() => observer.role === 'observing');
  assert.notEqual(masterOf(cluster, observer.id), master.id);
  const back = ScriptedClient.open(cluster.server(observer), { session: client.session });
  assert.equal(back.call(...sync).err, ErrorCode.ok);
  assert.equal(readText(back.call(...getData('/a')).body), 'new');
});

test('one that lags far behind, and one that lost everything, are brought to the history', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  observer.crash('kill');
  const writer = ScriptedClient.open(cluster.server(cluster.leader));
  for (let i = 0; i < 600; i++) writer.send(...create(`/n${i}`, { data: 'x'.repeat(100) }));
  cluster.advance(2000);
  observer.start();
  cluster.until(() => observer.role === 'observing');
  cluster.advance(100);
  assert.equal(observer.lastProcessedZxid, cluster.leader.lastProcessedZxid);
  observer.crash('kill');
  observer.wipe();
  observer.disk.place(`${observer.config.dataDir}/initialize`, new Uint8Array(0));
  observer.start();
  cluster.until(() => observer.role === 'observing');
  cluster.advance(100);
  assert.equal(observer.lastProcessedZxid, cluster.leader.lastProcessedZxid);
});

test('one that is ahead of its new follower is waited for, and loses nothing', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  const master = cluster.member(masterOf(cluster, observer.id));
  const late = cluster.members.find(({ id, role }) => role === 'following' && id !== master.id);
  assert.ok(late !== undefined);
  const writer = ScriptedClient.open(cluster.server(cluster.leader));
  cluster.fabric.setSlow(cluster.leader.host, late.host, 3000);
  assert.equal(writer.call(...create('/a')).err, ErrorCode.ok);
  cluster.advance(20);
  assert.equal(observer.lastProcessedZxid, cluster.leader.lastProcessedZxid);
  // Only the late one is left.
  master.crash('kill');
  cluster.until(() => masterOfOrNone(cluster, observer.id) === late.id);
  assert.ok(!cluster.notices.some((text) => text.includes('gets a TRUNC')));
  assert.equal(late.lastProcessedZxid, cluster.leader.lastProcessedZxid);
  assert.equal(observer.lastProcessedZxid, cluster.leader.lastProcessedZxid);
});

function masterOfOrNone(cluster: ScriptedCluster, id: number): number | null {
  return cluster.member(id).replica?.member?.learnerMasterId ?? null;
}

test('what a session asked its follower for before it moved to an observer is not done behind that', () => {
  const cluster = running();
  const observer = cluster.first('observing');
  const master = cluster.member(masterOf(cluster, observer.id));
  const old = ScriptedClient.open(cluster.server(master));
  assert.equal(old.call(...create('/a')).err, ErrorCode.ok);
  cluster.fabric.setBlocked('clients', master.host, true);
  old.send(...create('/late'));
  cluster.advance(10);
  const moved = ScriptedClient.open(cluster.server(observer), { session: old.session });
  assert.equal(moved.call(...create('/moved')).err, ErrorCode.ok);
  cluster.fabric.setBlocked('clients', master.host, false);
  cluster.advance(100);
  assert.ok(old.isClosed);
  assert.equal(moved.call(...exists('/late')).err, ErrorCode.noNode);
});

test('what a session asked one observer for before it moved to another one is not done behind that', () => {
  const cluster = running(2);
  const [one, two] = cluster.members.filter(({ role }) => role === 'observing');
  assert.ok(one !== undefined && two !== undefined);
  // Both follow the only follower that is left.
  cluster.first('following').crash('kill');
  cluster.until(() => cluster.members.filter(({ role }) => role === 'following').length === 1);
  const { id } = cluster.first('following');
  const areBehindIt = (): boolean =>
    [one, two].every((each) => masterOfOrNone(cluster, each.id) === id);
  cluster.until(areBehindIt);
  const old = ScriptedClient.open(cluster.server(one));
  assert.equal(old.call(...create('/a')).err, ErrorCode.ok);
  cluster.fabric.setBlocked('clients', one.host, true);
  old.send(...create('/late'));
  cluster.advance(10);
  const moved = ScriptedClient.open(cluster.server(two), { session: old.session });
  assert.equal(moved.call(...create('/moved')).err, ErrorCode.ok);
  cluster.fabric.setBlocked('clients', one.host, false);
  cluster.advance(100);
  assert.ok(old.isClosed);
  assert.equal(moved.call(...exists('/late')).err, ErrorCode.noNode);
  cluster.until(areBehindIt);
  const back = ScriptedClient.open(cluster.server(one), { session: moved.session });
  assert.equal(back.call(...create('/back')).err, ErrorCode.ok);
});

test('it hears of another configuration, and goes on', () => {
  const cluster = new ScriptedCluster({
    observers: 2,
    config: { reconfigEnabled: true, skipAcl: true },
    ensemble: () => ({ observerMasterPort }),
  }).start();
  const observer = cluster.first('observing');
  const client = ScriptedClient.open(cluster.server(observer));
  const { version } = observer.replica?.member?.view.current.config ?? { version: -1 };
  const reply = client.call(OpCode.reconfig, (writer) => {
    writer.writeString(null);
    writer.writeString('5');
    writer.writeString(null);
    writer.writeLongFromDouble(-1);
  });
  assert.equal(reply.err, ErrorCode.ok);
  cluster.advance(50);
  for (const id of [1, 2, 3, 4]) {
    const config = cluster.member(id).replica?.member?.view.current.config;
    assert.ok((config?.version ?? 0) > version);
    assert.equal(config?.members.size, 4);
  }
  assert.equal(observer.role, 'observing');
  assert.equal(client.call(...create('/after')).err, ErrorCode.ok);
});

test('one that votes is refused at the port for observers', () => {
  const cluster = running();
  const follower = cluster.first('following');
  const network = cluster.fabric.networkOf('stranger', cluster.clientClock);
  let end = '';
  const hello = new Uint8Array(44);
  const view = new DataView(hello.buffer);
  view.setInt32(0, 11);
  view.setInt32(12, 20);
  view.setInt32(20, 9);
  view.setInt32(24, 0x10000);
  view.setInt32(36, -1);
  const address = { host: follower.host, port: observerMasterPort };
  network.dial(address, 1000, {
    onPeerOpened: (stream) => network.send(stream, hello, 0, 40),
    onPeerBytes: () => {},
    onPeerDrained: () => {},
    onPeerClosed: (_stream, reason) => {
      end = reason;
    },
  });
  cluster.advance(100);
  assert.notEqual(end, '');
  assert.ok(cluster.notices.some((text) => text.includes('it is no observer')));
});
