import { electionLimits } from '../limits.ts';
import type { Clock } from '../ports.ts';

/**
 * Who was answered a moment ago and needs no other answer, since it would be the same one. Owns the times of the
 * last answers; a bounded number of them.
 */
export class RecentAnswers {
  readonly #clock: Clock;
  readonly #answeredMs = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this server may be answered; if so it is taken to be. */
  mayAnswer(sid: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const answeredMs = this.#answeredMs.get(sid);
    if (answeredMs !== undefined && nowMs - answeredMs < answerIntervalMs) return false;
    this.#answeredMs.delete(sid);
    this.#answeredMs.set(sid, nowMs);
    for (const oldest of this.#answeredMs.keys()) {
      if (this.#answeredMs.size <= electionLimits.strangersMax) break;
      this.#answeredMs.delete(oldest);
    }
    return true;
  }

  /** The next answer would be another one. */
  clear(): void {
    this.#answeredMs.clear();
  }
}

/** Half of the shortest time after which a server asks again. */
const answerIntervalMs = 100;
