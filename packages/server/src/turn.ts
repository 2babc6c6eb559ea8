/**
 * One turn of the event loop: whatever arrives in it, on however many sockets, is handled first,
 * and its end is told once.
 */
export class Turn {
  readonly #run: () => void;
  #armed = false;

  /** @param onTurnEnd called once after each turn in which something was armed */
  constructor(onTurnEnd: () => void) {
    this.#run = () => {
      this.#armed = false;
      onTurnEnd();
    };
  }

  /** Something happened: the end of this turn shall be told. Cheap when it is armed already. */
  arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    // The check phase follows the poll phase, in which all ready sockets call back.
    setImmediate(this.#run);
  }
}
