export { type DiskRule, type DiskUnderTest, diskContract } from './disk-contract.ts';
export { ManualClock } from './manual-clock.ts';
export { SeededRandom } from './seeded-random.ts';
export {
  type DiskOrder,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from './simulated-disk.ts';
