// Preloaded into a server under measurement (node --expose-gc --import): SIGUSR2 makes it collect all
// garbage, twice, and say how long the second, which finds only what lives, has taken.
import { performance } from 'node:perf_hooks';

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  const startMs = performance.now();
  globalThis.gc?.();
  const gcMs = performance.now() - startMs;
  console.error(`collected ${JSON.stringify({ gcMs, ...process.memoryUsage() })}`);
});
