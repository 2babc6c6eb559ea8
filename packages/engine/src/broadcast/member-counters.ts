/** What a member has done in the ensemble since its process began, for those who watch over it (`ServerMetrics.java`). */
export class MemberCounters {
  /** Transactions that it has proposed as leader: `proposal_count`. */
  proposed = 0;
  /** And committed, reconfigurations left out: `commit_count`. */
  committed = 0;
  /** Learners that it has sent a snapshot: `snap_count`. */
  snapshotsSent = 0;
  /** Learners that it has sent what they lacked, or told to cut: `diff_count`. */
  differencesSent = 0;
  /** Proposals that came while it followed: `learner_proposal_received_count`. */
  proposalsReceived = 0;
  /** Commits that came while it followed or observed: `learner_commit_received_count`. */
  commitsReceived = 0;
  /** Sessions that learners have asked it about: `revalidate_count`. */
  revalidations = 0;
  /** How often it gave up leading because a voter looked for a leader again: `quit_leading_due_to_disloyal_voter`. */
  disloyalVoters = 0;
}
