/**
 * Everything that can be set about one replica, in one record: what zoo.cfg says, checked and in
 * units. Owns the names, units and defaults; refuses to read files or text, which is `server/`'s.
 */
import type { EnsembleConfig } from './ensemble-config.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** How new snapshots are packed, `snapshot.compression.method` (`SnapStream.java`). */
export type SnapshotCompression = 'none' | 'gzip' | 'snappy';

/** `request_throttle_…`: how many requests may be in the pipeline (`RequestThrottler.java`). */
export interface RequestThrottleConfig {
  /** Requests in the pipeline before new ones wait; 0 is no limit. `request_throttle_max_requests`. */
  readonly maxRequests: number;
  /** Drops waiting requests of a connection that is gone. `request_throttle_drop_stale`. */
  readonly dropStale: boolean;
  /** A request of a closed connection counts as stale. `request_stale_connection_check`. */
  readonly staleConnectionCheck: boolean;
  /** A request older than its session's timeout counts as stale. `request_stale_latency_check`. */
  readonly staleLatencyCheck: boolean;
  /** A request that waited longer is answered THROTTLEDOP, ms; 0 is off. `throttled_op_wait_time`. */
  readonly throttledOpWaitTimeMs: number;
}

/** `connection_throttle_…`: a token bucket in front of new and renewed sessions (`BlueThrottle.java`). */
export interface ConnectionThrottleConfig {
  /** Size of the bucket; 0 turns the throttle off. `connection_throttle_tokens`. */
  readonly tokens: number;
  /** How often the bucket is filled, ms. `connection_throttle_fill_time`. */
  readonly fillTimeMs: number;
  /** Tokens added each time. `connection_throttle_fill_count`. */
  readonly fillCount: number;
  /** How often the drop probability is looked at again, ms; -1 leaves it at 0. `connection_throttle_freeze_time`. */
  readonly freezeTimeMs: number;
  /** Added to the drop probability when the bucket is empty. `connection_throttle_drop_increase`. */
  readonly dropIncrease: number;
  /** Taken from it when there is room. `connection_throttle_drop_decrease`. */
  readonly dropDecrease: number;
  /** Share of the bucket that may be missing for that. `connection_throttle_decrease_ratio`. */
  readonly decreaseRatio: number;
  /** Whether kinds of sessions cost different numbers of tokens. `connection_throttle_weight_enabled`. */
  readonly weightEnabled: boolean;
  /** Tokens for a local session. `connection_throttle_local_session_weight`. */
  readonly localSessionWeight: number;
  /** Tokens for a renewed session. `connection_throttle_renew_session_weight`. */
  readonly renewSessionWeight: number;
  /** Tokens for a new global session. `connection_throttle_global_session_weight`. */
  readonly globalSessionWeight: number;
}

/** Containers and TTL znodes that nobody needs any more (`ContainerManager.java`). */
export interface ContainerConfig {
  /** How often they are looked for, ms. `znode.container.checkIntervalMs`. */
  readonly checkIntervalMs: number;
  /** How many are deleted per minute at most. `znode.container.maxPerMinute`. */
  readonly maxPerMinute: number;
  /** A container that never had a child is deleted after this, ms; 0 never. `znode.container.maxNeverUsedIntervalMs`. */
  readonly maxNeverUsedIntervalMs: number;
}

/** Who may claim the digest scheme, and how (`DigestAuthenticationProvider.java`). */
export interface DigestAuthConfig {
  /** Whether the scheme exists. `DigestAuthenticationProvider.enabled`. */
  readonly enabled: boolean;
  /** Java's name of the hash: `SHA1`, `SHA-256`, …. `DigestAuthenticationProvider.digestAlg`. */
  readonly algorithm: string;
  /** `super:<base64 of the hash>`; null is nobody. `DigestAuthenticationProvider.superDigest`. */
  readonly superDigest: string | null;
}

/** The transaction log (`FileTxnLog.java`, `SyncRequestProcessor.java`). */
export interface TxnLogConfig {
  /** Transactions between two snapshots, drawn anew in [n/2, n). At least 2. `snapCount`. */
  readonly snapCount: number;
  /** Log KB between two snapshots, drawn likewise; 0 or less is no limit. `snapSizeLimitInKb`. */
  readonly snapSizeLimitKb: number;
  /** Step by which log files are filled with zeros in advance, KB; 0 is not at all. `preAllocSize`. */
  readonly preAllocSizeKb: number;
  /** A log file larger than this is followed by a new one, KB; -1 is no limit. `txnLogSizeLimitInKb`. */
  readonly txnLogSizeLimitKb: number;
  /** Whether a transaction is on disk before it is acknowledged. `forceSync`. */
  readonly forceSync: boolean;
  /** A sync that takes longer is warned about, ms. `fsync.warningthresholdms`. */
  readonly fsyncWarningThresholdMs: number;
}

/** Snapshots and recovery (`FileSnap.java`, `FileTxnSnapLog.java`). */
export interface SnapshotConfig {
  /** `snapshot.compression.method`. */
  readonly compression: SnapshotCompression;
  /** Starts from logs alone when there is no snapshot. `snapshot.trust.empty`. */
  readonly trustEmpty: boolean;
  /** Writes the 3.9 tail with the last processed zxid. `serializeLastProcessedZxid.enabled`. */
  readonly serializeLastProcessedZxid: boolean;
  /** Makes the data directories when they are missing. `datadir.autocreate`. */
  readonly datadirAutocreate: boolean;
  /** Starts an empty database without an `initialize` file. `db.autocreate`. */
  readonly dbAutocreate: boolean;
  /** Snapshots that a purge keeps, at least 3. `autopurge.snapRetainCount`. */
  readonly retainCount: number;
  /** How often a purge runs, ms; 0 never. The shell keeps the timer. `autopurge.purgeInterval`. */
  readonly purgeIntervalMs: number;
}

