import assert from 'node:assert/strict';
import test from 'node:test';
import { openAclUnsafe } from '@meerkat/protocol';
import { clientPort } from '../ensemble/ensemble-member.ts';
import { create, getData, remove, ScriptedEnsemble, setData, sync } from './scripted-ensemble.ts';

const readable = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

test('ZOOKEEPER-4537: a commit that is there before its request was queued is still its answer', () => {
  const ensemble = new ScriptedEnsemble({ latencyMs: [0, 40] }).begin();
  const [one, other] = ensemble.theFollowers();
  const [a, b] = [ensemble.client(1, one), ensemble.client(2, other)];
  const c = ensemble.client(3, ensemble.theLeader());
  ensemble.ask(a, create('/x'));
  // Three members take requests for one znode, each with reads between its writes.
  for (let i = 0; i < 60; i++) {
    for (const client of [a, b, c]) {
      client.submit([setData('/x', `${i}`), getData('/x'), setData('/x', `${i}!`), getData('/x')]);
    }
    ensemble.runFor(i % 7);
  }
  ensemble.finish();
});

test('a read behind a sync and a write waits for both, wherever its client is', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const members = [ensemble.theLeader(), ...ensemble.theFollowers()];
  for (const [i, member] of members.slice(0, 3).entries()) {
    const client = ensemble.client(i + 1, member);
    ensemble.ask(client, create(`/s${i}`));
    ensemble.ask(
      client,
      setData(`/s${i}`, '1'),
      sync(`/s${i}`),
      remove(`/s${i}`),
      getData(`/s${i}`),
    );
  }
  ensemble.finish();
});

test('ZOOKEEPER-2623, 3472: a check has its place among the writes', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const client = ensemble.client(1, ensemble.theFollowers()[0]);
  const check = { kind: 'check', path: '/v', version: 1 } as const;
  ensemble.ask(
    client,
    create('/v'),
    { kind: 'multi', parts: [check] },
    setData('/v', 'one'),
    { kind: 'multi', parts: [check, setData('/v', 'two')] },
    getData('/v'),
  );
  ensemble.finish();
});

test('ZOOKEEPER-1624, 3150, 3512: an aborted multi leaves nothing behind, in what is pending too', () => {
  const ensemble = new ScriptedEnsemble({ latencyMs: [5, 30] }).begin();
  const client = ensemble.client(1, ensemble.theFollowers()[0]);
  const sequential = { ...create('/p/n-'), flags: 2 } as const;
  for (let i = 0; i < 20; i++) {
    // Everything is under way at once: each is judged by what those before it will have done.
    client.submit([
      create('/p'),
      sequential,
      { kind: 'multi', parts: [sequential, sequential, create(`/p/x${i}`), remove('/nowhere')] },
      sequential,
      create(`/p/x${i}`),
      { kind: 'multi', parts: [remove(`/p/x${i}`), create(`/p/x${i}`), setData('/p', 'v', 77)] },
      setData('/p', `${i}`),
    ]);
    ensemble.runFor(10);
  }
  ensemble.finish();
  assert.equal(ensemble.theLeader().replica?.applier.digestMismatches, 0);
});

test('ZOOKEEPER-3306, 4846: ACLs outlive a snapshot that is taken, and sent, while they change', () => {
  const ensemble = new ScriptedEnsemble({ commitLogCount: 2, snapshotSizeFactor: -1 }).begin();
  const leader = ensemble.theLeader();
  const [late] = ensemble.theFollowers();
  const client = ensemble.client(1, leader);
  ensemble.crash(late, 'power');
  for (let i = 0; i < 30; i++) {
    ensemble.ask(client, create(`/acl${i}`));
    client.submit([
      {
        kind: 'setAcl',
        path: `/acl${i}`,
        acl: i % 2 === 0 ? readable : openAclUnsafe,
        version: -1,
      },
      { kind: 'setAcl', path: `/acl${i}`, acl: openAclUnsafe, version: -1 },
    ]);
    if (i === 10) ensemble.start(late);
    if (i % 8 === 0) leader.replica?.beginSnapshot();
    ensemble.runFor(5);
  }
  // What is on disk is read back too.
  ensemble.begin([late]);
  ensemble.crashAll([late]);
  ensemble.begin([late]);
  ensemble.finish();
});

test('ZOOKEEPER-3125, 3145, 3249: replaying over a fuzzy snapshot moves no pzxid back', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const client = ensemble.client(1, ensemble.theLeader());
  const other = ensemble.client(2, ensemble.theFollowers()[0]);
  ensemble.ask(client, create('/d'), create('/d/keep'));
  for (let i = 0; i < 40; i++) {
    client.submit([create(`/d/c${i % 5}`), { ...create(`/d/e${i}`), flags: 1 }]);
    other.submit([remove(`/d/c${i % 5}`), { ...create('/d/s-'), flags: 3 }]);
    if (i % 10 === 0) for (const member of ensemble.members) member.replica?.beginSnapshot();
    ensemble.runFor(3);
  }
  // The sessions end, and with them what they own; then everything is replayed.
  other.close();
  ensemble.runFor(500);
  ensemble.crashAll(ensemble.members);
  ensemble.begin();
  ensemble.finish();
});

test('ZOOKEEPER-1622: ids of members above 127 make sessions like any other', () => {
  const ensemble = new ScriptedEnsemble({ firstId: 200 }).begin();
  const client = ensemble.client(1, ensemble.theFollowers()[0]);
  assert.match(client.record.name, /^0xc[89a]/);
  ensemble.ask(client, { ...create('/mine'), flags: 1 });
  // The session moves, and its znode with it.
  ensemble.crash(ensemble.theLeader(), 'power');
  ensemble.runFor(1000);
  ensemble.untilConnected(client);
  ensemble.ask(client, setData('/mine', 'still'));
  ensemble.finish();
});

test('a leader of the past does not serve a client that has seen more', () => {
  const ensemble = new ScriptedEnsemble();
  const [first, , slow] = ensemble.members;
  const [client] = ensemble.clients;
  assert.ok(first !== undefined && slow !== undefined && client !== undefined);
  // It takes it longer than the others to notice that it hears nothing.
  slow.clockOptions = { rate: 0.6 };
  ensemble.begin();
  assert.equal(ensemble.theLeader(), slow);
  const servers = [first, slow].map(({ host }) => `${host}:${clientPort}`).join();
  client.open({ sessionTimeoutMs: 40_000, credentials: null, servers });
  ensemble.sessions.watch(client.record);
  ensemble.untilConnected(client);
  ensemble.cutOff(slow);
  for (let i = 0; i < 200 && ensemble.theLeader() === slow; i++) ensemble.runFor(100);
  // Of the two the client goes to the one and to the other, until it has been where the new leader is known.
  const hasSeenMore = (): boolean => client.record.seenZxid > slow.lastProcessedZxid + 2 ** 31;
  for (let i = 0; i < 4 && !hasSeenMore(); i++) {
    ensemble.fabric.cutAllOf(client.host);
    ensemble.runFor(1500);
    client.submit([create(`/unknown-to-one${i}`)]);
    ensemble.runFor(200);
  }
  assert.ok(hasSeenMore() && client.isConnected);
  // Now the old leader is all that it can reach.
  ensemble.fabric.setBlocked(client.host, first.host, true);
  ensemble.fabric.cutAllOf(client.host);
  ensemble.runFor(1100);
  for (let i = 0; i < 10; i++) {
    ensemble.runFor(100);
    assert.ok(slow.isServing);
    assert.ok(!client.isConnected, 'it is not let in');
  }
  ensemble.finish();
});
