import type { SeededRandom } from '../seeded-random.ts';
import { diskFaults } from './disk-faults.ts';
import type { Fault, FaultHost } from './fault.ts';
import { networkFaults } from './network-faults.ts';
import { processFaults } from './process-faults.ts';

/**
 * Breaks things at random. A seed uses only some kinds of faults, so that each of them meets long stretches without
 * the others. Owns which, and how many of each there were.
 */
export class FaultSchedule {
  readonly counts: Map<string, number> = new Map();
  readonly #random: SeededRandom;
  readonly #host: FaultHost;
  readonly #faults: Faults;
  readonly #kinds: readonly string[];
  #isOver = false;

  /** @param faults those to draw from; default: all that can happen to an ensemble */
  constructor(random: SeededRandom, host: FaultHost, faults: Faults = allFaults) {
    this.#random = random;
    this.#host = host;
    this.#faults = faults;
    const all = Object.keys(faults);
    const percent = 15 + random.below(70);
    this.#kinds = all.filter(() => random.percent(percent));
  }

  /** The kinds that this seed has. */
  get kinds(): readonly string[] {
    return this.#kinds;
  }

  /** Lets one thing break. */
  breakSomething(): void {
    const kind = this.#kinds[this.#random.below(Math.max(1, this.#kinds.length))];
    if (kind === undefined) return;
    if (!this.#faults[kind]?.(this.#host, this.#random, () => this.#isOver)) return;
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }

  /** Nothing breaks any more, and what is broken for a time is whole again. */
  end(): void {
    this.#isOver = true;
    this.#host.fabric.heal();
    for (const member of this.#host.members) member.diskFault = () => null;
  }
}

/** Faults by what the trace calls them. */
export type Faults = Readonly<Record<string, Fault>>;

const allFaults: Faults = {
  ...processFaults,
  ...networkFaults,
  ...diskFaults,
};
