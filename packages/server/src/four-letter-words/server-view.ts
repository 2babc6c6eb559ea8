/** A 64-bit id in two halves. */
export interface SessionIdView {
  readonly hi: number;
  readonly lo: number;
}

/** What a server says of itself in `Mode:`. */
export type ServerState = 'standalone' | 'leader' | 'follower' | 'observer' | 'read-only';

/** Totals since the start or the last `srst`, and sizes as they are now. */
export interface ServerStatistics {
  readonly latencyMinMs: number;
  readonly latencyAvgMs: number;
  readonly latencyMaxMs: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly outstandingRequests: number;
  readonly lastProcessedZxid: number;
  /** As ZooKeeper counts: the root twice. */
  readonly nodeCount: number;
  readonly watchCount: number;
  readonly ephemeralsCount: number;
  readonly approximateDataBytes: number;
  readonly globalSessions: number;
  readonly localSessions: number;
  readonly authFailedCount: number;
  /** Milliseconds since the replica began to serve. */
  readonly uptimeMs: number;
}

/** What `cons` and `stat` tell of one connection. */
export interface ConnectionStatistics {
  readonly outstandingRequests: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  /** Whether it is being read from; not while it is throttled. */
  readonly reading: boolean;
  /** Null until it has a session. */
  readonly session: SessionStatistics | null;
}

/** What `cons` tells of a connection with a session. */
export interface SessionStatistics {
  readonly id: SessionIdView;
  /** `SESS`, `PING`, `GETD`, …; `NA` before the first. */
  readonly lastOperation: string;
  readonly establishedWallMs: number;
  readonly timeoutMs: number;
  /** -1 before the first. */
  readonly lastCxid: number;
  /** -1 before the first. */
  readonly lastZxid: number;
  /** Monotonic, as Java prints it; 0 before the first. */
  readonly lastResponseMs: number;
  readonly lastLatencyMs: number;
  readonly minLatencyMs: number;
  readonly avgLatencyMs: number;
  readonly maxLatencyMs: number;
}

/** Sessions that expire at the same time. */
export interface ExpiringSessions {
  readonly expiresWallMs: number;
  readonly sessions: readonly SessionIdView[];
}

/** A metric with more than one number. */
export interface Summary {
  readonly count: number;
  readonly sum: number;
  readonly min: number;
  readonly max: number;
  /** By their names in `mntr`: `p50`, `p95`, `p99`, `p999`. */
  readonly quantiles?: Readonly<Record<string, number>>;
}

/** What four-letter words ask of a member of an ensemble besides. */
export interface EnsembleMemberView {
  /** The last line of `srvr` on a leader, which says how long its proposals were; empty on others. */
  proposalLine(): string;
  /** The lines that only a member has in `mntr`, without `zk_`. */
  gauges(): readonly (readonly [string, string | number])[];
  /** The lines that only a member has in `conf`. */
  configuration(): string;
}

/** All that four-letter words ask of a replica. Implemented over `Replica`. */
export interface ServerView {
  /** False before the start is over and after a failure: most words then say only that. */
  readonly serving: boolean;
  readonly state: ServerState;
  /** Its part in an ensemble; null when it is alone. */
  readonly member: EnsembleMemberView | null;
  statistics(): ServerStatistics;
  /** `srst`. */
  resetStatistics(): void;
  /** A four-letter word counts as a packet. */
  onWordReceived(): void;
  /** Null for a connection that the replica does not know: it has not said who it is. */
  connectionStatistics(connection: number): ConnectionStatistics | null;
  /** `crst`. */
  resetConnectionStatistics(): void;
  /** In the order in which they expire. */
  sessionsByExpiry(): Iterable<ExpiringSessions>;
  /** How many sessions `ephemerals` will tell of. */
  readonly sessionsWithEphemerals: number;
  /**
   * Sessions that own ephemerals, with the paths. This and the lists of watches are told step by step,
   * with anything happening in between: what comes or goes meanwhile is in them or not.
   */
  ephemerals(): Iterable<readonly [SessionIdView, Iterable<string>]>;
  /** How many connections watch how many paths, and all pairs together. */
  watchTotals(): { readonly connections: number; readonly paths: number; readonly watches: number };
  watchesBySession(): Iterable<readonly [SessionIdView, Iterable<string>]>;
  watchesByPath(): Iterable<readonly [string, Iterable<SessionIdView>]>;
  /** The history of the tree's digest, oldest first; the digest in decimal, signed. */
  digests(): Iterable<{ readonly zxid: number; readonly digest: bigint }>;
  /** Further counters by ZooKeeper's names, without `zk_`. */
  counters(): Iterable<readonly [string, number]>;
  /** Further metrics with several numbers, likewise. */
  summaries(): Iterable<readonly [string, Summary]>;
}
