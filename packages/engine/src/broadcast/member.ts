/**
 * A replica as a member of an ensemble (`QuorumPeer.java`): looking for a leader, leading, following or observing, one
 * after the other for as long as it runs.
 *
 * Owns which of these it is, and what lies between two of them: clients are let go, what is in the log becomes durable
 * and is applied, and only with that history it stands for election [ZOOKEEPER-4712].
 */
import { assert, asZxid, type Zxid } from '@meerkat/protocol';
import type { Database } from '../database.ts';
import {
  type Election,
  type ElectionNotice,
  Elector,
  PeerState,
  type Standing,
} from '../election/index.ts';
import type { LeaderDuties } from '../leader-duties.ts';
import { ensembleLimits } from '../limits.ts';
import { DiskError, type NetworkAddress, type Ports, type TimerListener } from '../ports.ts';
import type { LearnerType } from '../quorum/member.ts';
import { formatQuorumConfig, votersOf } from '../quorum/quorum-config.ts';
import type { QuorumView } from '../quorum/quorum-view.ts';
import type { MemberRole, ReplicaEvents, RoleDetail } from '../replica-events.ts';
import type { ReplicaStorage } from '../replica-storage.ts';
import type { ClientIntake } from '../requests/client-intake.ts';
import type { ReplicaState } from '../requests/replica-state.ts';
import type { TransactionApplier } from '../requests/transaction-applier.ts';
import { type RecoveryReport, StorageError } from '../storage/index.ts';
import { EpochStore } from './epoch-store.ts';
import { Leader } from './leader.ts';
import { Learner } from './learner.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { MemberCounters } from './member-counters.ts';
import { Membership, type MembershipChange } from './membership.ts';
import { ObserverMasters } from './observer-masters.ts';
import type { PacketLimits } from './quorum-packet.ts';
import { ReadOnlyMode } from './read-only-mode.ts';
import { RecentTransactions } from './recent-transactions.ts';

/** What a member is made of. */
export interface MemberParts {
  readonly ports: Ports;
  readonly state: ReplicaState;
  readonly intake: ClientIntake;
  readonly applier: TransactionApplier;
  readonly database: Database;
  readonly storage: ReplicaStorage;
  readonly duties: LeaderDuties;
  readonly events: ReplicaEvents;
  endTurn(): void;
}

/** One learner, as its leader sees it. */
export interface LearnerState {
  readonly sid: number;
  readonly address: NetworkAddress;
  readonly type: LearnerType;
  readonly isServing: boolean;
  readonly isSynchronising: boolean;
}

export class Member implements MemberContext, RoleEvents, TimerListener {
  readonly config: MemberContext['config'];
  readonly ensemble: MemberContext['ensemble'];
  readonly clock: MemberContext['clock'];
  readonly peers: MemberContext['peers'];
  readonly disk: MemberContext['disk'];
  readonly state: ReplicaState;
  readonly intake: ClientIntake;
  readonly applier: TransactionApplier;
  readonly database: Database;
  readonly storage: ReplicaStorage;
  readonly duties: LeaderDuties;
  readonly epochs: EpochStore;
  readonly recent: RecentTransactions;
  readonly packetLimits: PacketLimits;
  readonly membership: Membership;
  readonly counters: MemberCounters = new MemberCounters();
  durableZxid: Zxid = asZxid(0);
  readonly #parts: MemberParts;
  #elector: Elector;
  readonly #random: Ports['random'];
  readonly #readOnlyMode: ReadOnlyMode;
  readonly #observerMasters: ObserverMasters;
  #masterId: number | null = null;
  #leader: Leader | null = null;
  #learner: Learner | null = null;
  #role: MemberRole = 'looking';
  #leaderId: number | null = null;
  #reason = '';
  #lookingSinceMs = 0;
  /** Roles in a row that ended before they served. */
  #failures = 0;
  #electedMs = 0;
  #electionMs = 0;
  #syncMs = 0;
  #isStopped = false;

