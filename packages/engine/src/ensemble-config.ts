/**
 * Everything that can be set about a member of an ensemble, checked and in units. Owns the names and the
 * defaults; refuses to read files or text, which is `server/`'s.
 */
import type { QuorumConfig } from './quorum/quorum-config.ts';
import type { Oracle } from './quorum/quorum-verifier.ts';

/** How elections are held (`QuorumCnxManager.java`, `FastLeaderElection.java`). */
export interface ElectionConfig {
  /** How long a dial may take, ms. `cnxTimeout`. */
  readonly connectTimeoutMs: number;
  /** How long a stream may stay without saying whose it is, ms. `quorumCnxnTimeoutMs`, else `syncLimit` ticks. */
  readonly helloTimeoutMs: number;
  /** How long a better vote is waited for once a quorum agrees, ms. ZooKeeper's is 200. */
  readonly finalizeWaitMs: number;
  /** How long silence lasts before the vote is sent again, ms. `fastleader.minNotificationInterval`. */
  readonly notificationIntervalMinMs: number;
  /** To how much that doubles, ms. `fastleader.maxNotificationInterval`. */
  readonly notificationIntervalMaxMs: number;
  /** How often the election port is tried; 0 is without end. `electionPortBindRetry`. */
  readonly listenAttemptsMax: number;
  /** Whether members may have several addresses. `multiAddress.enabled`. */
  readonly multiAddressEnabled: boolean;
}

/** All settings of a member; times in ticks are counted in `ReplicaConfig.tickTimeMs`. */
export interface EnsembleConfig {
  /** This member's id: the N of its `server.N` line, and the file `myid`. */
  readonly myId: number;
  /** Who belongs to the ensemble, as zoo.cfg or the dynamic file says. */
  readonly members: QuorumConfig;
  /** A configuration that was proposed and is not known to be committed: the file `.dynamic.next`; else null. */
  readonly proposedMembers: QuorumConfig | null;
  /** Who may go on alone of two, `oraclePath`; else null. */
  readonly oracle: Oracle | null;
  /** Ticks that learners may take to connect and to be synchronised. `initLimit`. */
  readonly initLimitTicks: number;
  /** Ticks of silence after which leader and learner give each other up. `syncLimit`. */
  readonly syncLimitTicks: number;
  /** Ticks in which a learner must have reached the leader; 0 is `initLimit`. `connectToLearnerMasterLimit`. */
  readonly connectLimitTicks: number;
  /**
   * How long a leader waits for a quorum to agree on its epoch before it gives up as soon as one of its voters looks
   * for a leader again, ms; -1 leaves it at `initLimit`. `leader.maxTimeToWaitForEpoch`.
   */
  readonly epochWaitMs: number;
  /** A pause between two dials of the leader, ms. `leaderConnectDelayDuringRetryMs`. */
  readonly redialDelayMs: number;
  /** Whether peers are awaited on every interface. `quorumListenOnAllIPs`. */
  readonly listenOnAllIps: boolean;
  readonly election: ElectionConfig;
  /** Whether a reconfiguration must leave two voters: one would be a server that is alone. `standaloneEnabled`. */
  readonly standaloneEnabled: boolean;
  /** Whether the leader serves clients. `leaderServes`. */
  readonly leaderServes: boolean;
  /** Committed transactions that are kept in memory for learners that come back. `commitLogCount`. */
  readonly commitLogCount: number;
  /** Logs of at most this share of the last snapshot's size are sent instead of a snapshot. `snapshotSizeFactor`. */
  readonly snapshotSizeFactor: number;
  /**
   * Transactions of an epoch after which its leader begins a new one; those on their way still get numbers. Ours: Java
   * goes up to 2^32 - 1, where the transactions that come together with the last one are lost.
   */
  readonly epochTransactionsMax: number;
  /** Observers that may be sent a snapshot at a time. `leader.maxConcurrentSnapSyncs`. */
  readonly snapSyncsMax: number;
  /** Observers that may be sent a difference at a time. `leader.maxConcurrentDiffSyncs`. */
  readonly diffSyncsMax: number;
  /** Whether new sessions are local at first. `localSessionsEnabled`. */
  readonly localSessionsEnabled: boolean;
  /** Whether a local session that needs to becomes a global one. `localSessionsUpgradingEnabled`. */
  readonly localSessionsUpgradingEnabled: boolean;
  /** Whether an observer writes logs and snapshots. `syncEnabled`. */
  readonly observerLogs: boolean;
  /** A pause before an observer looks for a leader again, ms. `observer.reconnectDelayMs`. */
  readonly observerReconnectDelayMs: number;
  /** The longest random pause before an observer's election, ms. `observer.election.DelayMs`. */
  readonly observerElectionDelayMs: number;
  /** Where followers await observers, and observers dial followers; 0 is nowhere. `observerMasterPort`. */
  readonly observerMasterPort: number;
  /** Bytes that may wait for one of them. `observerMaster.sizeLimit`. */
  readonly observerMasterBytesMax: number;
  /** The dynamic configuration file without its version, written on a reconfiguration; null writes none. */
  readonly dynamicFile: string | null;
}

/** ZooKeeper's defaults, with initLimit 10, syncLimit 5 and tickTime 2000; spread over it what differs. */
export const defaultEnsembleConfig: Omit<EnsembleConfig, 'myId' | 'members'> = {
  proposedMembers: null,
  oracle: null,
  initLimitTicks: 10,
  syncLimitTicks: 5,
  connectLimitTicks: 0,
  epochWaitMs: -1,
  redialDelayMs: 100,
  listenOnAllIps: false,
  election: {
    connectTimeoutMs: 5000,
    helloTimeoutMs: 10_000,
    finalizeWaitMs: 200,
    notificationIntervalMinMs: 200,
    notificationIntervalMaxMs: 60_000,
    listenAttemptsMax: 3,
    multiAddressEnabled: false,
  },
  standaloneEnabled: true,
  leaderServes: true,
  commitLogCount: 500,
  snapshotSizeFactor: 0.33,
  epochTransactionsMax: 0xffff0000,
  snapSyncsMax: 10,
  diffSyncsMax: 100,
  localSessionsEnabled: false,
  localSessionsUpgradingEnabled: false,
  observerLogs: true,
  observerReconnectDelayMs: 0,
  observerElectionDelayMs: 200,
  observerMasterPort: 0,
  observerMasterBytesMax: 33_554_432,
  dynamicFile: null,
};
