/**
 * What waits in order. An array loses its first item in a time that grows with its length once it has some ten thousand: a
 * hundred thousand syncs that a quorum confirms at once took half a minute. Here it takes the same time always. Owns the
 * items; how many there may be is its user's to see to.
 */
export class FirstInFirstOut<Item> {
  #items: Item[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The oldest; undefined when there is none. */
  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  push(item: Item): void {
    this.#items.push(item);
  }

  /** Takes the oldest; undefined when there is none. */
  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head++];
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= keptMax && this.#head * 2 >= this.#items.length) {
      // In halves, so that each item is moved once on average.
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}

/** So many taken ones are kept before they are let go of together. */
const keptMax = 256;
