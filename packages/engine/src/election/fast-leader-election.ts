/**
 * Fast leader election (`FastLeaderElection.java`): members tell each other for whom they vote, in rounds, until a
 * quorum is for one. Owns this member's vote, its round and what the others said in it; knows nothing of streams.
 * Refuses votes of and for servers that do not vote, and counts none for a member without a database.
 *
 * A machine of events: `startLooking`, `onMessage`, `onPeer…`, `onTimer` come in; orders and decisions go out to
 * `ElectionOutputs`, which must not call back before they return (`onNewerConfig` excepted).
 */
import type { Clock, TimerListener } from '../ports.ts';
import { isVoter, type QuorumConfig } from '../quorum/quorum-config.ts';
import { type QuorumTracker, QuorumView } from '../quorum/quorum-view.ts';
import type { ElectionNotice } from './election-notice.ts';
import { decodeNotification, encodeNotification, type Notification } from './notification.ts';
import { RecentAnswers } from './recent-answers.ts';
import { ToldConfigs } from './told-configs.ts';
import {
  type Candidate,
  isBetter,
  isSameCandidate,
  isSameVote,
  noCandidate,
  PeerState,
  type Vote,
} from './vote.ts';

/** The times of an election. */
export interface ElectionTiming {
  /** How long a better vote is waited for once a quorum agrees, ms. ZooKeeper's is 200. */
  readonly finalizeWaitMs: number;
  /** How long silence lasts before the vote is sent again, ms: `fastleader.minNotificationInterval`, 200. */
  readonly notificationIntervalMinMs: number;
  /** To how much that doubles, ms: `fastleader.maxNotificationInterval`, 60,000. */
  readonly notificationIntervalMaxMs: number;
}

/** What this member brings into an election. */
export interface Standing {
  /** `participant` unless the configuration has this member as an observer. */
  readonly learnerType: 'participant' | 'observer';
  /** The last zxid in the log; -1 without a database, and then this member's vote does not count. */
  readonly lastZxid: number;
  /** The last epoch that it took part in. */
  readonly currentEpoch: number;
}

/** A leader was found. */
export interface Election {
  readonly vote: Vote;
  /** What this member has to be now. */
  readonly state: PeerState;
  /** Those whose votes made the decision. */
  readonly supporters: ReadonlySet<number>;
}

/** Orders and decisions of an election. */
export interface ElectionOutputs {
  /** Sends a frame to another server, in place of one that still waits. */
  send(sid: number, frame: Uint8Array): void;
  /** Whether there is a link to a server. */
  isLinked(sid: number): boolean;
  /** Whether there is no link to a server, and the last attempt at one has failed. */
  isUnreachable(sid: number): boolean;
  /** Whether at least one server has been sent all that there was for it. */
  haveDelivered(): boolean;
  /** Forgets what waits to be sent, or would be sent again. */
  forgetMessages(): void;
  /** Dials every server that there is no link to. */
  connectAll(): void;
  onElected(election: Election): void;
  /** A peer has a newer configuration. `setView` may follow from within, or not at all. */
  onNewerConfig(config: QuorumConfig, from: number): void;
  /** While this member leads, a voter is looking for a leader (`Leader.reportLookingSid`). */
  onVoterLooking(sid: number): void;
  onNotice(notice: ElectionNotice): void;
}

/** One member's part in elections. */
export class FastLeaderElection implements TimerListener {
  readonly #myId: number;
  readonly #timing: ElectionTiming;
  readonly #clock: Clock;
  readonly #outputs: ElectionOutputs;
  readonly #recentAnswers: RecentAnswers;
  readonly #toldConfigs: ToldConfigs;
  #view: QuorumView;
  #standing: Standing = { learnerType: 'participant', lastZxid: -1, currentEpoch: 0 };
  #phase: 'stopped' | 'waiting' | 'finalizing' | 'elected' = 'stopped';
  #state: PeerState = PeerState.looking;
  /** The round: one more with each election that begins (`logicalclock`). */
  #electionEpoch = 0;
  /** Whom this member votes for in this round. */
  #proposal: Candidate = { leader: noCandidate, zxid: -1, peerEpoch: -1 };
  /** The outcome of the last election. */
  #currentVote: Vote | null = null;
  /** The votes of this round, by voter. */
  readonly #received = new Map<number, Vote>();
  /** What those say who follow or lead already, whatever their round. */
  readonly #outOfElection = new Map<number, Vote>();
  #intervalMs = 0;
  #timer = 0;
  #timerToken = 0;

