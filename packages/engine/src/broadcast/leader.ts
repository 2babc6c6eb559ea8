/**
 * A member that leads (`Leader.java`): it finds an epoch that a quorum promises, brings its learners to its history,
 * and then decides what is committed.
 *
 * Owns the epoch, the learners' links and when a proposal is committed. Refuses to commit what a quorum has not said
 * to be durable, its own log included, and to lead those whose history is ahead of its own.
 */
import {
  assert,
  asZxid,
  counterOf,
  type ErrorCode,
  formatZxid,
  JuteWriter,
  makeZxid,
  OpCode,
  type ReconfigRequest,
  utf8,
  type Zxid,
} from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type {
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerStreamEvents,
  PeerStreamId,
  TimerListener,
} from '../ports.ts';
import { formatQuorumConfig } from '../quorum/quorum-config.ts';
import { type ProposalTap, WritePipeline } from '../requests/write-pipeline.ts';
import { agreedZxid } from './commit-rule.ts';
import { EpochAgreement } from './epoch-agreement.ts';
import { cannotAwaitText, helloRefusal } from './hello-refusal.ts';
import { LeaderMembership } from './leader-membership.ts';
import { type LearnerLink, type LearnerLinkEvents, LinkStage } from './learner-link.ts';
import { LearnerLinks } from './learner-links.ts';
import { LearnerRequests } from './learner-requests.ts';
import { LearnerSync } from './learner-sync.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import {
  beginPacket,
  endPacket,
  PacketType,
  type ReceivedPacket,
  writeBarePacket,
} from './quorum-packet.ts';
import { QuorumRounds } from './quorum-rounds.ts';
import { typeIn } from './transaction-bytes.ts';

/** How far a leader has come. */
type Phase = 'epoch' | 'promise' | 'sync' | 'broadcast' | 'ended';

