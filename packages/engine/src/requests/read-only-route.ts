import { assert } from '@meerkat/protocol';
import { PendingTransactions } from './pending-transactions.ts';
import type { WriteRoute } from './write-route.ts';

/**
 * The way of writes while a member has no leader and serves read-only clients (`ReadOnlyRequestProcessor.java`): there
 * is none, so the dispatcher answers NOTREADONLY. Owns nothing.
 */
export class ReadOnlyRoute implements WriteRoute {
  readonly pending: PendingTransactions = new PendingTransactions();
  readonly pendingBytes = 0;
  readonly largeBytes = 0;
  readonly judgesSessions = true;
  readonly isReadOnly = true;
  readonly preparesSyncs = true;

  /** See `WriteRoute`: every session here is local, and what those ask never gets so far. */
  prepare(): number {
    assert(false, 'nothing is written without a leader');
    return 0;
  }

  /** See `WriteRoute`. */
  revalidate(): void {
    assert(false, 'a replica that judges sessions asks nobody');
  }
}
