import type { Clock, TimerListener } from '@meerkat/engine';
import type { ManualClock } from './manual-clock.ts';

/**
 * Virtual time as one simulated process sees it. Owns what the process is still waiting for: once it is
 * stopped nothing calls back any more, while the time that all processes share goes on.
 */
export class ProcessClock implements Clock {
  readonly #clock: ManualClock;
  #isStopped = false;
  #stillUntilMs = 0;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    return this.after(delayMs, () => listener.onTimer(token));
  }

  cancelTimer(handle: number): void {
    this.#clock.cancelTimer(handle);
  }

  /** Runs `action` in `delayMs`, later while the process stands still, never once it is stopped. */
  after(delayMs: number, action: () => void): number {
    return this.#clock.after(delayMs, () => this.#run(action));
  }

  /** The process stands still for `ms`, as under SIGSTOP: what is due happens when it goes on. */
  standStill(ms: number): void {
    this.#stillUntilMs = this.#clock.monotonicMs() + ms;
  }

  /** The process is gone. */
  stop(): void {
    this.#isStopped = true;
  }

  #run(action: () => void): void {
    if (this.#isStopped) return;
    const stillMs = this.#stillUntilMs - this.#clock.monotonicMs();
    if (stillMs > 0) this.#clock.after(stillMs, () => this.#run(action));
    else action();
  }
}
