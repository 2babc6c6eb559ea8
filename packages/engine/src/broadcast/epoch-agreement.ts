/**
 * How a leader gets its epoch (`Leader.getEpochToPropose`, `Leader.waitForEpochAck`): a quorum says which epochs it has
 * promised already, the next one is proposed, and a quorum has to promise that. Owns the two counts.
 */
import type { QuorumVerifier } from '../quorum/quorum-verifier.ts';

export class EpochAgreement {
  readonly #verifier: QuorumVerifier;
  readonly #myId: number;
  readonly #connected = new Set<number>();
  readonly #promised = new Set<number>();
  #epoch = 0;
  #isAgreed = false;

  constructor(verifier: QuorumVerifier, myId: number) {
    this.#verifier = verifier;
    this.#myId = myId;
  }

  /** The epoch; it may still grow while `isAgreed` is false. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Whether a quorum has said which epochs it has promised: the epoch is settled. */
  get isAgreed(): boolean {
    return this.#isAgreed;
  }

  /** Whether a quorum, the leader in it, has promised the epoch. */
  get isPromised(): boolean {
    return this.#promised.has(this.#myId) && this.#verifier.containsQuorum(this.#promised);
  }

  /** A server has promised `acceptedEpoch` before; `mayVote` when its word counts. */
  offer(sid: number, acceptedEpoch: number, mayVote: boolean): void {
    if (this.#isAgreed) return;
    if (!mayVote) return;
    this.#epoch = Math.max(this.#epoch, acceptedEpoch + 1);
    this.#connected.add(sid);
    this.#isAgreed =
      this.#connected.has(this.#myId) && this.#verifier.containsQuorum(this.#connected);
  }

  /** A server has promised the epoch. */
  promise(sid: number): void {
    this.#promised.add(sid);
  }
}
