import type { Random } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';

/** Random numbers that a seed repeats (sfc32). */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 4294967296) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 16; i++) this.#next();
  }

  below(bound: number): number {
    assert(bound >= 1 && bound <= 4294967296, 'a bound of random numbers', bound);
    return Math.floor((this.#next() / 4294967296) * bound);
  }

  /** Whether something that happens `percent` times in a hundred happens now. */
  percent(percent: number): boolean {
    return this.below(100) < percent;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
