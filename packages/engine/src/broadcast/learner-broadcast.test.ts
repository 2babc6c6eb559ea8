import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JuteWriter, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import { LearnerBroadcast } from './learner-broadcast.ts';
import type { LearnerMembership } from './learner-membership.ts';
import type { LearnerRoute } from './learner-route.ts';
import type { MemberContext } from './member-context.ts';
import { PacketType, type ReceivedPacket } from './quorum-packet.ts';
import { RecentTransactions } from './recent-transactions.ts';

/** A learner whose log takes everything. */
class World {
  readonly recent = new RecentTransactions(100, 1024 * 1024);
  readonly left: string[] = [];
  readonly outbox = new JuteWriter(64);
  readonly broadcast: LearnerBroadcast;
  /** Bytes that are said to be proposed and not committed, besides those in `recent`. */
  outstandingBytes = 0;

  constructor() {
    const { recent } = this;
    const outstanding = (): number => this.outstandingBytes;
    const log = { beginRecord: () => 0, endRecord: () => {}, writer: new JuteWriter(1024) };
    const context = {
      storage: { log, committed: () => {} },
      recent: new Proxy(recent, {
        get: (target, key) => {
          if (key === 'outstandingBytes') return target.outstandingBytes + outstanding();
          const value: unknown = Reflect.get(target, key, target);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      }),
    } as unknown as MemberContext;
    const route = { commitOne: () => {} } as unknown as LearnerRoute;
    this.broadcast = new LearnerBroadcast(context, this.outbox, route, {} as LearnerMembership, {
      isOver: false,
      refuse: ({ type }) => this.left.push(`type ${type}`),
      leave: (reason) => this.left.push(reason),
    });
  }

  propose(zxid: number): void {
    this.broadcast.propose(proposal(zxid), 0);
  }
}

/** An error transaction. */
function proposal(zxid: number): ReceivedPacket {
  const writer = new JuteWriter(64);
  writer.writeLong(0, 0);
  writer.writeInt(0);
  writer.writeLongFromDouble(zxid);
  writer.writeLongFromDouble(0);
  writer.writeInt(-1);
  writer.writeInt(-101);
  const bytes = writer.toBytes();
  const dataEnd = bytes.length;
  return {
    type: PacketType.proposal,
    zxid: zxid as Zxid,
    bytes,
    dataStart: 0,
    dataEnd,
    authStart: dataEnd,
    end: dataEnd,
  };
}

test('a leader that proposes more than may wait for its commits is left, at the bound and not before', () => {
  const world = new World();
  world.outstandingBytes = ensembleLimits.outstandingBytesMax;
  world.propose(1);
  assert.deepEqual(world.left, []);
  assert.equal(world.recent.outstandingCount, 1);
  world.propose(2);
  assert.deepEqual(world.left, ['the leader proposes, and does not commit']);
  assert.equal(world.recent.outstandingCount, 1);
});

test('what is durable is acknowledged one by one, and once', () => {
  const world = new World();
  for (let zxid = 1; zxid <= 4; zxid++) world.propose(zxid);
  world.broadcast.commit(1 as Zxid);
  world.broadcast.beginAcknowledging();
  world.broadcast.acknowledge(3 as Zxid);
  world.broadcast.acknowledge(3 as Zxid);
  assert.equal(world.outbox.length / 20, 2);
  world.broadcast.acknowledge(9 as Zxid);
  assert.equal(world.outbox.length / 20, 3);
});

test('a hole, a step back and a commit out of turn are each a reason to leave', () => {
  const world = new World();
  world.propose(1);
  world.propose(3);
  world.propose(1);
  world.broadcast.commit(2 as Zxid);
  assert.deepEqual(
    world.left.map((reason) => reason.split(':')[0]),
    [
      'the leader leaves out transactions',
      'the leader leaves out transactions',
      'the leader commits 0x2 while 0x1 is proposed first',
    ],
  );
});
