import assert from 'node:assert/strict';
import test from 'node:test';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { memberLine } from '../ensemble/ensemble-settings.ts';
import { getData, sync } from './scripted-ensemble.ts';
import { joining, leaving, ScriptedMembership } from './scripted-membership.ts';

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

test('a member that learns in an election that it has another role takes it', () => {
  const ensemble = new ScriptedMembership({ voters: 5 }).begin();
  const [away] = ensemble.theFollowers();
  ensemble.crash(away, 'power');
  ensemble.change(joining(away, 'observer'));
  ensemble.begin([away]);
  assert.equal(away.role, 'observing');
  ensemble.crash(away, 'power');
  ensemble.change(joining(away, 'participant'));
  ensemble.begin([away]);
  assert.equal(away.role, 'following');
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
  admin.submit([joining(observer, 'participant')]);
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

const newConfigNoQuorum = -13;
