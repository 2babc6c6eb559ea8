export { configDifference } from './config-difference.ts';
export { bracketed, hostAsJavaPrintsIt, isWildcardHost } from './host-text.ts';
export {
  type ClientAddress,
  formatMember,
  isSameMember,
  type LearnerType,
  type MemberAddress,
  parseMember,
  QuorumConfigError,
  type QuorumMember,
} from './member.ts';
export { PropertiesSyntaxError, type Property, readProperties } from './properties.ts';
export {
  formatQuorumConfig,
  isSameQuorumConfig,
  isVoter,
  makeQuorumConfig,
  parseQuorumConfig,
  type QuorumConfig,
  quorumConfigOf,
  votersOf,
} from './quorum-config.ts';
export {
  type Oracle,
  type QuorumVerifier,
  quorumVerifierOf,
  TwoNodeOracle,
} from './quorum-verifier.ts';
export { QuorumTracker, QuorumView } from './quorum-view.ts';
export {
  designatedLeader,
  hasConnectedQuorum,
  isReconfigRefusal,
  type LeaderChoice,
  type ReconfigOptions,
  type ReconfigRefusal,
  reconfigured,
  withVersion,
} from './reconfigure.ts';
