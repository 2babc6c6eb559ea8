import type { Clock } from '../ports.ts';

/** The time of the turn: the clock is looked at once for all requests that came together. */
export class TurnClock {
  /** Monotonic, ms. */
  nowMs = 0;
  /** Since 1970, ms: the time of transactions. */
  wallMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What the clock shows now, ms. */
  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  /** Looks at the clock. */
  look(): void {
    this.nowMs = this.#clock.monotonicMs();
    this.wallMs = this.#clock.wallMs();
  }
}
