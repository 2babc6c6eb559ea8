import { formatZxid } from '@meerkat/protocol';
import { ByteArena } from '../byte-arena.ts';
import { demand } from './violation.ts';

/** One transaction, as whoever has it has it. */
export interface KnownTransaction {
  readonly zxid: number;
  /** Header, record and digest. */
  readonly bytes: Uint8Array;
  /** The transaction before it; -1 while nobody has shown it. */
  before: number;
}

/**
 * The one history that all members agree on, put together from what each of them applies.
 *
 * A transaction has one content and one predecessor, wherever and whenever it is seen, committed or not: that is
 * TotalOrder, LocalPrimaryOrder and Integrity of ZB 14.3. What a member serves is committed, and what is committed
 * is one chain without forks, for ever: that is Agreement and PrefixConsistency, and no acknowledged write is lost.
 */
export class AgreedHistory {
  readonly #known = new Map<number, KnownTransaction>();
  readonly #arena = new ByteArena();
  readonly #committed: KnownTransaction[] = [];
  readonly #isCommitted = new Set<number>([0]);
  readonly #onCommitted: (transaction: KnownTransaction) => void;

  constructor(onCommitted: (transaction: KnownTransaction) => void) {
    this.#onCommitted = onCommitted;
  }

  /** The newest committed transaction. */
  get lastZxid(): number {
    return this.#committed.at(-1)?.zxid ?? 0;
  }

  /** How many transactions are committed. */
  get length(): number {
    return this.#committed.length;
  }

  /** Whether a transaction is committed; the beginning is. */
  has(zxid: number): boolean {
    return this.#isCommitted.has(zxid);
  }

  /**
   * Somebody has a transaction behind the one at `before`, -1 when that is not known.
   *
   * @throws Violation when it is another one than was seen before
   */
  seen(who: string, zxid: number, bytes: Uint8Array, before: number): void {
    const known = this.#known.get(zxid);
    if (known === undefined) {
      this.#known.set(zxid, { zxid, bytes: this.#arena.copy(bytes), before });
      return;
    }
    demand(Buffer.compare(known.bytes, bytes) === 0, 'one zxid, one transaction', () => {
      const [one, other] = [known.bytes, bytes].map((each) => Buffer.from(each).toString('hex'));
      return `${who} has another ${formatZxid(zxid)}\n  ${one}\n  ${other}`;
    });
    if (before === -1) return;
    if (known.before === -1) known.before = before;
    demand(known.before === before, 'one order of transactions', () => {
      return `${who} has ${formatZxid(zxid)} after ${formatZxid(before)}, others after ${formatZxid(known.before)}`;
    });
  }

  /**
   * A member serves with all transactions up to this one: they are committed.
   *
   * @throws Violation when that is not the history that was served before
   */
  served(who: string, zxid: number): void {
    if (this.#isCommitted.has(zxid)) return;
    const chain: KnownTransaction[] = [];
    const last = this.lastZxid;
    for (let at = zxid; at !== last; ) {
      const transaction = this.#known.get(at);
      // Nobody knows what an epoch went on from that had no leader and was sent as a snapshot all the same: then it
      // can only be this, and the comparison of the trees finds out.
      if (transaction !== undefined && transaction.before === -1) transaction.before = last;
      demand(transaction !== undefined, 'a history without holes', () => {
        return `${who} serves ${formatZxid(zxid)}, and nobody ever showed what leads to ${formatZxid(at)}`;
      });
      demand(at > last, 'what was committed stays', () => {
        return `${who} serves ${formatZxid(zxid)}, which does not go on from ${formatZxid(last)} but from ${formatZxid(at)}`;
      });
      chain.push(transaction);
      at = transaction.before;
    }
    for (const transaction of chain.reverse()) {
      this.#committed.push(transaction);
      this.#isCommitted.add(transaction.zxid);
      this.#onCommitted(transaction);
    }
  }
}
