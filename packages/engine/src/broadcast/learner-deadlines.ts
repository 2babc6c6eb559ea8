/**
 * How long each learner is waited for (`LearnerHandler.tickOfNextAckDeadline`, `SyncLimitCheck`): initLimit until it has the
 * history, syncLimit between two words of it from then on, and syncLimit for the answer to a proposal. Owns the tick;
 * closes nothing.
 */
import type { Zxid } from '@meerkat/protocol';
import type { EnsembleConfig } from '../ensemble-config.ts';
import { type LearnerLink, LinkStage } from './learner-link.ts';

export class LearnerDeadlines {
  readonly #syncLimitTicks: number;
  readonly #initLimitTicks: number;
  #tick = 0;
  #isHalfTick = false;

  /** @param initLimitTicks how long it may take until a learner has the history */
  constructor(
    { syncLimitTicks, initLimitTicks: initLimit }: EnsembleConfig,
    initLimitTicks: number = initLimit,
  ) {
    this.#syncLimitTicks = syncLimitTicks;
    this.#initLimitTicks = initLimitTicks;
  }

  /** Ticks that have passed. */
  get tick(): number {
    return this.#tick;
  }

  /** Half a tick has passed. Returns whether that makes a whole one. */
  passHalf(): boolean {
    const isWhole = this.#isHalfTick;
    if (isWhole) this.#tick++;
    this.#isHalfTick = !isWhole;
    return isWhole;
  }

  /** A learner has come, or come further, or was heard of: it has to be heard of again in time. */
  extend(link: LearnerLink): void {
    const isSettled = link.stage >= LinkStage.synced;
    link.deadlineTick = this.#tick + (isSettled ? this.#syncLimitTicks : this.#initLimitTicks);
  }

  /** It serves from now on, and answers proposals. */
  beginPace(link: LearnerLink): void {
    link.paceTick = this.#tick;
  }

  /**
   * Why it is waited for no longer, null when it is; to be asked at every tick.
   *
   * @param newestZxid what was proposed last
   */
  overdueText(link: LearnerLink, newestZxid: Zxid): string | null {
    if (this.#tick > link.deadlineTick) return 'it was not heard of in time';
    if (link.stage !== LinkStage.serving || link.type !== 'participant') return null;
    if (link.ackedZxid >= link.paceZxid || link.paceZxid <= link.givenZxid) {
      link.paceZxid = newestZxid;
      link.paceTick = this.#tick;
      return null;
    }
    const isLate = this.#tick - link.paceTick > this.#syncLimitTicks;
    return isLate ? 'it leaves proposals unanswered' : null;
  }
}