/** All settings of a replica. */
export interface ReplicaConfig {
  /** First byte of new session ids: `myid`, or 1 standalone, as Java's standalone session tracker has it. */
  readonly serverId: number;
  /** Directory whose `version-2` holds snapshots and epoch files. `dataDir`. */
  readonly dataDir: string;
  /** Directory whose `version-2` holds the logs; the same one unless set. `dataLogDir`. */
  readonly dataLogDir: string;
  /** The base unit of time, ms; also the width of an expiry bucket. `tickTime`. */
  readonly tickTimeMs: number;
  /** Shortest session timeout granted, ms. `minSessionTimeout`, else 2 ticks. */
  readonly minSessionTimeoutMs: number;
  /** Longest session timeout granted, ms. `maxSessionTimeout`, else 20 ticks. */
  readonly maxSessionTimeoutMs: number;
  readonly txnLog: TxnLogConfig;
  readonly snapshot: SnapshotConfig;
  /** Keeps the digest of the tree and writes it to logs and snapshots. `digest.enabled`. */
  readonly digestEnabled: boolean;
  /** Writes the paths that a closeSession deletes into its txn. `closeSessionTxn.enabled`. */
  readonly closeSessionTxnEnabled: boolean;
  /** Allows TTL znodes. `extendedTypesEnabled`. */
  readonly extendedTypesEnabled: boolean;
  /** Reads ephemeralOwner as 3.5.3 wrote TTLs. `emulate353TTLNodes`. */
  readonly emulate353TtlNodes: boolean;
  /** Refuses what breaks a hard quota. `enforceQuota`. */
  readonly enforceQuota: boolean;
  /** Whether membership may be changed; standalone only the error differs. `reconfigEnabled`. */
  readonly reconfigEnabled: boolean;
  /** Checks no ACLs at all. `skipACL=yes`. */
  readonly skipAcl: boolean;
  /** Serves reads without a leader; no effect standalone but on `isro`. `readonlymode.enabled`. */
  readonly readOnlyModeEnabled: boolean;
  readonly digestAuth: DigestAuthConfig;
  readonly container: ContainerConfig;
  readonly requestThrottle: RequestThrottleConfig;
  readonly connectionThrottle: ConnectionThrottleConfig;
  /** Bytes of requests above `largeRequestThreshold` in the pipeline; more closes the connection. `largeRequestMaxBytes`. */
  readonly largeRequestBytesMax: number;
  /** A request of more bytes than this is large; -1 is none. `largeRequestThreshold`. */
  readonly largeRequestThresholdBytes: number;
  /** The ensemble that this replica is a member of; null when it is alone. */
  readonly ensemble: EnsembleConfig | null;
  /** Bounds; `jute.maxbuffer`, `jute.maxbuffer.extrasize` and `globalOutstandingLimit` set theirs. */
  readonly limits: Limits;
}

/** The defaults of a standalone server whose data is in `dataDir`; spread over it what differs. */
export const defaultReplicaConfig: ReplicaConfig = {
  serverId: 1,
  dataDir: 'data',
  dataLogDir: 'data',
  tickTimeMs: 3000,
  minSessionTimeoutMs: 6000,
  maxSessionTimeoutMs: 60_000,
  txnLog: {
    snapCount: 100_000,
    snapSizeLimitKb: 4_194_304,
    preAllocSizeKb: 65_536,
    txnLogSizeLimitKb: -1,
    forceSync: true,
    fsyncWarningThresholdMs: 1000,
  },
  snapshot: {
    compression: 'none',
    trustEmpty: false,
    serializeLastProcessedZxid: true,
    datadirAutocreate: true,
    dbAutocreate: true,
    retainCount: 3,
    purgeIntervalMs: 0,
  },
  digestEnabled: true,
  closeSessionTxnEnabled: true,
  extendedTypesEnabled: false,
  emulate353TtlNodes: false,
  enforceQuota: false,
  reconfigEnabled: false,
  skipAcl: false,
  readOnlyModeEnabled: false,
  digestAuth: { enabled: true, algorithm: 'SHA1', superDigest: null },
  container: { checkIntervalMs: 60_000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 300_000 },
  requestThrottle: {
    maxRequests: 0,
    dropStale: true,
    staleConnectionCheck: true,
    staleLatencyCheck: false,
    throttledOpWaitTimeMs: 0,
  },
  connectionThrottle: {
    tokens: 0,
    fillTimeMs: 1,
    fillCount: 1,
    freezeTimeMs: -1,
    dropIncrease: 0.02,
    dropDecrease: 0.002,
    decreaseRatio: 0,
    weightEnabled: false,
    localSessionWeight: 1,
    renewSessionWeight: 2,
    globalSessionWeight: 3,
  },
  largeRequestBytesMax: 100 * 1024 * 1024,
  largeRequestThresholdBytes: -1,
  ensemble: null,
  limits: defaultLimits,
};
