import { ensembleLimits } from '../limits.ts';

/**
 * The ids of the sessions that ended last. Owns how many are remembered; refuses to know why they ended.
 */
export class EndedSessions {
  /** High half by what is left of the id: of two that differ in nothing else the later one is kept. */
  readonly #ids = new Map<number, number>();

  add(idHi: number, idLo: number): void {
    this.#ids.set(keyOf(idHi, idLo), idHi);
    if (this.#ids.size <= ensembleLimits.endedSessionsMax) return;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      return;
    }
  }

  has(idHi: number, idLo: number): boolean {
    return this.#ids.get(keyOf(idHi, idLo)) === idHi;
  }
}

/** 52 bits, which are exact. */
function keyOf(idHi: number, idLo: number): number {
  return (idHi & 0xfffff) * 2 ** 32 + (idLo >>> 0);
}
