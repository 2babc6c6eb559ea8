import type { Clock, TimerListener } from '@meerkat/engine';
import type { ManualClock } from './manual-clock.ts';

/** How the clock of a process differs from the time that all share. */
export interface ProcessClockOptions {
  /** How fast it runs: 1.01 counts a second in 990 ms. */
  readonly rate?: number;
  /** How far its wall clock is ahead, ms. */
  readonly wallOffsetMs?: number;
}

/**
 * Virtual time as one simulated process sees it. Owns what the process is still waiting for: once it is
 * stopped nothing calls back any more, while the time that all processes share goes on.
 */
export class ProcessClock implements Clock {
  /** How far the wall clock is ahead, ms; it may jump. */
  wallOffsetMs: number;
  readonly #clock: ManualClock;
  readonly #rate: number;
  readonly #startedMs: number;
  #isStopped = false;
  #stillUntilMs = 0;
  /** The handle of what runs the postponed. */
  #wake = 0;
  /** What fell due while the process stood still, in order. */
  readonly #postponed: Postponed[] = [];

  constructor(clock: ManualClock, options: ProcessClockOptions = {}) {
    this.#clock = clock;
    this.#rate = options.rate ?? 1;
    this.wallOffsetMs = options.wallOffsetMs ?? 0;
    this.#startedMs = clock.monotonicMs();
  }

  /** Whether the process is gone. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether the process stands still at the moment. */
  get isStandingStill(): boolean {
    return this.#postponed.length > 0 || this.#stillMs > 0;
  }

  monotonicMs(): number {
    const sinceMs = this.#clock.monotonicMs() - this.#startedMs;
    return this.#startedMs + sinceMs * this.#rate;
  }

  wallMs(): number {
    return Math.floor(this.#clock.wallMs() + this.wallOffsetMs);
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    return this.after(delayMs / this.#rate, () => listener.onTimer(token));
  }

  cancelTimer(handle: number): void {
    this.#clock.cancelTimer(handle);
    const index = this.#postponed.findIndex((postponed) => postponed.handle === handle);
    if (index >= 0) this.#postponed.splice(index, 1);
  }

  /** Runs `action` in `delayMs` of everybody's time, later while the process stands still, never once it is stopped. */
  after(delayMs: number, action: () => void): number {
    const handle = this.#clock.after(delayMs, () => this.#run({ handle, action }));
    return handle;
  }

  /**
   * The process stands still for `ms`, as under SIGSTOP: what is due happens when it goes on. `Infinity`
   * is until `goOn`.
   */
  standStill(ms: number): void {
    this.#stillUntilMs = this.#clock.monotonicMs() + ms;
  }

  /** The process goes on before its time, as after SIGCONT. */
  goOn(): void {
    if (this.#stillMs === 0) return;
    this.#stillUntilMs = 0;
    if (this.#postponed.length > 0) this.#wakeIn(0);
  }

  /** The process is gone. */
  stop(): void {
    this.#isStopped = true;
  }

  #run(due: Postponed): void {
    if (this.#isStopped) return;
    if (this.#postponed.length > 0 || this.#stillMs > 0) {
      this.#postponed.push(due);
      if (this.#postponed.length === 1) this.#wakeIn(this.#stillMs);
    } else {
      due.action();
    }
  }

  /** The process may go on: what waited happens one by one, and what falls due meanwhile behind it. */
  #runPostponed(): void {
    if (this.#isStopped) return;
    if (this.#stillMs === 0) this.#postponed.shift()?.action();
    if (this.#postponed.length > 0) this.#wakeIn(this.#stillMs);
  }

  #wakeIn(ms: number): void {
    this.#clock.cancelTimer(this.#wake);
    if (ms < Number.POSITIVE_INFINITY)
      this.#wake = this.#clock.after(ms, () => this.#runPostponed());
  }

  get #stillMs(): number {
    return Math.max(0, this.#stillUntilMs - this.#clock.monotonicMs());
  }
}

interface Postponed {
  readonly handle: number;
  readonly action: () => void;
}
