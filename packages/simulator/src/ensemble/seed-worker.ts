import { parentPort, workerData } from 'node:worker_threads';
import type { EnsembleSettings } from './ensemble-settings.ts';
import { EnsembleSimulation } from './ensemble-simulation.ts';
import type { SeedOutcome } from './seed-series.ts';

// Errors are told by their messages; a stream that ends is an error too, and traces of calls cost.
Error.stackTraceLimit = 0;

// One thread of `runSeries`: a seed comes in, what became of it goes out.
parentPort?.on('message', (seed: number) => parentPort?.postMessage(outcomeOf(seed)));

function outcomeOf(seed: number): SeedOutcome {
  const simulation = new EnsembleSimulation(seed, workerData as Partial<EnsembleSettings>);
  try {
    return { seed, report: simulation.run() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { seed, failure: { message, tail: simulation.trace.lines.slice(-tailLines) } };
  }
}

/** Enough to see what led to it, little enough to read. */
const tailLines = 60;
