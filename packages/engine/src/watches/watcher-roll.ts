/**
 * Who is to be told of one event: watchers in order, each once.
 *
 * Owns the list of the event that is being fired, and reuses it for the next. Refuses to know why
 * a watcher is on it.
 */

/** A list of watchers without repetition. */
export class WatcherRoll {
  /** The first `count` are on the roll. */
  watchers: Int32Array = new Int32Array(64);
  count = 0;
  /** Per watcher, the event for which it was last put on the roll. */
  #event = new Uint32Array(64);
  #currentEvent = 0;

  /** Starts on a new event: nobody is on the roll, and nobody has been told. */
  begin(): void {
    this.count = 0;
    this.#currentEvent++;
    if (this.#currentEvent > 0xffffffff) {
      this.#event.fill(0);
      this.#currentEvent = 1;
    }
  }

  /** Empties the roll within an event: who was on it will not be put on it again. */
  clear(): void {
    this.count = 0;
  }

  /** Puts a watcher on the roll unless it has been told of this event. */
  add(watcher: number): void {
    if (watcher >= this.#event.length) this.#growWatchers(watcher);
    if (this.#event[watcher] === this.#currentEvent) return;
    this.#event[watcher] = this.#currentEvent;
    if (this.count === this.watchers.length) this.#grow();
    this.watchers[this.count++] = watcher;
  }

  #grow(): void {
    const grown = new Int32Array(this.watchers.length * 2);
    grown.set(this.watchers);
    this.watchers = grown;
  }

  #growWatchers(watcher: number): void {
    let capacity = this.#event.length;
    while (capacity <= watcher) capacity *= 2;
    const grown = new Uint32Array(capacity);
    grown.set(this.#event);
    this.#event = grown;
  }
}
