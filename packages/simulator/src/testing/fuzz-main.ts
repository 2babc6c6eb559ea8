import { FuzzRun } from './fuzz.ts';

// `npm run fuzz -- [frames] [seed]`: damaged frames against a replica in this process.
const frames = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const start = performance.now();
console.log(`${frames} frames, seed ${seed}`);
const result = new FuzzRun(seed).run(frames, (sent) => {
  console.log(`${sent} frames, ${((performance.now() - start) / 1000).toFixed(1)} s`);
});
const megabytes = (bytes: number): string => (bytes / 1024 / 1024).toFixed(1);
console.log(
  `${result.frames} frames over ${result.connections} connections made ${result.transactions} ` +
    `transactions; memory ${megabytes(result.memoryEarlyBytes)} MB in the second quarter, ` +
    `${megabytes(result.memoryEndBytes)} MB in the last`,
);
const growthBytes = result.memoryEndBytes - result.memoryEarlyBytes;
if (growthBytes > 8 * 1024 * 1024) {
  console.error(`Cannot call that flat: memory grew by ${megabytes(growthBytes)} MB`);
  process.exitCode = 1;
}
