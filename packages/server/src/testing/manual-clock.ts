import type { Clock, TimerListener } from '@meerkat/engine';

/** A clock that a test moves. */
export class ManualClock implements Clock {
  #nowMs = 1000;
  #lastHandle = 0;
  readonly #timers = new Map<number, { atMs: number; listener: TimerListener; token: number }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    this.#lastHandle += 1;
    this.#timers.set(this.#lastHandle, { atMs: this.#nowMs + delayMs, listener, token });
    return this.#lastHandle;
  }

  cancelTimer(handle: number): void {
    this.#timers.delete(handle);
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Lets time pass and fires what is due, in order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.atMs <= untilMs);
      due.sort(([, a], [, b]) => a.atMs - b.atMs);
      const next = due[0];
      if (next === undefined) break;
      this.#timers.delete(next[0]);
      this.#nowMs = Math.max(this.#nowMs, next[1].atMs);
      next[1].listener.onTimer(next[1].token);
    }
    this.#nowMs = untilMs;
  }
}
