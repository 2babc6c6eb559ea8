import type { PeerFabric } from '../simulated-peer-network.ts';
import type { Configurations } from './configurations.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { demand } from './violation.ts';

/**
 * Timeliness: a member that no longer reaches its leader, or a leader that no longer reaches a quorum or was removed, notices within
 * `syncLimit` ticks and serves nobody any more. Looks at the network from outside, twice a tick.
 */
export class IsolationChecker {
  readonly #members: readonly EnsembleMember[];
  readonly #configurations: Configurations;
  readonly #fabric: PeerFabric;
  readonly #patienceMs: number;
  /** Since when each member has been cut off while it served, and from whom in which direction. */
  readonly #since = new Map<EnsembleMember, { readonly ms: number; readonly cut: string }>();

  /** @param patienceMs how long it may take until a member that is cut off has noticed */
  constructor(
    members: readonly EnsembleMember[],
    configurations: Configurations,
    fabric: PeerFabric,
    patienceMs: number,
  ) {
    this.#members = members;
    this.#configurations = configurations;
    this.#fabric = fabric;
    this.#patienceMs = patienceMs;
  }

  /** @throws Violation when a member has been cut off for too long and serves */
  look(nowMs: number): void {
    if (this.#members.length === 1) return;
    for (const member of this.#members) {
      const isCutOff = member.isServing && !member.isStandingStill && !this.#isInTouch(member);
      if (!isCutOff) {
        this.#since.delete(member);
        continue;
      }
      // Who hears, and is not heard, learns it from the other side: unless that is cut off just then.
      const cut = this.#cutOf(member);
      const before = this.#since.get(member);
      const since = before?.cut === cut ? before : { ms: nowMs, cut };
      this.#since.set(member, since);
      demand(nowMs - since.ms <= this.#patienceMs, 'who is cut off serves no more', () => {
        return `${member.id} is ${member.role}, and cut off for ${nowMs - since.ms} ms`;
      });
    }
  }

  #isInTouch(member: EnsembleMember): boolean {
    const master = this.#masterOf(member);
    if (master !== undefined) return master.isServing && this.#areInTouch(member, master);
    if (member.role !== 'leading') {
      return this.#members.some(
        (each) => each.role === 'leading' && this.#areInTouch(member, each),
      );
    }
    // A leader that is no voter any more has to go too.
    if (!this.#configurations.isVoter(member.id)) return false;
    const reached = this.#members.filter(
      (each) => each === member || (each.isUp && this.#areInTouch(member, each)),
    );
    return this.#configurations.isQuorum(reached.map(({ id }) => id));
  }

  /** Which ways between a member and those that lead, or those that follow it, are blocked. */
  #cutOf(member: EnsembleMember): string {
    const others =
      member.role === 'leading'
        ? this.#members.filter((each) => each.isVoter)
        : [this.#masterOf(member) ?? this.#members.filter(({ role }) => role === 'leading')].flat();
    return others
      .flatMap(({ host }) => [
        `${host}>${this.#fabric.reaches(host, member.host)}`,
        `>${host}${this.#fabric.reaches(member.host, host)}`,
      ])
      .join();
  }

  /** The follower that an observer follows: that one is judged by itself. */
  #masterOf(member: EnsembleMember): EnsembleMember | undefined {
    if (member.role !== 'observing' || member.config.ensemble?.observerMasterPort === 0) return;
    const id = member.replica?.member?.learnerMasterId ?? null;
    return this.#members.find((each) => each.id === id);
  }

  #areInTouch(a: EnsembleMember, b: EnsembleMember): boolean {
    return this.#fabric.reaches(a.host, b.host) && this.#fabric.reaches(b.host, a.host);
  }
}
