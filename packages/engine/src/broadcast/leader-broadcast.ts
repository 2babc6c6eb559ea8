/**
 * What a leader that serves proposes and commits (`Leader.propose`, `Leader.tryToCommit`): what is in its log is proposed
 * to all followers, and committed in that order once a quorum has said to have it durably, its own log included.
 *
 * Owns the pipeline of writes, the change of members under way and the rounds that confirm that a quorum still follows.
 * Refuses to commit anything once another member is to lead.
 */
import {
  assert,
  counterOf,
  type ErrorCode,
  type JuteWriter,
  makeZxid,
  OpCode,
  type ReconfigRequest,
  type Zxid,
} from '@meerkat/protocol';
import { type ProposalTap, WritePipeline } from '../requests/write-pipeline.ts';
import { agreedZxid } from './commit-rule.ts';
import { LeaderMembership } from './leader-membership.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import type { LearnerLinks } from './learner-links.ts';
import { LearnerRequests } from './learner-requests.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { beginPacket, endPacket, PacketType, writeBarePacket } from './quorum-packet.ts';
import { QuorumRounds } from './quorum-rounds.ts';
import { typeIn } from './transaction-bytes.ts';

export class LeaderBroadcast implements ProposalTap {
  readonly #context: MemberContext;
  readonly #links: LearnerLinks;
  readonly #toFollowers: JuteWriter;
  readonly #toObservers: JuteWriter;
  readonly #membership: LeaderMembership;
  readonly #rounds = new QuorumRounds();
  #pipeline: WritePipeline | null = null;
  /** What is done for the learners' clients; null before it has begun. */
  #requests: LearnerRequests | null = null;
  #hasResigned = false;
  #isExhausted = false;
  /** Largest, smallest and last proposal, bytes. */
  readonly proposalSizes: { last: number; min: number; max: number } = {
    last: -1,
    min: -1,
    max: -1,
  };

  constructor(context: MemberContext, links: LearnerLinks, events: RoleEvents) {
    this.#context = context;
    this.#links = links;
    this.#toFollowers = links.toFollowers;
    this.#toObservers = links.toObservers;
    this.#membership = new LeaderMembership(context, events);
  }

  /** Another member is to lead: nothing is committed here any more. */
  get hasResigned(): boolean {
    return this.#hasResigned;
  }

  /** The epoch has no numbers left for transactions. */
  get isExhausted(): boolean {
    return this.#isExhausted;
  }

  /** What is done for the learners' clients; null before it has begun. */
  get requests(): LearnerRequests | null {
    return this.#requests;
  }

