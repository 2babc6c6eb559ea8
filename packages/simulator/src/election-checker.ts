import { type Election, PeerState, type QuorumConfig } from '@meerkat/engine';
import type { ElectionMember } from './election-member.ts';

/**
 * The rules of elections, checked from outside: who is better and what is a quorum is worked out here once more.
 * Owns a record of whom each member ever voted for; knows nothing of messages.
 *
 * A decision must be backed by a quorum of members that did vote for the leader, none of which stood for
 * something better; and no round has two leaders, each with a quorum that follows it.
 */
export class ElectionChecker {
  readonly #config: QuorumConfig;
  readonly #members: readonly ElectionMember[];
  /** What each member proposed, or was decided for: the latest last. */
  readonly #records = new Map<number, Record[]>();

  constructor(config: QuorumConfig, members: readonly ElectionMember[]) {
    this.#config = config;
    this.#members = members;
    for (const { id } of members) this.#records.set(id, []);
  }

  /**
   * To be called after everything that happens: notes who votes for whom.
   *
   * @throws Error when a member votes for somebody worse than itself
   */
  look(): void {
    for (const member of this.#members) this.#note(member);
  }

  /** @throws Error when the decision breaks a rule */
  onElected(member: ElectionMember, election: Election): void {
    this.look();
    const { vote, supporters } = election;
    if (!isQuorum(this.#config, supporters)) {
      throw new Error(`${member.id} decides for ${vote.leader} without a quorum`);
    }
    for (const sid of supporters) {
      const record = this.#records
        .get(sid)
        ?.findLast((r) => r.leader === vote.leader && r.round === vote.electionEpoch);
      const isBacked =
        record !== undefined || this.#hasSettledFor(sid, vote.leader, vote.peerEpoch);
      if (!isBacked) {
        throw new Error(
          `${member.id} decides for ${vote.leader} in round ${vote.electionEpoch}, but ${sid} never voted so`,
        );
      }
    }
    this.#checkLeaders();
  }

  #note(member: ElectionMember): void {
    const { elector } = member;
    if (elector === null) return;
    const isLooking = elector.state === PeerState.looking;
    const vote = isLooking ? elector.proposal : elector.currentVote;
    if (vote === null) return;
    const round = isLooking ? elector.electionEpoch : (elector.currentVote?.electionEpoch ?? 0);
    const records = this.#records.get(member.id) as Record[];
    const last = records.at(-1);
    const { leader, peerEpoch } = vote;
    const isKnown =
      last !== undefined &&
      last.leader === leader &&
      last.round === round &&
      last.peerEpoch === peerEpoch &&
      last.isSettled === !isLooking;
    if (isKnown) return;
    records.push({ leader, round, peerEpoch, isSettled: !isLooking });
    const { learnerType, lastZxid, currentEpoch } = member.standing;
    const own = [currentEpoch, lastZxid, member.id];
    const isEligible = learnerType === 'participant' && this.#config.weights.get(member.id) !== 0;
    if (isLooking && isEligible && isGreater(own, [peerEpoch, vote.zxid, leader])) {
      throw new Error(`${member.id} votes for ${leader}, which is worse than itself`);
    }
  }

  #hasSettledFor(sid: number, leader: number, peerEpoch: number): boolean {
    const records = this.#records.get(sid) ?? [];
    return records.some((r) => r.isSettled && r.leader === leader && r.peerEpoch === peerEpoch);
  }

  #checkLeaders(): void {
    const established = new Map<number, number>();
    for (const leader of this.#members) {
      const { elector } = leader;
      if (elector?.state !== PeerState.leading || elector.currentVote === null) continue;
      const round = elector.currentVote.electionEpoch;
      const followers = this.#members.filter(
        (m) => m.leader === leader.id && m.elector?.currentVote?.electionEpoch === round,
      );
      if (!isQuorum(this.#config, new Set(followers.map(({ id }) => id)))) continue;
      const other = established.get(round);
      if (other !== undefined) {
        throw new Error(
          `${leader.id} and ${other} both lead in round ${round}, each with a quorum`,
        );
      }
      established.set(round, leader.id);
    }
  }
}

interface Record {
  readonly leader: number;
  readonly round: number;
  readonly peerEpoch: number;
  readonly isSettled: boolean;
}

/** Whether `a` comes after `b`: the first number that differs decides. */
function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0);
}

/** More than half of the weight of more than half of the groups that have any; without groups all are in one. */
function isQuorum({ members, groups, weights }: QuorumConfig, ids: ReadonlySet<number>): boolean {
  const total = new Map<number, number>();
  const having = new Map<number, number>();
  for (const { id, type } of members.values()) {
    const weight = type === 'participant' ? (weights.get(id) ?? 1) : 0;
    const group = groups?.get(id) ?? 0;
    total.set(group, (total.get(group) ?? 0) + weight);
    if (ids.has(id)) having.set(group, (having.get(group) ?? 0) + weight);
  }
  const counting = [...total].filter(([, weight]) => weight > 0);
  const won = counting.filter(([group, weight]) => (having.get(group) ?? 0) * 2 > weight);
  return won.length * 2 > counting.length;
}
