import assert from 'node:assert/strict';
import test from 'node:test';
import { parseQuorumConfig } from './quorum-config.ts';
import { type Oracle, type QuorumVerifier, quorumVerifierOf } from './quorum-verifier.ts';
import { QuorumView } from './quorum-view.ts';

function members(count: number, rest = ''): string {
  const lines = Array.from({ length: count }, (_, i) => `server.${i + 1}=h${i + 1}:1:2`);
  return `${lines.join('\n')}\n${rest}`;
}

function verifier(text: string, oracle: Oracle | null = null): QuorumVerifier {
  return quorumVerifierOf(parseQuorumConfig(text), oracle);
}

function decides(by: QuorumVerifier, ...ids: number[]): boolean {
  return by.containsQuorum(new Set(ids));
}

test('a majority is more than half of the voters, and observers are none', () => {
  const three = verifier(`${members(3)}server.4=h4:1:2:observer\nserver.5=h5:1:2:observer`);
  assert.deepEqual([...three.voters], [1, 2, 3]);
  assert.equal(decides(three, 1), false);
  assert.equal(decides(three, 1, 4, 5, 9), false);
  assert.equal(decides(three, 1, 3), true);
  const four = verifier(members(4));
  assert.equal(decides(four, 1, 2), false);
  assert.equal(decides(four, 1, 2, 4), true);
});

test('groups: more than half the weight of more than half of the groups with weight', () => {
  const groups = 'group.1=1:2:3\ngroup.2=4:5:6\ngroup.3=7:8:9\n';
  const three = verifier(members(9, groups));
  assert.equal(decides(three, 1, 2), false);
  assert.equal(decides(three, 1, 4, 7, 8), false);
  assert.equal(decides(three, 1, 2, 7, 8), true);
  const weighted = verifier(members(9, `${groups}weight.1=3\nweight.4=0\nweight.5=0\nweight.6=0`));
  assert.equal(decides(weighted, 1, 4, 5, 6), false);
  assert.equal(decides(weighted, 1), false);
  assert.equal(decides(weighted, 1, 7, 8), true);
  assert.equal(decides(weighted, 2, 3, 7, 8), false);
  assert.equal(weighted.weightOf(4), 0);
  assert.equal(weighted.weightOf(9), 1);
});

test('with an oracle one of two goes on while it has no follower; other sizes do not ask', () => {
  let isGranted = true;
  const oracle: Oracle = { isGranted: () => isGranted };
  const two = verifier(members(2), oracle);
  assert.equal(decides(two, 1), true);
  assert.equal(decides(two), false);
  assert.equal(two.oracle?.hasChosenTheOther(), false);
  isGranted = false;
  assert.equal(decides(two, 1), false);
  assert.equal(decides(two, 1, 2), true);
  assert.equal(two.oracle?.hasChosenTheOther(), true);
  isGranted = true;
  two.oracle?.setHasFollowers(true);
  assert.equal(decides(two, 1), false);
  two.oracle?.setHasFollowers(false);
  assert.equal(decides(two, 1), true);
  assert.equal(verifier(members(3), oracle).oracle, null);
  assert.equal(decides(verifier(members(3), oracle), 1), false);
});

test('while a newer configuration is pending a decision needs a quorum of both', () => {
  const current = verifier(members(3, 'version=1'));
  const pending = verifier('server.3=h3:1:2\nserver.4=h4:1:9\nserver.5=h5:1:2\nversion=2');
  const view = new QuorumView(current, pending);
  assert.deepEqual(view.voters, [1, 2, 3, 4, 5]);
  const tracker = view.newTracker();
  for (const id of [1, 2, 8]) tracker.addAck(id);
  assert.equal(tracker.hasAllQuorums(), false);
  tracker.addAck(3);
  assert.equal(tracker.hasAllQuorums(), false);
  tracker.addAck(4);
  assert.equal(tracker.hasAllQuorums(), true);
  assert.deepEqual([...tracker.acks], [1, 2, 3, 4]);
  assert.equal(tracker.hasSid(3), true);
  assert.equal(tracker.hasSid(4), false);
  const old = new QuorumView(pending, current).newTracker();
  for (const id of [3, 4]) old.addAck(id);
  assert.equal(old.hasAllQuorums(), true);
});

test('a view knows the addresses of both configurations, those in force first', () => {
  const current = verifier('server.1=a:1:2|b:1:2\nversion=1');
  const pending = verifier('server.1=b:1:2|c:1:2\nserver.2=d:1:2\nversion=2');
  const view = new QuorumView(current, pending);
  assert.deepEqual(
    view.addressesOf(1).map(({ host }) => host),
    ['a', 'b', 'c'],
  );
  assert.equal(view.addressesOf(3).length, 0);
  assert.equal(view.member(2)?.addresses[0]?.host, 'd');
  assert.equal(view.isVoter(2), true);
  assert.equal(view.isVoter(3), false);
});