  constructor(parts: MemberParts) {
    const { ports, state } = parts;
    const { ensemble, limits } = state.config;
    assert(ensemble !== null && ports.peers !== undefined, 'a member has peers');
    this.#parts = parts;
    this.config = state.config;
    this.ensemble = ensemble;
    this.clock = ports.clock;
    this.peers = ports.peers;
    this.disk = ports.disk;
    this.#random = ports.random;
    this.state = state;
    this.intake = parts.intake;
    this.applier = parts.applier;
    this.database = parts.database;
    this.storage = parts.storage;
    this.duties = parts.duties;
    this.epochs = new EpochStore(ports.disk);
    this.recent = new RecentTransactions(ensemble.commitLogCount, ensembleLimits.recentBytesMax);
    this.packetLimits = {
      dataBytesMax: limits.frameBytesMax + limits.extraBytesMax,
      authIdsMax: limits.authIdsMax + 1,
      authBytesMax: 3 * limits.authIdCharactersMax + ensembleLimits.authBytesMore,
    };
    // A leader that has just come back can tell others what they lack, without sending everything.
    this.database.replayed = this.recent;
    this.membership = new Membership(ensemble, ports.disk, this.config.reconfigEnabled);
    this.#readOnlyMode = new ReadOnlyMode(this);
    this.#observerMasters = new ObserverMasters(ports.random);
    this.#elector = this.#newElector();
  }

  /** Who counts. */
  get view(): QuorumView {
    return this.membership.view;
  }

  /** What it is at the moment; it serves clients unless it is looking. */
  get role(): MemberRole {
    return this.#role;
  }

  /** Who leads, null while nobody does. */
  get leaderId(): number | null {
    return this.#leaderId;
  }

  /** The server through which it observes, the leader or a follower; null when it does not. */
  get learnerMasterId(): number | null {
    return this.#role === 'observing' ? (this.#masterId ?? this.#leaderId) : null;
  }

  /** The epoch of the leader, or the last one that it took part in. */
  get epoch(): number {
    return this.#leader?.epoch ?? this.#learner?.epoch ?? this.epochs.currentEpoch;
  }

  /** How long the last election took, ms. */
  get electionMs(): number {
    return this.#electionMs;
  }

  /** How long it took from that election to serving, ms. */
  get syncMs(): number {
    return this.#syncMs;
  }

  /** Since when it leads, monotonic ms; 0 when it does not. */
  get leadingSinceMs(): number {
    return this.#leader?.servingSinceMs ?? 0;
  }

  /** Proposals that are not committed, while it leads. */
  get outstandingCount(): number {
    return this.#leader?.outstandingCount ?? 0;
  }

  /** Largest, smallest and last proposal of this leader, bytes; -1 before the first and elsewhere. */
  get proposalSizes(): { readonly last: number; readonly min: number; readonly max: number } {
    return this.#leader?.proposalSizes ?? noSizes;
  }

