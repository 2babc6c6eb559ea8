/**
 * Every bound of the engine: its unit, its default, and the configuration key that sets it.
 * What has no key is ours, and its reason stands beside it.
 */
export interface Limits {
  /** Bytes of one client frame, `jute.maxbuffer`. A longer one closes the connection (`NIOServerCnxn.readLength`). */
  readonly frameBytesMax: number;
  /** Added to `frameBytesMax` for what is read from disk and peers, `jute.maxbuffer.extrasize`. */
  readonly extraBytesMax: number;
  /** Requests being processed before reading from clients pauses, `globalOutstandingLimit`. */
  readonly outstandingRequestsMax: number;
  /** Replies waiting for a client that does not read, bytes; then it is cut. Ours: ZooKeeper has no bound. */
  readonly unsentBytesMax: number;
  /** The same of all clients that are slow together; then those that are sent to are cut. Ours. */
  readonly unsentTotalBytesMax: number;
  /** Watch events and answers of one turn that leave before it is over, bytes. Ours. */
  readonly collectedBytesMax: number;
  /** Replies that wait before the connection is not read from any more, bytes. Ours. */
  readonly unreadBytesMax: number;
  /** Bytes of requests of one connection that wait behind its own writes; then its reading pauses. Ours. */
  readonly deferredBytesMax: number;
  /** Operations in one multi. Ours: the frame limit alone allows 100,000 and more. */
  readonly multiOperationsMax: number;
  /** Entries in one ACL. Ours. */
  readonly aclEntriesMax: number;
  /** Characters of the ids in one stored ACL, after `auth` was replaced by the caller's. Ours. */
  readonly aclCharactersMax: number;
  /** Ids that one connection may add with auth packets. Ours: ZooKeeper keeps them all. */
  readonly authIdsMax: number;
  /** Characters of all these ids together. Ours. */
  readonly authIdCharactersMax: number;
  /** Bytes of a log group before the next one starts even when the disk is idle. Ours. */
  readonly logGroupBytesMax: number;
  /** Bytes of transactions that may wait for the disk; then reading from clients pauses. Ours. */
  readonly pendingBytesMax: number;
  /** Watches of all connections together; a request for one more is answered SYSTEMERROR. Ours. */
  readonly watchesMax: number;
  /** Bytes that the watched paths may take, likewise. Ours. */
  readonly watchBytesMax: number;
  /** How long one slice of background work may take, ms: snapshots, purges, mass expiry. Ours. */
  readonly sliceMs: number;
}

/** The defaults; `server/` overrides them from zoo.cfg. */
export const defaultLimits: Limits = {
  frameBytesMax: 0xfffff,
  extraBytesMax: 0xfffff,
  outstandingRequestsMax: 1000,
  unsentBytesMax: 64 * 1024 * 1024,
  unsentTotalBytesMax: 512 * 1024 * 1024,
  collectedBytesMax: 16 * 1024 * 1024,
  unreadBytesMax: 1024 * 1024,
  deferredBytesMax: 4 * 1024 * 1024,
  multiOperationsMax: 1_000_000,
  aclEntriesMax: 100_000,
  aclCharactersMax: 1024 * 1024,
  authIdsMax: 1000,
  authIdCharactersMax: 256 * 1024,
  logGroupBytesMax: 4 * 1024 * 1024,
  pendingBytesMax: 64 * 1024 * 1024,
  watchesMax: 50_000_000,
  watchBytesMax: 2 * 1024 * 1024 * 1024,
  sliceMs: 2,
};

/** Bounds of the election port. They have no configuration key unless one is named. */
export interface ElectionLimits {
  /** Bytes of one notification, as in Java (`QuorumCnxManager.PACKETMAXSIZE`). */
  readonly notificationBytesMax: number;
  /** Bytes of the addresses in the first message of a stream (`QuorumCnxManager.maxBuffer`). */
  readonly helloAddressBytesMax: number;
  /** Streams that may be open without having said who they are; the oldest goes first. Ours. */
  readonly unnamedStreamsMax: number;
  /** Links with servers that are not in the configuration: joiners, observers without an id. Ours. */
  readonly strangersMax: number;
  /** Rounds of elections up to which a peer is believed. Ours: Java counts to 2^63. */
  readonly electionEpochMax: number;
}

