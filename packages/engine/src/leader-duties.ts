import type { Clock } from './ports.ts';
import type { ReplicaConfig } from './replica-config.ts';
import type { ReplicaEvents } from './replica-events.ts';
import type { ClientIntake } from './requests/client-intake.ts';
import type { ReplicaState } from './requests/replica-state.ts';
import { SessionExpirer } from './sessions/session-expirer.ts';

/**
 * What only one server of an ensemble does, and a server that is alone: ending sessions that have not been heard
 * of, and deleting containers and TTL znodes that nobody needs (`SessionTrackerImpl.java`, `ContainerManager.java`).
 * Owns the pace of both.
 */
export class LeaderDuties {
  readonly #state: ReplicaState;
  readonly #intake: ClientIntake;
  readonly #clock: Clock;
  readonly #config: ReplicaConfig;
  readonly #expirer: SessionExpirer;
  #isActive = false;
  /** Global sessions and containers are another's. */
  #isForLocal = false;
  #nextContainerCheckMs = 0;
  /** Containers found useless and not deleted yet. */
  #doomed: string[] = [];

  /** @param beatMs how often `beat` is called when all is well */
  constructor(
    state: ReplicaState,
    intake: ClientIntake,
    clock: Clock,
    beatMs: number,
    events: ReplicaEvents,
  ) {
    this.#state = state;
    this.#intake = intake;
    this.#clock = clock;
    this.#config = state.config;
    this.#expirer = new SessionExpirer(state.sessions, beatMs, (session) => {
      if (this.#isForLocal && !session.isLocal) return;
      intake.counters.sessionsExpired++;
      events.onSessionExpired(session.idHi, session.idLo, session.timeoutMs);
      intake.closeSession(session);
    });
  }

  /** They are this server's from now on: every session has its whole time again. */
  start(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#isActive = true;
    this.#isForLocal = false;
    this.#doomed = [];
    this.#expirer.start(nowMs);
    this.#nextContainerCheckMs = nowMs + this.#config.container.checkIntervalMs;
  }

  /** They are another's, but for the end of the sessions that only this server knows. */
  startForLocalSessions(): void {
    this.#isActive = true;
    this.#isForLocal = true;
    this.#expirer.start(this.#clock.monotonicMs());
  }

  /** They are another's. */
  stop(): void {
    this.#isActive = false;
  }

  /** Does what is due. Returns whether more waits: beat again soon. */
  beat(nowMs: number): boolean {
    if (!this.#isActive) return false;
    const moreSessions = this.#expirer.beat(nowMs);
    return moreSessions || (!this.#isForLocal && this.#deleteContainers(nowMs));
  }

  /** A few at a time. Returns whether more wait. */
  #deleteContainers(nowMs: number): boolean {
    const { container } = this.#config;
    if (this.#doomed.length === 0 && nowMs >= this.#nextContainerCheckMs) {
      this.#nextContainerCheckMs = nowMs + container.checkIntervalMs;
      const perCheck = Math.ceil((container.maxPerMinute * container.checkIntervalMs) / 60_000);
      const wallMs = this.#clock.wallMs();
      const { maxNeverUsedIntervalMs } = container;
      this.#doomed = this.#state.tree.expiredContainers(wallMs, maxNeverUsedIntervalMs, perCheck);
    }
    for (const path of this.#doomed.splice(0, containersPerBeat))
      this.#intake.deleteContainer(path);
    return this.#doomed.length > 0;
  }
}

/** Containers deleted in one go. */
const containersPerBeat = 100;
