/**
 * Which transactions are committed (`Leader.tryToCommit`): those that quorums have in their logs. Learners log in order,
 * so what one has said of a transaction holds for all before it. Owns the arithmetic only.
 */
import { asZxid, type Zxid } from '@meerkat/protocol';
import { QuorumView } from '../quorum/quorum-view.ts';

/**
 * The newest transaction that may be committed: from a reconfiguration on a quorum of the old and one of the new
 * configuration has to have it, before it one of the old.
 *
 * @param acked up to where each voter has the history in its log
 * @param reconfigZxid the reconfiguration that is not committed yet; null when there is none
 */
export function agreedZxid(
  acked: ReadonlyMap<number, Zxid>,
  view: QuorumView,
  reconfigZxid: Zxid | null,
): Zxid {
  const both = asZxid(newestOf(acked, view));
  if (reconfigZxid === null || both >= reconfigZxid) return both;
  const old = newestOf(acked, new QuorumView(view.current));
  return asZxid(Math.min(old, reconfigZxid - 1));
}

/**
 * The newest round of PINGs that quorums have answered, one of the old and one of the new configuration while that changes.
 *
 * @param answered up to which round each voter has answered
 */
export function agreedRound(answered: ReadonlyMap<number, number>, view: QuorumView): number {
  return newestOf(answered, view);
}

/** The newest number, of a transaction or a round, that quorums of a view have. */
function newestOf(acked: ReadonlyMap<number, number>, view: QuorumView): number {
  const candidates = [...new Set(acked.values())].sort((a, b) => b - a);
  for (const number of candidates) {
    const tracker = view.newTracker();
    for (const [sid, last] of acked) if (last >= number) tracker.addAck(sid);
    if (tracker.hasAllQuorums()) return number;
  }
  return -1;
}
