import {
  type Clock,
  type EnsembleConfig,
  formatQuorumConfig,
  type LearnerType,
  type MemberCounters,
  type MemberRole,
  type QuorumConfig,
  votersOf,
} from '@meerkat/engine';
import type { EnsembleMemberView, ServerState, Summary } from './server-view.ts';

/** One learner, as a leader sees it. */
export interface LearnerFacts {
  readonly sid: number;
  readonly type: LearnerType;
  readonly isServing: boolean;
  readonly isSynchronising: boolean;
}

/** What a member of the engine tells of itself. */
export interface MemberFacts {
  readonly role: MemberRole;
  /** Whom an observer follows, the leader or a follower; null for others. */
  readonly learnerMasterId: number | null;
  readonly epoch: number;
  /** Monotonic; 0 while it does not lead. */
  readonly leadingSinceMs: number;
  readonly learners: readonly LearnerFacts[];
  /** Bytes of the proposals it has made. */
  readonly proposalSizes: { readonly last: number; readonly min: number; readonly max: number };
  readonly counters: MemberCounters;
  readonly view: { readonly current: { readonly config: QuorumConfig } };
}

/** What four-letter words tell of a member of an ensemble. */
export class MemberView implements EnsembleMemberView {
  readonly #facts: MemberFacts;
  readonly #ensemble: EnsembleConfig;
  readonly #clock: Clock;
  /** How often it looked for a leader. */
  lookingCount = 0;
  readonly electionTime: Tally = new Tally();
  readonly followerSyncTime: Tally = new Tally();
  readonly observerSyncTime: Tally = new Tally();
  readonly unavailableTime: Tally = new Tally();
  #lookingSinceMs: number | null = null;

  constructor(facts: MemberFacts, ensemble: EnsembleConfig, clock: Clock) {
    this.#facts = facts;
    this.#ensemble = ensemble;
    this.#clock = clock;
  }

  /** Another role: what `mntr` counts of it. */
  onRole(role: MemberRole, times: { readonly electionMs: number; readonly syncMs: number }): void {
    const nowMs = this.#clock.monotonicMs();
    if (role === 'looking') {
      this.lookingCount += 1;
      this.#lookingSinceMs ??= nowMs;
      return;
    }
    this.electionTime.add(times.electionMs);
    if (role === 'following') this.followerSyncTime.add(times.syncMs);
    if (role === 'observing') this.observerSyncTime.add(times.syncMs);
    if (this.#lookingSinceMs !== null) this.unavailableTime.add(nowMs - this.#lookingSinceMs);
    this.#lookingSinceMs = null;
  }

  /** As `Mode:` and `zk_server_state` say it. */
  get state(): ServerState {
    return states[this.#facts.role];
  }

  gauges(): readonly (readonly [string, string | number])[] {
    const { role, learnerMasterId } = this.#facts;
    const lines: (readonly [string, string | number])[] = [
      ['peer_state', peerStates[role]],
      ['quorum_size', votersOf(this.#config).length],
      ['looking_count', this.lookingCount],
      ['current_epoch', this.#facts.epoch],
      ...this.#counters(),
    ];
    if (role === 'observing') lines.push(['observer_master_id', learnerMasterId ?? -1]);
    return role === 'leading' ? [...lines, ...this.#leading()] : lines;
  }

  /** What Java counts in every process, whatever its role is now. */
  #counters(): readonly (readonly [string, number])[] {
    const { counters } = this.#facts;
    return [
      ['proposal_count', counters.proposed],
      ['commit_count', counters.committed],
      ['snap_count', counters.snapshotsSent],
      ['diff_count', counters.differencesSent],
      ['learner_proposal_received_count', counters.proposalsReceived],
      ['learner_commit_received_count', counters.commitsReceived],
      ['revalidate_count', counters.revalidations],
      ['quit_leading_due_to_disloyal_voter', counters.disloyalVoters],
    ];
  }

  proposalLine(): string {
    if (this.#facts.role !== 'leading') return '';
    const { last, min, max } = this.#facts.proposalSizes;
    return `Proposal sizes last/min/max: ${last}/${min}/${max}\n`;
  }

  /** Times of elections and synchronisations. */
  summaries(): readonly (readonly [string, Summary])[] {
    return [
      ['election_time', this.electionTime],
      ['follower_sync_time', this.followerSyncTime],
      ['observer_sync_time', this.observerSyncTime],
      ['unavailable_time', this.unavailableTime],
    ];
  }

  configuration(): string {
    const { myId, initLimitTicks, syncLimitTicks } = this.#ensemble;
    const own = this.#config.members.get(myId) ?? this.#ensemble.members.members.get(myId);
    const addresses = own?.addresses ?? [];
    return [
      `serverId=${myId}`,
      `initLimit=${initLimitTicks}`,
      `syncLimit=${syncLimitTicks}`,
      'electionAlg=3',
      `electionPort=${addresses.map(({ electionPort }) => electionPort).join('|')}`,
      `quorumPort=${addresses.map(({ quorumPort }) => quorumPort).join('|')}`,
      `peerType=${own?.type === 'observer' ? 1 : 0}`,
      'membership: ',
      formatQuorumConfig(this.#config),
    ].join('\n');
  }

  get #config(): QuorumConfig {
    return this.#facts.view.current.config;
  }

  #leading(): readonly (readonly [string, string | number])[] {
    const { learners, leadingSinceMs, proposalSizes } = this.#facts;
    const serving = learners.filter(({ isServing }) => isServing);
    const voters = new Set(votersOf(this.#config));
    const followers = serving.filter(({ type }) => type === 'participant');
    return [
      ['learners', learners.length],
      // The name until 3.5, which older monitoring asks for.
      ['followers', learners.length],
      ['synced_followers', followers.length],
      ['synced_non_voting_followers', followers.filter(({ sid }) => !voters.has(sid)).length],
      ['synced_observers', serving.length - followers.length],
      ['pending_syncs', learners.filter(({ isSynchronising }) => isSynchronising).length],
      ['leader_uptime', Math.floor(this.#clock.monotonicMs() - leadingSinceMs)],
      ['last_proposal_size', proposalSizes.last],
      ['min_proposal_size', proposalSizes.min],
      ['max_proposal_size', proposalSizes.max],
    ];
  }
}

/** Count, sum and extremes of times, ms. */
class Tally implements Summary {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;

  add(valueMs: number): void {
    const value = Math.round(valueMs);
    this.min = this.count === 0 ? value : Math.min(this.min, value);
    this.max = Math.max(this.max, value);
    this.sum += value;
    this.count += 1;
  }
}

/** Java's names; a member that looks for a leader answers no word that would show it. */
const states: Readonly<Record<MemberRole, ServerState>> = {
  looking: 'read-only',
  leading: 'leader',
  following: 'follower',
  observing: 'observer',
};

/** As Java's `getDetailedPeerState`. */
const peerStates: Readonly<Record<MemberRole, string>> = {
  looking: 'looking',
  leading: 'leading - broadcast',
  following: 'following - broadcast',
  observing: 'observing - broadcast',
};
