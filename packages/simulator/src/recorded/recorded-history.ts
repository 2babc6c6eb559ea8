import { formatLong, formatZxid, JuteReader, OpCode, readTxnHeader } from '@meerkat/protocol';
import { AgreedHistory, type KnownTransaction } from '../ensemble/agreed-history.ts';
import { HeardSessions } from '../ensemble/heard-sessions.ts';
import { ModelHistory } from '../ensemble/model-history.ts';
import { SessionChecker } from '../ensemble/session-checker.ts';
import { SessionRecord } from '../ensemble/session-record.ts';
import { demand, Violation } from '../ensemble/violation.ts';
import { type ConnectionHost, RecordedConnection } from './recorded-connection.ts';
import type {
  ConnectionEntry,
  RecordedEntry,
  RoleEntry,
  TransactionEntry,
} from './recorded-entry.ts';

/** How a recorded history is read. */
export interface RecordedHistoryOptions {
  /** The `tickTime` of the ensemble. */
  readonly tickTimeMs: number;
  /** Hears what happens, line by line. */
  readonly say?: (text: string) => void;
}

/** What was checked. */
export interface RecordedReport {
  readonly transactions: number;
  readonly replies: number;
  readonly writes: number;
  readonly events: number;
  readonly sessions: number;
  readonly connections: number;
  readonly epochs: number;
  /** Whether the record goes to its end, so that nothing may be missing. */
  readonly isWhole: boolean;
}

/**
 * What happened to an ensemble of processes, told to the checkers of the simulator: `gather` all of it, then `follow`
 * all of it again in the same order, then `end`. The members' logs say what is committed; it counts as known from the
 * moment at which the first client was shown it.
 */
export class RecordedHistory implements ConnectionHost {
  readonly history: ModelHistory = new ModelHistory();
  readonly counts = { replies: 0, writes: 0, events: 0, readOnlyReplies: 0 };
  readonly hasLocalSessions = false;
  acknowledgedZxid = 0;
  readonly say: (text: string) => void;
  readonly #committed: KnownTransaction[] = [];
  readonly #agreed = new AgreedHistory((transaction) => this.#committed.push(transaction));
  readonly #sessions: SessionChecker;
  readonly #records = new Map<string, SessionRecord>();
  readonly #connections = new Map<number, RecordedConnection>();
  readonly #serves: { readonly who: string; readonly zxid: number }[] = [];
  /** By session: the transaction that created it. */
  readonly #created = new Map<string, number>();
  /** The ends of sessions, by the time of the leader that ordered them. */
  #endings: { readonly session: string; readonly zxid: number; readonly atMs: number }[] = [];
  readonly #leaders = new Map<number, number>();
  readonly #servedIn = new Map<number, number>();
  #shown = 0;
  #endingsChecked = 0;
  #connectionCount = 0;
  #nowMs = 0;
  #isSilent = false;

  constructor({ tickTimeMs, say = () => {} }: RecordedHistoryOptions) {
    this.say = say;
    this.#sessions = new SessionChecker(
      this.history,
      { monotonicMs: () => this.#nowMs },
      // What arrives at members is not recorded; what they answer is.
      new HeardSessions([], tickTimeMs),
      tickTimeMs,
    );
  }

  nowMs(): number {
    return this.#nowMs;
  }

  /**
   * First reading: what the members' logs say.
   *
   * @throws Violation when they do not agree
   */
  gather(entry: RecordedEntry): void {
    if ('transaction' in entry) this.#gatherTransaction(entry);
    else if ('serves' in entry) {
      this.#serves.push({ who: `member ${entry.member}`, zxid: entry.serves });
    }
  }

  /**
   * Everything is gathered.
   *
   * @throws Violation when what was served is not one history
   */
  settle(): void {
    for (const { who, zxid } of this.#serves) {
      // The beginning of an epoch is no transaction.
      if (zxid % 2 ** 32 !== 0) this.#agreed.served(who, zxid);
    }
    for (const { zxid, bytes } of this.#committed) {
      const header = readTxnHeader(new JuteReader(bytes));
      const session = formatLong(header.clientIdHi, header.clientIdLo);
      if (header.type === OpCode.createSession) this.#created.set(session, zxid);
      else if (header.type === OpCode.closeSession) {
        this.#endings.push({ session, zxid, atMs: header.time });
      }
    }
    this.#endings.sort((a, b) => a.atMs - b.atMs);
  }

