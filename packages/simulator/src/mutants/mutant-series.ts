import { availableParallelism } from 'node:os';
import type { Mutant } from './mutant.ts';
import { type MutantFate, MutationRun } from './mutation-run.ts';

/** A deliberate fault, and how far to look for it. */
export interface MutantTrial {
  readonly mutant: Mutant;
  /** Seeds that may pass it by; 0: only the scripts are tried. */
  readonly seedsMax: number;
}

/** Which faults are tried, and how. */
export interface MutantSeries {
  readonly trials: readonly MutantTrial[];
  /** The first seed; 1 by default. */
  readonly from?: number;
  /** Processes, each with a copy of its own to do harm to; as many as there are cores by default. */
  readonly jobs?: number;
  /** Called with what became of each, in the order in which they end. */
  readonly onFate?: (mutant: Mutant, fate: MutantFate) => void;
}

/** Tries all of them. Returns what became of each, by name. */
export async function runMutants(series: MutantSeries): Promise<Map<string, MutantFate>> {
  const { trials, from = 1, jobs = availableParallelism() } = series;
  const fates = new Map<string, MutantFate>();
  // Those that take longest begin, so that no core is left with one of them in the end.
  const waiting = trials.toSorted((a, b) => costOf(a) - costOf(b));
  const work = async (): Promise<void> => {
    const run = new MutationRun();
    try {
      for (let trial = waiting.pop(); trial !== undefined; trial = waiting.pop()) {
        const fate = await run.run(trial.mutant, trial.seedsMax, from);
        fates.set(trial.mutant.name, fate);
        series.onFate?.(trial.mutant, fate);
      }
    } finally {
      run.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, trials.length) }, work));
  return fates;
}

function costOf({ seedsMax }: MutantTrial): number {
  return seedsMax === 0 ? Number.POSITIVE_INFINITY : seedsMax;
}
