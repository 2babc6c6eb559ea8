import type { Random } from '@meerkat/engine';

/** Randomness of this machine, for jitter; session passwords do not come from here. */
export class NodeRandom implements Random {
  below(bound: number): number {
    return Math.floor(Math.random() * bound);
  }
}
