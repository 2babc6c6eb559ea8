import assert from 'node:assert/strict';
import test from 'node:test';
import { create, ScriptedEnsemble } from './scripted-ensemble.ts';

/** The places at which a member is made to die: its first orders to disk and network, and some later ones. */
const everyOrder = [...Array.from({ length: 30 }, (_, i) => i + 1), 35, 40, 50, 70, 100];

test('ZOOKEEPER-3023, 3911, 4643, 4646, 4785: a follower may die anywhere while it is synchronised', () => {
  for (const order of everyOrder) {
    const ensemble = new ScriptedEnsemble().begin();
    const old = ensemble.theLeader();
    const [late, other] = ensemble.theFollowers();
    // What two of them have acknowledged is committed; the third has none of it.
    ensemble.crash(late, 'power');
    ensemble.write(ensemble.client(1, old), 'kept', 5);
    // The two that have it part: one leads the late one through a new epoch, in the middle of which that dies.
    ensemble.crash(old, 'power');
    ensemble.start(late);
    late.doom(order, 'power');
    ensemble.runFor(3000);
    ensemble.crashAll([late, other]);
    // An epoch on its disk without the history that goes with it would make the late one win now, and the writes go.
    ensemble.begin([late, old]);
    ensemble.finish();
    assert.ok(ensemble.agreed.length >= 5, `order ${order}`);
  }
});

test('ZOOKEEPER-4646: what is acknowledged with NEWLEADER is on disk', () => {
  for (const order of everyOrder) {
    const ensemble = new ScriptedEnsemble({ diskLatencyMs: 1 }).begin();
    const old = ensemble.theLeader();
    const [late, other] = ensemble.theFollowers();
    ensemble.crash(late, 'power');
    ensemble.write(ensemble.client(1, old), 'kept', 3);
    ensemble.crash(other, 'power');
    // The late one makes the quorum of the writes that come now, as soon as it has said that it is in sync.
    ensemble.start(late);
    ensemble.clients[0]?.submit([create('/more')]);
    ensemble.runFor(200 + 10 * order);
    ensemble.crashAll([old, late]);
    ensemble.begin([late, other]);
    ensemble.finish();
  }
});

test('ZOOKEEPER-4394, 4685, 4925: proposals and commits that come before UPTODATE count', () => {
  for (let waitMs = 0; waitMs < 400; waitMs += 20) {
    const ensemble = new ScriptedEnsemble({ latencyMs: [1, 20] }).begin();
    const leader = ensemble.theLeader();
    const [joining, behind] = ensemble.theFollowers();
    const client = ensemble.client(1, leader);
    ensemble.crashAll([joining]);
    ensemble.start(joining);
    // Writes go on all the time while it is brought up to date.
    for (let i = 0; ensemble.nowMs() % 1000 < 990 && i < 30; i++) {
      client.submit([create(`/a${i}`), create(`/b${i}`)]);
      ensemble.runFor(waitMs / 10 + 1);
    }
    ensemble.untilServing([leader, joining]);
    ensemble.crash(behind, 'power');
    ensemble.write(client, 'last', 3);
    // It leads now, and sends what it has to the one that is behind: without a hole.
    ensemble.crash(leader, 'power');
    ensemble.begin([joining, behind]);
    ensemble.finish();
  }
});

test('ZOOKEEPER-3642: half a snapshot is never built upon', () => {
  for (const order of everyOrder) {
    const ensemble = new ScriptedEnsemble({ commitLogCount: 2, snapshotSizeFactor: -1 }).begin();
    const [late, other] = ensemble.theFollowers();
    const client = ensemble.client(1, ensemble.theLeader());
    ensemble.crash(late, 'power');
    ensemble.write(client, 'many', 20);
    // A snapshot it must be, for memory holds two transactions only; it dies with part of it.
    ensemble.start(late);
    late.doom(order, order % 2 === 0 ? 'power' : 'kill');
    ensemble.runFor(2000);
    if (late.isUp) ensemble.crash(late, 'kill');
    ensemble.write(client, 'more', 1);
    ensemble.begin([late]);
    ensemble.crash(other, 'power');
    ensemble.write(client, 'with-it', 1);
    ensemble.finish();
  }
});

test('ZOOKEEPER-2418: logs with a hole before them are not sent', () => {
  const ensemble = new ScriptedEnsemble({
    voters: 6,
    commitLogCount: 2,
    evenSendSnapshots: true,
  }).begin();
  const leader = ensemble.theLeader();
  const [stale, ...others] = ensemble.theFollowers();
  const holed = others.at(-1);
  assert.ok(holed !== undefined);
  const client = ensemble.client(1, leader);
  ensemble.write(client, 'all', 3);
  ensemble.crashAll([stale, holed]);
  ensemble.write(client, 'some', 40);
  // It is sent a snapshot and keeps its older log: between the two there is a hole.
  ensemble.begin([holed]);
  // An epoch begins behind the hole, led by whoever has it.
  ensemble.crash(leader, 'power');
  ensemble.untilServing(others);
  assert.equal(ensemble.theLeader(), holed);
  ensemble.write(ensemble.client(2, holed), 'later', 10);
  ensemble.begin([stale]);
  ensemble.finish();
});