  /**
   * A quorum has the history: writes are taken from now on.
   *
   * @param synced who has it
   */
  begin(epoch: number, synced: ReadonlySet<number>): void {
    const { state, storage, applier, intake, duties, ensemble, recent } = this.#context;
    assert(recent.outstandingCount === 0, 'a leader begins with nothing outstanding');
    const log = storage.log;
    assert(log !== null, 'a leader has a log');
    // The beginning of the epoch is no transaction, but whoever asks stands there.
    const epochZxid = makeZxid(epoch, 0);
    state.lastProcessedZxid = epochZxid;
    // Nobody serves yet: whoever has the history up to the beginning of the epoch counts.
    const acked = new Map([...synced].map((sid) => [sid, epochZxid]));
    const leader = this.#membership.activate(acked, epochZxid);
    this.#hasResigned = leader !== ensemble.myId;
    state.outstanding.clear();
    this.#pipeline = new WritePipeline(state, log, applier, intake, this);
    this.#requests = new LearnerRequests(this.#context, this.#links, this.#pipeline, this.#rounds);
    intake.usePipeline(this.#pipeline);
    intake.isServing = ensemble.leaderServes;
    duties.start();
  }

  /** A learner has the history and may serve: it gets all that is committed from now on. */
  letServe(link: LearnerLink): void {
    const { recent } = this.#context;
    link.stage = LinkStage.serving;
    link.askedRound = this.#rounds.sent;
    link.answeredRound = this.#rounds.sent;
    if (recent.hasCommitted) link.givenZxid = recent.zxidOf(recent.committedEnd - 1);
    writeBarePacket(this.#links.ordered(link), PacketType.upToDate, -1);
  }

  /** See `ProposalTap`: what is in the log is proposed to all followers. */
  onPrepared(bytes: Uint8Array, start: number, end: number, zxid: Zxid): void {
    const { recent } = this.#context;
    const { proposalSizes } = this;
    const size = end - start;
    proposalSizes.last = size;
    if (size > proposalSizes.max) proposalSizes.max = size;
    if (proposalSizes.min === -1 || size < proposalSizes.min) proposalSizes.min = size;
    recent.add(bytes, start, end, zxid);
    this.#context.counters.proposed++;
    if (typeIn(bytes, start) === OpCode.reconfig) this.#membership.begin(zxid);
    this.#isExhausted ||= counterOf(zxid) >= this.#context.ensemble.epochTransactionsMax;
    const number = recent.end - 1;
    const block = recent.blockOf(number);
    this.#toFollowers.writeBytes(block, recent.packetStart(number), recent.packetEnd(number));
  }

  /** See `ProposalTap`. */
  wantRound(): number {
    return this.#rounds.want();
  }

  /** See `ProposalTap`. */
  reconfigure(request: ReconfigRequest, version: Zxid): string | ErrorCode {
    // An observer acknowledges nothing, whatever it is to become (`Leader.isQuorumSynced`).
    const synced = this.#links
      .all()
      .filter(({ stage, type }) => stage >= LinkStage.synced && type === 'participant');
    const ids = synced.map(({ sid }) => sid);
    return this.#membership.reconfigure(request, version, ids);
  }

  /** Commits, in order, what a quorum has said to be durable. */
  commitAgreed(): void {
    const { recent } = this.#context;
    if (recent.outstandingCount === 0 || this.#hasResigned) return;
    const { view } = this.#context;
    const agreed = agreedZxid(this.#acked(), view, this.#membership.zxid);
    let count = 0;
    let bytes = 0;
    if (agreed < recent.zxidOf(recent.committedEnd)) return;
    this.#context.intake.beginCommit();
    while (recent.outstandingCount > 0 && !this.#hasResigned) {
      const number = recent.committedEnd;
      const zxid = recent.zxidOf(number);
      if (zxid > agreed) break;
      const start = recent.bodyStart(number);
      const end = recent.bodyEnd(number);
      this.#commit(recent.blockOf(number), start, end, zxid);
      count++;
      bytes += end - start;
    }
    this.#context.storage.committed(count, bytes);
  }

  /** Syncs are answered once a quorum has answered a PING that was sent after they came. */
  confirm(): void {
    if (!this.#rounds.isAwaited || this.#hasResigned) return;
    const { ensemble, view, state, intake } = this.#context;
    if (!this.#rounds.confirm(ensemble.myId, this.#links.all(), view)) return;
    intake.beginCommit();
    this.#pipeline?.confirm(this.#rounds.confirmed);
    this.#requests?.committed(state.lastProcessedZxid);
  }

  /** The rounds leave that somebody waits for. */
  flush(): void {
    while (this.#rounds.isDue) {
      this.ping();
      this.confirm();
    }
  }

  /** To all that serve, who answer in order: so the number of answers says which round they are for. */
  ping(): void {
    const newest = this.#pipeline?.lastZxid ?? 0;
    this.#rounds.begin();
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.serving) {
        writeBarePacket(this.#links.ordered(link), PacketType.ping, newest);
        link.askedRound = this.#rounds.sent;
      }
    }
  }

  #commit(block: Uint8Array, start: number, end: number, zxid: Zxid): void {
    const { recent } = this.#context;
    assert(this.#pipeline !== null, 'a leader that serves has a pipeline');
    this.#requests?.beforeCommit(zxid);
    if (zxid === this.#membership.zxid) {
      this.#announceReconfig(block, start, end, zxid);
    } else {
      writeBarePacket(this.#toFollowers, PacketType.commit, zxid);
      this.#context.counters.committed++;
    }
    if (this.#links.hasObservers && zxid !== this.#membership.zxid) {
      const packet = beginPacket(this.#toObservers, PacketType.inform, zxid);
      this.#toObservers.writeBytes(block, start, end);
      endPacket(this.#toObservers, packet, null);
    }
    recent.commitNext();
    this.#pipeline.commitOne(block, start, end);
    if (zxid === this.#membership.zxid) this.#membership.end();
    this.#requests?.committed(zxid);
  }

  /** Up to where each voter has the history in its log. */
  #acked(): Map<number, Zxid> {
    const { ensemble, durableZxid } = this.#context;
    const acked = new Map<number, Zxid>([[ensemble.myId, durableZxid]]);
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.serving && link.type === 'participant') {
        acked.set(link.sid, link.ackedZxid);
      }
    }
    return acked;
  }

  /** A reconfiguration is committed: it is in force, and all are told who leads under it. */
  #announceReconfig(block: Uint8Array, start: number, end: number, zxid: Zxid): void {
    const leader = this.#membership.activate(this.#acked(), zxid);
    this.#hasResigned = leader !== this.#context.ensemble.myId;
    const activate = beginPacket(this.#toFollowers, PacketType.commitAndActivate, zxid);
    this.#toFollowers.writeLongFromDouble(leader);
    endPacket(this.#toFollowers, activate, null);
    const inform = beginPacket(this.#toObservers, PacketType.informAndActivate, zxid);
    this.#toObservers.writeLongFromDouble(leader);
    this.#toObservers.writeBytes(block, start, end);
    endPacket(this.#toObservers, inform, null);
  }
}
