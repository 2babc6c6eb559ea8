import type { Clock, TimerListener } from '@meerkat/engine';

/** The clock of this machine. */
export class NodeClock implements Clock {
  readonly #timers = new Map<number, NodeJS.Timeout>();
  #lastHandle = 0;

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    const fire = (): void => {
      this.#timers.delete(handle);
      listener.onTimer(token);
    };
    this.#timers.set(handle, setTimeout(fire, delayMs));
    return handle;
  }

  cancelTimer(handle: number): void {
    clearTimeout(this.#timers.get(handle));
    this.#timers.delete(handle);
  }

  /** Forgets every timer: the process may end. */
  cancelAll(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
