import { untilTold } from './waiting.ts';

/** Options of `EventQueue`. */
export interface EventQueueOptions<T> {
  /** How many events a slow reader may lag behind. */
  readonly lagMax: number;
  /** Put in place of those that were dropped beyond that; without it the oldest are dropped silently. */
  readonly missed?: T;
}

/** Events on their way to one `for await`: bounded, in order. */
export class EventQueue<T> {
  readonly #lagMax: number;
  readonly #missed: T | undefined;
  #events: T[] = [];
  #ended: { readonly error: Error | null } | null = null;
  #wake: () => void = () => {};

  constructor(options: EventQueueOptions<T>) {
    this.#lagMax = options.lagMax;
    this.#missed = options.missed;
  }

  /** Adds an event, unless it has ended. */
  push(event: T): void {
    if (this.#ended !== null) return;
    if (this.#events.length >= this.#lagMax) {
      if (this.#missed === undefined) this.#events.shift();
      else this.#events = [this.#missed];
    }
    this.#events.push(event);
    this.#wake();
  }

  /** Nothing follows; a reader that has read all gets `error`, or the end when it is null. */
  end(error: Error | null): void {
    this.#ended ??= { error };
    this.#wake();
  }

  /** What was pushed and is pushed, until the end or until the signal aborts. */
  async *iterate(signal: AbortSignal | undefined): AsyncGenerator<T, void, undefined> {
    const stop = signal ?? new AbortController().signal;
    while (!stop.aborted) {
      const event = this.#events.shift();
      if (event !== undefined) {
        yield event;
      } else if (this.#ended !== null) {
        if (this.#ended.error === null) return;
        throw this.#ended.error;
      } else {
        await this.#next(stop);
      }
    }
  }

  async #next(signal: AbortSignal): Promise<void> {
    try {
      await untilTold<void>(signal, (resolve) => {
        this.#wake = resolve;
        return () => {};
      });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
