import { HoldLostError, IdSequence, SnowflakeIds, WorkerId } from '@meerkat/client/recipes';
import { type Compatible, HoldLedger } from './hold-ledger.ts';
import { LockScenario, type Take } from './lock-scenarios.ts';
import { isInterruption, type RecipeProcess } from './recipe-process.ts';
import { TurnScenario } from './turn-scenario.ts';

/** Processes that need ids of their own. */
abstract class IdScenario extends TurnScenario {
  readonly #owners = new Map<bigint, string>();

  /** A process is given an id; `last` is the one it got before from the same source. */
  protected given(process: RecipeProcess, id: bigint, last: bigint): void {
    const { alias } = process;
    const owner = this.#owners.get(id);
    this.demand(owner === undefined, 'no id comes twice', () => `${id}: ${owner} and ${alias}`);
    this.demand(id > last, 'ids grow', () => `${alias} gets ${id} after ${last}`);
    this.#owners.set(id, alias);
    this.count('ids');
    this.serve(process);
  }

  checkEnd(): void {}
}

/** Ids that count up. */
export class IdSequenceScenario extends IdScenario {
  readonly #blockSize = this.host.random.percent(50) ? 1 : 1 + this.host.random.below(20);
  #greatest = 0n;

  protected begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const ids = new IdSequence(process.zk, '/ids/sequence', { blockSize: this.#blockSize });
    let last = 0n;
    return Promise.resolve(async () => {
      const greatest = this.#greatest;
      try {
        const id = await ids.next();
        this.say(`${process.alias} gets ${id}`);
        // With blocks of one, what is asked for later is greater, whoever asks.
        this.given(process, id, this.#blockSize === 1 ? greatest : last);
        last = id;
        if (id > this.#greatest) this.#greatest = id;
      } catch (error) {
        if (!isInterruption(error)) throw error;
      }
    });
  }
}

/** Ids made by the clocks of processes, which are wrong and jump. */
export class SnowflakeScenario extends IdScenario {
  protected async begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const { random } = process;
    let [ids, last, skewMs] = [null as SnowflakeIds | null, 0n, random.below(20_000)];
    const aheadMs = 50 + random.below(2000);
    const nowMs = (): number => Date.UTC(2025) + this.host.nowMs() + skewMs;
    return async () => {
      if (random.percent(10)) skewMs = random.below(20_000);
      try {
        ids ??= await SnowflakeIds.start(process.zk, '/ids/snowflake', { aheadMs, nowMs });
        for (let left = random.below(20); left >= 0; left--) {
          const id = await ids.next();
          this.given(process, id, last);
          last = id;
        }
        if (random.percent(10)) {
          await ids.close();
          ids = null;
          last = 0n;
        }
      } catch (error) {
        if (!(error instanceof HoldLostError) && !isInterruption(error)) throw error;
        // Without a connection for too long: it begins anew, with a number that is free.
        [ids, last] = [null, 0n];
      }
    };
  }
}

/** Small numbers, each of which one process at a time has. */
export class WorkerIdScenario extends LockScenario {
  protected readonly ledger: HoldLedger = new HoldLedger(this, differ, false);
  protected readonly lines: readonly string[] = ['/workers'];

  protected makeTake(process: RecipeProcess): Take {
    const options = { workersMax: 2, lostWhen: this.lostWhen };
    return async (limits) => ({
      held: await WorkerId.claim(process.zk, '/workers', { ...options, ...limits }),
      kind: 'number',
    });
  }
}

/** Nobody has what another has. */
const differ: Compatible = (holdings) =>
  holdings.length <= 2 && new Set(holdings.map(({ path }) => path)).size === holdings.length;
