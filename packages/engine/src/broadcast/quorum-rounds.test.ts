import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import { QuorumRounds } from './quorum-rounds.ts';

const text = [1, 2, 3, 4, 5].map((id) => `server.${id}=h${id}:2888:3888:participant;2181`);
const view = new QuorumView(quorumVerifierOf(parseQuorumConfig(text.join('\n')), null));

function link(sid: number, answeredRound: number, type = 'participant'): LearnerLink {
  return { stage: LinkStage.serving, type, sid, answeredRound } as LearnerLink;
}

test('a round is sent when somebody wants it, and once for all who do', () => {
  const rounds = new QuorumRounds();
  assert.equal(rounds.isDue, false);
  assert.equal(rounds.want(), 1);
  assert.equal(rounds.want(), 1);
  assert.equal(rounds.isDue, true);
  rounds.begin();
  assert.equal(rounds.isDue, false);
  assert.equal(rounds.isAwaited, true);
  // What comes now is not confirmed by what was sent before.
  assert.equal(rounds.want(), 2);
});

test('it is confirmed by a quorum of voters, of whom the leader is one', () => {
  const rounds = new QuorumRounds();
  rounds.want();
  rounds.begin();
  assert.equal(rounds.confirm(1, [link(2, 0), link(3, 0)], view), false);
  assert.equal(rounds.confirm(1, [link(2, 1), link(9, 1), link(3, 1, 'observer')], view), false);
  assert.equal(rounds.confirm(1, [link(2, 1), link(3, 1)], view), true);
  assert.equal(rounds.confirmed, 1);
  assert.equal(rounds.isAwaited, false);
  assert.equal(rounds.confirm(1, [link(2, 1), link(3, 1)], view), false);
});

test('answers to what was never sent confirm nothing that is to come', () => {
  const rounds = new QuorumRounds();
  rounds.want();
  rounds.begin();
  rounds.confirm(1, [link(2, 7), link(3, 7)], view);
  assert.equal(rounds.confirmed, 1);
});

test('rounds that nobody answers are not sent without end', () => {
  const rounds = new QuorumRounds();
  let sent = 0;
  for (let i = 0; i < 1000; i++) {
    rounds.want();
    if (!rounds.isDue) continue;
    rounds.begin();
    sent++;
  }
  assert.ok(sent > 1 && sent < 100);
  assert.ok(rounds.isAwaited);
  rounds.confirm(1, [link(2, sent), link(3, sent)], view);
  assert.equal(rounds.isDue, true);
});
