import { type ConfigurationKey, honoured, withoutEffect } from '../configuration-key.ts';
import {
  fractionOrOff,
  hoursOrInterval,
  oneOf,
  trueOrFalse,
  unlessNo,
  wholeNumber,
} from '../readers.ts';

/** The value that Java falls back to, with a warning, when it is lower. */
const snapRetainCountMin = 3;
const snapCountMin = 2;
const commitLogCountMin = 500;

/** Logs, snapshots, recovery and their purge. */
export const storageKeys: readonly ConfigurationKey[] = [
  honoured(
    'snapCount',
    wholeNumber({ unit: 'transactions' }),
    '100000',
    'transactions between two snapshots, drawn anew in [n/2, n); at least 2',
    (draft, value) => {
      draft.server.replica.txnLog.snapCount = Math.max(snapCountMin, value);
    },
  ),
  honoured(
    'snapSizeLimitInKb',
    wholeNumber({ max: Number.MAX_SAFE_INTEGER, unit: 'KB' }),
    '4194304',
    'log between two snapshots, drawn likewise; 0 or less is no limit',
    (draft, value) => {
      draft.server.replica.txnLog.snapSizeLimitKb = value;
    },
  ),
  honoured(
    'preAllocSize',
    wholeNumber({ min: 0, unit: 'KB' }),
    '65536',
    'step by which log files are made longer in advance',
    (draft, value) => {
      draft.server.replica.txnLog.preAllocSizeKb = value;
    },
  ),
  honoured(
    'txnLogSizeLimitInKb',
    wholeNumber({ max: Number.MAX_SAFE_INTEGER, unit: 'KB' }),
    '-1',
    'a longer log file is followed by a new one; -1 is no limit',
    (draft, value) => {
      draft.server.replica.txnLog.txnLogSizeLimitKb = value;
    },
  ),
  honoured(
    'forceSync',
    unlessNo,
    'yes',
    'whether a write is on disk before it is acknowledged; only `no` turns it off, as in Java',
    (draft, value) => {
      draft.server.replica.txnLog.forceSync = value;
    },
  ),
  honoured(
    'fsync.warningthresholdms',
    wholeNumber({ min: 0, unit: 'ms' }),
    '1000',
    'a sync of the log that takes longer is warned about',
    (draft, value) => {
      draft.server.replica.txnLog.fsyncWarningThresholdMs = value;
    },
  ),
  ...withoutEffect('what came while the disk was busy shares a sync, so the load decides', {
    maxBatchSize: '1000',
    flushDelay: '0',
  }),
  honoured(
    'snapshot.compression.method',
    oneOf({ '': 'none', gz: 'gzip', snappy: 'snappy' } as const),
    '',
    'how new snapshots are packed; every kind is read',
    (draft, value) => {
      draft.server.replica.snapshot.compression = value;
    },
  ),
  honoured(
    'snapshot.trust.empty',
    trueOrFalse,
    'false',
    'starts from logs alone when there is no snapshot',
    (draft, value) => {
      draft.server.replica.snapshot.trustEmpty = value;
    },
  ),
  honoured(
    'serializeLastProcessedZxid.enabled',
    trueOrFalse,
    'true',
    'writes the 3.9 end of a snapshot',
    (draft, value) => {
      draft.server.replica.snapshot.serializeLastProcessedZxid = value;
    },
  ),
  honoured(
    'datadir.autocreate',
    trueOrFalse,
    'true',
    'makes missing data directories',
    (draft, value) => {
      draft.server.replica.snapshot.datadirAutocreate = value;
    },
  ),
  honoured(
    'db.autocreate',
    trueOrFalse,
    'true',
    'starts an empty database without an `initialize` file',
    (draft, value) => {
      draft.server.replica.snapshot.dbAutocreate = value;
    },
  ),
  honoured(
    'autopurge.snapRetainCount',
    wholeNumber({ unit: 'snapshots' }),
    '3',
    'snapshots that a purge keeps; at least 3',
    (draft, value) => {
      draft.server.replica.snapshot.retainCount = Math.max(snapRetainCountMin, value);
    },
  ),
  honoured(
    'autopurge.purgeInterval',
    hoursOrInterval,
    '0',
    'how often old snapshots and logs are removed; 0 or less is never',
    (draft, value) => {
      draft.server.replica.snapshot.purgeIntervalMs = Math.max(0, value);
    },
  ),
  honoured(
    'commitLogCount',
    wholeNumber({ unit: 'transactions' }),
    '500',
    'committed transactions kept in memory for members that come back; at least 500',
    (draft, value) => {
      draft.ensemble.commitLogCount = Math.max(commitLogCountMin, value);
    },
  ),
  honoured(
    'snapshotSizeFactor',
    fractionOrOff,
    '0.33',
    "logs up to this share of the snapshot's size are sent to a member that comes back, instead of the snapshot; below 0 never",
    (draft, value) => {
      draft.ensemble.snapshotSizeFactor = value;
    },
  ),
];
