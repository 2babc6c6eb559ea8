import { type Election, isBetter, PeerState, type QuorumVerifier } from '@meerkat/engine';
import type { ElectionMember } from './election-member.ts';

/**
 * The rules of elections, checked from outside. Owns a record of whom each member ever voted for, with what history
 * of its own; knows nothing of messages.
 *
 * A decision must be backed by a quorum of members that did vote for the leader, none of which stood for
 * something better; and no round has two leaders, each with a quorum that follows it.
 */
export class ElectionChecker {
  readonly #verifier: QuorumVerifier;
  readonly #members: readonly ElectionMember[];
  /** What each member proposed, or was decided for: the latest last. */
  readonly #records = new Map<number, Record[]>();

  constructor(verifier: QuorumVerifier, members: readonly ElectionMember[]) {
    this.#verifier = verifier;
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
    if (!this.#verifier.containsQuorum(supporters)) {
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
    const { learnerType, lastZxid: zxid, currentEpoch } = member.standing;
    const own = { leader: member.id, zxid, peerEpoch: currentEpoch };
    const isWorse = isBetter(own, vote, this.#verifier.weightOf(member.id));
    if (isLooking && learnerType === 'participant' && isWorse) {
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
      if (!this.#verifier.containsQuorum(new Set(followers.map(({ id }) => id)))) continue;
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
