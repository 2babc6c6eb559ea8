import type { Dispatcher } from './listeners.ts';
import { type ConnectionState, isFinal } from './states.ts';

/** The present state of a client, those who listen to its changes, and those who iterate over them. */
export class StateFeed {
  readonly #dispatcher: Dispatcher;
  readonly #lagMax: number;
  readonly #listeners = new Set<(state: ConnectionState) => void>();
  #current: ConnectionState = { status: 'connecting' };

  constructor(dispatcher: Dispatcher, lagMax: number) {
    this.#dispatcher = dispatcher;
    this.#lagMax = lagMax;
  }

  get current(): ConnectionState {
    return this.#current;
  }

  /** Makes `state` the present one and tells it. */
  change(state: ConnectionState): void {
    this.#current = state;
    this.#dispatcher.dispatch(this.#listeners, state);
  }

  /** Tells each later state to `listener` until the function returned is called. */
  listen(listener: (state: ConnectionState) => void): () => void {
    // Wrapped, so that a function that listens twice is told twice and may stop each by itself.
    const own = (state: ConnectionState): void => listener(state);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** The present state, then each later one; ends after a final state or when the signal aborts. */
  async *iterate(signal?: AbortSignal): AsyncGenerator<ConnectionState, void, undefined> {
    const queued: ConnectionState[] = [this.#current];
    let wake: () => void = () => {};
    const onAbort = (): void => wake();
    const stop = this.listen((state) => {
      if (queued.length >= this.#lagMax) queued.shift();
      queued.push(state);
      wake();
    });
    signal?.addEventListener('abort', onAbort);
    try {
      while (signal?.aborted !== true) {
        const state = queued.shift();
        if (state === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        yield state;
        if (isFinal(state)) return;
      }
    } finally {
      stop();
      signal?.removeEventListener('abort', onAbort);
    }
  }
}