  constructor(
    myId: number,
    view: QuorumView,
    timing: ElectionTiming,
    clock: Clock,
    outputs: ElectionOutputs,
  ) {
    this.#myId = myId;
    this.#timing = timing;
    this.#clock = clock;
    this.#outputs = outputs;
    this.#recentAnswers = new RecentAnswers(clock);
    this.#view = view;
    this.#toldConfigs = new ToldConfigs(view.current.config, outputs);
  }

  /** What this member is doing. */
  get state(): PeerState {
    return this.#state;
  }

  /** The round of elections. */
  get electionEpoch(): number {
    return this.#electionEpoch;
  }

  /** The outcome of the last election, null before the first. */
  get currentVote(): Vote | null {
    return this.#currentVote;
  }

  /** Whom this member votes for in this round. */
  get proposal(): Candidate {
    return this.#proposal;
  }

  /** There is no leader (any more): a new round begins. */
  startLooking(standing: Standing): void {
    this.#standing = standing;
    this.#state = PeerState.looking;
    this.#electionEpoch += 1;
    this.#received.clear();
    this.#outOfElection.clear();
    this.#recentAnswers.clear();
    this.#intervalMs = this.#timing.notificationIntervalMinMs;
    this.#currentVote ??= this.#initialVote();
    this.#proposal = this.#initialCandidate();
    this.#wait();
    this.#sendProposal();
    this.#countVotes();
  }

  /** This member takes no part any more, until it looks again. */
  stop(): void {
    this.#phase = 'stopped';
    this.#stopTimer();
  }

