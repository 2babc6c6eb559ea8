import assert from 'node:assert/strict';
import test from 'node:test';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { type Oracle, quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';
import type { ElectionNotice } from './election-notice.ts';
import { type Election, FastLeaderElection, type Standing } from './fast-leader-election.ts';
import { decodeNotification, encodeNotification, type Notification } from './notification.ts';
import { FakeClock } from './testing/fake-clock.ts';
import { noCandidate, PeerState } from './vote.ts';

const { looking, following, leading, observing } = PeerState;
const timing = {
  finalizeWaitMs: 200,
  notificationIntervalMinMs: 200,
  notificationIntervalMaxMs: 60_000,
};

/** One member of an ensemble of which the test plays the others. */
class Member {
  readonly clock = new FakeClock();
  readonly sent: { readonly sid: number; readonly said: Notification }[] = [];
  readonly elections: Election[] = [];
  readonly notices: ElectionNotice[] = [];
  readonly newerConfigs: [number, number][] = [];
  readonly votersLooking: number[] = [];
  readonly view: QuorumView;
  readonly election: FastLeaderElection;
  readonly unreachable = new Set<number>();
  delivers = true;
  connects = 0;

  constructor(myId: number, config: string, oracle: Oracle | null = null) {
    this.view = new QuorumView(quorumVerifierOf(parseQuorumConfig(config), oracle));
    this.election = new FastLeaderElection(myId, this.view, timing, this.clock, {
      send: (sid, frame) => {
        const said = decodeNotification(frame, 4, frame.length);
        assert.ok(!('malformed' in said));
        this.sent.push({ sid, said });
      },
      isLinked: (sid) => sid !== 5,
      isUnreachable: (sid) => this.unreachable.has(sid),
      forgetMessages: () => {},
      haveDelivered: () => this.delivers,
      connectAll: () => {
        this.connects += 1;
      },
      onElected: (election) => this.elections.push(election),
      onNewerConfig: (config_, from) => this.newerConfigs.push([config_.version, from]),
      onVoterLooking: (sid) => this.votersLooking.push(sid),
      onNotice: (notice) => this.notices.push(notice),
    });
  }

  /** Another server says something; what is left out is what a fresh server says in round 1. */
  hear(sid: number, said: Partial<Notification>): this {
    const vote = { state: looking, leader: sid, zxid: 0, electionEpoch: 1, peerEpoch: 0 };
    const frame = encodeNotification({ ...vote, version: 2, configText: null, ...said });
    // An empty configuration is none at all, as with servers before 3.5.
    const bytes = said.configText === undefined ? frame.subarray(4, 4 + 40) : frame.subarray(4);
    this.election.onMessage(sid, bytes, 0, bytes.length);
    return this;
  }

  /** What was sent since the last call: to whom, doing what, for whom, in which round. */
  takeSent(): string[] {
    const names = ['looking', 'following', 'leading', 'observing'];
    return this.sent
      .splice(0)
      .map(({ sid, said }) => `${sid}: ${names[said.state]} ${said.leader} @${said.electionEpoch}`);
  }

  get elected(): string | null {
    const last = this.elections.at(-1);
    if (last === undefined) return null;
    const by = [...last.supporters].sort((a, b) => a - b).join();
    return `${last.state} ${last.vote.leader} @${last.vote.electionEpoch} by ${by}`;
  }
}

const three = 'server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2';
const fresh: Standing = { learnerType: 'participant', lastZxid: 0, currentEpoch: 0 };

function member(myId: number, standing: Standing = fresh, config = three): Member {
  const one = new Member(myId, config);
  one.election.startLooking(standing);
  return one;
}

test('a member votes for itself, then for the better, and decides when nothing better comes in time', () => {
  const two = member(2);
  assert.deepEqual(two.takeSent(), ['1: looking 2 @1', '3: looking 2 @1']);
  two.hear(1, {});
  assert.deepEqual(two.takeSent(), ['1: looking 2 @1']);
  two.hear(3, {});
  assert.deepEqual(two.takeSent(), ['1: looking 3 @1', '3: looking 3 @1']);
  two.clock.advance(199);
  assert.equal(two.elected, null);
  two.clock.advance(1);
  assert.equal(two.elected, `${following} 3 @1 by 2,3`);
  assert.equal(two.election.state, following);
});

test('nothing better is waited for once every voter is for one', () => {
  const two = member(2);
  two.hear(1, { leader: 3 }).hear(3, {});
  assert.equal(two.elected, `${following} 3 @1 by 1,2,3`);
});

test('a voter that cannot be reached is not waited for', () => {
  const two = member(2);
  two.unreachable.add(3);
  two.hear(1, { leader: 2 });
  assert.equal(two.elected, `${leading} 2 @1 by 1,2`);
  const other = member(2);
  other.hear(1, { leader: 2 });
  other.clock.advance(50);
  assert.equal(other.elected, null);
  other.unreachable.add(3);
  other.election.onPeerUnreachable();
  assert.equal(other.elected, `${leading} 2 @1 by 1,2`);
});

test('a voter that cannot be reached does not make a quorum', () => {
  const two = member(2);
  two.unreachable.add(1).add(3);
  two.election.onPeerUnreachable();
  two.clock.advance(60_000);
  assert.equal(two.elected, null);
});

test('epoch comes before zxid, zxid before id', () => {
  const one = member(1, { ...fresh, lastZxid: 7, currentEpoch: 2 });
  one.hear(2, { zxid: 9, peerEpoch: 1 }).hear(3, { zxid: 6, peerEpoch: 2 });
  assert.equal(one.election.proposal.leader, 1);
  one.hear(2, { zxid: 8, peerEpoch: 2 });
  assert.equal(one.election.proposal.leader, 2);
  one.hear(3, { zxid: 0, peerEpoch: 3 });
  assert.equal(one.election.proposal.leader, 3);
});

test('a better vote during the last wait opens the election again', () => {
  const one = member(1, fresh, `${three}\nserver.4=d:1:2\nserver.5=e:1:2`);
  one.hear(2, {}).hear(3, { leader: 2 }).hear(2, {});
  one.clock.advance(150);
  one.hear(5, {});
  one.clock.advance(100);
  assert.equal(one.elected, null);
  one.hear(2, { leader: 5 });
  one.clock.advance(200);
  assert.equal(one.elected, `${following} 5 @1 by 1,2,5`);
});

test('a worse vote during the last wait does not prolong it', () => {
  const two = member(2);
  two.hear(3, {});
  two.clock.advance(150);
  two.hear(1, {}).hear(1, { electionEpoch: 5 });
  two.clock.advance(50);
  assert.equal(two.elected, `${following} 3 @1 by 2,3`);
});

test('a higher round is adopted and begins with the own vote, a lower one is told of ours', () => {
  const three_ = member(3);
  three_.takeSent();
  three_.hear(1, { electionEpoch: 4 });
  assert.deepEqual(three_.takeSent(), ['1: looking 3 @4', '2: looking 3 @4']);
  three_.hear(2, { electionEpoch: 3 });
  assert.deepEqual(three_.takeSent(), ['2: looking 3 @4']);
  three_.clock.advance(5000);
  assert.equal(three_.elected, null);
  three_.hear(1, { electionEpoch: 4, leader: 3 });
  three_.clock.advance(200);
  assert.equal(three_.elected, `${leading} 3 @4 by 1,3`);
});

test('silence is answered with the vote again after 200 ms, 400 ms, up to a minute', () => {
  const one = member(1);
  const waits: (number | null)[] = [];
  for (let i = 0; i < 11; i++) {
    one.takeSent();
    waits.push(one.clock.nextTimerMs);
    one.clock.advance(one.clock.nextTimerMs ?? 0);
    assert.deepEqual(one.takeSent(), ['2: looking 1 @1', '3: looking 1 @1']);
  }
  assert.deepEqual(
    waits,
    [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000],
  );
  one.election.onPeerLost(2);
  assert.equal(one.clock.nextTimerMs, 200);
  one.delivers = false;
  one.clock.advance(200);
  assert.deepEqual(one.takeSent(), []);
  assert.equal(one.connects, 1);
});

test('who votes for a worse one, or is heard for the first time, is told of the vote', () => {
  const two = member(2);
  two.takeSent();
  two.hear(1, {});
  assert.deepEqual(two.takeSent(), ['1: looking 2 @1']);
  two.hear(1, { leader: 2 });
  assert.deepEqual(two.takeSent(), []);
  const other = member(2);
  other.takeSent();
  other.hear(1, { leader: 2 }).hear(1, { leader: 2 });
  assert.deepEqual(other.takeSent(), ['1: looking 2 @1']);
});

test('a voter to whom a link comes up is told of the outcome', () => {
  const two = member(2);
  two.takeSent();
  two.election.onPeerConnected(1);
  assert.deepEqual(two.takeSent(), []);
  two.hear(1, { leader: 2 });
  two.clock.advance(200);
  two.takeSent();
  two.election.onPeerConnected(3);
  two.election.onPeerConnected(7);
  assert.deepEqual(two.takeSent(), ['3: leading 2 @1']);
});

test('an ensemble that stands is joined when a quorum follows a leader who says so itself', () => {
  const one = member(1, { ...fresh, lastZxid: 99, currentEpoch: 9 });
  const settled = { leader: 3, zxid: 5, electionEpoch: 12, peerEpoch: 2 };
  one.hear(2, { ...settled, state: following });
  assert.equal(one.elected, null);
  one.hear(3, { ...settled, state: following });
  assert.equal(one.elected, null);
  one.hear(3, { ...settled, state: leading, zxid: 4, electionEpoch: 11 });
  assert.equal(one.elected, `${following} 3 @11 by 2,3`);
  assert.equal(one.election.electionEpoch, 11);
});

test('who hears of a leader and cannot join yet asks again soon, once for each thing that it hears', () => {
  const one = member(1, { ...fresh, lastZxid: -1 });
  one.clock.advance(100_000);
  const settled = { leader: 3, electionEpoch: 5, peerEpoch: 4 };
  one.hear(3, { ...settled, state: leading });
  assert.equal(one.clock.nextTimerMs, 200);
  one.clock.advance(200);
  assert.equal(one.clock.nextTimerMs, 400);
  one.hear(2, { ...settled, state: following, peerEpoch: 5 });
  assert.equal(one.elected, null);
  assert.equal(one.clock.nextTimerMs, 200);
  one.clock.advance(200);
  one.hear(2, { ...settled, state: following, peerEpoch: 5 });
  assert.equal(one.clock.nextTimerMs, 400);
  one.hear(3, { ...settled, state: leading, peerEpoch: 5 });
  assert.equal(one.elected, `${following} 3 @5 by 2,3`);
});

test('who is thought to lead leads, if it was in this round', () => {
  const three_ = member(3);
  three_.hear(1, { state: following, leader: 3, electionEpoch: 7 });
  three_.hear(2, { state: following, leader: 3, electionEpoch: 7 });
  assert.equal(three_.elected, null);
  three_.hear(2, { state: following, leader: 3 });
  assert.equal(three_.elected, `${leading} 3 @1 by 2,3`);
});

test('once elected, voters who look are answered with the outcome, others are not', () => {
  const three_ = member(3);
  three_.hear(1, { leader: 3 });
  three_.clock.advance(200);
  three_.takeSent();
  three_.hear(2, { electionEpoch: 5 });
  assert.deepEqual(three_.takeSent(), ['2: leading 3 @1']);
  assert.deepEqual(three_.votersLooking, [2]);
  three_.hear(2, { state: following, leader: 3 });
  assert.deepEqual(three_.takeSent(), []);
  three_.election.setPeerEpoch(8);
  three_.hear(2, {});
  assert.equal(three_.sent[0]?.said.peerEpoch, 8);
  three_.election.startLooking(fresh);
  assert.deepEqual(three_.takeSent().slice(1), ['1: looking 3 @2', '2: looking 3 @2']);
});

test('servers that do not vote are answered and not counted, the same answer not at once again', () => {
  const two = member(2, fresh, `${three}\nserver.4=d:1:2:observer`);
  two.takeSent();
  two.hear(4, {
    leader: noCandidate,
    zxid: noCandidate,
    electionEpoch: 99,
    peerEpoch: noCandidate,
  });
  two.hear(4, { electionEpoch: 99 }).hear(9, { leader: 2 });
  assert.deepEqual(two.takeSent(), ['4: looking 2 @1', '9: looking 2 @1']);
  two.hear(9, { state: following, leader: 2 });
  two.hear(1, { leader: 4, zxid: 50 });
  assert.equal(two.election.proposal.leader, 2);
  assert.equal(two.election.electionEpoch, 1);
  assert.deepEqual(two.takeSent(), []);
  two.clock.advance(100);
  two.hear(9, {});
  assert.deepEqual(two.takeSent(), ['9: looking 2 @1']);
});

test('members that are linked are told of the outcome', () => {
  const two = member(2, fresh, `${three}\nserver.4=d:1:2:observer\nserver.5=e:1:2:observer`);
  two.hear(1, { leader: 2 });
  two.takeSent();
  two.clock.advance(200);
  assert.deepEqual(two.takeSent(), ['1: leading 2 @1', '3: leading 2 @1', '4: leading 2 @1']);
});

test('an observer stands for nobody and learns who leads', () => {
  const config = `${three}\nserver.4=d:1:2:observer`;
  const four = member(4, { ...fresh, learnerType: 'observer', lastZxid: 500 }, config);
  const [first] = four.sent;
  assert.equal(first?.said.leader, noCandidate);
  assert.equal(first?.said.zxid, noCandidate);
  assert.equal(first?.said.peerEpoch, noCandidate);
  assert.equal(first?.said.state, looking);
  four.hear(1, { state: following, leader: 2, electionEpoch: 3 });
  four.hear(2, { state: leading, leader: 2, electionEpoch: 3 });
  assert.equal(four.elected, `${observing} 2 @3 by 1,2`);
});

test('without a database a member counts for nothing and can only join', () => {
  const one = member(1, { ...fresh, lastZxid: -1 });
  one.hear(2, { leader: 3 }).hear(3, {});
  one.clock.advance(1000);
  assert.equal(one.elected, null);
  const two = member(2);
  two.hear(1, { zxid: -1 });
  two.clock.advance(1000);
  assert.equal(two.elected, null);
  const settled = { leader: 3, electionEpoch: 1 };
  one.hear(2, { ...settled, state: following }).hear(3, { ...settled, state: leading });
  assert.equal(one.elected, `${following} 3 @1 by 2,3`);
});

test('a server without weight is never voted for', () => {
  const config = `${three}\ngroup.1=1:2:3\nweight.3=0`;
  const one = member(1, fresh, config);
  one.hear(3, { zxid: 9 }).hear(2, {});
  one.clock.advance(200);
  assert.equal(one.elected, `${following} 2 @1 by 1,2`);
});

test('two members with an oracle: the chosen one goes on alone, the other follows it', () => {
  let isGranted = false;
  const two = 'server.1=a:1:2\nserver.2=b:1:2';
  const one = new Member(1, two, { isGranted: () => isGranted });
  one.election.startLooking(fresh);
  one.clock.advance(1000);
  assert.equal(one.elected, null);
  isGranted = true;
  one.clock.advance(1000);
  assert.equal(one.elected, `${leading} 1 @1 by 1`);
  const other = new Member(2, two, { isGranted: () => false });
  other.election.startLooking(fresh);
  other.hear(1, { state: following, leader: 1, electionEpoch: 6 });
  assert.equal(other.elected, null);
  other.hear(1, { state: leading, leader: 1, electionEpoch: 6 });
  assert.equal(other.elected, `${following} 1 @6 by 1`);
  const lonely = member(2, fresh, two);
  lonely.hear(1, { state: leading, leader: 1, electionEpoch: 6 });
  assert.equal(lonely.elected, null);
});

test('a configuration of the same version with other members is told of, unless only hosts mean anything', () => {
  const one = member(1, fresh, 'server.1=a:1:2\nserver.2=b:1:2');
  const tell = (configText: string): string[] => {
    const before = one.notices.length;
    one.hear(2, { configText });
    return one.notices.slice(before).map(({ text }) => text);
  };
  assert.deepEqual(tell('server.1=a:1:2:participant;2181\nserver.2=0.0.0.0:1:2\nversion=0'), []);
  assert.match(
    tell('server.1=a:1:2\nserver.2=c:1:2')[0] ?? '',
    /server\.2 is b:1:2:participant here and c:1:2/,
  );
  assert.match(
    tell('server.1=a:1:2')[0] ?? '',
    /server\.2 is a member here and not there; write the same/,
  );
  assert.match(
    tell('server.1=a:1:2\nserver.2=b:1:2:observer')[0] ?? '',
    /b:1:2:participant here and b:1:2:observer there/,
  );
});

test('a newer configuration is told of while looking; a broken one does no harm', () => {
  const one = member(1);
  const newer = (version: string): string => `server.1=a:1:2\nserver.9=z:1:2\nversion=${version}`;
  one.hear(2, { configText: newer('500000001') }).hear(3, { configText: newer('0') });
  assert.deepEqual(one.newerConfigs, [[0x500000001, 2]]);
  one.hear(3, { configText: 'server.1=rubbish' });
  assert.deepEqual(
    one.notices.map(({ kind }) => kind),
    ['other configuration', 'malformed configuration'],
  );
  one.clock.advance(200);
  assert.equal(one.elected, `${following} 3 @1 by 1,3`);
  one.hear(2, { configText: newer('600000001') });
  assert.equal(one.newerConfigs.length, 1);
});

test('other members in the middle of an election begin it again', () => {
  const one = member(1);
  one.hear(3, {});
  one.takeSent();
  const view = new QuorumView(quorumVerifierOf(parseQuorumConfig(`${three}\nserver.4=d:1:2`)));
  one.election.setView(view);
  const all = ['1', '2', '3', '4'].slice(1).map((sid) => `${sid}: looking 1 @2`);
  assert.deepEqual(one.takeSent(), all);
  one.clock.advance(500);
  assert.equal(one.elected, null);
});

test('a malformed notification is told of and left out', () => {
  const one = member(1);
  one.election.onMessage(2, new Uint8Array(10), 0, 10);
  assert.deepEqual(
    one.notices.map(({ kind, sid }) => [kind, sid]),
    [['malformed notification', 2]],
  );
  one.election.stop();
  one.hear(2, {});
  assert.equal(one.clock.nextTimerMs, null);
});
