/**
 * Which follower an observer follows when `observerMasterPort` is set (`QuorumPeer.nextObserverMaster`): the voters in an
 * order of its own, one after the other. Owns that order, which is drawn anew when the voters change.
 */
import type { Random } from '../ports.ts';

export class ObserverMasters {
  readonly #random: Random;
  #voters = '';
  #order: number[] = [];
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Whether the next one is the first of the list again: all had their turn. */
  get isExhausted(): boolean {
    return this.#next >= this.#order.length;
  }

  /** The next one; null when nobody but the leader, which serves observers at its quorum port, is left. */
  next(voters: readonly number[], leader: number): number | null {
    const ids = [...voters].sort((a, b) => a - b);
    if (ids.join() !== this.#voters) {
      this.#voters = ids.join();
      this.#order = this.#shuffled(ids);
      this.#next = 0;
    }
    for (let tries = 0; tries < this.#order.length; tries++) {
      if (this.#next >= this.#order.length) this.#next = 0;
      const id = this.#order[this.#next++];
      if (id !== undefined && id !== leader) return id;
    }
    return null;
  }

  #shuffled(ids: readonly number[]): number[] {
    const left = [...ids];
    const order: number[] = [];
    while (left.length > 0) order.push(...left.splice(this.#random.below(left.length), 1));
    return order;
  }
}
