import assert from 'node:assert/strict';
import test from 'node:test';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { memberLine } from '../ensemble/ensemble-settings.ts';
import { configPath } from '../model/model-reconfig.ts';
import { ScriptedEnsemble } from './scripted-ensemble.ts';
import { joining, ScriptedMembership } from './scripted-membership.ts';

test('ZOOKEEPER-3829: in a rolling restart with other files the files count, not what the database says', () => {
  // A snapshot brings everything that the leader has, what it takes for the members as well.
  const ensemble = new ScriptedEnsemble({ snapshotSizeFactor: -1 }).begin();
  const client = ensemble.client(1);
  const moved = ensemble.theLeader();
  const shiftOf = ({ id }: EnsembleMember): number => (id === moved.id ? 10 : 0);
  const lines = ensemble.members.map(
    (member) => `server.${member.id}=${memberLine(member.id, 'participant', shiftOf(member))}`,
  );
  const text = `${lines.join('\n')}\nversion=0`;
  // The one that moves to other ports comes first: it joins those who do not know yet.
  for (const member of [moved, ...ensemble.theOthers(moved)]) {
    ensemble.write(client, `before-${member.id}-`, 3);
    ensemble.crash(member, 'power');
    ensemble.untilServing(ensemble.theOthers(member).filter(({ isUp }) => isUp));
    ensemble.runFor(1000);
    ensemble.untilConnected(client);
    ensemble.write(client, `without-${member.id}-`, 3);
    member.files.write(member.disk, `${lines.join('\n')}\n`);
    ensemble.begin([member]);
    ensemble.runFor(1000);
    ensemble.untilConnected(client);
    assert.equal(membersInTree(member), text);
  }
  // Everybody finds it where it is now, when it leads and when it follows.
  for (const leader of [ensemble.theLeader(), ...ensemble.theFollowers()]) {
    ensemble.crash(leader, 'power');
    ensemble.untilServing(ensemble.theOthers(leader));
    ensemble.begin([leader]);
    for (const member of ensemble.members) assert.equal(membersInTree(member), text);
  }
  ensemble.finish();
});

test('ZOOKEEPER-4708: a leader whose line says the same host and ports goes on leading when others change', () => {
  const ensemble = new ScriptedMembership({ voters: 3, spares: 1 }).begin();
  const leader = ensemble.theLeader();
  const { epoch } = leader;
  const joined = ensemble.join('observer');
  ensemble.change(joining(joined, 'participant'));
  ensemble.untilServing();
  // Its own line, written once more: nothing about it is another.
  ensemble.change(joining(leader, 'participant'));
  ensemble.untilServing();
  assert.deepEqual([ensemble.theLeader().id, ensemble.theLeader().epoch], [leader.id, epoch]);
  // Its line with other ports: somebody else leads, as those who look for it there would not find it yet.
  ensemble.change(joining(leader, 'participant', 10));
  ensemble.untilServing();
  assert.ok(ensemble.theLeader().epoch > epoch);
  ensemble.finish();
});

/** What a member shows of who belongs to the ensemble. */
function membersInTree({ replica }: EnsembleMember): string {
  const tree = replica?.state.tree;
  const data = tree?.copyData(tree.findString(configPath)) ?? new Uint8Array(0);
  return Buffer.from(data).toString();
}
