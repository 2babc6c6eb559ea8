export { type DiskRule, type DiskUnderTest, diskContract } from './disk-contract.ts';
export { type ElectionReport, ElectionSimulation } from './election-simulation.ts';
export { Violation } from './ensemble/violation.ts';
export { Workload } from './ensemble/workload.ts';
export {
  InProcessServer,
  type InProcessServerOptions,
  type ServerNotice,
} from './in-process-server.ts';
export { ManualClock } from './manual-clock.ts';
export type { ModelRead } from './model/model-reads.ts';
export type { ModelWrite } from './model/model-tree.ts';
export { ProcessClock } from './process-clock.ts';
export type { RecordedEntry } from './recorded/recorded-entry.ts';
export {
  RecordedHistory,
  type RecordedHistoryOptions,
  type RecordedReport,
} from './recorded/recorded-history.ts';
export {
  type HandshakeOptions,
  type Received,
  type Reply,
  ScriptedClient,
} from './scripted-client.ts';
export { SeededRandom } from './seeded-random.ts';
export {
  type DiskOrder,
  SimulatedDisk,
  type SimulatedDiskOptions,
} from './simulated-disk.ts';
export {
  type NetworkEvents,
  SimulatedConnection,
  SimulatedNetwork,
  type SimulatedNetworkOptions,
} from './simulated-network.ts';
export {
  PeerFabric,
  type PeerFabricOptions,
  SimulatedPeerNetwork,
} from './simulated-peer-network.ts';
