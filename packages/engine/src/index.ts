export type { LearnerState, Member } from './broadcast/member.ts';
export { MemberCounters } from './broadcast/member-counters.ts';
export * from './election/index.ts';
export * from './ensemble-config.ts';
export * from './limits.ts';
export * from './ports.ts';
export * from './quorum/index.ts';
export * from './replica.ts';
export * from './replica-config.ts';
export * from './replica-events.ts';
export {
  addressMatches,
  fixupAcl,
  isPermitted,
  isValidAddressExpression,
} from './requests/access.ts';
export type { DigestHash } from './requests/authenticate.ts';
export {
  type ClientConnection,
  ConnectionPhase,
  type ConnectionStats,
} from './requests/client-connection.ts';
export { ClientIntake } from './requests/client-intake.ts';
export type { ReplicaState } from './requests/replica-state.ts';
export { ServerCounters } from './requests/server-counters.ts';
export { Session } from './sessions/session.ts';
export { SessionTable } from './sessions/session-table.ts';
export * from './storage/index.ts';
export { LatencySummary, Summary } from './summary.ts';
export { NodeKind } from './tree/ephemeral-type.ts';
export type { SessionEphemerals } from './tree/owned-nodes.ts';
export { type NodeId, noNode, rootNode, Tree } from './tree/tree.ts';
export { type WatcherId, WatchTable } from './watches/watch-table.ts';
