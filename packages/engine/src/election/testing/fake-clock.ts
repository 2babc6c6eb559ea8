import type { Clock, TimerListener } from '../../ports.ts';

/** A clock that a test moves by hand. */
export class FakeClock implements Clock {
  #nowMs = 1000;
  #lastHandle = 0;
  readonly #timers = new Map<number, { dueMs: number; fire: () => void }>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    const handle = ++this.#lastHandle;
    this.#timers.set(handle, { dueMs: this.#nowMs + delayMs, fire: () => listener.onTimer(token) });
    return handle;
  }

  cancelTimer(handle: number): void {
    this.#timers.delete(handle);
  }

  /** When the next timer is due, ms from now; null when there is none. */
  get nextTimerMs(): number | null {
    const due = [...this.#timers.values()].map(({ dueMs }) => dueMs - this.#nowMs);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Moves on by `ms`; timers fire in their order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#timers].sort(([, a], [, b]) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next[1].dueMs > untilMs) break;
      this.#timers.delete(next[0]);
      this.#nowMs = next[1].dueMs;
      next[1].fire();
    }
    this.#nowMs = untilMs;
  }
}