test('ZOOKEEPER-3701: a member that cannot cut its log does not come back with it', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const leader = ensemble.theLeader();
  const client = ensemble.client(1, leader);
  ensemble.write(client, 'agreed', 2);
  // The leader goes on alone with what will never be committed.
  ensemble.cutOff(leader);
  client.submit([create('/never1'), create('/never2')]);
  ensemble.runFor(200);
  ensemble.crash(leader, 'kill');
  ensemble.untilServing(ensemble.theOthers(leader));
  leader.diskFault = ({ kind }) => (kind === 'truncate' || kind === 'remove' ? 'EIO' : null);
  ensemble.fabric.heal();
  ensemble.start(leader);
  ensemble.runFor(5000);
  assert.ok(!leader.isServing, 'it serves with a history that nobody shares');
  ensemble.finish();
});

test('ZOOKEEPER-2307, 4269: whoever is to lead may die anywhere on the way', () => {
  for (const order of everyOrder) {
    const ensemble = new ScriptedEnsemble({}, order);
    // The last of them wins the first election.
    const [first, second, winner] = ensemble.members;
    assert.ok(first !== undefined && second !== undefined && winner !== undefined);
    for (const member of ensemble.members) ensemble.start(member);
    winner.doom(order, order % 2 === 0 ? 'power' : 'kill');
    ensemble.runFor(3000);
    ensemble.crash(winner, 'power');
    ensemble.runFor(500);
    ensemble.untilServing([first, second]);
    ensemble.write(ensemble.client(1), 'kept', 2);
    ensemble.crashAll([first]);
    ensemble.begin([second, winner]);
    ensemble.finish();
  }
});

test('ZOOKEEPER-3644, 3781: who has only been sent a difference finds it again after a power cut', () => {
  const ensemble = new ScriptedEnsemble().begin();
  const leader = ensemble.theLeader();
  const [lost, other] = ensemble.theFollowers();
  const client = ensemble.client(1, leader);
  ensemble.write(client, 'before', 3);
  ensemble.wipe(lost);
  ensemble.begin([lost]);
  ensemble.crash(other, 'power');
  ensemble.write(client, 'after', 3);
  ensemble.crashAll([leader, lost]);
  ensemble.start(lost);
  assert.equal(lost.lastProcessedZxid, leader.historyZxid, 'it is where the leader was');
  ensemble.finish();
});

test('members whose whole state came as a snapshot may vote with it', () => {
  const ensemble = new ScriptedEnsemble({ voters: 3 }).begin();
  const [a, b] = ensemble.theFollowers();
  ensemble.write(ensemble.client(1, ensemble.theLeader()), 'kept', 3);
  // One after the other loses its disk and is sent everything; then nobody writes any more.
  ensemble.wipe(a);
  ensemble.begin([a]);
  ensemble.wipe(b);
  ensemble.begin([b]);
  ensemble.crash(ensemble.theLeader(), 'power');
  ensemble.untilServing([a, b]);
  ensemble.finish();
});

test('a disk that was lost is no vote for an older history, wherever the leader that brings it back goes', () => {
  let takenOver = 0;
  for (const order of everyOrder) {
    const ensemble = new ScriptedEnsemble().begin();
    const old = ensemble.theLeader();
    const [late, other] = ensemble.theFollowers();
    ensemble.crash(late, 'power');
    ensemble.write(ensemble.client(1, old), 'kept', 5);
    // Of the two that have acknowledged the writes one loses its disk, and is sent everything by the other.
    ensemble.crashAll([old, other]);
    ensemble.wipe(other);
    for (const member of ensemble.members) ensemble.start(member);
    old.doom(order, 'power');
    ensemble.runFor(5000);
    // Were it to count for less than the late one, that one would lead the two without the writes.
    const isBack = other.isUp && other.historyZxid >= ensemble.agreed.lastZxid;
    if (!old.isUp && isBack) {
      ensemble.untilServing([late, other]);
      takenOver++;
    }
    ensemble.finish();
    assert.ok(ensemble.agreed.length >= 5, `order ${order}`);
  }
  assert.ok(takenOver > 0, 'the leader never went when its snapshot had been taken over');
});

test('a leader may go while a learner lets go of its log for a cut or a snapshot', () => {
  for (let seed = 1; seed <= 24; seed++) {
    // The disk takes its time, so that the end of the leader is heard of before the log is closed.
    const settings = seed % 2 === 0 ? { commitLogCount: 2, snapshotSizeFactor: -1 } : {};
    const ensemble = new ScriptedEnsemble({ ...settings, diskLatencyMs: 100 }, seed).begin();
    const old = ensemble.theLeader();
    const client = ensemble.client(1, old);
    ensemble.write(client, 'all', 3);
    // What it takes alone has to go when it comes back.
    ensemble.cutOff(old);
    client.submit(['/alone0', '/alone1', '/alone2'].map((path) => create(path)));
    const others = ensemble.theOthers(old);
    ensemble.runFor(7 * ensemble.tickTimeMs);
    ensemble.untilServing(others);
    const next = ensemble.theLeader();
    ensemble.write(ensemble.client(2, next), 'later', 5);
    ensemble.trace.onLine = (line) => {
      if (!line.includes(`server ${old.id} at 0x`) || !/ gets a (TRUNC|SNAP)/.test(line)) return;
      // Its end is heard of within a second; in the time of these seeds often before the log is closed.
      ensemble.clock.after(5, () => next.isUp && ensemble.crash(next, 'kill'));
    };
    ensemble.fabric.heal();
    const isGone = (): boolean => !next.isUp;
    ensemble.runUntil(isGone, 20_000, 'the old leader is synchronised', () => '');
    // The two that are left are a quorum: it must not wait for anything.
    ensemble.untilServing([old, ...others.filter((each) => each !== next)]);
    ensemble.finish();
  }
});
