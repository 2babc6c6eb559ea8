/** Things that happen, for those who wait for one of a kind. */
export class Told<T> {
  readonly #listeners = new Set<(value: T) => void>();

  /** It has happened. */
  tell(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }

  /** The next one that is wanted. */
  until(isWanted: (value: T) => boolean): Promise<T> {
    return new Promise((resolve) => {
      const listener = (value: T): void => {
        if (!isWanted(value)) return;
        this.#listeners.delete(listener);
        resolve(value);
      };
      this.#listeners.add(listener);
    });
  }
}
