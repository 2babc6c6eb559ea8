/**
 * An open-addressing hash of small numbers whose keys lie elsewhere.
 *
 * Owns the slots. Refuses to know the keys: the owner of the numbers compares them, and says
 * what a number's hash is. It grows in sixteen parts, so that no single call pays for the whole.
 */
import { assert } from '@meerkat/protocol';

/** A set of numbers from 1, found by the hash of their keys. */
export class NumberHash {
  readonly #hashOf: (number: number) => number;
  readonly #parts: Int32Array[] = [];
  readonly #counts = new Int32Array(partCount);

  /** @param hashOf the hash of the key that a number in the set stands for, all bits mixed */
  constructor(hashOf: (number: number) => number) {
    this.#hashOf = hashOf;
    for (let i = 0; i < partCount; i++) this.#parts.push(new Int32Array(slotsAtFirst));
  }

  /**
   * The slots to look through for a hash: from `hash & (length - 1)` on, around the end, until one is
   * 0. Every number with that hash lies before it.
   */
  slotsFor(hash: number): Int32Array {
    return this.#parts[hash >>> partShift] as Int32Array;
  }

  /** Adds a number that is not in the set. */
  add(number: number, hash: number): void {
    const part = hash >>> partShift;
    const count = (this.#counts[part] as number) + 1;
    if (count * 4 > (this.#parts[part] as Int32Array).length * 3) this.#grow(part);
    this.#counts[part] = count;
    place(this.#parts[part] as Int32Array, number, hash);
  }

  /** Removes a number that is in the set. */
  remove(number: number, hash: number): void {
    const part = hash >>> partShift;
    const slots = this.#parts[part] as Int32Array;
    const mask = slots.length - 1;
    let hole = hash & mask;
    while (slots[hole] !== number) {
      assert(slots[hole] !== 0, 'what is removed from a hash is in it', number, hash);
      hole = (hole + 1) & mask;
    }
    // Those behind the hole that would no longer be found move up.
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#hashOf(slots[slot] as number) & mask;
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = slots[slot] as number;
        hole = slot;
      }
    }
    slots[hole] = 0;
    this.#counts[part] = (this.#counts[part] as number) - 1;
  }

  #grow(part: number): void {
    const old = this.#parts[part] as Int32Array;
    const slots = new Int32Array(old.length * 2);
    for (const number of old) {
      if (number !== 0) place(slots, number, this.#hashOf(number));
    }
    this.#parts[part] = slots;
  }
}

const partCount = 16;
const partShift = 32 - Math.log2(partCount);
const slotsAtFirst = 16;

function place(slots: Int32Array, number: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = number;
}
