import { decodeUtf8 } from '@meerkat/protocol';
import type { ReplicaState } from './replica-state.ts';

/**
 * Whether a write would break the hard quota of a subtree (`ZooKeeperServer.checkQuota`). Judged by
 * the sums of what is applied, so pipelined writes can overshoot, as in ZooKeeper. A soft quota is
 * only reported.
 *
 * @param bytesDiff bytes of data that the write adds, may be negative
 * @param countDiff znodes that it adds
 */
export function exceedsQuota(
  state: ReplicaState,
  path: Uint8Array,
  start: number,
  end: number,
  bytesDiff: number,
  countDiff: number,
): boolean {
  if (!state.config.enforceQuota) return false;
  const root = state.tree.quotaRoot(path, start, end);
  if (root === undefined) return false;
  const limits = state.tree.quotaLimits(root);
  const stats = state.tree.quotaStats(root);
  if (limits === undefined || stats === undefined) return false;
  const countHit = isOver(stats.count, countDiff, limits.count, limits.countHardLimit);
  const bytesHit = isOver(stats.bytes, bytesDiff, limits.bytes, limits.byteHardLimit);
  if (countHit === 'soft' || bytesHit === 'soft') {
    state.onSoftQuotaExceeded(decodeUtf8(root.path, 0, root.path.length));
  }
  return countHit === 'hard' || bytesHit === 'hard';
}

function isOver(
  current: number,
  diff: number,
  softLimit: number,
  hardLimit: number,
): 'no' | 'soft' | 'hard' {
  if (diff === 0) return 'no';
  if (hardLimit > -1) return current + diff > hardLimit ? 'hard' : 'no';
  return softLimit > -1 && current + diff > softLimit ? 'soft' : 'no';
}
