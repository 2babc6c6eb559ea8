import { type Held, HoldLostError, LeaderLatch, LeaderSelector } from '@meerkat/client/recipes';
import { alone, type Holding, HoldLedger } from './hold-ledger.ts';
import { LockScenario, type Take } from './lock-scenarios.ts';
import type { RecipeProcess } from './recipe-process.ts';

const path = '/elections/one';

/** Candidates that stand in line as long as they live. */
export class LatchScenario extends LockScenario {
  protected readonly ledger: HoldLedger = new HoldLedger(this, alone, true);
  protected readonly lines: readonly string[] = [path];

  override async live(process: RecipeProcess): Promise<void> {
    await process.ensure('/resource');
    const { lostWhen } = this;
    const latch = new LeaderLatch(process.zk, path, { id: process.alias, lostWhen });
    const ending = this.#closeInTheEnd(process, latch);
    for await (const { leadership } of latch.changes()) {
      if (leadership?.isHeld !== true) continue;
      this.demand(latch.isLeader, 'who is told to lead leads', () => process.alias);
      await this.work(process, { held: leadership, kind: 'leadership' });
    }
    await ending;
  }

  /** Most leaders lead until they lose it, some hand over. */
  protected override async release(
    process: RecipeProcess,
    held: Held,
    holding: Holding,
  ): Promise<void> {
    const mayStay = !this.host.isCalm && process.random.percent(50);
    if (!mayStay || this.isEnding) {
      await super.release(process, held, holding);
      return;
    }
    while (held.isHeld && !this.isEnding) {
      await process.sleep(50);
      if (process.random.percent(10)) break;
    }
    await super.release(process, held, holding);
  }

  protected makeTake(): Take {
    throw new Error('a latch is not taken');
  }

  async #closeInTheEnd(process: RecipeProcess, latch: LeaderLatch): Promise<void> {
    while (!this.isEnding) await process.sleep(100);
    this.ledger.releasingAll(process);
    await latch.close();
    this.idle.add(process.alias);
  }
}

/** A job that only the leader runs. */
export class SelectorScenario extends LockScenario {
  protected readonly ledger: HoldLedger = new HoldLedger(this, alone, true);
  protected readonly lines: readonly string[] = [path];

  override async live(process: RecipeProcess): Promise<void> {
    await process.ensure('/resource');
    const { lostWhen } = this;
    const selector = new LeaderSelector(process.zk, path, { id: process.alias, lostWhen });
    const ending = new AbortController();
    const job = async (held: Held): Promise<void> => {
      await this.work(process, { held, kind: 'leadership' });
      if (process.random.percent(20)) held.lost.throwIfAborted();
      if (this.isEnding) ending.abort();
    };
    while (!this.isEnding) {
      try {
        await selector.runInTurns(job, { signal: ending.signal });
      } catch (error) {
        if (!(error instanceof HoldLostError)) throw error;
        this.demand(
          this.host.truth.isSessionOver(process.zk.sessionId),
          'nobody else leaves for us',
          () => {
            return `${process.alias}: ${error.message}`;
          },
        );
      }
    }
    this.idle.add(process.alias);
  }

  /** The job's end gives the leadership back. */
  protected override async release(
    _process: RecipeProcess,
    _held: Held,
    holding: Holding,
  ): Promise<void> {
    this.ledger.releasing(holding);
  }

  protected makeTake(): Take {
    throw new Error('a selector is not taken');
  }
}
