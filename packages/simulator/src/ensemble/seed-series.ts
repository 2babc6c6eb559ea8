/**
 * Many seeds, spread over worker threads, one core each. Owns which worker has which seed; what comes out is in the
 * order of the seeds, and the same for any number of workers.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { EnsembleSettings } from './ensemble-settings.ts';
import type { EnsembleReport } from './ensemble-simulation.ts';

/** Which seeds, and how. */
export interface SeedSeries {
  /** The first seed; the others follow. */
  readonly from: number;
  readonly count: number;
  /** Settings that are not drawn; none by default. */
  readonly overrides?: Partial<EnsembleSettings>;
  /** Worker threads; as many as there are cores by default. */
  readonly jobs?: number;
  /** Whether the series ends with the first seed that fails; goes on by default. */
  readonly untilFailure?: boolean;
  /** Called after each seed, in the order in which they end. */
  readonly onDone?: (outcome: SeedOutcome, done: number) => void;
}

/** What became of one seed: a report, or a failure. */
export type SeedOutcome =
  | { readonly seed: number; readonly report: EnsembleReport; readonly failure?: undefined }
  | { readonly seed: number; readonly report?: undefined; readonly failure: SeedFailure };

/** A promise that was broken, or an assertion that failed. */
export interface SeedFailure {
  readonly message: string;
  /** The last lines of the trace. */
  readonly tail: readonly string[];
}

/** Runs all of them. Returns what became of each, in the order of the seeds; with `untilFailure` up to the first failure. */
export async function runSeries(series: SeedSeries): Promise<SeedOutcome[]> {
  const { from, count, untilFailure = false, jobs = availableParallelism() } = series;
  const outcomes: SeedOutcome[] = [];
  let next = from;
  let end = from + count;
  const takeSeed = (): number | null => (next < end ? next++ : null);
  const onDone = (outcome: SeedOutcome): void => {
    outcomes.push(outcome);
    series.onDone?.(outcome, outcomes.length);
    // A seed before this one may be under way still, and fail as well.
    if (untilFailure && outcome.failure !== undefined) end = Math.min(end, outcome.seed + 1);
  };
  const workers = Array.from({ length: Math.max(1, Math.min(jobs, count)) }, () =>
    employ(series.overrides ?? {}, takeSeed, onDone),
  );
  await Promise.all(workers);
  return outcomes.filter(({ seed }) => seed < end).sort((a, b) => a.seed - b.seed);
}

/** Gives seeds to one worker until there are none. */
function employ(
  overrides: Partial<EnsembleSettings>,
  takeSeed: () => number | null,
  onDone: (outcome: SeedOutcome) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seed-worker.js', import.meta.url), {
      workerData: overrides,
    });
    let current: number | null = null;
    const goOn = (): void => {
      current = takeSeed();
      if (current === null) void worker.terminate();
      else worker.postMessage(current);
    };
    worker.on('message', (outcome: SeedOutcome) => {
      onDone(outcome);
      goOn();
    });
    worker.on('error', (cause) => {
      reject(new Error(`Cannot run seed ${current}: its worker ended`, { cause }));
    });
    worker.on('exit', () => resolve());
    goOn();
  });
}
