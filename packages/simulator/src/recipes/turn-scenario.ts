import { ZooKeeperError } from '@meerkat/client';
import { isEnd, type RecipeProcess } from './recipe-process.ts';
import { RecipeScenario } from './recipe-scenario.ts';

/** What became of a change: it happened once; it did not; nobody knows, and it happened once at most. */
export type Outcome = 'done' | 'undone' | 'unknown';

/** Processes that do the same thing again and again, until the end. */
export abstract class TurnScenario extends RecipeScenario {
  async live(process: RecipeProcess): Promise<void> {
    const turn = await this.begin(process);
    while (!this.isEnding) {
      await process.sleep(10 + process.random.below(200));
      await turn();
    }
    this.idle.add(process.alias);
  }

  /** Begins a life. Returns what it does in each turn. */
  protected abstract begin(process: RecipeProcess): Promise<() => Promise<void>>;

  /** A process is served, as the server says: it need not know yet that its session is over. */
  protected async serveBySession(process: RecipeProcess): Promise<void> {
    await process.untilAnswered(() => process.zk.exists('/'));
    this.serve(process);
  }
}

/**
 * Makes a change, false for one that it found it must not make.
 *
 * @returns what became of it
 * @throws what says that the session is over, and what no change may fail with
 */
export async function outcomeOf(change: () => Promise<boolean>): Promise<Outcome> {
  try {
    return (await change()) ? 'done' : 'undone';
  } catch (error) {
    if (!(error instanceof ZooKeeperError) || isEnd(error)) throw error;
    return error.mayHaveHappened ? 'unknown' : 'undone';
  }
}
