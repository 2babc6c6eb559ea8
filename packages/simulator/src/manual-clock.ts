import type { Clock, TimerListener } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';

/**
 * A clock that moves only when told to. Owns virtual time and everything that is to happen in it:
 * timers, and the ends of disk orders. What is due at the same moment happens in the order in
 * which it was asked for.
 */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #wallOffsetMs: number;
  /** What is due next stands last. */
  readonly #due: DueAction[] = [];
  #nextHandle = 1;

  /** @param wallMs what `wallMs` shows at the beginning */
  constructor(wallMs = 1_600_000_000_000) {
    this.#nowMs = 1000;
    this.#wallOffsetMs = wallMs - this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return Math.floor(this.#nowMs + this.#wallOffsetMs);
  }

  startTimer(delayMs: number, listener: TimerListener, token: number): number {
    return this.after(delayMs, () => listener.onTimer(token));
  }

  cancelTimer(handle: number): void {
    const index = this.#due.findIndex((action) => action.handle === handle);
    if (index >= 0) this.#due.splice(index, 1);
  }

  /** Runs `action` once, `delayMs` from now. Returns a handle for `cancelTimer`. */
  after(delayMs: number, action: () => void): number {
    assert(delayMs >= 0, 'an action in the past', delayMs);
    const handle = this.#nextHandle++;
    const dueMs = this.#nowMs + delayMs;
    const due = this.#due;
    const added = { handle, dueMs, action };
    let index = due.length;
    due.push(added);
    // Most of what is added is due soon, so few have to make way.
    for (; index > 0; index--) {
      const sooner = due[index - 1] as DueAction;
      if (sooner.dueMs > dueMs) break;
      due[index] = sooner;
    }
    due[index] = added;
    return handle;
  }

  /** Forgets everything that was to happen: the power was cut. */
  forgetAll(): void {
    this.#due.length = 0;
  }

  /** Things that are still to happen. */
  get pendingCount(): number {
    return this.#due.length;
  }

  /** When the next thing is due, by `monotonicMs`; null: nothing is to happen. */
  get nextDueMs(): number | null {
    return this.#due.at(-1)?.dueMs ?? null;
  }

  /** Moves to the next thing that is due and lets it happen. False: there is none. */
  step(): boolean {
    const next = this.#due.pop();
    if (next === undefined) return false;
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.action();
    return true;
  }

  /** Moves by `ms`, letting everything happen that is due on the way. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while ((this.#due.at(-1)?.dueMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.step();
    this.#nowMs = untilMs;
  }

  /**
   * Goes on until nothing is left to happen.
   *
   * @throws InvariantError after `stepsMax` things: they follow from each other without end
   */
  runToEnd(stepsMax = 1_000_000): void {
    let steps = 0;
    while (this.step()) assert(++steps < stepsMax, 'virtual time without an end', steps);
  }
}

interface DueAction {
  readonly handle: number;
  readonly dueMs: number;
  readonly action: () => void;
}
