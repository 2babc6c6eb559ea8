import { type ConfigurationKey, honoured } from '../configuration-key.ts';
import { fraction, trueOrFalse, wholeNumber } from '../readers.ts';

const tokens = wholeNumber({ min: 0, unit: 'tokens' });

/** The gate in front of new and renewed sessions. */
export const connectionThrottleKeys: readonly ConfigurationKey[] = [
  honoured(
    'connection_throttle_tokens',
    tokens,
    '0',
    'bucket in front of new and renewed sessions; 0 is none',
    (draft, value) => {
      draft.server.replica.connectionThrottle.tokens = value;
    },
  ),
  honoured(
    'connection_throttle_fill_time',
    wholeNumber({ min: 1, unit: 'ms' }),
    '1',
    'how often it is filled',
    (draft, value) => {
      draft.server.replica.connectionThrottle.fillTimeMs = value;
    },
  ),
  honoured('connection_throttle_fill_count', tokens, '1', 'with how much', (draft, value) => {
    draft.server.replica.connectionThrottle.fillCount = value;
  }),
  honoured(
    'connection_throttle_freeze_time',
    wholeNumber({ min: -1, unit: 'ms' }),
    '-1',
    'how often the drop probability changes; -1 is never',
    (draft, value) => {
      draft.server.replica.connectionThrottle.freezeTimeMs = value;
    },
  ),
  honoured(
    'connection_throttle_drop_increase',
    fraction,
    '0.02',
    'added to the drop probability when the bucket is empty',
    (draft, value) => {
      draft.server.replica.connectionThrottle.dropIncrease = value;
    },
  ),
  honoured(
    'connection_throttle_drop_decrease',
    fraction,
    '0.002',
    'taken from it when there is room',
    (draft, value) => {
      draft.server.replica.connectionThrottle.dropDecrease = value;
    },
  ),
  honoured(
    'connection_throttle_decrease_ratio',
    fraction,
    '0',
    'share of the bucket that may be missing for that',
    (draft, value) => {
      draft.server.replica.connectionThrottle.decreaseRatio = value;
    },
  ),
  honoured(
    'connection_throttle_weight_enabled',
    trueOrFalse,
    'false',
    'sessions cost by their kind',
    (draft, value) => {
      draft.server.replica.connectionThrottle.weightEnabled = value;
    },
  ),
  honoured(
    'connection_throttle_local_session_weight',
    tokens,
    '1',
    'cost of a local session',
    (draft, value) => {
      draft.server.replica.connectionThrottle.localSessionWeight = value;
    },
  ),
  honoured(
    'connection_throttle_renew_session_weight',
    tokens,
    '2',
    'cost of a renewed session',
    (draft, value) => {
      draft.server.replica.connectionThrottle.renewSessionWeight = value;
    },
  ),
  honoured(
    'connection_throttle_global_session_weight',
    tokens,
    '3',
    'cost of a new global session',
    (draft, value) => {
      draft.server.replica.connectionThrottle.globalSessionWeight = value;
    },
  ),
];
