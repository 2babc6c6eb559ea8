import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import {
  type Election,
  Elector,
  electorDefaults,
  PeerState,
  parseQuorumConfig,
  QuorumView,
  quorumVerifierOf,
} from '@meerkat/engine';
import { NodeClock, NodePeerNetwork } from '@meerkat/server';
import { JavaMember } from './support/java-member.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { freePort } from './support/server-under-test.ts';

/*
 * Our elector among Java members, over TCP. It only elects: what follows an election is another matter, so where it would
 * have to follow or lead for long the Java members look for a leader again, which these tests do not wait for.
 */
const peers: readonly PeerName[] = ['java', 'zookeeper.jar'];

peerTest(
  'our member joins two Java members, and its vote decides when their leader is gone',
  peers,
  async (t) => {
    const lines = await serverLines('participant', 'participant', 'participant', 'observer');
    const two = await javaMember(t, 2, lines);
    const three = await javaMember(t, 3, lines);
    two.start();
    three.start();
    await Promise.all([two.untilMode('follower'), three.untilMode('leader')]);

    const one = new Member(t, 1, lines);
    const joined = await one.look();
    assert.equal(joined.state, PeerState.following);
    assert.equal(joined.vote.leader, 3);
    const observed = await new Member(t, 4, lines).look();
    assert.equal(observed.state, PeerState.observing);
    assert.equal(observed.vote.leader, 3);
    // Java puts the epoch that it has established into its vote a little later than it serves.
    assert.ok(observed.vote.peerEpoch >= joined.vote.peerEpoch);

    await three.kill();
    const decided = await one.look();
    assert.equal(decided.state, PeerState.following);
    assert.equal(decided.vote.leader, 2);
    await two.untilLogged('LEADING - LEADER ELECTION TOOK');
  },
);

peerTest('a Java member is elected by our vote', peers, async (t) => {
  const lines = await serverLines('participant', 'participant', 'participant');
  const two = await javaMember(t, 2, lines);
  const one = new Member(t, 1, lines);
  const outcome = one.look();
  two.start();
  const { state, vote, supporters } = await outcome;
  assert.equal(state, PeerState.following);
  assert.equal(vote.leader, 2);
  assert.deepEqual(supporters, new Set([1, 2]));
  await two.untilLogged('LEADING - LEADER ELECTION TOOK');
});

peerTest('our member is elected by the vote of a Java member', peers, async (t) => {
  const lines = await serverLines('participant', 'participant', 'participant');
  const two = await javaMember(t, 2, lines);
  two.start();
  await two.untilLogged('New election');
  const { state, vote, supporters } = await new Member(t, 3, lines).look();
  assert.equal(state, PeerState.leading);
  assert.equal(vote.leader, 3);
  assert.deepEqual(supporters, new Set([2, 3]));
  await two.untilLogged('FOLLOWING - LEADER ELECTION TOOK');
});

/** The `server.N` lines of an ensemble on this machine, N from 1. */
function serverLines(...roles: readonly string[]): Promise<string[]> {
  return Promise.all(
    roles.map(async (role, index) => {
      return `server.${index + 1}=127.0.0.1:${await freePort()}:${await freePort()}:${role}`;
    }),
  );
}

async function javaMember(
  t: TestContext,
  id: number,
  lines: readonly string[],
): Promise<JavaMember> {
  const member = await JavaMember.create(id, lines);
  t.after(() => member.kill());
  return member;
}

/** A member of ours that only elects. */
class Member {
  readonly #id: number;
  readonly #elector: Elector;
  readonly #events = new EventEmitter();
  readonly #learnerType: 'participant' | 'observer';

  constructor(t: TestContext, id: number, lines: readonly string[]) {
    this.#id = id;
    const config = parseQuorumConfig(lines.join('\n'));
    const own = config.members.get(id);
    assert.ok(own !== undefined);
    this.#learnerType = own.type;
    const listenAddresses = own.addresses.map(({ host, electionPort }) => ({
      host,
      port: electionPort,
    }));
    const clock = new NodeClock();
    const network = new NodePeerNetwork();
    const options = { ...electorDefaults, myId: id, listenAddresses };
    const view = new QuorumView(quorumVerifierOf(config));
    this.#elector = new Elector(
      options,
      view,
      { clock, peers: network },
      {
        onElected: (election) => this.#events.emit('elected', election),
        onNewerConfig: () => {},
        onVoterLooking: () => {},
        onUnableToListen: (reason) => this.#events.emit('error', new Error(reason)),
        onNotice: ({ kind, text }) => {
          if (kind !== 'listening') t.diagnostic(`${this.#id}: ${text}`);
        },
      },
    );
    this.#elector.listen();
    t.after(() => {
      this.#elector.stop();
      network.destroyAll();
      clock.cancelAll();
    });
  }

  /** Looks for a leader, with an empty database, and says who it is. */
  async look(): Promise<Election> {
    const elected = once(this.#events, 'elected');
    this.#elector.lookForLeader({ learnerType: this.#learnerType, lastZxid: 0, currentEpoch: 0 });
    const [election] = (await elected) as [Election];
    return election;
  }
}
