import type { SeededRandom } from '../peers/support/seeded-random.ts';
import type { ChaosEnsemble } from './chaos-ensemble.ts';

/** One kind of mischief: does it, and has undone it when it returns. */
export interface Fault {
  readonly name: string;
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** Whether the machine allows it; it does unless this says otherwise. */
  isPossible?(ensemble: ChaosEnsemble): boolean;
  /**
   * @param beforeLoss to be called before something goes from a disk: what is there is read
   * @returns what was done to whom, in a few words
   */
  run(ensemble: ChaosEnsemble, random: SeededRandom, beforeLoss: () => void): Promise<string>;
}

/** So many different members. */
export function some(ensemble: ChaosEnsemble, random: SeededRandom, count: number): number[] {
  const left = [...ensemble.ids];
  return Array.from({ length: count }, () => {
    const [id = 1] = left.splice(random.below(left.length), 1);
    return id;
  });
}
