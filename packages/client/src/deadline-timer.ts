import type { ClientPorts, TimerHandle } from './ports.ts';

/** Whose deadline it is. */
export interface DeadlineOwner {
  /** When something is due next, monotonic ms; Infinity when nothing is. */
  deadlineMs(): number;
  /** That time has come, or nearly. May arm the timer anew or cancel it. */
  onTime(nowMs: number): void;
}

/**
 * One timer for whatever is due next. When it fires late our own process stood still: then what has arrived meanwhile
 * is read first, before anybody is judged by the silence.
 */
export class DeadlineTimer {
  readonly #clock: ClientPorts['clock'];
  readonly #owner: DeadlineOwner;
  #timer: TimerHandle | null = null;
  #dueMs = 0;
  #wasLate = false;
  #isOver = false;

  constructor(clock: ClientPorts['clock'], owner: DeadlineOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** The deadline may be another one. */
  arm(): void {
    if (this.#timer !== null) this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
    this.#dueMs = this.#owner.deadlineMs();
    if (this.#dueMs === Infinity) return;
    const delayMs = Math.max(0, Math.ceil(this.#dueMs - this.#clock.nowMs()));
    this.#timer = this.#clock.startTimer(delayMs, this.#onTimer);
  }

  /** Nothing is due any more. */
  stop(): void {
    this.#isOver = true;
    if (this.#timer !== null) this.#clock.cancelTimer(this.#timer);
    this.#timer = null;
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    if (!this.#wasLate && nowMs - this.#dueMs > lateMs) {
      this.#wasLate = true;
      this.#timer = this.#clock.startTimer(1, this.#onTimer);
      return;
    }
    this.#wasLate = false;
    this.#owner.onTime(nowMs);
    if (!this.#isOver && this.#timer === null) this.arm();
  };
}

/** A timer that fires so late, ms, means that our own process stood still. */
const lateMs = 250;
