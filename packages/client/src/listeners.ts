// Test runners replace it with a fake one while a test runs; the order of events must not wait for that.
const { queueMicrotask } = globalThis;

/** What to do with an error that a listener of ours threw. */
export type ListenerErrorHandler = (error: unknown) => void;

/**
 * Calls listeners in the order of what happened: after the promises settled before, ahead of those settled later.
 * One that throws does not stop the others.
 */
export class Dispatcher {
  readonly #onError: ListenerErrorHandler;

  /** Without `onError` the error surfaces as an uncaught exception, as it would from an event handler. */
  constructor(onError: ListenerErrorHandler | undefined) {
    this.#onError = onError ?? rethrow;
  }

  /** Tells `value` to all who are on the list now, once the promises settled before have been dealt with. */
  dispatch<T>(listeners: Iterable<(value: T) => void>, value: T): void {
    const told = [...listeners];
    if (told.length === 0) return;
    queueMicrotask(() => {
      for (const listener of told) this.#call(listener, value);
    });
  }

  #call<T>(listener: (value: T) => void, value: T): void {
    try {
      listener(value);
    } catch (error) {
      this.#onError(error);
    }
  }
}

/** Lets an error surface as an uncaught exception, later. */
export function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