export class Leader
  implements PeerListenerEvents, PeerStreamEvents, TimerListener, LearnerLinkEvents, ProposalTap
{
  readonly #context: MemberContext;
  readonly #events: RoleEvents;
  readonly #agreement: EpochAgreement;
  readonly #sync: LearnerSync;
  readonly #links: LearnerLinks;
  #phase: Phase = 'epoch';
  readonly #listeners = new Map<PeerListenerId, NetworkAddress>();
  #timer = 0;
  #tick = 0;
  #isHalfTick = false;
  /** What it stood for election with. */
  readonly #ownZxid: Zxid;
  readonly #ownEpoch: number;
  #pipeline: WritePipeline | null = null;
  /** Whose state is durable up to NEWLEADER. */
  readonly #synced = new Set<number>();
  /** PROPOSALs and COMMITs of this turn, for all followers; INFORMs, for all observers. */
  readonly #toFollowers = new JuteWriter(64 * 1024);
  readonly #toObservers = new JuteWriter(1024);
  /** What is done for the learners' clients; null before it serves. */
  #requests: LearnerRequests | null = null;
  readonly #membership: LeaderMembership;
  readonly #rounds = new QuorumRounds();
  /** Largest, smallest and last proposal, bytes. */
  readonly proposalSizes: { last: number; min: number; max: number } = {
    last: -1,
    min: -1,
    max: -1,
  };
  #startedMs = 0;
  /** Another member is to lead: nothing is committed here any more. */
  #hasResigned = false;
  /** The epoch has no numbers left for transactions. */
  #isExhausted = false;

  constructor(context: MemberContext, events: RoleEvents) {
    this.#context = context;
    this.#events = events;
    this.#ownZxid = context.state.lastProcessedZxid as Zxid;
    this.#ownEpoch = context.epochs.currentEpoch;
    this.#agreement = new EpochAgreement(context.view.current, context.ensemble.myId);
    this.#sync = new LearnerSync(context);
    this.#links = new LearnerLinks(context, this.#toFollowers, this.#toObservers);
    this.#membership = new LeaderMembership(context, events);
  }

  /** The epoch; 0 before it is agreed on. */
  get epoch(): number {
    return this.#agreement.epoch;
  }

  /** Its learners, for those who ask how the ensemble does. */
  get links(): readonly LearnerLink[] {
    return this.#links.all();
  }

  /** Since when it serves, monotonic ms; 0 before. */
  get servingSinceMs(): number {
    return this.#startedMs;
  }

  /** Proposals that are not committed. */
  get outstandingCount(): number {
    return this.#phase === 'broadcast' ? this.#context.recent.outstandingCount : 0;
  }

  /** Awaits learners, and begins to look for an epoch. */
  start(): void {
    const { ensemble, peers, clock, config, epochs } = this.#context;
    for (const own of this.#ownAddresses()) this.#listeners.set(peers.listen(own, this), own);
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    this.#agreement.offer(ensemble.myId, epochs.acceptedEpoch, true);
    this.#seeToEpoch();
  }

  /** Leads no more: learners are let go. */
  stop(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    const { peers, clock, duties } = this.#context;
    clock.cancelTimer(this.#timer);
    duties.stop();
    for (const listener of this.#listeners.keys()) peers.stopListening(listener);
    for (const link of this.#links.all()) link.close();
  }

  /** What was written in this turn leaves. */
  flush(): void {
    if (this.#phase === 'ended') return;
    if (this.#isExhausted) return this.#end('the epoch has no zxids left: a new one is begun');
    while (this.#rounds.isDue) {
      this.#ping();
      this.#confirm();
    }
    for (const link of this.#links.flush()) this.onBroken(link, 'it does not keep up');
  }

  /** The log is durable up to here: this member's own acknowledgement. */
  onDurable(): void {
    if (this.#phase === 'broadcast') this.#commitAgreed();
  }

  /** A voter looks for a leader again, though this one has not begun to serve. */
  onVoterLooking(sid: number, sinceMs: number): void {
    const { epochWaitMs } = this.#context.ensemble;
    if (epochWaitMs < 0 || this.#phase !== 'epoch') return;
    if (this.#context.clock.monotonicMs() - sinceMs <= epochWaitMs) return;
    this.#end(`server ${sid} looks for a leader again`);
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
    const synced = this.#links.all().filter(({ stage }) => stage >= LinkStage.synced);
    const ids = synced.map(({ sid }) => sid);
    return this.#membership.reconfigure(request, version, ids);
  }

  onPeerListening(_listener: PeerListenerId, port: number): void {
    this.#context.notice('awaiting learners', null, `learners are awaited on port ${port}`);
  }

  onPeerListenFailed(listener: PeerListenerId, reason: string): void {
    if (this.#phase === 'ended') return;
    const text = cannotAwaitText(this.#context, this.#listeners.get(listener), reason);
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) return this.#end(text);
    this.#context.notice('cannot listen', null, text);
  }

  onPeerAccepted(
    _listener: PeerListenerId,
    stream: PeerStreamId,
    from: NetworkAddress,
  ): PeerStreamEvents {
    const dispensable = this.#links.mostDispensable;
    if (dispensable !== null) this.#forget(dispensable, 'too many do not say who they are');
    if (this.#phase === 'ended' || this.#links.count >= ensembleLimits.learnersMax) {
      const text = `a stream from ${from.host} is closed: there are ${this.#links.count} learners`;
      if (this.#phase !== 'ended') this.#context.notice('learner refused', null, text);
      this.#context.peers.destroy(stream);
      return this;
    }
    const link = this.#links.add(stream, from, this);
    link.deadlineTick = this.#tick + this.#context.ensemble.initLimitTicks;
    return this;
  }

  onPeerOpened(): void {}

  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#phase === 'ended') return;
    link.heardMs = this.#context.clock.monotonicMs();
    if (link.stage >= LinkStage.synced) {
      link.deadlineTick = this.#tick + this.#context.ensemble.syncLimitTicks;
    }
    this.#context.intake.beginCommit();
    this.#context.attempt(() => link.received(bytes, start, end));
    if (this.#phase !== 'broadcast') return;
    this.#commitAgreed();
    this.#confirm();
  }

  onPeerDrained(stream: PeerStreamId): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#phase === 'ended') return;
    // However long all of it takes: it has taken what it was sent.
    if (link.isStreaming) {
      link.deadlineTick = this.#tick + this.#context.ensemble.initLimitTicks;
    }
    link.drained();
  }

  onPeerClosed(stream: PeerStreamId, reason: string): void {
    const link = this.#links.get(stream);
    if (link !== undefined && this.#phase !== 'ended') this.#forget(link, reason);
  }

  /** See `LearnerLinkEvents`. */
  onHello(link: LearnerLink): string | null {
    const { view } = this.#context;
    const older = this.#links.bySid(link);
    const refusal = helloRefusal(this.#context, link, older, this.#phase === 'epoch');
    if (refusal !== null) return refusal;
    if (this.#phase === 'broadcast' && this.#isBehind(link)) {
      this.#beginAnew(link);
      return null;
    }
    if (older !== null) this.#forget(older, 'the same server has connected anew');
    const mayVote = link.type === 'participant' && view.isVoter(link.sid);
    this.#agreement.offer(link.sid, link.acceptedEpoch, mayVote);
    if (this.#agreement.isAgreed && this.#phase !== 'epoch') link.sendEpoch(this.epoch);
    else this.#seeToEpoch();
    return null;
  }

  onEpochPromised(link: LearnerLink, currentEpoch: number): void {
    if (this.#phase === 'promise' && currentEpoch !== -1) {
      const isAhead =
        currentEpoch > this.#ownEpoch ||
        (currentEpoch === this.#ownEpoch && link.peerLastZxid > this.#ownZxid);
      if (isAhead && this.#context.view.isVoter(link.sid) && link.type === 'participant') {
        const theirs = `epoch ${currentEpoch} and ${formatZxid(link.peerLastZxid)}`;
        return this.#end(`server ${link.sid} is ahead with ${theirs}`);
      }
      if (link.peerLastZxid !== -1 && link.type === 'participant') {
        this.#agreement.promise(link.sid);
      }
    }
    if (this.#phase === 'promise') this.#seeToPromises();
    else this.#synchronise(link);
  }

  onSynced(link: LearnerLink): void {
    link.deadlineTick = this.#tick + this.#context.ensemble.syncLimitTicks;
    link.ackedZxid = makeZxid(this.epoch, 0);
    this.#context.notice('synced', link.sid, `server ${link.sid} has the history of this leader`);
    if (this.#phase === 'broadcast') return this.#letServe(link);
    if (link.type === 'participant') this.#synced.add(link.sid);
    this.#seeToQuorum();
  }

  /** Evaluated once for all that came in one go. */
  onAck(): void {}

  onTouch(_link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    this.#requests?.touch(sessionHi, sessionLo, timeoutMs);
  }

  onRevalidate(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    this.#requests?.revalidate(link, sessionHi, sessionLo, timeoutMs);
  }

  onRequest(link: LearnerLink, packet: ReceivedPacket): void {
    const refusal = this.#requests?.take(link, packet) ?? null;
    if (refusal !== null) this.#forget(link, refusal);
  }

  onStreamFailed(link: LearnerLink, reason: string): void {
    this.#sync.failed(link);
    this.#forget(link, reason);
  }

  onBroken(link: LearnerLink, reason: string): void {
    this.#forget(link, reason);
  }

  /** Twice a tick: pings, and on every other a look at who is still there (`Leader.lead`). */
  onTimer(): void {
    if (this.#phase === 'ended') return;
    const { clock, config } = this.#context;
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    if (this.#isHalfTick) this.#tick++;
    this.#isHalfTick = !this.#isHalfTick;
    this.#letSilentGo();
    if (this.#hasResigned) return this.#end('another member is to lead');
    if (this.#phase === 'broadcast') {
      if (!this.#isHalfTick && !this.#hasQuorum()) {
        return this.#end('too few followers are in sync');
      }
      this.#ping();
    } else if (this.#tick >= this.#context.ensemble.initLimitTicks) {
      return this.#end(
        `a quorum did not come together in ${this.#phase === 'epoch' ? 'time for an epoch' : 'time to be in sync'}`,
      );
    }
    this.#context.endTurn();
  }

  /** All own quorum addresses, or their ports on every interface. */
  #ownAddresses(): NetworkAddress[] {
    const { view, ensemble } = this.#context;
    const addresses = view.member(ensemble.myId)?.addresses ?? [];
    const host = (own: string): string => (ensemble.listenOnAllIps ? '0.0.0.0' : own);
    return addresses.map(({ host: own, quorumPort }) => ({ host: host(own), port: quorumPort }));
  }

  get epochZxid(): Zxid {
    return makeZxid(this.epoch, 0);
  }

  get newestZxid(): Zxid {
    return asZxid(Math.max(this.#context.recent.newestZxid, this.epochZxid));
  }

  /** Whether a voter has promised a later epoch than this one, so that it cannot join it. */
  #isBehind(link: LearnerLink): boolean {
    const mayVote = link.type === 'participant' && this.#context.view.isVoter(link.sid);
    const ahead = link.acceptedEpoch - this.epoch;
    return mayVote && ahead > 0 && ahead <= ensembleLimits.epochsAheadMax;
  }

  /**
   * A voter took part in an epoch that came to nothing. Java leaves it out for as long as the leader lasts; a new epoch
   * beyond its promise brings it back, so that the ensemble survives the next failure too.
   */
  #beginAnew(link: LearnerLink): void {
    const { epochs } = this.#context;
    if (link.acceptedEpoch > epochs.acceptedEpoch) epochs.accept(link.acceptedEpoch);
    this.#end(`server ${link.sid} has promised epoch ${link.acceptedEpoch}: a later one is begun`);
  }

  #seeToEpoch(): void {
    if (this.#phase !== 'epoch' || !this.#agreement.isAgreed) return;
    const { epochs, ensemble } = this.#context;
    if (this.epoch >= ensembleLimits.epochMax) return this.#end('there is no epoch left');
    epochs.accept(this.epoch);
    this.#phase = 'promise';
    this.#agreement.promise(ensemble.myId);
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.epoch) link.sendEpoch(this.epoch);
    }
    this.#seeToPromises();
  }

  #seeToPromises(): void {
    if (this.#phase !== 'promise' || !this.#agreement.isPromised) return;
    this.#phase = 'sync';
    const { membership } = this.#context;
    if (membership.current.version === 0 && !membership.isChanging) {
      // So that a configuration that a quorum runs counts more than one that nobody does [ZOOKEEPER-1783].
      membership.propose({ ...membership.current, version: makeZxid(this.epoch, 0) });
    }
    // What this member brings into the epoch is durable: it was recovered, or its log was waited for.
    this.#context.epochs.enter(this.epoch);
    this.#synced.add(this.#context.ensemble.myId);
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.promised) this.#synchronise(link);
    }
    this.#seeToQuorum();
  }

  /** Brings a learner to the history as it is now; what is proposed from now on follows. */
  #synchronise(link: LearnerLink): void {
    const kind = this.#sync.begin(link);
    if (kind === null) return this.onBroken(link, 'too many observers are being synchronised');
    const packet = beginPacket(link.outbox, PacketType.newLeader, makeZxid(this.epoch, 0));
    const text = utf8(formatQuorumConfig(this.#context.membership.lastSeen));
    link.outbox.writeBytes(text, 0, text.length);
    endPacket(link.outbox, packet, null);
    link.stage = LinkStage.syncing;
    link.deadlineTick = this.#tick + this.#context.ensemble.initLimitTicks;
    this.#links.beginForwarding(link);
    const theirs = formatZxid(link.peerLastZxid);
    this.#context.notice('syncing', link.sid, `server ${link.sid} at ${theirs} gets a ${kind}`);
  }

  #seeToQuorum(): void {
    if (this.#phase !== 'sync') return;
    const tracker = this.#context.view.newTracker();
    for (const sid of this.#synced) tracker.addAck(sid);
    if (!tracker.hasAllQuorums()) return;
    this.#phase = 'broadcast';
    this.#serve();
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.synced) this.#letServe(link);
    }
  }

  #serve(): void {
    const { state, storage, applier, intake, duties, ensemble, clock, recent } = this.#context;
    assert(recent.outstandingCount === 0, 'a leader begins with nothing outstanding');
    const log = storage.log;
    assert(log !== null, 'a leader has a log');
    // The beginning of the epoch is no transaction, but whoever asks stands there.
    state.lastProcessedZxid = makeZxid(this.epoch, 0);
    // Nobody serves yet: whoever has the history up to the beginning of the epoch counts.
    const acked = new Map([...this.#synced].map((sid) => [sid, this.epochZxid]));
    const leader = this.#membership.activate(acked, this.epochZxid);
    this.#hasResigned = leader !== ensemble.myId;
    state.outstanding.clear();
    this.#pipeline = new WritePipeline(state, log, applier, intake, this);
    this.#requests = new LearnerRequests(this.#context, this.#links, this.#pipeline, this.#rounds);
    intake.usePipeline(this.#pipeline);
    intake.isServing = ensemble.leaderServes;
    duties.start();
    this.#startedMs = clock.monotonicMs();
    this.#events.onServing({ epoch: this.epoch, sync: 'none' });
  }

  #letServe(link: LearnerLink): void {
    const { recent } = this.#context;
    link.stage = LinkStage.serving;
    link.paceTick = this.#tick;
    link.answeredRound = this.#rounds.sent;
    if (recent.hasCommitted) link.givenZxid = recent.zxidOf(recent.committedEnd - 1);
    writeBarePacket(this.#links.ordered(link), PacketType.upToDate, -1);
  }

  /** Commits, in order, what a quorum has said to be durable. */
  #commitAgreed(): void {
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

  #commit(block: Uint8Array, start: number, end: number, zxid: Zxid): void {
    const { recent } = this.#context;
    assert(this.#pipeline !== null, 'a leader that serves has a pipeline');
    this.#requests?.beforeCommit(zxid);
    if (zxid === this.#membership.zxid) {
      this.#announceReconfig(block, start, end, zxid);
    } else {
      writeBarePacket(this.#toFollowers, PacketType.commit, zxid);
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

  /** Syncs are answered once a quorum has answered a PING that was sent after they came. */
  #confirm(): void {
    if (!this.#rounds.isAwaited || this.#hasResigned) return;
    const { ensemble, view, state, intake } = this.#context;
    if (!this.#rounds.confirm(ensemble.myId, this.#links.all(), view)) return;
    intake.beginCommit();
    this.#pipeline?.confirm(this.#rounds.confirmed);
    this.#requests?.committed(state.lastProcessedZxid);
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

  #hasQuorum(): boolean {
    const tracker = this.#context.view.newTracker();
    tracker.addAck(this.#context.ensemble.myId);
    for (const link of this.#links.all()) {
      if (link.stage >= LinkStage.synced && link.type === 'participant') tracker.addAck(link.sid);
    }
    return tracker.hasAllQuorums();
  }

  /** Learners that were not heard of in time, or leave a proposal unanswered for too long. */
  #letSilentGo(): void {
    const { recent, ensemble } = this.#context;
    for (const link of this.#links.all()) {
      if (this.#tick > link.deadlineTick) {
        this.#forget(link, 'it was not heard of in time');
      } else if (link.stage === LinkStage.serving && link.type === 'participant') {
        if (link.ackedZxid >= link.paceZxid || link.paceZxid <= link.givenZxid) {
          link.paceZxid = recent.newestZxid;
          link.paceTick = this.#tick;
        } else if (this.#tick - link.paceTick > ensemble.syncLimitTicks) {
          this.#forget(link, 'it leaves proposals unanswered');
        }
      }
    }
  }

  /** To all that serve, who answer in order: so the number of answers says which round they are for. */
  #ping(): void {
    const newest = this.#pipeline?.lastZxid ?? 0;
    this.#rounds.begin();
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.serving) {
        writeBarePacket(this.#links.ordered(link), PacketType.ping, newest);
      }
    }
  }

  #forget(link: LearnerLink, reason: string): void {
    if (link.stage === LinkStage.closed) return;
    this.#links.remove(link);
    this.#sync.ended(link);
    const who = link.sid >= 0 ? `server ${link.sid}` : `a learner from ${link.address.host}`;
    this.#context.notice('learner lost', link.sid, `${who} is let go: ${reason}`);
    link.close();
    if (this.#phase === 'sync') this.#synced.delete(link.sid);
  }

  #end(reason: string): void {
    if (this.#phase === 'ended') return;
    this.stop();
    this.#events.onRoleEnded(reason);
  }
}
