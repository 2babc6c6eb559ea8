export {
  type ElectionLinkEvents,
  type ElectionLinkOptions,
  ElectionLinks,
} from './election-links.ts';
export type { ElectionNotice } from './election-notice.ts';
export { Elector, type ElectorEvents, type ElectorOptions, electorDefaults } from './elector.ts';
export {
  type Election,
  type ElectionOutputs,
  type ElectionTiming,
  FastLeaderElection,
  type Standing,
} from './fast-leader-election.ts';
export {
  encodeInitialMessage,
  type InitialMessage,
  InitialMessageReader,
} from './initial-message.ts';
export {
  decodeNotification,
  encodeNotification,
  type MalformedNotification,
  type Notification,
} from './notification.ts';
export { type Candidate, isBetter, isSameVote, noCandidate, PeerState, type Vote } from './vote.ts';
