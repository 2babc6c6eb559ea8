/**
 * How a learner is brought to the leader's history (`LearnerHandler.syncFollower`). Owns the choice; sends nothing.
 */
import { counterOf, epochOf, type Zxid } from '@meerkat/protocol';
import type { RecentTransactions } from './recent-transactions.ts';

/** What a learner is told first, and what follows. */
export type SyncPlan =
  /** What it has is right: it gets the transactions from number `from` on, after those of the disk if `disk`. */
  | { readonly kind: 'DIFF'; readonly zxid: Zxid; readonly from: number; readonly disk: boolean }
  /** What it has beyond `zxid` goes; then as for a difference. */
  | { readonly kind: 'TRUNC'; readonly zxid: Zxid; readonly from: number; readonly disk: false }
  /** It gets everything; then the transactions from number `from` on. */
  | { readonly kind: 'SNAP'; readonly zxid: Zxid; readonly from: number; readonly disk: false };

/**
 * @param peer the last transaction in the learner's log; -1 when it has no database
 * @param lastProcessed the leader's last applied transaction, or the beginning of its epoch
 * @param isOnDisk whether the leader's log on disk goes on from `peer` up to what `recent` holds, without a hole
 */
export function planSync(
  peer: Zxid,
  lastProcessed: Zxid,
  recent: RecentTransactions,
  isOnDisk: (peer: Zxid) => boolean,
): SyncPlan {
  const end = recent.committedEnd;
  const whole: SyncPlan = { kind: 'SNAP', zxid: lastProcessed, from: end, disk: false };
  // Without a database there is nothing to add to: a log alone would not be recovered.
  if (peer < 0) return whole;
  if (peer === lastProcessed) return { kind: 'DIFF', zxid: peer, from: end, disk: false };
  // Who has no database needs a snapshot beside its log, or the log would mean nothing to its next recovery.
  if (peer < 0 || !recent.hasCommitted) return whole;
  const first = recent.zxidOf(recent.first);
  const last = recent.zxidOf(end - 1);
  const isBeginningOfEpoch = counterOf(peer) === 0;
  // The beginning of an epoch is in no log, so nothing can be cut behind it.
  if (peer > last && isBeginningOfEpoch) return whole;
  if (peer > last) return { kind: 'TRUNC', zxid: last, from: end, disk: false };
  if (peer >= first) return withinRecent(peer, recent, last, whole);
  return isOnDisk(peer) ? { kind: 'DIFF', zxid: last, from: recent.first, disk: true } : whole;
}

function withinRecent(
  peer: Zxid,
  recent: RecentTransactions,
  last: Zxid,
  whole: SyncPlan,
): SyncPlan {
  const next = recent.numberFrom(peer);
  if (recent.zxidOf(next) === peer) return diffFrom(next + 1, last);
  // The beginning of an epoch is no transaction: whoever has it has all before it.
  if (counterOf(peer) === 0) return diffFrom(next, last);
  // A cut never goes back behind the beginning of an epoch.
  if (epochOf(recent.zxidOf(next)) !== epochOf(peer) || next === recent.first) return whole;
  return { kind: 'TRUNC', zxid: recent.zxidOf(next - 1), from: next, disk: false };
}

function diffFrom(from: number, last: Zxid): SyncPlan {
  return { kind: 'DIFF', zxid: last, from, disk: false };
}
