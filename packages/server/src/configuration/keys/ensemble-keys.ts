import { type ConfigurationKey, honoured, later, withoutEffect } from '../configuration-key.ts';
import { oneOf, text, trueOrFalse, unlessNo, wholeNumber } from '../readers.ts';
import { membershipKeys } from './membership-keys.ts';

const ticks = wholeNumber({ min: 1, unit: 'ticks' });
const ms = wholeNumber({ min: 0, unit: 'ms' });
const learners = wholeNumber({ min: 1, unit: 'observers' });

/** Members, elections, and what servers say to each other. */
export const ensembleKeys: readonly ConfigurationKey[] = [
  ...membershipKeys,
  honoured(
    'initLimit',
    ticks,
    null,
    'how long a member may take to connect to the leader and to be synchronised; required in an ensemble',
    (draft, value) => {
      draft.initLimitTicks = value;
    },
  ),
  honoured(
    'syncLimit',
    ticks,
    null,
    'silence after which leader and member give each other up; required in an ensemble',
    (draft, value) => {
      draft.syncLimitTicks = value;
    },
  ),
  honoured(
    'connectToLearnerMasterLimit',
    wholeNumber({ min: 0, unit: 'ticks' }),
    '0',
    'how long a member may take to reach the leader; 0 is initLimit',
    (draft, value) => {
      draft.ensemble.connectLimitTicks = value;
    },
  ),
  honoured(
    'electionAlg',
    oneOf({ 3: 3 } as const),
    '3',
    'how leaders are elected; there is one way left',
    () => {},
  ),
  honoured(
    'quorumListenOnAllIPs',
    trueOrFalse,
    'false',
    'awaits the other members at every address of the machine, not only at its own line',
    (draft, value) => {
      draft.ensemble.listenOnAllIps = value;
    },
  ),
  honoured(
    'oraclePath',
    text,
    null,
    'of two members, one goes on alone while the first character of this file is 1',
    (draft, value) => {
      draft.oraclePath = value;
    },
  ),
  honoured(
    'leaderServes',
    unlessNo,
    'yes',
    'whether the leader serves clients; only `no` turns it off',
    (draft, value) => {
      draft.ensemble.leaderServes = value;
    },
  ),
  honoured('cnxTimeout', ms, '5000', 'how long a dial for an election may take', (draft, value) => {
    draft.ensemble.election.connectTimeoutMs = value;
  }),
  honoured(
    'quorumCnxnTimeoutMs',
    wholeNumber({ min: -1, unit: 'ms' }),
    '-1',
    'how long a stream for elections may stay without saying whose it is; -1 is syncLimit ticks',
    (draft, value) => {
      draft.quorumCnxnTimeoutMs = value;
    },
  ),
  honoured(
    'electionPortBindRetry',
    wholeNumber({ min: 0, unit: 'attempts' }),
    '3',
    'how often the port for elections is tried; 0 is for ever',
    (draft, value) => {
      draft.ensemble.election.listenAttemptsMax = value;
    },
  ),
  honoured(
    'tcpKeepAlive',
    trueOrFalse,
    'false',
    'TCP keep-alive between members',
    (draft, value) => {
      draft.server.peers.keepAlive = value;
    },
  ),
  honoured(
    'fastleader.minNotificationInterval',
    ms,
    '200',
    'silence after which a vote is sent again',
    (draft, value) => {
      draft.ensemble.election.notificationIntervalMinMs = value;
    },
  ),
  honoured(
    'fastleader.maxNotificationInterval',
    ms,
    '60000',
    'to how much that doubles',
    (draft, value) => {
      draft.ensemble.election.notificationIntervalMaxMs = value;
    },
  ),
  honoured(
    'leader.maxTimeToWaitForEpoch',
    wholeNumber({ min: -1, unit: 'ms' }),
    '-1',
    'a leader without a quorum for its epoch gives up after this when a voter looks for a leader again; -1 never',
    (draft, value) => {
      draft.ensemble.epochWaitMs = value;
    },
  ),
  honoured(
    'leaderConnectDelayDuringRetryMs',
    ms,
    '100',
    'the pause between two dials of the leader',
    (draft, value) => {
      draft.ensemble.redialDelayMs = value;
    },
  ),
  honoured(
    'leader.maxConcurrentSnapSyncs',
    learners,
    '10',
    'observers that are sent a snapshot at a time',
    (draft, value) => {
      draft.ensemble.snapSyncsMax = value;
    },
  ),
  honoured(
    'leader.maxConcurrentDiffSyncs',
    learners,
    '100',
    'observers that are sent a difference at a time',
    (draft, value) => {
      draft.ensemble.diffSyncsMax = value;
    },
  ),
  honoured(
    'observer.reconnectDelayMs',
    ms,
    '0',
    'the pause before an observer looks for a leader again',
    (draft, value) => {
      draft.ensemble.observerReconnectDelayMs = value;
    },
  ),
  honoured(
    'observer.election.DelayMs',
    ms,
    '200',
    "the longest random pause before an observer's election",
    (draft, value) => {
      draft.ensemble.observerElectionDelayMs = value;
    },
  ),
  honoured(
    'multiAddress.enabled',
    trueOrFalse,
    'false',
    'whether a member may have several addresses',
    (draft, value) => {
      draft.ensemble.election.multiAddressEnabled = value;
    },
  ),
  honoured(
    'localSessionsEnabled',
    trueOrFalse,
    'false',
    'new sessions are known only to the member they were made at',
    (draft, value) => {
      draft.ensemble.localSessionsEnabled = value;
    },
  ),
  honoured(
    'localSessionsUpgradingEnabled',
    trueOrFalse,
    'false',
    'a local session that makes an ephemeral becomes a global one',
    (draft, value) => {
      draft.ensemble.localSessionsUpgradingEnabled = value;
    },
  ),
  ...later('observers without files; until then they write logs and snapshots', {
    syncEnabled: 'true',
    'observer.syncEnabled': 'true',
  }),
  honoured(
    'observerMasterPort',
    wholeNumber({ min: 0, max: 65_535, unit: 'port' }),
    '0',
    'where a follower awaits observers, and where observers look for followers; 0 is nowhere',
    (draft, value) => {
      draft.ensemble.observerMasterPort = value;
    },
  ),
  honoured(
    'observerMaster.sizeLimit',
    wholeNumber({ min: 0, unit: 'bytes' }),
    '33554432',
    'what may wait for one such observer before it is let go, and synchronised anew',
    (draft, value) => {
      draft.ensemble.observerMasterBytesMax = value;
    },
  ),
  ...withoutEffect('addresses are dialled, not probed first', {
    'multiAddress.reachabilityCheckEnabled': 'true',
    'multiAddress.reachabilityCheckTimeoutMs': '1000',
  }),
  ...withoutEffect(
    'one event loop serves the streams between members, and none waits for another',
    {
      'leader.nodelay': 'true',
      'follower.nodelay': 'true',
      'learner.asyncSending': 'false',
      'learner.closeSocketAsync': 'false',
      'leader.closeSocketAsync': 'false',
      'follower.skipLearnerRequestToNextProcessor': 'false',
      forward_learner_requests_to_commit_processor_disabled: 'false',
      'leader.ackLoggingFrequency': '1000',
    },
  ),
  ...withoutEffect("only for ZooKeeper's own tests", {
    'testingonly.initialZxid': null,
    'test.allowDiscontinuousProposals': 'false',
    forceSnapshotSync: 'false',
  }),
];
