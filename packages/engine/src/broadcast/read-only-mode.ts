/**
 * Reads without a quorum (`readonlymode.enabled`; `QuorumPeer.run`, `ReadOnlyZooKeeperServer.java`): a member that has
 * been looking for a leader for a while serves clients that ask for no more, from the history that it has. Owns when that
 * begins and ends; what such clients may ask is the dispatcher's.
 */
import type { TimerListener } from '../ports.ts';
import { ReadOnlyRoute } from '../requests/read-only-route.ts';
import type { MemberContext } from './member-context.ts';

export class ReadOnlyMode implements TimerListener {
  readonly #context: MemberContext;
  #timer = 0;
  #isOn = false;

  constructor(context: MemberContext) {
    this.#context = context;
  }

  /** A leader is being looked for: it begins when that takes too long. */
  await(): void {
    const { clock, config } = this.#context;
    if (!config.readOnlyModeEnabled) return;
    clock.cancelTimer(this.#timer);
    this.#timer = clock.startTimer(Math.max(graceMsMin, config.tickTimeMs), this, 0);
  }

  /** A leader was found, or nobody is served any more: those who were are let go. */
  end(): void {
    const { clock, duties, intake } = this.#context;
    clock.cancelTimer(this.#timer);
    if (!this.#isOn) return;
    this.#isOn = false;
    duties.stop();
    intake.stopServing();
  }

  /** Nobody was found in time. */
  onTimer(): void {
    if (this.#isOn) return;
    const { duties, intake } = this.#context;
    this.#isOn = true;
    intake.usePipeline(new ReadOnlyRoute());
    intake.isServing = true;
    duties.startForLocalSessions();
    this.#context.notice('read-only', null, 'no leader was found: read-only clients are served');
    this.#context.endTurn();
  }
}

/** The shortest time before it begins, ms. */
const graceMsMin = 2000;
