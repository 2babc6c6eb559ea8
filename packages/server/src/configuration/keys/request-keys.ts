import { type ConfigurationKey, honoured, later, withoutEffect } from '../configuration-key.ts';
import { onlyYes, trueOrFalse, wholeNumber } from '../readers.ts';
import { connectionThrottleKeys } from './connection-throttle-keys.ts';

/** Bounds of requests, the data model, and who is throttled when. */
export const requestKeys: readonly ConfigurationKey[] = [
  honoured(
    'jute.maxbuffer',
    wholeNumber({ min: 0, unit: 'bytes' }),
    '1048575',
    'longest request of a client',
    (draft, value) => {
      draft.server.replica.limits.frameBytesMax = value;
    },
  ),
  honoured(
    'jute.maxbuffer.extrasize',
    wholeNumber({ unit: 'bytes' }),
    null,
    'added to it for what comes from disk; jute.maxbuffer unless set, at least 1024',
    (draft, value) => {
      draft.maxBufferExtraBytes = value;
    },
  ),
  honoured(
    'globalOutstandingLimit',
    wholeNumber({ min: 1, unit: 'requests' }),
    '1000',
    'requests in the pipeline before reading from clients pauses',
    (draft, value) => {
      draft.server.replica.limits.outstandingRequestsMax = value;
    },
  ),
  honoured(
    'largeRequestThreshold',
    wholeNumber({ min: -1, unit: 'bytes' }),
    '-1',
    'a longer request counts as large; -1 is none',
    (draft, value) => {
      draft.server.replica.largeRequestThresholdBytes = value;
    },
  ),
  honoured(
    'largeRequestMaxBytes',
    wholeNumber({ min: 0, unit: 'bytes' }),
    '104857600',
    'large requests in the pipeline; one more closes its connection',
    (draft, value) => {
      draft.server.replica.largeRequestBytesMax = value;
    },
  ),
  honoured('digest.enabled', trueOrFalse, 'true', 'keeps a digest of the tree', (draft, value) => {
    draft.server.replica.digestEnabled = value;
  }),
  honoured(
    'closeSessionTxn.enabled',
    trueOrFalse,
    'true',
    'writes what a closeSession deletes into the log',
    (draft, value) => {
      draft.server.replica.closeSessionTxnEnabled = value;
    },
  ),
  honoured('extendedTypesEnabled', trueOrFalse, 'false', 'allows TTL znodes', (draft, value) => {
    draft.server.replica.extendedTypesEnabled = value;
  }),
  honoured(
    'emulate353TTLNodes',
    trueOrFalse,
    'false',
    'reads TTLs as 3.5.3 wrote them',
    (draft, value) => {
      draft.server.replica.emulate353TtlNodes = value;
    },
  ),
  honoured(
    'enforceQuota',
    trueOrFalse,
    'false',
    'refuses what breaks a hard quota',
    (draft, value) => {
      draft.server.replica.enforceQuota = value;
    },
  ),
  honoured('skipACL', onlyYes, 'no', 'checks no ACLs; only `yes` turns it on', (draft, value) => {
    draft.server.replica.skipAcl = value;
  }),
  ...later('members of an ensemble; with one server it does nothing in ZooKeeper either', {
    enableEagerACLCheck: 'false',
  }),
  honoured(
    'readonlymode.enabled',
    trueOrFalse,
    'false',
    'a member without a leader serves reads, to local sessions alone; with one server it only lets `isro` through the whitelist',
    (draft, value) => {
      draft.server.replica.readOnlyModeEnabled = value;
    },
  ),
  honoured(
    'znode.container.checkIntervalMs',
    wholeNumber({ min: 1, unit: 'ms' }),
    '60000',
    'how often empty containers and old TTL znodes are looked for',
    (draft, value) => {
      draft.server.replica.container.checkIntervalMs = value;
    },
  ),
  honoured(
    'znode.container.maxPerMinute',
    wholeNumber({ min: 1, unit: 'znodes' }),
    '10000',
    'how many of them are deleted per minute',
    (draft, value) => {
      draft.server.replica.container.maxPerMinute = value;
    },
  ),
  honoured(
    'znode.container.maxNeverUsedIntervalMs',
    wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'ms' }),
    '300000',
    'a container that never had a child is deleted after this; 0 never',
    (draft, value) => {
      draft.server.replica.container.maxNeverUsedIntervalMs = value;
    },
  ),
  honoured(
    'request_throttle_max_requests',
    wholeNumber({ min: 0, unit: 'requests' }),
    '0',
    'requests in the pipeline before new ones wait; 0 is no limit',
    (draft, value) => {
      draft.server.replica.requestThrottle.maxRequests = value;
    },
  ),
  ...withoutEffect('a waiting request is looked at again at the end of each turn', {
    request_throttle_stall_time: '100',
  }),
  honoured(
    'request_throttle_drop_stale',
    trueOrFalse,
    'true',
    'drops waiting requests that are stale',
    (draft, value) => {
      draft.server.replica.requestThrottle.dropStale = value;
    },
  ),
  honoured(
    'request_stale_connection_check',
    trueOrFalse,
    'true',
    'a request of a closed connection is stale',
    (draft, value) => {
      draft.server.replica.requestThrottle.staleConnectionCheck = value;
    },
  ),
  honoured(
    'request_stale_latency_check',
    trueOrFalse,
    'false',
    "a request older than its session's timeout is stale",
    (draft, value) => {
      draft.server.replica.requestThrottle.staleLatencyCheck = value;
    },
  ),
  honoured(
    'throttled_op_wait_time',
    wholeNumber({ min: 0, unit: 'ms' }),
    '0',
    'a request that waited longer is answered THROTTLEDOP; 0 is never',
    (draft, value) => {
      draft.server.replica.requestThrottle.throttledOpWaitTimeMs = value;
    },
  ),
  ...connectionThrottleKeys,
  ...withoutEffect('replies are encoded faster than they could be looked up', {
    maxResponseCacheSize: '400',
    maxGetChildrenResponseCacheSize: '400',
    intBufferStartingSizeBytes: '1024',
  }),
  ...withoutEffect('one thread runs the requests, without queues between stages', {
    'commitProcessor.numWorkerThreads': null,
    'commitProcessor.shutdownTimeout': '5000',
    'commitProcessor.maxReadBatchSize': '-1',
    'commitProcessor.maxCommitBatchSize': '1',
    maxWriteQueuePollTime: null,
    'request_throttler.shutdownTimeout': '10000',
  }),
  ...withoutEffect('there is one kind of watch table, compact and without dead watchers', {
    watchManagerName: 'org.apache.zookeeper.server.watch.WatchManager',
    watcherCleanThreadsNum: '2',
    watcherCleanThreshold: '1000',
    watcherCleanIntervalInSeconds: '600',
    maxInProcessingDeadWatchers: '-1',
    bitHashCacheSize: '10',
  }),
];
