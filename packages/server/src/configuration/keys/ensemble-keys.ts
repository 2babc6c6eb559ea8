import { type ConfigurationKey, honoured, later, withoutEffect } from '../configuration-key.ts';
import { text, trueOrFalse } from '../readers.ts';

/** Members, elections, and what servers say to each other. */
export const ensembleKeys: readonly ConfigurationKey[] = [
  {
    name: 'server.*',
    effect: 'honoured',
    type: 'host:port:port[:role][;clientPort]',
    default: null,
    about:
      'a member; one alone is a standalone server, as in ZooKeeper; more than one refuses the start: ensembles come later',
    apply() {},
  },
  honoured('dynamicConfigFile', text, null, 'the file with the members', (draft, value) => {
    draft.dynamicConfigFile = value;
  }),
  honoured(
    'standaloneEnabled',
    trueOrFalse,
    'true',
    'false makes an ensemble even of one member, which refuses the start',
    (draft, value) => {
      draft.standaloneEnabled = value;
    },
  ),
  honoured(
    'reconfigEnabled',
    trueOrFalse,
    'false',
    'whether members may be changed; with one server only the error differs',
    (draft, value) => {
      draft.server.replica.reconfigEnabled = value;
    },
  ),
  ...later('ensembles; with one server it does nothing in ZooKeeper either', {
    'group.*': null,
    'weight.*': null,
    version: null,
    initLimit: null,
    syncLimit: null,
    connectToLearnerMasterLimit: '0',
    electionAlg: '3',
    peerType: 'participant',
    syncEnabled: 'true',
    'observer.syncEnabled': 'true',
    quorumListenOnAllIPs: 'false',
    localSessionsEnabled: 'false',
    localSessionsUpgradingEnabled: 'false',
    oraclePath: null,
    leaderServes: 'yes',
    cnxTimeout: '5000',
    quorumCnxnTimeoutMs: '-1',
    electionPortBindRetry: '3',
    tcpKeepAlive: 'false',
    'fastleader.minNotificationInterval': '200',
    'fastleader.maxNotificationInterval': '60000',
    'leader.maxTimeToWaitForEpoch': '-1',
    leaderConnectDelayDuringRetryMs: '100',
    'leader.maxConcurrentSnapSyncs': '10',
    'leader.maxConcurrentDiffSyncs': '100',
    'leader.ackLoggingFrequency': '1000',
    'leader.nodelay': 'true',
    'follower.nodelay': 'true',
    'learner.asyncSending': 'false',
    'learner.closeSocketAsync': 'false',
    'leader.closeSocketAsync': 'false',
    'observer.reconnectDelayMs': '0',
    'observer.election.DelayMs': '200',
    'observerMaster.sizeLimit': '33554432',
    'follower.skipLearnerRequestToNextProcessor': 'false',
    forward_learner_requests_to_commit_processor_disabled: 'false',
    'multiAddress.enabled': 'false',
    'multiAddress.reachabilityCheckEnabled': 'true',
    'multiAddress.reachabilityCheckTimeoutMs': '1000',
  }),
  ...withoutEffect("only for ZooKeeper's own tests", {
    'testingonly.initialZxid': null,
    'test.allowDiscontinuousProposals': 'false',
    forceSnapshotSync: 'false',
  }),
];
