import { ManualClock } from '@meerkat/simulator';
import { testLimits } from './limits.ts';

// Test runners replace these with fake ones while a test runs; the members need the real ones.
const { clearImmediate, clearTimeout, performance, setImmediate, setTimeout } = globalThis;
const realNowMs = performance.now.bind(performance);

/**
 * The time of an ensemble: of its members and of the clients that the kit makes. Owns when they run. It goes
 * on with real time, or stands still, and is moved by `advance`; while this whole process stands still,
 * at a breakpoint say, it stands still too, so that nobody is thought silent.
 *
 * Everything happens in events of its own: whoever asked for something calls `poke`, and the event follows.
 */
export class EnsembleTime {
  /** What happens in this time. What is asked for here from outside needs a `poke`. */
  readonly clock: ManualClock;
  readonly #flows: boolean;
  readonly #startMs: number;
  readonly #realStartMs: number;
  /** Virtual time beyond real time, ms. */
  #offsetMs = 0;
  /** When the timer is to fire, real ms; Infinity: there is none. */
  #wakeMs = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #isStopped = false;
  /** Orders given to real disks, which virtual time must not run away from, and those that have ended. */
  #ordersBegun = 0;
  #ordersEnded = 0;
  #advancing: Promise<void> = Promise.resolve();

  /** @param flows whether time goes on with real time, or only by `advance` */
  constructor(flows: boolean) {
    this.#flows = flows;
    this.clock = new ManualClock(Date.now());
    this.#startMs = this.clock.monotonicMs();
    this.#realStartMs = realNowMs();
  }

  /** What time it is, ms; only goes forward. */
  nowMs(): number {
    const flowedMs = this.#flows ? realNowMs() - this.#realStartMs : 0;
    return Math.max(this.clock.monotonicMs(), this.#startMs + flowedMs + this.#offsetMs);
  }

  /** Something was asked for: it happens in an event that comes soon. */
  poke(): void {
    if (this.#isStopped || this.#immediate !== null) return;
    this.#immediate = setImmediate(() => this.#onImmediate());
  }

  /** Runs `action` once, `delayMs` or more from now. Returns a handle for `cancel`. */
  after(delayMs: number, action: () => void): number {
    const behindMs = this.nowMs() - this.clock.monotonicMs();
    const handle = this.clock.after(behindMs + delayMs, action);
    this.poke();
    return handle;
  }

  /** Runs `action` in an event of its own. Resolves with what it returns, rejects with what it throws. */
  run<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(new Error('Cannot use the ensemble: it is closed'));
      this.after(0, () => {
        try {
          resolve(action());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Forgets an action; one that has run is ignored. */
  cancel(handle: number): void {
    this.clock.cancelTimer(handle);
  }

  /**
   * Moves by `ms`, event by event; between two of them whoever is concerned can act. Calls made at once
   * go one after the other.
   *
   * @param beforeStep called before time moves each time
   */
  advance(ms: number, beforeStep: () => void): Promise<void> {
    this.#advancing = this.#advancing.then(() => this.#advance(ms, beforeStep));
    return this.#advancing;
  }

  /** An order to a real disk has begun: `advance` waits for its end before time goes on. */
  orderBegun(): void {
    this.#ordersBegun += 1;
  }

  /** One of them has ended. */
  orderEnded(): void {
    this.#ordersEnded += 1;
  }

  /** Nothing happens any more. */
  stop(): void {
    this.#isStopped = true;
    this.clock.forgetAll();
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
  }

  async #advance(ms: number, beforeStep: () => void): Promise<void> {
    const untilMs = this.nowMs() + ms;
    let stepsAtOneTime = 0;
    while (!this.#isStopped) {
      beforeStep();
      // Clients that are never idle would hold time up for ever.
      const isHeldUp = stepsAtOneTime >= testLimits.stepsAtOneTimeMax;
      if (!this.#isDue() || isHeldUp) {
        await this.#ordersEnd();
        if (this.nowMs() >= untilMs && (isHeldUp || !this.#isDue())) break;
        this.#moveTo(Math.min(untilMs, isHeldUp ? this.nowMs() + heldUpMs : this.#nextMs()));
        stepsAtOneTime = 0;
      }
      stepsAtOneTime += 1;
      this.#pump();
      // What follows from it, in promises and in sockets, comes before the next step.
      await turn();
    }
  }

  /** Waits for the orders that are under way now; others may begin meanwhile. */
  async #ordersEnd(): Promise<void> {
    const begun = this.#ordersBegun;
    while (this.#ordersEnded < begun && !this.#isStopped) await turn();
  }

  /** When the next thing is due; Infinity: nothing is. */
  #nextMs(): number {
    return this.clock.nextDueMs ?? Number.POSITIVE_INFINITY;
  }

  #moveTo(ms: number): void {
    this.#offsetMs += Math.max(0, ms - this.nowMs());
  }

  #onImmediate(): void {
    this.#immediate = null;
    this.#pump();
  }

  #onTimer(): void {
    this.#timer = null;
    this.#pump();
  }

  /** Lets happen what is due. */
  #pump(): void {
    if (this.#isStopped) return;
    const stalledMs = realNowMs() - this.#wakeMs;
    if (stalledMs > testLimits.stallMsMax) this.#offsetMs -= stalledMs;
    this.clock.advance(Math.max(0, this.nowMs() - this.clock.monotonicMs()));
    this.#arm();
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#wakeMs = Number.POSITIVE_INFINITY;
    const dueMs = this.clock.nextDueMs;
    if (this.#isStopped || dueMs === null) return;
    const delayMs = Math.ceil(dueMs - this.nowMs());
    if (delayMs <= 0) {
      this.poke();
    } else if (this.#flows) {
      const waitMs = Math.min(delayMs, timerMsMax);
      this.#wakeMs = realNowMs() + waitMs;
      this.#timer = setTimeout(() => this.#onTimer(), waitMs);
    }
  }

  #isDue(): boolean {
    const dueMs = this.clock.nextDueMs;
    return dueMs !== null && dueMs <= this.nowMs();
  }
}

/** Waits until what is ready now, sockets included, has been dealt with. Real, whatever a test runner fakes. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** What a step takes that has been held up, ms. */
const heldUpMs = 10;

/** Longer timers are not kept by the system. */
const timerMsMax = 0x7fffffff;
