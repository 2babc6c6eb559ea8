import { recipeScenarios, scenarioOf } from './recipe-scenarios.ts';
import { type RecipeReport, RecipeSimulation } from './recipe-simulation.ts';

/** Which runs, and what is printed. */
export interface RecipeRuns {
  readonly from: number;
  readonly count: number;
  /** One scenario for all seeds; undefined: the seed says which. */
  readonly recipe: string | undefined;
  readonly untilFailure: boolean;
  readonly print: (line: string) => void;
}

/** Runs one seed and prints what happens. Returns whether all promises were kept. */
export async function simulateRecipe(
  seed: number,
  recipe: string | undefined,
  print: (line: string) => void,
): Promise<boolean> {
  const name = recipe ?? scenarioOf(seed);
  const simulation = new RecipeSimulation(seed, makerOf(name));
  print(`recipe ${name}`);
  for (const line of simulation.trace.lines) print(line);
  simulation.trace.onLine = print;
  try {
    const report = await simulation.run();
    print(`seed ${seed} keeps all promises: ${describe(report)}; hash ${report.hash}`);
    return true;
  } catch (error) {
    print(`seed ${seed} fails: ${error instanceof Error ? error.stack : String(error)}`);
    return false;
  }
}

/** Runs many seeds, with a line for each that fails and a summary. Returns how many failed. */
export async function simulateRecipes(runs: RecipeRuns): Promise<number> {
  const { from, count, recipe, untilFailure, print } = runs;
  const beganMs = performance.now();
  const totals = new Map<string, number>();
  const failures = new Map<string, string[]>();
  let simulatedMs = 0;
  let done = 0;
  let failed = 0;
  // Recipes live on errors, and nobody reads where these came from: a seed that fails is told again, alone.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  for (let seed = from; seed < from + count; seed++) {
    const name = recipe ?? scenarioOf(seed);
    done += 1;
    try {
      const report = await new RecipeSimulation(seed, makerOf(name)).run();
      simulatedMs += report.simulatedMs;
      for (const [what, times] of report.counts) totals.set(what, (totals.get(what) ?? 0) + times);
    } catch (error) {
      failed += 1;
      const message = error instanceof Error ? error.message : String(error);
      print(`seed ${seed} (${name}) fails: ${message}`);
      const rule = `${name}: ${message.split(':', 1)[0] ?? message}`;
      failures.set(rule, [...(failures.get(rule) ?? []), String(seed)]);
      if (untilFailure) break;
    }
  }
  Error.stackTraceLimit = stackTraceLimit;
  const seconds = (performance.now() - beganMs) / 1000;
  const list = [...totals].map(([what, times]) => `${times} ${what}`);
  print(
    `${done} seeds of recipes, ${failed} failed; ${(simulatedMs / 3_600_000).toFixed(1)} h simulated in ` +
      `${seconds.toFixed(0)} s; ${list.join(', ')}`,
  );
  for (const [rule, seeds] of failures) print(`${seeds.length} x ${rule}: ${seeds.join(' ')}`);
  return failed;
}

function makerOf(name: string): (typeof recipeScenarios)[string] {
  const maker = recipeScenarios[name];
  if (maker !== undefined) return maker;
  const known = Object.keys(recipeScenarios).join(', ');
  throw new Error(
    `Cannot simulate a recipe: current value is ${name}, and it must be one of ${known}`,
  );
}

function describe({ processes, lives, simulatedMs, healedAfterMs, counts }: RecipeReport): string {
  const list = [...counts].map(([what, times]) => `${times} ${what}`).join(', ');
  return (
    `${processes} processes in ${lives} lives, ${Math.round(simulatedMs / 1000)} s simulated, ` +
    `all served after ${healedAfterMs} ms; ${list}`
  );
}
