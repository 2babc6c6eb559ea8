import type { MemberAddress, QuorumMember } from './member.ts';
import { isVoter } from './quorum-config.ts';
import type { QuorumVerifier } from './quorum-verifier.ts';

/**
 * Who counts right now: the configuration in force, and the one that was proposed last and may be in force
 * elsewhere already. While both exist, whatever is decided needs a quorum of each.
 */
export class QuorumView {
  /** The last committed configuration. */
  readonly current: QuorumVerifier;
  /** The last proposed one, null when it is the same. */
  readonly lastSeen: QuorumVerifier | null;

  constructor(current: QuorumVerifier, lastSeen: QuorumVerifier | null = null) {
    this.current = current;
    this.lastSeen = lastSeen;
  }

  /** The voters of either configuration. */
  get voters(): readonly number[] {
    return [...new Set([...this.current.voters, ...(this.lastSeen?.voters ?? [])])];
  }

  /** Whether `id` votes in either configuration. */
  isVoter(id: number): boolean {
    return (
      isVoter(this.current.config, id) ||
      (this.lastSeen !== null && isVoter(this.lastSeen.config, id))
    );
  }

  /** The member with this id, of the configuration in force if it has it. */
  member(id: number): QuorumMember | null {
    return this.current.config.members.get(id) ?? this.lastSeen?.config.members.get(id) ?? null;
  }

  /** Where a member can be reached, the addresses in force first. */
  addressesOf(id: number): readonly MemberAddress[] {
    const inForce = this.current.config.members.get(id)?.addresses ?? [];
    const proposed = this.lastSeen?.config.members.get(id)?.addresses ?? [];
    const isNew = (address: MemberAddress): boolean =>
      !inForce.some((a) => a.host === address.host && a.electionPort === address.electionPort);
    return [...inForce, ...proposed.filter(isNew)];
  }

  /** An empty count over both configurations. */
  newTracker(): QuorumTracker {
    const { current, lastSeen } = this;
    const isPending = lastSeen !== null && lastSeen.config.version > current.config.version;
    return new QuorumTracker(isPending ? [current, lastSeen] : [current]);
  }
}

/** Counts who agreed, in every configuration that matters (`SyncedLearnerTracker`). */
export class QuorumTracker {
  readonly #verifiers: readonly QuorumVerifier[];
  readonly #acks = new Set<number>();

  constructor(verifiers: readonly QuorumVerifier[]) {
    this.#verifiers = verifiers;
  }

  /** Counts a member; those who vote in none of the configurations are not counted. */
  addAck(id: number): void {
    if (this.#verifiers.some(({ config }) => isVoter(config, id))) this.#acks.add(id);
  }

  /** Whether a member votes in all of the configurations. */
  hasSid(id: number): boolean {
    return this.#verifiers.every(({ config }) => isVoter(config, id));
  }

  /** Whether those counted are a quorum of every configuration. */
  hasAllQuorums(): boolean {
    return this.#verifiers.every((verifier) => verifier.containsQuorum(this.#acks));
  }

  /** Those counted. */
  get acks(): ReadonlySet<number> {
    return this.#acks;
  }
}
