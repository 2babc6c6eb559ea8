import type { SeededRandom } from '../seeded-random.ts';

/** Who takes part in an ensemble besides its voters, as far as a seed draws it. */
export interface DrawnRoles {
  /** Members that do not vote. */
  readonly observers: number;
  /** Whether observers follow followers, at `observerMasterPort`, and not the leader. */
  readonly observerMasters: boolean;
  /** Whether new sessions are known to their member alone, `localSessionsEnabled`. */
  readonly localSessions: boolean;
  /** Whether such a session becomes everybody's with its first ephemeral; otherwise nobody asks for any. */
  readonly localSessionsUpgrading: boolean;
  /** Whether members without a leader serve reads, `readonlymode.enabled`; half of the clients take that. */
  readonly readOnly: boolean;
}

/** An ensemble of voters alone. */
export const plainRoles: DrawnRoles = {
  observers: 0,
  observerMasters: false,
  localSessions: false,
  localSessionsUpgrading: false,
  readOnly: false,
};

/** Draws them. Owns a stream of its own, so that whatever is added here leaves the rest of a seed as it was. */
export function drawRoles(random: SeededRandom): DrawnRoles {
  const observers = [0, 0, 0, 1, 1, 2][random.below(6)] ?? 0;
  const observerMasters = observers > 0 && random.percent(50);
  const localSessions = random.percent(20);
  return {
    observers,
    observerMasters,
    localSessions,
    localSessionsUpgrading: localSessions && random.percent(75),
    readOnly: localSessions && random.percent(60),
  };
}
