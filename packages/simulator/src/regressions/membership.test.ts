import assert from 'node:assert/strict';
import test from 'node:test';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { memberLine } from '../ensemble/ensemble-settings.ts';
import { getData, sync } from './scripted-ensemble.ts';
import { joining, leaving, reconfig, ScriptedMembership } from './scripted-membership.ts';

test('a member that has joined answers who looks for the leader', () => {
  const ensemble = new ScriptedMembership({ spares: 1 }).begin();
  const [first, other] = ensemble.theFollowers();
  ensemble.join('participant');
  // With the joiner it is two of three that say who leads.
  ensemble.change(leaving(first));
  ensemble.crash(first, 'kill');
  ensemble.change(joining(other, 'observer'));
  ensemble.untilServing([other]);
  assert.equal(other.role, 'observing');
  ensemble.finish();
});

test('a member that learns in an election that its own address is another one goes on looking for a leader', () => {
  const ensemble = new ScriptedMembership({ voters: 5 }).begin();
  const leader = ensemble.theLeader();
  // What has the higher id is dialled by the others.
  const [away] = ensemble.theFollowers();
  ensemble.crash(away, 'power');
  ensemble.change(joining(away, 'participant', 10));
  ensemble.begin([away]);
  assert.equal(ensemble.theLeader(), leader);
  ensemble.finish();
});

test('a member that learns in an election that it votes is counted in that election', () => {
  const ensemble = new ScriptedMembership({ voters: 3, observers: 1 }).begin();
  const observer = ensemble.members.find(({ role }) => role === 'observing') as EnsembleMember;
  const [first, second] = ensemble.theFollowers();
  ensemble.crash(observer, 'power');
  ensemble.change(joining(observer, 'participant'));
  ensemble.change(leaving(ensemble.theLeader()));
  ensemble.untilServing([first, second]);
  ensemble.crashAll(ensemble.members);
  // Of three voters one is away, and one believes that it does not vote.
  const beganMs = ensemble.nowMs();
  ensemble.begin([first, observer]);
  assert.ok(ensemble.nowMs() - beganMs < 5000, 'the first election decides');
  assert.deepEqual([first.role, observer.role].sort(), ['following', 'leading']);
  ensemble.finish();
});

test('observers do not make a quorum of the configuration in which they are to vote', () => {
  const ensemble = new ScriptedMembership({ voters: 3, observers: 2 }).begin();
  const observers = ensemble.members.filter((member) => member.role === 'observing');
  assert.equal(observers.length, 2);
  const [first, second] = ensemble.theFollowers();
  ensemble.crash(first, 'power');
  const before = ensemble.configurations.inForce.version;
  // Three of five would be two that have acknowledged nothing yet, and one that has.
  const lines = observers.map(({ id }) => `server.${id}=${memberLine(id, 'participant')}`);
  ensemble.ask(ensemble.admin, { ...leaving(second), joining: lines.join() });
  assert.equal(ensemble.configurations.inForce.version, before, 'it is refused');
  assert.equal(ensemble.history.last.err, newConfigNoQuorum);
  ensemble.begin([first]);
  ensemble.finish();
});

test('an observer that is to vote by a change that nobody has committed yet votes for the leader that commits it', () => {
  const ensemble = new ScriptedMembership({ voters: 3, observers: 1 }).begin();
  const leader = ensemble.theLeader();
  const [first, second] = ensemble.theFollowers();
  const observer = ensemble.members.find(({ role }) => role === 'observing') as EnsembleMember;
  const admin = ensemble.adminAt(leader);
  // The proposal reaches the followers, and what they say of it does not come back.
  for (const { host } of [first, second]) ensemble.fabric.setBlocked(host, leader.host, true);
  ensemble.propose(admin, joining(observer, 'participant'));
  ensemble.runFor(100);
  ensemble.crashAll(ensemble.members);
  ensemble.fabric.heal();
  // Of four voters there must be three: one of them does not know of it.
  ensemble.begin([first, second, observer]);
  assert.ok(ensemble.configurations.isVoter(observer.id), 'it is in force now');
  ensemble.finish();
});

test('the leader that is removed commits that, and another one leads', () => {
  const ensemble = new ScriptedMembership({ voters: 5 }).begin();
  for (let i = 0; i < 2; i++) {
    const leader = ensemble.theLeader();
    ensemble.change(leaving(leader));
    ensemble.untilServing(ensemble.members.filter(({ id }) => ensemble.configurations.has(id)));
    assert.notEqual(ensemble.theLeader(), leader);
    ensemble.ask(ensemble.admin, sync(), getData('/zookeeper/config'));
    ensemble.write(ensemble.client(2, ensemble.theLeader()), `after-${i}`, 2);
  }
  ensemble.finish();
});

