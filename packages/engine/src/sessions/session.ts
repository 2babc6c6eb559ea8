/**
 * One session as the replica that serves it knows it. Owns the id and its timing; refuses to know
 * sockets: the connection that uses it is only a number.
 */
export class Session {
  readonly idHi: number;
  readonly idLo: number;
  /** As negotiated; part of the createSession transaction and of snapshots. */
  timeoutMs: number;
  /** Its closeSession is on the way: nothing more is accepted from it. */
  closing = false;
  /** Its createSession has been applied: it belongs in snapshots. */
  committed = false;
  /** Known to this replica alone, which ends it: no transaction tells of it (`LocalSessionTracker.java`). */
  isLocal = false;
  /** Its newest transaction in the log, by the number that the pipeline gave it; 0 is none. */
  newestPendingSequence = 0;
  /** A request of it came since the leader was last told that it lives. Only a learner asks. */
  isHeard = false;
  /** Through whom it is used, known to the leader: itself or one of its learners; null when nobody knows. */
  owner: object | null = null;
  /** The expiry bucket it lies in, monotonic ms; 0 when it lies in none. */
  bucketMs = 0;

  constructor(idHi: number, idLo: number, timeoutMs: number) {
    this.idHi = idHi;
    this.idLo = idLo;
    this.timeoutMs = timeoutMs;
  }
}
