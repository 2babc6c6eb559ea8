/**
 * A learner's part in the broadcast (`Follower.processPacket`, `Observer.processPacket`): what the leader proposes goes into the
 * log, what it commits is applied, and what is durable is acknowledged, each in the leader's order.
 *
 * Owns where the history stands and what is acknowledged of it. Refuses to go on behind a hole, to commit what is not the
 * oldest proposal, and to keep more than a bound of what nobody commits.
 */
import {
  assert,
  asZxid,
  counterOf,
  epochOf,
  formatZxid,
  JuteReader,
  type JuteWriter,
  OpCode,
  type Zxid,
} from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type { LearnerMembership } from './learner-membership.ts';
import type { LearnerRoute } from './learner-route.ts';
import type { MemberContext } from './member-context.ts';
import type { ObserverMaster } from './observer-master.ts';
import { dataReader, PacketType, type ReceivedPacket, writeBarePacket } from './quorum-packet.ts';
import { configTextIn, transactionBytesMin, typeIn, zxidIn } from './transaction-bytes.ts';
import { TransactionShape } from './transaction-shape.ts';

/** Who follows the leader, and may do so no longer. */
export interface BroadcastFollower {
  readonly isOver: boolean;
  /** The leader's packet is not one that it should have sent. */
  refuse(packet: ReceivedPacket): void;
  /** The leader is not to be followed. */
  leave(reason: string): void;
}

export class LearnerBroadcast {
  readonly #context: MemberContext;
  readonly #outbox: JuteWriter;
  readonly #route: LearnerRoute;
  readonly #membership: LearnerMembership;
  readonly #follower: BroadcastFollower;
  readonly #shape = new TransactionShape();
  readonly #data = new JuteReader();
  /** The observers that follow this member; null while it awaits none. */
  observerMaster: ObserverMaster | null = null;
  /** The last transaction that this member has, proposed ones included. */
  #lastZxid: Zxid = asZxid(0);
  /** Proposals are acknowledged from this one on. */
  #ackFrom: Zxid = asZxid(0);
  /** Committed transactions since the last turn, for the snapshots. */
  #committedCount = 0;
  #committedBytes = 0;

  /** @param outbox what goes to the leader at the end of the turn */
  constructor(
    context: MemberContext,
    outbox: JuteWriter,
    route: LearnerRoute,
    membership: LearnerMembership,
    follower: BroadcastFollower,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#route = route;
    this.#membership = membership;
    this.#follower = follower;
  }

  /** The history is the leader's up to here; what follows it is proposed. */
  begin(lastZxid: Zxid): void {
    this.#lastZxid = lastZxid;
  }

  /** What is not committed yet is acknowledged from now on: all before was with the ACK of NEWLEADER. */
  beginAcknowledging(): void {
    const { recent } = this.#context;
    const oldest = recent.committedEnd;
    this.#ackFrom = oldest === recent.end ? asZxid(this.#lastZxid + 1) : recent.zxidOf(oldest);
  }

  /** A proposal goes into the log; what must not be missing before it is not missing. */
  propose(packet: ReceivedPacket, start: number): void {
    const { storage, recent } = this.#context;
    const { bytes, dataEnd, zxid } = packet;
    const log = storage.log;
    assert(log !== null, 'a learner that is sent proposals has a log');
    const isWhole = start >= 0 && dataEnd - start >= transactionBytesMin;
    if (!isWhole || zxidIn(bytes, start) !== zxid) return this.#follower.refuse(packet);
    if (!mayFollow(this.#lastZxid, zxid)) {
      const text = `after ${formatZxid(this.#lastZxid)} comes ${formatZxid(zxid)}`;
      return this.#follower.leave(`the leader leaves out transactions: ${text}`);
    }
    this.#shape.check(bytes, start, dataEnd);
    if (recent.outstandingBytes > ensembleLimits.outstandingBytesMax) {
      return this.#follower.leave('the leader proposes, and does not commit');
    }
    const record = log.beginRecord();
    log.writer.writeBytes(bytes, start, dataEnd);
    log.endRecord(record, zxid);
    if (!recent.mayFollow(zxid)) recent.clear();
    recent.add(bytes, start, dataEnd, zxid);
    this.#lastZxid = zxid;
    if (typeIn(bytes, start) !== OpCode.reconfig) return;
    // From now on the new configuration counts in elections too.
    const isConfig = this.#membership.propose(configTextIn(bytes, start, dataEnd));
    if (!isConfig) this.#follower.leave('the leader proposes what is no configuration');
  }

  /** What the leader has committed is applied; it must be the oldest that is not. */
  commit(zxid: Zxid, leader: number | null = null): void {
    const { recent } = this.#context;
    if (this.#follower.isOver) return;
    const number = recent.committedEnd;
    if (number === recent.end || recent.zxidOf(number) !== zxid) {
      const oldest = number === recent.end ? 'nothing' : formatZxid(recent.zxidOf(number));
      return this.#follower.leave(
        `the leader commits ${formatZxid(zxid)} while ${oldest} is proposed first`,
      );
    }
    const block = recent.blockOf(number);
    const start = recent.bodyStart(number);
    const end = recent.bodyEnd(number);
    recent.commitNext();
    this.#route.commitOne(block, start, end);
    this.observerMaster?.committed(block, start, end, zxid, leader);
    this.#committedCount++;
    this.#committedBytes += end - start;
  }

  /** A reconfiguration is committed. Whoever has another leader or another role by it begins anew. */
  activate(packet: ReceivedPacket): void {
    const { recent } = this.#context;
    const { zxid } = packet;
    const reader = dataReader(packet, this.#data);
    if (reader.remaining < 8) return this.#follower.refuse(packet);
    const leader = reader.readLongAsDouble();
    const number = recent.committedEnd;
    if (number === recent.end || recent.zxidOf(number) !== zxid) return this.commit(zxid);
    const block = recent.blockOf(number);
    const text = configTextIn(block, recent.bodyStart(number), recent.bodyEnd(number));
    const isAsBefore = this.#membership.activate(text, leader);
    this.commit(zxid, leader);
    if (!isAsBefore) return this.#follower.leave('the members have changed');
    this.observerMaster?.onMembersChanged();
  }

  /** One ACK for each proposal that is durable: a Java leader counts them one by one. */
  acknowledge(durable: Zxid): void {
    const { recent } = this.#context;
    for (let number = recent.numberFrom(this.#ackFrom); number < recent.end; number++) {
      const zxid = recent.zxidOf(number);
      if (zxid > durable) break;
      writeBarePacket(this.#outbox, PacketType.ack, zxid);
      this.#ackFrom = asZxid(zxid + 1);
    }
  }

  /** What was committed in this turn counts for the next snapshot. */
  countCommitted(): void {
    if (this.#committedCount === 0) return;
    const count = this.#committedCount;
    this.#committedCount = 0;
    this.#context.storage.committed(count, this.#committedBytes);
    this.#committedBytes = 0;
  }
}

/** Whether nothing can be missing: the next transaction, or the first of a later epoch. */
function mayFollow(last: Zxid, next: Zxid): boolean {
  return next === last + 1 || (epochOf(next) > epochOf(last) && counterOf(next) === 1);
}