  /**
   * Second reading: what clients were shown.
   *
   * @throws Violation of the first promise that was broken
   */
  follow(entry: RecordedEntry): void {
    this.#nowMs = entry.at;
    this.#checkEndings();
    if ('connection' in entry) this.#followConnection(entry);
    else if ('role' in entry) this.#followRole(entry);
    else if ('calm' in entry) {
      this.#sessions.calmSinceMs = entry.calm ? entry.at : Number.POSITIVE_INFINITY;
    } else if ('silent' in entry) this.#checkSilence();
  }

  /** @throws Violation when what nobody was shown is wrong, or a client was told a lie about its session */
  end(): RecordedReport {
    this.showZxid(Number.MAX_SAFE_INTEGER);
    if (this.#isSilent) this.#sessions.checkEnd();
    return {
      transactions: this.#committed.length,
      ...this.counts,
      sessions: this.#created.size,
      connections: this.#connectionCount,
      epochs: this.#leaders.size,
      isWhole: this.#isSilent,
    };
  }

  sessionOf(name: string): SessionRecord {
    const known = this.#records.get(name);
    if (known !== undefined) return known;
    demand(name === '', 'clients come back with sessions that they were given', () => name);
    return new SessionRecord('');
  }

  showSession(name: string, record: SessionRecord): void {
    const zxid = this.#created.get(name);
    demand(zxid !== undefined, 'a session is committed before it is given', () => {
      return `${name} was given, which no transaction has created`;
    });
    this.showZxid(zxid);
    if (this.#records.has(name)) return;
    this.#records.set(name, record);
    this.#sessions.watch(record);
  }

  showZxid(zxid: number): void {
    for (;;) {
      const next = this.#committed[this.#shown];
      if (next === undefined || next.zxid > zxid) return;
      this.#shown += 1;
      this.history.append(next);
      this.#sessions.checkEphemerals(this.history.last);
    }
  }

  #gatherTransaction({ member, transaction, before, bytes }: TransactionEntry): void {
    this.#agreed.seen(
      `member ${member}`,
      transaction,
      Buffer.from(bytes, 'base64'),
      before === null ? -1 : before,
    );
  }

  #followConnection(entry: ConnectionEntry): void {
    if ('opened' in entry) {
      const name = `${entry.client}.${entry.connection}@${entry.opened}`;
      this.#connections.set(entry.connection, new RecordedConnection(name, this));
      this.#connectionCount += 1;
      return;
    }
    const connection = this.#connections.get(entry.connection);
    if (connection === undefined) return;
    if ('sent' in entry) connection.onSent(Buffer.from(entry.sent, 'base64'));
    else if ('received' in entry) connection.onReceived(Buffer.from(entry.received, 'base64'));
    else {
      connection.onEnded();
      this.#connections.delete(entry.connection);
    }
  }

  /** Epochs have one leader each, and no member goes back to an older one. */
  #followRole({ member, role, epoch }: RoleEntry): void {
    if (role === 'leading') {
      const other = this.#leaders.get(epoch);
      if (other !== undefined) {
        const who = `${member} leads in epoch ${epoch}, which ${other} led`;
        throw new Violation('an epoch has one leader, once', who);
      }
      this.#leaders.set(epoch, member);
    }
    const last = this.#servedIn.get(member) ?? 0;
    demand(epoch >= last, 'epochs only grow', () => {
      return `${member} serves in epoch ${epoch} after ${last}`;
    });
    this.#servedIn.set(member, epoch);
  }

  /** Ends of sessions are judged by what had been heard until then. */
  #checkEndings(): void {
    for (;;) {
      const next = this.#endings[this.#endingsChecked];
      if (next === undefined || next.atMs + clockSlackMs > this.#nowMs) return;
      this.#endingsChecked += 1;
      this.#sessions.onEnded(next.session, next.zxid, next.atMs);
    }
  }

  #checkSilence(): void {
    this.#isSilent = true;
    const { last } = this.history;
    this.say(`silence at ${formatZxid(last.zxid)}`);
    for (const connection of this.#connections.values()) {
      if (connection.isServed) connection.checkEnd();
    }
  }
}

/** Members tell the time in whole milliseconds, and by a clock that was set at another moment than the recorder's. */
const clockSlackMs = 20;
