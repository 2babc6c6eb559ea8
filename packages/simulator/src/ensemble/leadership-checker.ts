import type { MemberRole, RoleDetail } from '@meerkat/engine';
import { formatZxid } from '@meerkat/protocol';
import type { AgreedHistory } from './agreed-history.ts';
import type { Configurations } from './configurations.ts';
import type { EnsembleMember } from './ensemble-member.ts';
import { demand } from './violation.ts';

/**
 * Leaders and epochs (ZB 14.3): never two leaders of one epoch, epochs only grow, a leader has everything that was
 * committed before its epoch, and so has whoever has the epoch on its disk.
 */
export class LeadershipChecker {
  readonly #history: AgreedHistory;
  readonly #configurations: Configurations;
  readonly #leaders = new Map<number, number>();
  /** What was committed when an epoch was established. */
  readonly #committedBefore = new Map<number, number>();
  /** The newest epoch that each member served in, until its disk is lost. */
  readonly #servedIn = new Map<number, number>();

  constructor(history: AgreedHistory, configurations: Configurations) {
    this.#history = history;
    this.#configurations = configurations;
  }

  /**
   * The last transaction of a history that ends at `zxid`, which may be the beginning of an epoch; -1 when nobody knows,
   * since that epoch had no leader.
   */
  lastBefore(zxid: number): number {
    if (zxid <= 0) return 0;
    if (zxid % 2 ** 32 !== 0) return zxid;
    return this.#committedBefore.get(zxid / 2 ** 32) ?? -1;
  }

  /** How many epochs had a leader. */
  get epochs(): number {
    return this.#leaders.size;
  }

  /** @throws Violation when the role cannot be */
  onRole(member: EnsembleMember, role: MemberRole, { epoch }: RoleDetail): void {
    if (role === 'looking') return;
    if (role === 'leading') this.#onLeading(member, epoch);
    demand(this.#leaders.has(epoch), 'learners serve when their leader does', () => {
      return `${member.id} is ${role} in epoch ${epoch}, which nobody leads yet`;
    });
    const last = this.#servedIn.get(member.id) ?? 0;
    demand(epoch >= last, 'epochs only grow', () => {
      return `${member.id} serves in epoch ${epoch} after ${last}`;
    });
    this.#servedIn.set(member.id, epoch);
  }

  /**
   * A member begins to lead.
   *
   * @param wasVoter whether it voted before what it brings into its epoch was committed: it may put a configuration in
   * force that it is no part of, and go then
   * @throws Violation when it has no vote
   */
  checkVote({ id, epoch }: EnsembleMember, wasVoter: boolean): void {
    demand(wasVoter || this.#configurations.isVoter(id), 'who leads votes', () => {
      return `${id} leads in epoch ${epoch}, voters are ${[...this.#configurations.voters].join()}`;
    });
  }

  /** A member's disk was lost: what it promised is forgotten. */
  onDiskLost(member: EnsembleMember): void {
    this.#servedIn.delete(member.id);
  }

  /** A member has come back from its disk. */
  onRecovered(member: EnsembleMember): void {
    if (member.config.ensemble === null || member.isDamaged) return;
    const zxid = Math.max(0, member.historyZxid);
    const current = readEpoch(member, 'currentEpoch');
    const accepted = readEpoch(member, 'acceptedEpoch');
    const served = this.#servedIn.get(member.id) ?? 0;
    demand(accepted >= current, 'an epoch is accepted before it is current', () => {
      return `${member.id} has currentEpoch ${current} and acceptedEpoch ${accepted}`;
    });
    this.#configurations.onRecovered(member, current);
    if (!member.isVoter) return;
    demand(current >= served, 'an epoch that was served in is on disk', () => {
      return `${member.id} comes back with currentEpoch ${current}, and served in ${served}`;
    });
    const needed = this.#committedBefore.get(current) ?? 0;
    demand(zxid >= needed, 'an epoch on disk comes with its history', () => {
      return `${member.id} comes back with epoch ${current} at ${formatZxid(zxid)}, which began behind ${formatZxid(needed)}`;
    });
  }

  #onLeading(member: EnsembleMember, epoch: number): void {
    const other = this.#leaders.get(epoch);
    demand(other === undefined, 'an epoch has one leader, once', () => {
      return `${member.id} leads in epoch ${epoch}, which ${other} led`;
    });
    const last = this.lastBefore(member.historyZxid);
    // An older epoch that is heard of late was committed without those behind it.
    const isNewest = epoch > Math.max(0, ...this.#leaders.keys());
    demand(
      !isNewest || last === -1 || last >= this.#history.lastZxid,
      'what was committed stays',
      () => {
        return `${member.id} leads in epoch ${epoch} at ${formatZxid(last)}, committed is ${formatZxid(this.#history.lastZxid)}`;
      },
    );
    this.#leaders.set(epoch, member.id);
    this.#committedBefore.set(epoch, last === -1 ? this.#history.lastZxid : last);
  }
}

function readEpoch(member: EnsembleMember, name: string): number {
  const path = `${member.config.dataDir}/version-2/${name}`;
  if (member.disk.sizeBytes(path) < 0) return 0;
  return Number(Buffer.from(member.disk.contentOf(path)).toString().trim());
}