  /** Other members count from now on. An election that is going on begins again: this member may have another role. */
  setView(view: QuorumView, standing: Standing = this.#standing): void {
    this.#view = view;
    this.#toldConfigs.setOwn(view.current.config);
    if (this.#isLooking) this.startLooking(standing);
  }

  /** Knows what another one of this member, which has stopped, has decided: the outcome and the round. */
  goOnFrom(former: FastLeaderElection): void {
    this.#electionEpoch = former.#electionEpoch;
    this.#currentVote = former.#currentVote;
    this.#standing = former.#standing;
    this.#state = former.#state;
    if (this.#state !== PeerState.looking) this.#phase = 'elected';
  }

  /** The epoch that the elected leader has established (`QuorumPeer.updateElectionVote`). */
  setPeerEpoch(peerEpoch: number): void {
    if (this.#currentVote !== null) this.#currentVote = { ...this.#currentVote, peerEpoch };
    this.#recentAnswers.clear();
  }

  /** A message from another server, `bytes[start, end)`. Whatever it holds, it does no harm. */
  onMessage(sid: number, bytes: Uint8Array, start: number, end: number): void {
    if (this.#phase === 'stopped') return;
    const notification = decodeNotification(bytes, start, end);
    if ('malformed' in notification) {
      const text = `a notification of server ${sid} is left out: ${notification.malformed}`;
      this.#outputs.onNotice({ kind: 'malformed notification', sid, text });
      return;
    }
    this.#toldConfigs.take(sid, notification.configText, this.#isLooking);
    if (this.#isStopped) return;
    if (!this.#view.isVoter(sid)) this.#answerStranger(sid, notification);
    else if (this.#isLooking) this.#takeVote(sid, notification);
    else if (notification.state === PeerState.looking) this.#answerVoter(sid);
  }

  /** There is a link to another server: a member may have missed who leads. */
  onPeerConnected(sid: number): void {
    const vote = this.#currentVote;
    if (this.#phase !== 'elected' || vote === null || this.#view.member(sid) === null) return;
    this.#outputs.send(sid, this.#encode(this.#state, vote, vote.electionEpoch));
  }

  /** The link to another server is gone: what was sent may be lost, so it is sent again soon. */
  onPeerLost(sid: number): void {
    if (this.#phase !== 'waiting' || !this.#view.isVoter(sid)) return;
    this.#startTimer(Math.min(this.#intervalMs, this.#timing.notificationIntervalMinMs));
  }

  /** A server does not answer: nobody has to wait for its vote. */
  onPeerUnreachable(): void {
    if (this.#phase === 'finalizing') this.#countVotes();
  }

  onTimer(token: number): void {
    if (token !== this.#timerToken) return;
    if (this.#phase === 'finalizing') {
      const tracker = this.#trackerOfProposal();
      if (tracker.hasAllQuorums()) this.#elect(this.#proposal, tracker);
      else this.#wait();
    } else if (this.#phase === 'waiting') {
      this.#sendAgain();
    }
  }

  /** Also by what a newer configuration has led to. */
  get #isStopped(): boolean {
    return this.#phase === 'stopped';
  }

  get #isLooking(): boolean {
    return this.#phase === 'waiting' || this.#phase === 'finalizing';
  }

  /** Silence has lasted for the interval: everything may have been lost. */
  #sendAgain(): void {
    if (this.#outputs.haveDelivered()) this.#sendProposal();
    else this.#outputs.connectAll();
    this.#intervalMs = Math.min(this.#intervalMs * 2, this.#timing.notificationIntervalMaxMs);
    // Only an oracle can have changed its mind while nothing came.
    const tracker = this.#trackerOfProposal();
    if (this.#hasOwnVote() && tracker.hasAllQuorums()) this.#elect(this.#proposal, tracker);
    else this.#wait();
  }

  #takeVote(sid: number, notification: Notification): void {
    const { state, electionEpoch } = notification;
    if (state === PeerState.looking && electionEpoch < this.#electionEpoch) {
      // It has missed that there is a new round.
      this.#outputs.send(sid, this.#encode(PeerState.looking, this.#proposal, this.#electionEpoch));
    }
    if (!this.#view.isVoter(notification.leader)) {
      if (this.#phase === 'waiting') this.#wait();
      return;
    }
    if (state === PeerState.looking) this.#takeLookingVote(sid, notification);
    else if (state !== PeerState.observing) this.#takeSettledVote(sid, notification);
    if (this.#phase === 'waiting') this.#wait();
  }

  #takeLookingVote(sid: number, notification: Notification): void {
    const { electionEpoch, zxid } = notification;
    if (this.#ownZxid() === -1 || zxid === -1 || electionEpoch < this.#electionEpoch) return;
    if (electionEpoch > this.#electionEpoch) {
      const initial = this.#initialCandidate();
      const isTheirsBetter = this.#isBetter(notification, initial);
      // A round of which nobody knows better is no reason to give up one that is all but decided.
      if (this.#phase === 'finalizing' && !this.#isBetter(notification, this.#proposal)) return;
      this.#electionEpoch = electionEpoch;
      this.#received.clear();
      this.#propose(isTheirsBetter ? notification : initial);
    } else if (this.#isBetter(notification, this.#proposal)) {
      this.#propose(notification);
    } else if (!isSameCandidate(notification, this.#proposal) || !this.#received.has(sid)) {
      // It has not heard of our vote in this round. Java lets it wait until ours is sent again.
      this.#outputs.send(sid, this.#encode(PeerState.looking, this.#proposal, this.#electionEpoch));
    }
    this.#received.set(sid, voteOf({ ...notification, version: 0 }));
    this.#countVotes();
  }

  /** What a member says that follows or leads already. */
  #takeSettledVote(sid: number, notification: Notification): void {
    const vote = voteOf(notification);
    if (vote.electionEpoch === this.#electionEpoch) {
      this.#received.set(sid, { ...vote, version: 0 });
      if (this.#joinIfDecided(this.#received, vote)) return;
    }
    // Joining an ensemble that stands already: a quorum must follow the leader, and the leader must know.
    const former = this.#outOfElection.get(sid);
    this.#outOfElection.set(sid, vote);
    if (this.#joinIfDecided(this.#outOfElection, vote)) return;
    // Others have settled, and what they said may be from before their leader's epoch: Java asks when its pause, which
    // grows to a minute, is over.
    if (former === undefined || !isSameVote(former, vote)) {
      this.#intervalMs = this.#timing.notificationIntervalMinMs;
    }
    const { oracle } = this.#view.current;
    const isTheLeader = vote.state === PeerState.leading && vote.leader === sid;
    if (isTheLeader && oracle?.hasChosenTheOther() === true) this.#join(vote, new Set([sid]));
  }

  #joinIfDecided(votes: ReadonlyMap<number, Vote>, vote: Vote): boolean {
    // Whoever leads has seen to its quorums. One that was proposed here may never have been so to anybody else, and
    // those whom it names may not exist: Java waits for them all the same.
    const tracker = new QuorumView(this.#view.current).newTracker();
    for (const [sid, other] of votes) if (isSameVote(vote, other)) tracker.addAck(sid);
    if (!tracker.hasAllQuorums() || !this.#doesLead(votes, vote)) return false;
    this.#join(vote, tracker.acks);
    return true;
  }

  /** Whether the leader has said itself that it leads; without that a dead one would be elected for ever. */
  #doesLead(votes: ReadonlyMap<number, Vote>, { leader, electionEpoch }: Vote): boolean {
    if (leader === this.#myId) return electionEpoch === this.#electionEpoch;
    return votes.get(leader)?.state === PeerState.leading;
  }

  #join(vote: Vote, supporters: ReadonlySet<number>): void {
    this.#electionEpoch = vote.electionEpoch;
    this.#finish(vote, supporters);
  }

  /** With a quorum for this member's candidate, only a better one is waited for. */
  #countVotes(): void {
    if (this.#hasOwnVote()) {
      const own = { ...this.#proposal, electionEpoch: this.#electionEpoch };
      this.#received.set(this.#myId, { ...own, state: PeerState.looking, version: 0 });
    }
    const tracker = this.#trackerOfProposal();
    if (!tracker.hasAllQuorums()) {
      this.#wait();
    } else if (this.#areAllHeard(tracker)) {
      this.#elect(this.#proposal, tracker);
    } else if (this.#phase !== 'finalizing') {
      this.#phase = 'finalizing';
      this.#startTimer(this.#timing.finalizeWaitMs);
    }
  }

  /**
   * Whether every voter that can be reached is for this member's candidate: a better one cannot come any more. Java
   * waits all the same, which is most of the time that a failover takes.
   */
  #areAllHeard(tracker: QuorumTracker): boolean {
    return this.#view.voters.every((sid) => {
      return tracker.acks.has(sid) || (sid !== this.#myId && this.#outputs.isUnreachable(sid));
    });
  }

  #propose(candidate: Candidate): void {
    const { leader, zxid, peerEpoch } = candidate;
    this.#proposal = { leader, zxid, peerEpoch };
    // What was all but decided is open again.
    this.#phase = 'waiting';
    this.#sendProposal();
  }

  #elect(candidate: Candidate, tracker: QuorumTracker): void {
    const { leader, zxid, peerEpoch } = candidate;
    const electionEpoch = this.#electionEpoch;
    const vote = { leader, zxid, peerEpoch, electionEpoch, state: PeerState.looking, version: 0 };
    this.#finish(vote, tracker.acks);
  }

  #finish(vote: Vote, supporters: ReadonlySet<number>): void {
    this.#stopTimer();
    this.#phase = 'elected';
    if (vote.leader === this.#myId) this.#state = PeerState.leading;
    else if (this.#standing.learnerType === 'observer') this.#state = PeerState.observing;
    else this.#state = PeerState.following;
    this.#currentVote = { ...vote, state: this.#state, version: 0 };
    this.#recentAnswers.clear();
    // A link that comes up later must bring the outcome, not a vote of a round that is over.
    this.#outputs.forgetMessages();
    this.#tellMembers(this.#currentVote);
    this.#outputs.onElected({ vote: this.#currentVote, state: this.#state, supporters });
  }

  /**
   * Tells the outcome. Java does so only when asked, and a member that has missed a vote, or does not vote, may ask
   * only in a minute.
   */
  #tellMembers(vote: Vote): void {
    const frame = this.#encode(this.#state, vote, vote.electionEpoch);
    for (const id of this.#view.current.config.members.keys()) {
      if (id !== this.#myId && this.#outputs.isLinked(id)) this.#outputs.send(id, frame);
    }
  }

  #sendProposal(): void {
    const frame = this.#encode(PeerState.looking, this.#proposal, this.#electionEpoch);
    for (const sid of this.#view.voters) if (sid !== this.#myId) this.#outputs.send(sid, frame);
  }

  /** A voter looks for a leader, and this member knows one. */
  #answerVoter(sid: number): void {
    const vote = this.#currentVote;
    if (vote === null) return;
    if (this.#state === PeerState.leading) this.#outputs.onVoterLooking(sid);
    this.#outputs.send(sid, this.#encode(this.#state, vote, vote.electionEpoch));
  }

  /**
   * A server that does not vote wants to know who leads. Java answers each of its messages, whatever it says; two
   * members of different configurations would answer each other for ever.
   */
  #answerStranger(sid: number, notification: Notification): void {
    const vote = this.#currentVote;
    if (vote === null || notification.state !== PeerState.looking) return;
    if (!this.#recentAnswers.mayAnswer(sid)) return;
    this.#outputs.send(sid, this.#encode(this.#state, vote, this.#electionEpoch));
  }

  #encode(state: PeerState, candidate: Candidate, electionEpoch: number): Uint8Array {
    const { leader, zxid, peerEpoch } = candidate;
    const configText = this.#toldConfigs.ownText;
    return encodeNotification({
      state,
      leader,
      zxid,
      electionEpoch,
      peerEpoch,
      version: 2,
      configText,
    });
  }

  #isBetter(a: Candidate, b: Candidate): boolean {
    return isBetter(a, b, this.#view.current.weightOf(a.leader));
  }

  #trackerOfProposal(): QuorumTracker {
    const vote = { ...this.#proposal, electionEpoch: this.#electionEpoch };
    return this.#tracker(this.#received, { ...vote, state: PeerState.looking, version: 0 });
  }

  #tracker(votes: ReadonlyMap<number, Vote>, vote: Vote): QuorumTracker {
    const tracker = this.#view.newTracker();
    for (const [sid, other] of votes) if (isSameVote(vote, other)) tracker.addAck(sid);
    return tracker;
  }

  /** Whether this member's own vote counts. */
  #hasOwnVote(): boolean {
    const { leader, zxid } = this.#proposal;
    const isCounted = this.#ownZxid() !== -1 && zxid !== -1;
    return isCounted && this.#view.isVoter(this.#myId) && this.#view.isVoter(leader);
  }

  #ownZxid(): number {
    const { learnerType, lastZxid } = this.#standing;
    return learnerType === 'participant' ? lastZxid : noCandidate;
  }

  /** This member itself; one that does not vote stands for nobody. */
  #initialCandidate(): Candidate {
    const { learnerType, currentEpoch } = this.#standing;
    const isStanding = isVoter(this.#view.current.config, this.#myId);
    return {
      leader: isStanding ? this.#myId : noCandidate,
      zxid: this.#ownZxid(),
      peerEpoch: learnerType === 'participant' ? currentEpoch : noCandidate,
    };
  }

  #initialVote(): Vote {
    const { lastZxid, currentEpoch } = this.#standing;
    const candidate = { leader: this.#myId, zxid: lastZxid, peerEpoch: currentEpoch };
    return { ...candidate, electionEpoch: -1, state: PeerState.looking, version: 0 };
  }

  #wait(): void {
    this.#phase = 'waiting';
    this.#startTimer(this.#intervalMs);
  }

  #startTimer(delayMs: number): void {
    this.#stopTimer();
    this.#timerToken += 1;
    this.#timer = this.#clock.startTimer(delayMs, this, this.#timerToken);
  }

  #stopTimer(): void {
    this.#clock.cancelTimer(this.#timer);
    this.#timer = 0;
    this.#timerToken += 1;
  }
}

function voteOf(notification: Notification): Vote {
  const { leader, zxid, peerEpoch, electionEpoch, state, version } = notification;
  return { leader, zxid, peerEpoch, electionEpoch, state, version };
}
