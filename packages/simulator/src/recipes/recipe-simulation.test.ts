import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Held, Mutex } from '@meerkat/client/recipes';
import { MutexScenario, type Take } from './lock-scenarios.ts';
import { recipeScenarios } from './recipe-scenarios.ts';
import { RecipeSimulation, type ScenarioMaker } from './recipe-simulation.ts';

/** `RECIPE_SIMULATION_SEEDS=first..last` runs others: `17..17` one that failed. */
const range = (process.env.RECIPE_SIMULATION_SEEDS ?? '1..100').split('..').map(Number);
const [first = 1, last = first] = range;

// In processes of their own: what the test runner records of every promise takes longer than the simulation.
test(`recipes keep their guarantees through faults: seeds ${first} to ${last}`, async (t) => {
  const simulate = fileURLToPath(new URL('../ensemble/simulate.js', import.meta.url));
  const share = Math.ceil((last - first + 1) / availableParallelism());
  const run = async (from: number): Promise<string> => {
    const seeds = ['--seeds', String(Math.min(share, last - from + 1)), '--from', String(from)];
    const running = promisify(execFile)(process.execPath, [simulate, '--recipes', ...seeds]);
    const ended = running.catch((error: { stdout: string }) => assert.fail(error.stdout));
    return (await ended).stdout.trim();
  };
  const runs: Promise<string>[] = [];
  for (let from = first; from <= last; from += share) runs.push(run(from));
  for (const told of await Promise.all(runs)) t.diagnostic(told);
});

test('a seed repeats itself, to the last line', async () => {
  const maker = recipeScenarios.mutex as ScenarioMaker;
  const [one, two] = [new RecipeSimulation(3, maker), new RecipeSimulation(3, maker)];
  assert.deepEqual(await one.run(), await two.run());
  assert.deepEqual(one.trace.lines, two.trace.lines);
});

/** The first violation within a few seeds. */
async function violationOf(maker: ScenarioMaker): Promise<string> {
  for (let seed = 1; seed <= 5; seed++) {
    try {
      await new RecipeSimulation(seed, maker).run();
    } catch (error) {
      return String(error);
    }
  }
  return 'none';
}

test('a lock that does not exclude is found', async () => {
  class TwoLocks extends MutexScenario {
    #count = 0;
    protected override makeTake(process: Parameters<MutexScenario['live']>[0]): Take {
      const mutex = new Mutex(process.zk, `/locks/one${this.#count++ % 2}`);
      return async (limits) => ({ held: await mutex.acquire(limits), kind: 'lock' });
    }
  }
  assert.match(await violationOf((host) => new TwoLocks(host)), /mutual exclusion/);
});

test('a lock that its holder has lost without a word is found', async () => {
  class Deleting extends MutexScenario {
    protected override async writeChecked(
      process: Parameters<MutexScenario['live']>[0],
      held: Held,
    ): Promise<void> {
      await process.untilAnswered(() => process.zk.delete(held.path).catch(() => {}));
    }
  }
  assert.match(await violationOf((host) => new Deleting(host)), /nobody else ends a hold/);
});
