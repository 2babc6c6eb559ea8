/**
 * A member that leads (`Leader.java`): it finds an epoch that a quorum promises, brings its learners to its history,
 * and then proposes and commits (`leader-broadcast.ts`) until it loses its quorum.
 *
 * Owns the phases of that and the learners' links. Refuses to lead those whose history is ahead of its own. Where learners
 * come in is `learner-acceptor.ts`, how long they are waited for `learner-deadlines.ts`, what they get `learner-sync.ts`.
 */
import { asZxid, formatZxid, JuteWriter, makeZxid, utf8, type Zxid } from '@meerkat/protocol';
import { ensembleLimits } from '../limits.ts';
import type { PeerStreamId, TimerListener } from '../ports.ts';
import { formatQuorumConfig } from '../quorum/quorum-config.ts';
import { EpochAgreement } from './epoch-agreement.ts';
import { helloRefusal } from './hello-refusal.ts';
import { LaterPromises } from './later-promises.ts';
import { LeaderBroadcast } from './leader-broadcast.ts';
import { LearnerAcceptor, type LearnerHost } from './learner-acceptor.ts';
import { LearnerDeadlines } from './learner-deadlines.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';
import { LearnerLinks } from './learner-links.ts';
import { LearnerSync } from './learner-sync.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { beginPacket, endPacket, PacketType, type ReceivedPacket } from './quorum-packet.ts';

/** How far a leader has come. */
type Phase = 'epoch' | 'promise' | 'sync' | 'broadcast' | 'ended';

export class Leader implements LearnerHost, TimerListener {
  readonly #context: MemberContext;
  readonly #events: RoleEvents;
  readonly #agreement: EpochAgreement;
  readonly #links: LearnerLinks;
  readonly #acceptor: LearnerAcceptor;
  readonly #deadlines: LearnerDeadlines;
  readonly #sync: LearnerSync;
  readonly #broadcast: LeaderBroadcast;
  readonly #laterPromises: LaterPromises;
  #phase: Phase = 'epoch';
  #timer = 0;
  /** What it stood for election with. */
  readonly #ownZxid: Zxid;
  readonly #ownEpoch: number;
  #startedMs = 0;

