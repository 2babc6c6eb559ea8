export { NodeClock } from './ports/node-clock.ts';
export { NodeDisk } from './ports/node-disk.ts';
export { NodeRandom } from './ports/node-random.ts';
export { Turn } from './turn.ts';
