import assert from 'node:assert/strict';
import test from 'node:test';
import { defaultEnsembleConfig, MemberCounters, parseQuorumConfig } from '@meerkat/engine';
import { ManualClock } from '../testing/manual-clock.ts';
import { type MemberFacts, MemberView } from './member-view.ts';

const text = [
  'server.1=a:2888:3888:participant',
  'server.2=b:2888:3888:participant',
  'server.3=c:2888:3888:participant',
  'server.4=d:2888:3888:observer',
  'version=100000000',
].join('\n');
const members = parseQuorumConfig(text);
const ensemble = {
  ...defaultEnsembleConfig,
  myId: 3,
  members,
  initLimitTicks: 20,
  syncLimitTicks: 10,
};

function viewOf(facts: Partial<MemberFacts>): { view: MemberView; clock: ManualClock } {
  const clock = new ManualClock();
  const whole: MemberFacts = {
    role: 'leading',
    learnerMasterId: 3,
    epoch: 1,
    leadingSinceMs: clock.monotonicMs(),
    learners: [],
    proposalSizes: { last: -1, min: -1, max: -1 },
    counters: Object.assign(new MemberCounters(), counted),
    view: { current: { config: members } },
    ...facts,
  };
  return { view: new MemberView(whole, ensemble, clock), clock };
}

const counted = {
  proposed: 1,
  committed: 2,
  snapshotsSent: 3,
  differencesSent: 4,
  proposalsReceived: 5,
  commitsReceived: 6,
  revalidations: 7,
  disloyalVoters: 8,
};
/** As Java names them. */
const countedLines = {
  proposal_count: 1,
  commit_count: 2,
  snap_count: 3,
  diff_count: 4,
  learner_proposal_received_count: 5,
  learner_commit_received_count: 6,
  revalidate_count: 7,
  quit_leading_due_to_disloyal_voter: 8,
};
const learner = { type: 'participant', isServing: true, isSynchronising: false } as const;

test('a leader says who follows it, as a Java leader does', () => {
  const { view, clock } = viewOf({
    learners: [
      { ...learner, sid: 1 },
      { ...learner, sid: 2, isServing: false, isSynchronising: true },
      { ...learner, sid: 4, type: 'observer' },
      // One that was taken out of the configuration and goes on following.
      { ...learner, sid: 9 },
    ],
    proposalSizes: { last: 48, min: 40, max: 1000 },
  });
  clock.advance(257);
  assert.equal(view.state, 'leader');
  assert.equal(view.proposalLine(), 'Proposal sizes last/min/max: 48/40/1000\n');
  assert.deepEqual(Object.fromEntries(view.gauges()), {
    peer_state: 'leading - broadcast',
    quorum_size: 3,
    looking_count: 0,
    current_epoch: 1,
    ...countedLines,
    learners: 4,
    followers: 4,
    synced_followers: 2,
    synced_non_voting_followers: 1,
    synced_observers: 1,
    pending_syncs: 1,
    leader_uptime: 257,
    last_proposal_size: 48,
    min_proposal_size: 40,
    max_proposal_size: 1000,
  });
});

test('an observer says whom it follows, and how often it looked for a leader', () => {
  const { view, clock } = viewOf({ role: 'observing' });
  const times = { electionMs: 12.4, syncMs: 30 };
  view.onRole('looking', times);
  clock.advance(50);
  view.onRole('observing', times);
  assert.equal(view.state, 'observer');
  assert.equal(view.proposalLine(), '');
  assert.deepEqual(Object.fromEntries(view.gauges()), {
    peer_state: 'observing - broadcast',
    quorum_size: 3,
    looking_count: 1,
    current_epoch: 1,
    ...countedLines,
    observer_master_id: 3,
  });
  const summaries = Object.fromEntries(
    view.summaries().map(([name, { count, sum }]) => [name, [count, sum]]),
  );
  assert.deepEqual(summaries, {
    election_time: [1, 12],
    follower_sync_time: [0, 0],
    observer_sync_time: [1, 30],
    unavailable_time: [1, 50],
  });
});

test('conf ends with the members, as a Java member answers it', () => {
  assert.equal(
    viewOf({}).view.configuration(),
    `serverId=3
initLimit=20
syncLimit=10
electionAlg=3
electionPort=3888
quorumPort=2888
peerType=0
membership: 
${text}`,
  );
});