  constructor(context: MemberContext, events: RoleEvents) {
    this.#context = context;
    this.#events = events;
    this.#ownZxid = context.state.lastProcessedZxid as Zxid;
    this.#ownEpoch = context.epochs.currentEpoch;
    this.#agreement = new EpochAgreement(context.view.current, context.ensemble.myId);
    this.#links = new LearnerLinks(context, new JuteWriter(64 * 1024), new JuteWriter(1024));
    this.#acceptor = new LearnerAcceptor(context, this.#links, this);
    this.#deadlines = new LearnerDeadlines(context.ensemble);
    this.#sync = new LearnerSync(context);
    this.#broadcast = new LeaderBroadcast(context, this.#links, events);
    const { config, ensemble } = context;
    this.#laterPromises = new LaterPromises(ensemble.initLimitTicks * config.tickTimeMs);
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

  /** Largest, smallest and last proposal, bytes. */
  get proposalSizes(): LeaderBroadcast['proposalSizes'] {
    return this.#broadcast.proposalSizes;
  }

  /** Awaits learners, and begins to look for an epoch. */
  start(): void {
    const { ensemble, clock, config, epochs } = this.#context;
    this.#acceptor.start();
    this.#timer = clock.startTimer(config.tickTimeMs / 2, this, 0);
    this.#agreement.offer(ensemble.myId, epochs.acceptedEpoch, true);
    this.#seeToEpoch();
  }

  /** Leads no more: learners are let go. */
  stop(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    const { clock, duties } = this.#context;
    clock.cancelTimer(this.#timer);
    duties.stop();
    this.#acceptor.stop();
    for (const link of this.#links.all()) link.close();
  }

  /** What was written in this turn leaves. */
  flush(): void {
    if (this.#phase === 'ended') return;
    if (this.#broadcast.isExhausted) {
      return this.#end('the epoch has no zxids left: a new one is begun');
    }
    this.#broadcast.flush();
    for (const link of this.#links.flush()) this.onBroken(link, 'it does not keep up');
  }

  /** The log is durable up to here: this member's own acknowledgement. */
  onDurable(): void {
    if (this.#phase === 'broadcast') this.#broadcast.commitAgreed();
  }

  /** A voter looks for a leader, though this one was elected at `sinceMs`. */
  onVoterLooking(sid: number, sinceMs: number): void {
    this.#laterPromises.onVoterLooking(sid);
    const { epochWaitMs } = this.#context.ensemble;
    if (epochWaitMs < 0 || this.#phase !== 'epoch') return;
    if (this.#context.clock.monotonicMs() - sinceMs <= epochWaitMs) return;
    this.#context.counters.disloyalVoters++;
    this.#end(`server ${sid} looks for a leader again`);
  }

  /** See `LearnerHost`. */
  onConnected(link: LearnerLink): void {
    this.#deadlines.extend(link);
  }

  /** See `LearnerHost`. */
  onUnableToAwait(reason: string): void {
    this.#end(reason);
  }

  onPeerOpened(): void {}

  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#phase === 'ended') return;
    link.heardMs = this.#context.clock.monotonicMs();
    if (link.stage >= LinkStage.synced) this.#deadlines.extend(link);
    this.#context.intake.beginCommit();
    this.#context.attempt(() => link.received(bytes, start, end));
    if (this.#phase !== 'broadcast') return;
    this.#broadcast.commitAgreed();
    this.#broadcast.confirm();
  }

  onPeerDrained(stream: PeerStreamId): void {
    const link = this.#links.get(stream);
    if (link === undefined || this.#phase === 'ended') return;
    // However long all of it takes: it has taken what it was sent.
    if (link.isStreaming) this.#deadlines.extend(link);
    link.drained();
  }

  onPeerClosed(stream: PeerStreamId, reason: string): void {
    const link = this.#links.get(stream);
    if (link !== undefined && this.#phase !== 'ended') this.#forget(link, reason);
  }

  /** See `LearnerLinkEvents`. */
  onHello(link: LearnerLink): string | null {
    const older = this.#links.bySid(link);
    const refusal = helloRefusal(this.#context, link, older, this.#phase === 'epoch');
    if (refusal !== null) return refusal;
    if (this.#phase === 'broadcast' && this.#isBehind(link)) return this.#takeClaim(link);
    if (older !== null) this.#forget(older, 'the same server has connected anew');
    this.#agreement.offer(link.sid, link.acceptedEpoch, this.#mayVote(link));
    if (this.#phase === 'epoch') this.#seeToEpoch();
    else if (this.#isToPromise(link)) link.sendEpoch(this.epoch);
    return null;
  }

  onEpochPromised(link: LearnerLink, currentEpoch: number): void {
    if (this.#phase === 'promise' && currentEpoch !== -1) {
      const isAhead =
        currentEpoch > this.#ownEpoch ||
        (currentEpoch === this.#ownEpoch && link.peerLastZxid > this.#ownZxid);
      if (isAhead && this.#mayVote(link)) {
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
    this.#sync.ended(link);
    this.#deadlines.extend(link);
    link.ackedZxid = makeZxid(this.epoch, 0);
    this.#context.notice('synced', link.sid, `server ${link.sid} has the history of this leader`);
    this.#laterPromises.onJoined(link.sid);
    if (this.#phase === 'broadcast') return this.#letServe(link);
    this.#seeToQuorum();
  }

  /** Evaluated once for all that came in one go. */
  onAck(): void {}

  onTouch(_link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    this.#broadcast.requests?.touch(sessionHi, sessionLo, timeoutMs);
  }

  onRevalidate(link: LearnerLink, sessionHi: number, sessionLo: number, timeoutMs: number): void {
    this.#context.counters.revalidations++;
    this.#broadcast.requests?.revalidate(link, sessionHi, sessionLo, timeoutMs);
  }

  onRequest(link: LearnerLink, packet: ReceivedPacket): void {
    const refusal = this.#broadcast.requests?.take(link, packet) ?? null;
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
    const isWholeTick = this.#deadlines.passHalf();
    this.#letSilentGo();
    if (this.#broadcast.hasResigned) return this.#end('another member is to lead');
    if (this.#phase === 'broadcast') {
      if (isWholeTick && !this.#hasQuorum()) {
        return this.#end('too few followers are in sync');
      }
      this.#broadcast.ping();
    } else if (this.#deadlines.tick >= this.#context.ensemble.initLimitTicks) {
      return this.#end(
        `a quorum did not come together in ${this.#phase === 'epoch' ? 'time for an epoch' : 'time to be in sync'}`,
      );
    }
    this.#context.endTurn();
  }

  get epochZxid(): Zxid {
    return makeZxid(this.epoch, 0);
  }

  get newestZxid(): Zxid {
    return asZxid(Math.max(this.#context.recent.newestZxid, this.epochZxid));
  }

  /** Whether a voter has promised a later epoch than this one, so that it cannot join it. */
  #isBehind(link: LearnerLink): boolean {
    const ahead = link.acceptedEpoch - this.epoch;
    return this.#mayVote(link) && ahead > 0 && ahead <= ensembleLimits.epochsAheadMax;
  }

  /** A voter cannot join this epoch, or somebody says so in its name: once that is believed, a later one brings it back. */
  #takeClaim({ sid, acceptedEpoch }: LearnerLink): string | null {
    const { epochs, clock } = this.#context;
    if (!this.#laterPromises.claim(sid, clock.monotonicMs())) {
      return `it has promised epoch ${acceptedEpoch}, later than ${this.epoch}; whether that is so will show`;
    }
    if (acceptedEpoch > epochs.acceptedEpoch) epochs.accept(acceptedEpoch);
    this.#end(`server ${sid} has promised epoch ${acceptedEpoch}: a later one is begun`);
    return null;
  }

  #seeToEpoch(): void {
    if (this.#phase !== 'epoch' || !this.#agreement.isAgreed) return;
    const { epochs, ensemble } = this.#context;
    if (this.epoch >= ensembleLimits.epochMax) return this.#end('there is no epoch left');
    epochs.accept(this.epoch);
    this.#phase = 'promise';
    this.#agreement.promise(ensemble.myId);
    this.#askForPromises();
    this.#seeToPromises();
  }

  #askForPromises(): void {
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.epoch && this.#isToPromise(link)) link.sendEpoch(this.epoch);
    }
  }

  /**
   * Whoever does not vote promises what a quorum has promised: were the epoch to come to nothing, it could not take part
   * in the next one, which may well have a lower number.
   */
  #isToPromise(link: LearnerLink): boolean {
    return this.#phase !== 'promise' || this.#mayVote(link);
  }

  #mayVote({ type, sid }: LearnerLink): boolean {
    return type === 'participant' && this.#context.view.isVoter(sid);
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
    this.#askForPromises();
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
    // What is only proposed comes with its proposal: it must not be in force anywhere before it is committed.
    const { current, lastSeen } = this.#context.membership;
    const text = utf8(formatQuorumConfig(this.#phase === 'broadcast' ? current : lastSeen));
    link.outbox.writeBytes(text, 0, text.length);
    endPacket(link.outbox, packet, null);
    link.stage = LinkStage.syncing;
    this.#deadlines.extend(link);
    this.#links.beginForwarding(link);
    const theirs = formatZxid(link.peerLastZxid);
    this.#context.notice('syncing', link.sid, `server ${link.sid} at ${theirs} gets a ${kind}`);
  }

  #seeToQuorum(): void {
    if (this.#phase !== 'sync') return;
    if (!this.#hasQuorum()) return;
    this.#phase = 'broadcast';
    this.#serve();
    for (const link of this.#links.all()) {
      if (link.stage === LinkStage.synced) this.#letServe(link);
    }
  }

  #serve(): void {
    this.#broadcast.begin(this.epoch, this.#synced());
    this.#startedMs = this.#context.clock.monotonicMs();
    this.#events.onServing({ epoch: this.epoch, sync: 'none' });
  }

  #letServe(link: LearnerLink): void {
    this.#broadcast.letServe(link);
    this.#deadlines.beginPace(link);
  }

  #hasQuorum(): boolean {
    const tracker = this.#context.view.newTracker();
    for (const sid of this.#synced()) tracker.addAck(sid);
    return tracker.hasAllQuorums();
  }

  /** Whose state is durable up to NEWLEADER, this member's own included. */
  #synced(): Set<number> {
    const synced = new Set([this.#context.ensemble.myId]);
    for (const { stage, type, sid } of this.#links.all()) {
      if (stage >= LinkStage.synced && type === 'participant') synced.add(sid);
    }
    return synced;
  }

  /** Learners that were not heard of in time, or leave a proposal unanswered for too long. */
  #letSilentGo(): void {
    const { newestZxid } = this.#context.recent;
    for (const link of this.#links.all()) {
      const overdue = this.#deadlines.overdueText(link, newestZxid);
      if (overdue !== null) this.#forget(link, overdue);
    }
  }

  #forget(link: LearnerLink, reason: string): void {
    if (link.stage === LinkStage.closed) return;
    this.#links.remove(link);
    this.#sync.ended(link);
    const who = link.sid >= 0 ? `server ${link.sid}` : `a learner from ${link.address.host}`;
    this.#context.notice('learner lost', link.sid, `${who} is let go: ${reason}`);
    link.close();
  }

  #end(reason: string): void {
    if (this.#phase === 'ended') return;
    this.stop();
    this.#events.onRoleEnded(reason);
  }
}
