import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteWriter, OpCode, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';
import type { WritePipeline } from '../requests/write-pipeline.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import type { LearnerLinks } from './learner-links.ts';
import { LearnerRequests } from './learner-requests.ts';
import type { MemberContext } from './member-context.ts';
import { PacketType, type ReceivedPacket } from './quorum-packet.ts';
import { QuorumRounds } from './quorum-rounds.ts';

const members = [1, 2, 3, 4, 5].map((id) => `server.${id}=h${id}:2888:3888:participant;2181`);
const view = new QuorumView(quorumVerifierOf(parseQuorumConfig(members.join('\n')), null));

/** The leader's side of learners' requests, with a log in which so much waits for a quorum. */
class World {
  readonly recent = { outstandingBytes: 0, outstandingCount: 0, newestZxid: 0 };
  readonly outbox = new JuteWriter(64);
  readonly link = { sid: 2, type: 'participant', stage: LinkStage.serving } as LearnerLink;
  prepared = 0;
  readonly requests: LearnerRequests;

  constructor() {
    const context = {
      recent: this.recent,
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
      config: { extendedTypesEnabled: false },
      ensemble: { myId: 1 },
      view,
    } as unknown as MemberContext;
    const links = { ordered: () => this.outbox } as unknown as LearnerLinks;
    const pipeline = { prepareForeign: () => this.prepared++ } as unknown as WritePipeline;
    this.requests = new LearnerRequests(context, links, pipeline, new QuorumRounds());
  }

  take(type: OpCode): string | null {
    const writer = new JuteWriter(64);
    writer.writeLong(0, 5);
    writer.writeInt(1);
    writer.writeInt(type);
    writer.writeInt(-1);
    const packet: ReceivedPacket = {
      type: PacketType.request,
      zxid: -1 as Zxid,
      bytes: writer.toBytes(),
      dataStart: 0,
      dataEnd: 16,
      authStart: 16,
      end: 20,
    };
    return this.requests.take(this.link, packet);
  }

  /** SYNC packets that were written. */
  get answers(): number {
    return this.outbox.length / 20;
  }
}

test('a learner that asks for more than may wait for a quorum is let go, at the bound and not before', () => {
  const world = new World();
  world.recent.outstandingBytes = ensembleLimits.outstandingBytesMax;
  assert.equal(world.take(OpCode.setData), null);
  assert.equal(world.prepared, 1);
  world.recent.outstandingBytes++;
  assert.match(world.take(OpCode.setData) ?? '', /it asks for more while 536870913 bytes are not/);
  assert.equal(world.prepared, 1);
});

test('syncs wait for a round, in order, and one more than may wait is refused', () => {
  const world = new World();
  for (let i = 0; i < ensembleLimits.outstandingSyncsMax; i++) {
    assert.equal(world.take(OpCode.sync), null);
  }
  assert.match(world.take(OpCode.sync) ?? '', /it asks for a sync while 100000 wait/);
  assert.equal(world.answers, 0);
  // What a quorum has acknowledged since confirms all of them, and there is room again.
  world.requests.beforeCommit(7 as Zxid);
  assert.equal(world.answers, ensembleLimits.outstandingSyncsMax);
  assert.equal(world.take(OpCode.sync), null);
});

test('a sync behind proposals waits for their commits, even when a round is confirmed', () => {
  const world = new World();
  Object.assign(world.recent, { outstandingCount: 1, newestZxid: 9 });
  assert.equal(world.take(OpCode.sync), null);
  world.requests.beforeCommit(9 as Zxid);
  assert.equal(world.answers, 0);
  world.requests.beforeCommit(10 as Zxid);
  assert.equal(world.answers, 1);
});

test('a learner that is gone is answered nothing, and holds up nobody behind it', () => {
  const world = new World();
  world.take(OpCode.sync);
  world.link.stage = LinkStage.closed;
  world.requests.beforeCommit(7 as Zxid);
  assert.equal(world.answers, 0);
});