test('a learner that comes while a change is under way serves by what is in force, through a follower too', () => {
  for (const observerMasters of [false, true]) {
    const settings = { voters: 3, observers: 1, observerMasters };
    const ensemble = new ScriptedMembership(settings).begin();
    const leader = ensemble.theLeader();
    const [first, second] = ensemble.theFollowers();
    const observer = ensemble.members.find(({ role }) => role === 'observing') as EnsembleMember;
    ensemble.crash(observer, 'kill');
    const admin = ensemble.adminAt(leader);
    // Both have the proposal, and what they say of it does not come back; the other way is free.
    for (const { host } of [first, second]) ensemble.fabric.setBlocked(host, leader.host, true);
    ensemble.propose(admin, leaving(second));
    ensemble.runFor(20);
    const before = ensemble.configurations.inForce.version;
    ensemble.begin([observer]);
    assert.equal(ensemble.configurations.inForce.version, before, 'nothing is committed');
    assert.equal(observer.members?.version, before);
    ensemble.fabric.heal();
    ensemble.runFor(2000);
    assert.ok(!ensemble.configurations.has(second.id));
    ensemble.finish();
  }
});

test('a member that had a configuration in force knows it, wherever its process dies', () => {
  for (let orders = 1; orders <= 12; orders++) {
    const ensemble = new ScriptedMembership().begin();
    const [first, second] = ensemble.theFollowers();
    const { admin } = ensemble;
    // All die while they put it in force, and have nothing but their disks.
    for (const member of ensemble.belonging) member.doom(orders, 'kill');
    ensemble.propose(admin, joining(first, 'participant', 10));
    ensemble.runFor(300);
    ensemble.crashAll([first, second]);
    ensemble.finish();
  }
});

test('a member that proposed other members to nobody comes back to those who went on without it', () => {
  const ensemble = new ScriptedMembership({ voters: 3, spares: 2 }).begin();
  const leader = ensemble.theLeader();
  const others = ensemble.theFollowers();
  const joiners = [ensemble.join('participant'), ensemble.join('participant')];
  assert.equal(ensemble.theLeader(), leader);
  for (const joiner of joiners) ensemble.change(leaving(joiner));
  const admin = ensemble.adminAt(leader);
  ensemble.cutOff(leader);
  // They are still there, and connected.
  for (const { host } of joiners) {
    ensemble.fabric.setBlocked(host, leader.host, false);
    ensemble.fabric.setBlocked(leader.host, host, false);
  }
  const lines = [leader, ...joiners].map(
    ({ id }) => `server.${id}=${memberLine(id, 'participant')}`,
  );
  ensemble.propose(admin, reconfig({ newMembers: lines.join() }));
  ensemble.runFor(50);
  ensemble.crashAll([leader, ...joiners]);
  ensemble.fabric.heal();
  ensemble.untilServing(others);
  // Those whom it would have had as members are gone for good.
  ensemble.begin([leader]);
  assert.equal(leader.role, 'following');
  // Nor does it wait for them when it is to lead.
  ensemble.write(ensemble.client(1, leader), 'all-three', 2);
  ensemble.crashAll(ensemble.belonging);
  ensemble.begin();
  assert.ok(!ensemble.configurations.has(joiners[0]?.id ?? 0));
  ensemble.finish();
});

test('a follower that becomes a member awaits observers', () => {
  const settings = { voters: 3, observers: 1, observerMasters: true };
  const ensemble = new ScriptedMembership(settings).begin();
  const observer = ensemble.members.find(({ role }) => role === 'observing') as EnsembleMember;
  const others = ensemble.theFollowers();
  ensemble.join('participant');
  ensemble.crash(observer, 'power');
  // The one that has joined is the only one to be followed.
  for (const other of others) ensemble.change(leaving(other));
  ensemble.crashAll(others);
  ensemble.begin([observer]);
  assert.equal(observer.role, 'observing');
  ensemble.finish();
});

test('a new version of the same members is told to who looks for a leader', () => {
  const ensemble = new ScriptedMembership().begin();
  const [away] = ensemble.theFollowers();
  const leader = ensemble.theLeader();
  ensemble.fabric.setBlocked(away.host, leader.host, true);
  ensemble.fabric.setBlocked(leader.host, away.host, true);
  ensemble.runFor(7 * ensemble.tickTimeMs);
  assert.equal(away.role, 'looking');
  ensemble.change(reconfig({ leaving: '9999' }));
  ensemble.runUntil(
    () => away.members?.version === ensemble.configurations.inForce.version,
    120_000,
    'a member hears of the version in force',
    () => ensemble.describeMembers(),
  );
  ensemble.finish();
});

const newConfigNoQuorum = -13;