/** The bounds in use. */
export const electionLimits: ElectionLimits = {
  notificationBytesMax: 512 * 1024,
  helloAddressBytesMax: 2048,
  unnamedStreamsMax: 100,
  strangersMax: 100,
  electionEpochMax: 2 ** 48,
};

/**
 * Bytes of the table of ACLs in a snapshot, from disk or from a leader: it is held as a whole before it is
 * taken. Ours; millions of different ACLs fit in.
 */
export const snapshotAclTableBytesMax: number = 256 * 1024 * 1024;
/** Bounds between leaders and learners. They have no configuration key unless one is named. */
export interface EnsembleLimits {
  /** Learners of one leader, those that have not said who they are included. Ours. */
  readonly learnersMax: number;
  /** Learners that have not said who they are; the oldest goes first. Ours. */
  readonly namelessLearnersMax: number;
  /** Bytes of the unfinished packet of a learner that is not in sync yet: it has nothing long to say. Ours. */
  readonly helloBytesMax: number;
  /** Bytes that are proposed and not committed; then whoever asks for more, or proposes it, is let go. Ours. */
  readonly outstandingBytesMax: number;
  /** How long a leader's snapshot may take to arrive, ms. Ours: its bytes would have to fit into memory. */
  readonly snapshotStreamMsMax: number;
  /** Bytes of a leader's snapshot. Ours. */
  readonly snapshotStreamBytesMax: number;
  /** Syncs of learners' clients that wait for a commit. Ours. */
  readonly outstandingSyncsMax: number;
  /** Bytes of requests of the observers behind one follower that are not committed; then whoever asks for more is let go. Ours. */
  readonly forwardedBytesMax: number;
  /** Syncs and questions about sessions of those observers, likewise. Ours. */
  readonly forwardedQuestionsMax: number;
  /** Sessions that ended and whose requests, if any are still on their way, are known by that. Ours. */
  readonly endedSessionsMax: number;
  /** Bytes that may wait for one learner; then it is let go, and comes back to be synchronised. Ours. */
  readonly learnerBytesMax: number;
  /** Bytes of the committed transactions that are kept in memory (`commitLogCount` of them). Ours. */
  readonly recentBytesMax: number;
  /** Bytes of logs that are read for a learner rather than a snapshot, however small that is. Ours. */
  readonly diskDiffBytesMin: number;
  /** Bytes of a snapshot or log that are sent in one go. Ours. */
  readonly streamPieceBytes: number;
  /** Bytes of the ids of a request besides their characters. Ours. */
  readonly authBytesMore: number;
  /** How far a voter's promise may be ahead of the leader's epoch and be made up for. Ours. */
  readonly epochsAheadMax: number;
  /** The last epoch: a zxid is exact up to 2^53. Ours: ZooKeeper counts to 2^31. */
  readonly epochMax: number;
}

/** The bounds in use. */
export const ensembleLimits: EnsembleLimits = {
  learnersMax: 1000,
  namelessLearnersMax: 100,
  helloBytesMax: 4096,
  outstandingBytesMax: 512 * 1024 * 1024,
  snapshotStreamMsMax: 60 * 60 * 1000,
  snapshotStreamBytesMax: 64 * 1024 * 1024 * 1024,
  outstandingSyncsMax: 100_000,
  forwardedBytesMax: 64 * 1024 * 1024,
  forwardedQuestionsMax: 10_000,
  endedSessionsMax: 100_000,
  learnerBytesMax: 256 * 1024 * 1024,
  recentBytesMax: 64 * 1024 * 1024,
  diskDiffBytesMin: 1024 * 1024,
  streamPieceBytes: 128 * 1024,
  authBytesMore: 64 * 1024,
  epochsAheadMax: 1000,
  epochMax: 2 ** 21 - 2,
};
