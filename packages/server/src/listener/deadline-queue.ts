import type { Clock, TimerListener } from '@meerkat/engine';

/**
 * Things that must be over within the same time each, so that the order in which they came is the
 * order in which they are due: one timer for all of them.
 */
export class DeadlineQueue<Item> implements TimerListener {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #onDue: (item: Item) => void;
  readonly #dueMs = new Map<Item, number>();
  #timer = 0;

  /** @param onDue called for each item that is still there after `delayMs` */
  constructor(clock: Clock, delayMs: number, onDue: (item: Item) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** How many are waited for. */
  get size(): number {
    return this.#dueMs.size;
  }

  /** Starts the time of an item; one that is there already keeps its first. */
  add(item: Item): void {
    if (this.#dueMs.has(item)) return;
    this.#dueMs.set(item, this.#clock.monotonicMs() + this.#delayMs);
    if (this.#timer === 0) this.#timer = this.#clock.startTimer(this.#delayMs, this, 0);
  }

  /** The item is done, or gone. */
  remove(item: Item): void {
    this.#dueMs.delete(item);
  }

  onTimer(): void {
    this.#timer = 0;
    const nowMs = this.#clock.monotonicMs();
    for (const [item, dueMs] of this.#dueMs) {
      if (dueMs > nowMs) {
        this.#timer = this.#clock.startTimer(dueMs - nowMs, this, 0);
        return;
      }
      this.#dueMs.delete(item);
      this.#onDue(item);
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#dueMs.clear();
    this.#clock.cancelTimer(this.#timer);
    this.#timer = 0;
  }
}
