import assert from 'node:assert/strict';
import test from 'node:test';
import { create, ScriptedEnsemble, setData } from './scripted-ensemble.ts';

test('ZOOKEEPER-1732, 1805, 3922: a member that comes back joins without an election of the others', () => {
  const ensemble = new ScriptedEnsemble({ voters: 5 }).begin();
  const leader = ensemble.theLeader();
  const { epoch } = leader;
  const client = ensemble.client(1, leader);
  for (const member of ensemble.theFollowers()) {
    ensemble.write(client, `while-${member.id}-is-there`, 3);
    ensemble.crash(member, 'power');
    ensemble.write(client, `while-${member.id}-is-not`, 3);
    const tookMs = ensemble.nowMs();
    ensemble.begin([member]);
    assert.ok(
      ensemble.nowMs() - tookMs < 2000,
      `${member.id} took ${ensemble.nowMs() - tookMs} ms`,
    );
  }
  assert.deepEqual([ensemble.theLeader().id, ensemble.theLeader().epoch], [leader.id, epoch]);
  ensemble.finish();
});

test('ZOOKEEPER-3574, 3575, 3774: a member that stands still delays nobody', () => {
  const ensemble = new ScriptedEnsemble({ voters: 5, systemBytesMax: 2000 }).begin();
  const leader = ensemble.theLeader();
  const [still, other] = ensemble.theFollowers();
  const client = ensemble.client(1, other);
  const waiting = ensemble.client(2, leader);
  ensemble.ask(client, create('/x'));
  still.standStill(30_000);
  const { epoch } = leader;
  for (let i = 0; i < 100; i++) {
    // More than the system takes for the one that does not read.
    const tookMs = ensemble.ask(client, setData('/x', 'long '.repeat(200)));
    assert.ok(tookMs < 200, `write ${i} took ${tookMs} ms`);
    ensemble.runFor(100);
  }
  assert.ok(waiting.isConnected, 'clients of the leader are heard all the time');
  assert.equal(ensemble.theLeader().epoch, epoch, 'nobody elects anew');
  ensemble.runFor(30_000);
  ensemble.finish();
});

test('ZOOKEEPER-4712, 5012: what is on its way to the disk when a role ends is there before the next begins', () => {
  for (let i = 0; i < 25; i++) {
    const ensemble = new ScriptedEnsemble({ diskLatencyMs: 3, latencyMs: [0, 2] }, 1 + i).begin();
    const leader = ensemble.theLeader();
    const clients = ensemble.members.map((member, n) => ensemble.client(n + 1, member));
    // Writes are everywhere in the pipeline: proposed, logged, not yet synced, acknowledged, committed.
    for (let n = 0; n < 8; n++) {
      for (const [m, client] of clients.entries()) client.submit([create(`/${m}-${n}`)]);
      ensemble.runFor(i % 5);
    }
    ensemble.crash(leader, i % 2 === 0 ? 'power' : 'kill');
    ensemble.untilServing(ensemble.theOthers(leader));
    ensemble.write(ensemble.client(1, ensemble.theLeader()), 'next', 2);
    // Stopping twice is stopping once.
    const [follower] = ensemble.theFollowers().filter(({ isUp }) => isUp);
    assert.ok(follower !== undefined);
    ensemble.stop(follower);
    ensemble.stop(follower);
    ensemble.runFor(500);
    ensemble.finish();
  }
});

test('a leader that is cut off stops serving, and what it took alone is gone', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const old = ensemble.theLeader();
  const client = ensemble.client(1, old);
  ensemble.write(client, 'agreed', 2);
  ensemble.cutOff(old);
  client.submit([create('/alone')]);
  ensemble.untilServing(ensemble.theOthers(old));
  ensemble.runFor(7 * ensemble.tickTimeMs);
  assert.ok(!old.isServing);
  assert.equal(client.successes, 2, 'nobody was told that it had happened');
  ensemble.finish();
  assert.ok(!ensemble.history.last.tree.has('/alone') || client.isConnected);
});

test('clients find their sessions on the next leader, with everything that is theirs', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const client = ensemble.client(1, undefined, 30_000);
  ensemble.ask(client, create('/w'), { kind: 'getData', path: '/w', watch: true });
  ensemble.ask(client, { ...create('/mine'), flags: 1 });
  const session = client.record.name;
  for (let i = 0; i < 4; i++) {
    const leader = ensemble.theLeader();
    ensemble.crash(leader, 'power');
    ensemble.runFor(1000);
    ensemble.untilConnected(client);
    ensemble.ask(client, setData('/w', `${i}`), { kind: 'getData', path: '/w', watch: true });
    ensemble.begin([leader]);
  }
  assert.equal(client.record.name, session);
  assert.equal(ensemble.history.last.tree.get('/mine')?.owner, session);
  ensemble.finish();
});
