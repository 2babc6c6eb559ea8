import type { SeededRandom } from '../seeded-random.ts';

/** Who takes part in an ensemble besides its voters, as far as a seed draws it. */
export interface DrawnRoles {
  /** Members that do not vote. */
  readonly observers: number;
  /** Whether observers follow followers, at `observerMasterPort`, and not the leader. */
  readonly observerMasters: boolean;
}

/** Draws them. Owns a stream of its own, so that whatever is added here leaves the rest of a seed as it was. */
export function drawRoles(random: SeededRandom): DrawnRoles {
  const observers = [0, 0, 0, 1, 1, 2][random.below(6)] ?? 0;
  return { observers, observerMasters: observers > 0 && random.percent(50) };
}