  /** Whom it leads. */
  get learners(): readonly LearnerState[] {
    return (this.#leader?.links ?? []).map((link) => ({
      sid: link.sid,
      address: link.address,
      type: link.type,
      isServing: link.stage === servingStage,
      isSynchronising: link.isStreaming || link.stage < servingStage,
    }));
  }

  /** The database is back from disk: looks for a leader. */
  start(report: RecoveryReport): void {
    this.epochs.load(report.directories.snapshots, asZxid(Math.max(0, report.lastZxid)));
    this.durableZxid = report.lastZxid;
    this.#settleTree();
    this.#elector.listen();
    this.#look('');
  }

  /** Takes no part any more. */
  stop(): void {
    this.#isStopped = true;
    this.#readOnlyMode.end();
    this.#elector.stop();
    this.#leader?.stop();
    this.#learner?.stop();
  }

  /** What peers are told leaves; the end of a turn. */
  flush(): void {
    this.#leader?.flush();
    this.#learner?.flush();
  }

  /** The log is durable up to here. */
  onDurable(zxid: Zxid): void {
    this.durableZxid = zxid;
    this.#leader?.onDurable();
    this.#learner?.onDurable(zxid);
    this.#parts.endTurn();
  }

  /** See `MemberContext`. */
  onHistoryReplaced(): void {
    this.durableZxid = asZxid(this.state.lastProcessedZxid);
    // What came from disk or from a leader knows nothing of this member's configuration (ZOOKEEPER-2819).
    this.#showMembers();
  }

  /** See `MemberContext`. */
  notice(kind: string, peer: number | null, text: string): void {
    this.#parts.events.ensemble?.onEnsembleNotice(kind, peer, text);
  }

  /** See `MemberContext`. */
  endTurn(): void {
    this.#parts.endTurn();
  }

  /** See `RoleEvents`. */
  onServing(detail: { epoch: number; sync: RoleDetail['sync'] }): void {
    this.#syncMs = this.clock.monotonicMs() - this.#electedMs;
    this.#failures = 0;
    this.#role = this.#leader !== null ? 'leading' : this.#isObserver ? 'observing' : 'following';
    this.#elector.setPeerEpoch(detail.epoch);
    const { localSessionsEnabled } = this.ensemble;
    if (this.#leader === null && localSessionsEnabled) this.duties.startForLocalSessions();
    this.#tell(detail.sync);
  }

  /** See `RoleEvents`: what is left of the role is put in order, then a leader is looked for. */
  onRoleEnded(reason: string): void {
    if (this.#isStopped) return;
    const isTainted = this.#learner?.isMemoryTainted ?? false;
    this.#failures++;
    this.#leader = null;
    this.#learner = null;
    this.#role = 'looking';
    this.#leaderId = null;
    this.#reason = reason;
    this.#tell('none');
    this.duties.stop();
    this.intake.stopServing();
    this.#settle(isTainted);
  }

  /** See `RoleEvents`. */
  onMembersChanged({ before, now, isDifferent }: MembershipChange): void {
    this.#showMembers();
    this.#parts.events.ensemble?.onMembersChanged(formatQuorumConfig(now), now.version);
    this.attempt(() => this.membership.settle());
    const { myId } = this.ensemble;
    const addressesOf = (config: typeof now): string =>
      JSON.stringify(config.members.get(myId)?.addresses ?? []);
    // Whoever was removed stays where it is, and may follow.
    const isMoved =
      isDifferent && now.members.has(myId) && addressesOf(before) !== addressesOf(now);
    // Its version is told in votes from now on, even when nothing else differs.
    if (!isMoved) return this.#elector.setView(this.view, this.#standing());
    const former = this.#elector;
    former.stop();
    this.#elector = this.#newElector();
    // Whoever asks it who leads is to be answered as before.
    this.#elector.goOnFrom(former);
    this.#elector.listen();
    // Whoever has learnt it from another member's vote has no leader yet.
    const isLooking = this.#elector.state === PeerState.looking;
    if (isLooking && this.#leader === null && this.#learner === null) {
      this.#elector.lookForLeader(this.#standing());
    }
  }

  /** See `MemberContext`: whoever cannot write down a promise must not go on. */
  attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof DiskError) && !(error instanceof StorageError)) throw error;
      this.onFatal(unexpectedExitCode, error.message);
    }
  }

  /** See `RoleEvents`. */
  onFatal(exitCode: number, reason: string): void {
    this.stop();
    this.#parts.events.ensemble?.onEnsembleFailed(exitCode, reason);
  }

  /** An observer's pause before it looks again. */
  onTimer(): void {
    if (!this.#isStopped) this.#look(this.#reason);
  }

  /** One that is to vote by a configuration that may be in force elsewhere already is asked for its vote. */
  get #isObserver(): boolean {
    const isToVote = this.view.isVoter(this.ensemble.myId);
    return this.membership.self?.type === 'observer' && !isToVote;
  }

  /** All that is in the log becomes durable, and is in memory; what is in memory and not on disk goes. */
  #settle(isTainted: boolean): void {
    const settled = (): void => {
      if (this.#isStopped) return;
      this.attempt(() => {
        if (isTainted || this.storage.log === null) this.#reload();
        else this.#applyProposed();
        this.#settleTree();
        this.#pauseThenLook();
      });
    };
    // A cut or a snapshot may just have begun when the leader went: a log that is closing passes no barrier any more.
    if (isTainted || this.storage.log === null || this.storage.isClosing) {
      this.storage.close(settled);
    } else this.storage.barrier((error) => (error === null ? settled() : undefined));
  }

  #reload(): void {
    this.storage.reload();
    this.onHistoryReplaced();
  }

  /** What was proposed is part of this member's history now, committed or not (`ZKDatabase.fastForwardDataBase`). */
  #applyProposed(): void {
    const { recent } = this;
    while (recent.outstandingCount > 0) {
      const number = recent.committedEnd;
      const block = recent.blockOf(number);
      recent.commitNext();
      this.applier.apply(block, recent.bodyStart(number), recent.bodyEnd(number), null);
    }
  }

  /** See `MemberContext`. */
  truncate(zxid: Zxid): void {
    this.storage.truncate(zxid);
    this.onHistoryReplaced();
    this.#settleTree();
  }

  #settleTree(): void {
    this.state.outstanding.clear();
    this.applier.compareDigestsFrom(this.state.lastProcessedZxid + 1);
    this.#showMembers();
  }

  /** The members stand in the tree of each of them. */
  #showMembers(): void {
    const { current } = this.membership;
    this.state.tree.setConfig(formatQuorumConfig(current), current.version, this.clock.wallMs());
  }

  #pauseThenLook(): void {
    const { observerReconnectDelayMs, observerElectionDelayMs } = this.ensemble;
    const draw = this.#isObserver ? this.#random.below(observerElectionDelayMs + 1) : 0;
    const hasMore = this.#masterId !== null && !this.#observerMasters.isExhausted;
    const reconnectMs = hasMore ? 0 : observerReconnectDelayMs;
    const observerMs = this.#isObserver ? reconnectMs + draw : 0;
    const delayMs = Math.max(observerMs, this.#failureDelayMs());
    if (delayMs > 0) this.clock.startTimer(delayMs, this, 0);
    else this.#look(this.#reason);
  }

  /** One that is turned away again and again bothers nobody more than once in a tick. */
  #failureDelayMs(): number {
    if (this.#failures <= failuresFree) return 0;
    const doublings = Math.min(this.#failures - failuresFree, 10);
    return Math.min(failureDelayMsMin * 2 ** doublings, this.config.tickTimeMs);
  }

  #look(reason: string): void {
    this.#reason = reason;
    this.#lookingSinceMs = this.clock.monotonicMs();
    this.#readOnlyMode.await();
    const standing = this.#standing();
    // What was proposed in the meantime counts too.
    this.#elector.setView(this.view, standing);
    this.#elector.lookForLeader(standing);
  }

  #standing(): Standing {
    const lastZxid = this.durableZxid === -1 ? -1 : this.state.lastProcessedZxid;
    return {
      learnerType: this.#isObserver ? 'observer' : 'participant',
      lastZxid,
      currentEpoch: this.epochs.currentEpoch,
    };
  }

  #onElected({ vote, state }: Election): void {
    if (this.#isStopped) return;
    this.#readOnlyMode.end();
    this.#electedMs = this.clock.monotonicMs();
    this.#electionMs = this.#electedMs - this.#lookingSinceMs;
    this.#leaderId = vote.leader;
    if (state === PeerState.leading) {
      const leader = new Leader(this, this);
      this.#leader = leader;
      this.attempt(() => leader.start());
    } else {
      const isObserver = state === PeerState.observing;
      this.#masterId = isObserver ? this.#nextMaster(vote.leader) : null;
      this.#learner = new Learner(this, vote.leader, isObserver, this.#masterId, this);
      this.#learner.start();
    }
    this.#parts.endTurn();
  }

  /** The follower through which to observe; null to do so at the leader. */
  #nextMaster(leader: number): number | null {
    if (this.ensemble.observerMasterPort === 0) return null;
    return this.#observerMasters.next(votersOf(this.view.current.config), leader);
  }

  #tell(sync: RoleDetail['sync']): void {
    const isLooking = this.#role === 'looking';
    this.#parts.events.ensemble?.onRole(this.#role, {
      leader: this.#leaderId,
      epoch: this.epoch,
      electionMs: isLooking ? 0 : this.#electionMs,
      syncMs: isLooking ? 0 : this.#syncMs,
      sync,
      reason: this.#reason,
    });
  }

  #newElector(): Elector {
    const { ensemble, clock, peers } = this;
    const own = this.view.member(ensemble.myId)?.addresses ?? [];
    const ownAddresses = own.map(({ host, electionPort }) => ({ host, port: electionPort }));
    const listenAddresses = own.map(({ host, electionPort }) => ({
      host: ensemble.listenOnAllIps ? '0.0.0.0' : host,
      port: electionPort,
    }));
    return new Elector(
      { ...ensemble.election, myId: ensemble.myId, ownAddresses, listenAddresses },
      this.view,
      { clock, peers },
      {
        onElected: (election) => this.#onElected(election),
        onNewerConfig: (config) => {
          const change = this.membership.activate(config);
          if (change !== null) this.onMembersChanged(change);
        },
        onVoterLooking: (sid) => this.#leader?.onVoterLooking(sid, this.#electedMs),
        onUnableToListen: (reason) => this.onFatal(unableToBindExitCode, reason),
        onNotice: (notice: ElectionNotice) => this.notice(notice.kind, notice.sid, notice.text),
      },
    );
  }
}

const noSizes = { last: -1, min: -1, max: -1 } as const;
/** So many roles in a row may fail before a pause is made between them. */
const failuresFree = 2;
/** The first pause, half of it. */
const failureDelayMsMin = 25;
/** `LinkStage.serving`. */
const servingStage = 6;
/** `ExitCode.UNEXPECTED_ERROR`. */
const unexpectedExitCode = 1;
/** `ExitCode.UNABLE_TO_BIND_QUORUM_PORT`. */
const unableToBindExitCode = 14;
