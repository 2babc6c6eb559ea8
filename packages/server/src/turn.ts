import { shellLimits } from './limits.ts';

/**
 * One turn of the event loop: whatever arrives in it, on however many sockets, is handled first,
 * and its end is told once. A long turn is ended in between: when thousands of sockets are ready at
 * once the loop looks at all of them before anything else, and the answers shall not wait for that.
 */
export class Turn {
  readonly #onTurnEnd: () => void;
  readonly #run: () => void;
  #armed = false;
  #startMs = 0;

  /** @param onTurnEnd called after each turn in which something was armed */
  constructor(onTurnEnd: () => void) {
    this.#onTurnEnd = onTurnEnd;
    this.#run = () => {
      this.#armed = false;
      onTurnEnd();
    };
  }

  /** Something happened: the end of this turn shall be told. Cheap when it is armed already. */
  arm(): void {
    if (this.#armed) {
      const nowMs = performance.now();
      if (nowMs - this.#startMs < shellLimits.turnMs) return;
      this.#startMs = nowMs;
      this.#onTurnEnd();
      return;
    }
    this.#armed = true;
    this.#startMs = performance.now();
    // The check phase follows the poll phase, in which all ready sockets call back.
    setImmediate(this.#run);
  }
}
