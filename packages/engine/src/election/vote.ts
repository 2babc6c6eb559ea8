/** What a member is doing, as it stands in notifications (`QuorumPeer.ServerState`). */
export const PeerState = { looking: 0, following: 1, leading: 2, observing: 3 } as const;
export type PeerState = (typeof PeerState)[keyof typeof PeerState];

/** Java's `Long.MIN_VALUE`: the leader, zxid and epoch that one names who does not stand for election. */
export const noCandidate: number = -(2 ** 63);

/** Who should lead, and what its history is. */
export interface Candidate {
  /** The id of the server, `noCandidate` for none. */
  readonly leader: number;
  /** The last zxid in its log; -1 when it has no database. */
  readonly zxid: number;
  /** The last epoch that it took part in. */
  readonly peerEpoch: number;
}

/** One member's vote (`Vote.java`). */
export interface Vote extends Candidate {
  /** The round of elections in which it was cast. */
  readonly electionEpoch: number;
  /** What the voter was doing. */
  readonly state: PeerState;
  /** The version of the notification that brought it; 0 when it does not count. */
  readonly version: number;
}

/**
 * Whether `a` is the better leader: higher epoch, then higher zxid, then higher id
 * (`FastLeaderElection.totalOrderPredicate`). One without weight is never better.
 */
export function isBetter(a: Candidate, b: Candidate, weightOfA: number): boolean {
  if (weightOfA === 0) return false;
  if (a.peerEpoch !== b.peerEpoch) return a.peerEpoch > b.peerEpoch;
  if (a.zxid !== b.zxid) return a.zxid > b.zxid;
  return a.leader > b.leader;
}

/** Whether two are the same in all that they are. */
export function isSameCandidate(a: Candidate, b: Candidate): boolean {
  return a.leader === b.leader && a.zxid === b.zxid && a.peerEpoch === b.peerEpoch;
}

/**
 * Whether two votes are for the same (`Vote.equals`). While one of the voters is looking everything counts. Among the
 * others only leader and epoch do, since zxid and round may differ between members of one ensemble
 * [ZOOKEEPER-1805]; and only the leader when one of them is too old to say its epoch [ZOOKEEPER-1732].
 */
export function isSameVote(a: Vote, b: Vote): boolean {
  if (a.leader !== b.leader) return false;
  if (a.state === PeerState.looking || b.state === PeerState.looking) {
    return a.zxid === b.zxid && a.electionEpoch === b.electionEpoch && a.peerEpoch === b.peerEpoch;
  }
  if (a.version > 0 !== b.version > 0) return true;
  return a.peerEpoch === b.peerEpoch;
}
