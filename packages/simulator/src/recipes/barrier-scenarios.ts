import { Barrier, DoubleBarrier, HoldLostError, WaitTimeoutError } from '@meerkat/client/recipes';
import type { RecipeProcess } from './recipe-process.ts';
import type { TreeHistory, TreeState } from './tree-history.ts';
import { TurnScenario } from './turn-scenario.ts';

/** Processes that set a barrier, wait at it, and remove it. */
export class BarrierScenario extends TurnScenario {
  readonly #path = '/barrier/one';
  readonly #history: TreeHistory = this.host.truth.historyOf(this.#path);

  protected begin(process: RecipeProcess): Promise<() => Promise<void>> {
    const barrier = new Barrier(process.zk, this.#path);
    return Promise.resolve(async () => {
      const sinceZxid = Number(process.zk.lastZxid);
      const choice = process.random.below(100);
      if (choice < 25) {
        await barrier.set();
        this.#demandWas(true, sinceZxid, `${process.alias} has set it`);
      } else if (choice < 50) {
        await barrier.remove();
        this.#demandWas(false, sinceZxid, `${process.alias} has removed it`);
      } else await this.#wait(process, barrier, sinceZxid);
    });
  }

  async #wait(process: RecipeProcess, barrier: Barrier, sinceZxid: number): Promise<void> {
    try {
      await barrier.wait({ timeoutMs: 1 + process.random.below(2000) });
      this.count('passed');
      this.serve(process);
      this.#demandWas(false, sinceZxid, `${process.alias} has passed`);
    } catch (error) {
      if (!(error instanceof WaitTimeoutError)) throw error;
      this.count('held up');
    }
  }

  #demandWas(isSet: boolean, sinceZxid: number, who: string): void {
    const states = this.#history.since(sinceZxid);
    const was = states.some((znodes) => znodes.has(this.#path) === isSet);
    const rule = isSet ? 'what is set was there' : 'nobody passes a barrier that is set';
    this.demand(was, rule, () => `${who} since ${sinceZxid}`);
  }

  checkEnd(): void {}
}

const roundsPath = '/rounds';

/** Processes that go through rounds together: all that are needed enter, and none is left behind. */
export class DoubleBarrierScenario extends TurnScenario {
  readonly #membersMin = 2 + this.host.random.below(this.host.clients.length - 1);
  readonly #history: TreeHistory = this.host.truth.historyOf(roundsPath);
  /** How many were in each round, at all times. */
  readonly #counts = this.#history.each(countMembers);
  #round = 1;

  protected begin(process: RecipeProcess): Promise<() => Promise<void>> {
    return Promise.resolve(async () => {
      const round = this.#round;
      const path = `${roundsPath}/${round}`;
      const barrier = new DoubleBarrier(process.zk, path, { membersMin: this.#membersMin });
      if (!(await this.#enter(process, barrier))) return;
      this.say(`${process.alias} is in round ${round}`);
      const were = this.#counts().some((counts) => (counts.get(path) ?? 0) >= this.#membersMin);
      this.demand(were, 'who enters is not alone', () => `${process.alias} in round ${round}`);
      await process.sleep(process.random.below(100));
      const sinceZxid = Number(process.zk.lastZxid);
      await barrier.leave();
      const areOut = this.#history.since(sinceZxid).some((state) => !countMembers(state).has(path));
      this.demand(
        areOut || process.isEnding,
        'who leaves is the last',
        () => `${process.alias} in round ${round}`,
      );
      this.say(`${process.alias} is out of round ${round}`);
      this.#round = Math.max(this.#round, round + 1);
      this.count('rounds');
      this.serve(process);
    });
  }

  async #enter(process: RecipeProcess, barrier: DoubleBarrier): Promise<boolean> {
    try {
      await barrier.enter({ timeoutMs: 500 + process.random.below(2000) });
      return true;
    } catch (error) {
      if (error instanceof WaitTimeoutError) return false;
      if (!(error instanceof HoldLostError)) throw error;
      const isOver = this.host.truth.isSessionOver(process.zk.sessionId);
      this.demand(isOver, 'nobody else leaves for us', () => `${process.alias}: ${error.message}`);
      return false;
    }
  }

  checkEnd(): void {
    const left = [...countMembers(this.host.truth.below(roundsPath)).keys()];
    this.demand(left.length === 0, 'nothing is left behind', () => left.join());
  }
}

/** How many are in each round, by its path; only those with any. */
function countMembers(state: TreeState): Map<string, number> {
  const counts = new Map<string, number>();
  for (const path of state.keys()) {
    const [, , round, member] = path.split('/');
    if (member === undefined || member === 'ready') continue;
    const at = `${roundsPath}/${round}`;
    counts.set(at, (counts.get(at) ?? 0) + 1);
  }
  return counts;
}
