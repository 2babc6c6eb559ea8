import { formatZxid } from '@meerkat/protocol';
import type { EnsembleMember } from './ensemble-member.ts';
import type { HeardSessions } from './heard-sessions.ts';
import type { ModelHistory, ModelVersion } from './model-history.ts';
import type { SessionRecord } from './session-record.ts';
import { demand } from './violation.ts';

/**
 * Sessions live as long as their clients are heard, and ephemeral znodes exactly as long as their sessions.
 *
 * A leader lets nobody expire
 * - in the first session timeout of its leadership;
 * - within a session timeout of a packet that it must have heard of, as `HeardSessions` works out, whatever else
 *   breaks meanwhile;
 * - and a member no local session of its own, within a session timeout of a packet that has arrived there;
 * - once nothing breaks any more, within a session timeout of anything that a server has answered and of which the leader
 *   must have heard by then. Members tell it at its next PING, at most half a tick later, and observers behind a follower
 *   at most a tick later; what crosses the network meanwhile takes a fifth of a tick at most. A client that was silent
 *   for its whole time and is back on a member may so be let go by a leader that has not heard of that yet.
 * What is decided by a leader is judged when it decides, since it may not hear of anything later; only what is committed counts. A
 * timeout is by the leader's clock, which may be a little fast.
 */
export class SessionChecker {
  /** Since when nothing breaks any more; before that a member may be deaf to its clients without fault. */
  calmSinceMs: number = Number.POSITIVE_INFINITY;
  readonly #history: ModelHistory;
  readonly #clock: { monotonicMs(): number };
  readonly #tickTimeMs: number;
  readonly #records = new Set<SessionRecord>();
  readonly #everTold: SessionRecord[] = [];
  readonly #heard: HeardSessions;
  /** What was wrong with letting a session expire, by session and epoch, until that is committed. */
  readonly #hasty = new Map<string, string>();
  /** When a leader let a session expire, by session and epoch, until that is committed. */
  readonly #decidedMs = new Map<string, number>();

  constructor(
    history: ModelHistory,
    clock: { monotonicMs(): number },
    heard: HeardSessions,
    tickTimeMs: number,
  ) {
    this.#history = history;
    this.#clock = clock;
    this.#heard = heard;
    this.#tickTimeMs = tickTimeMs;
  }

  /** A client has a session from now on. */
  watch(record: SessionRecord): void {
    this.#records.add(record);
    this.#everTold.push(record);
  }

  /** Its client is gone. */
  forget(record: SessionRecord): void {
    this.#records.delete(record);
  }

  /** A leader lets a session expire, which comes to nothing unless it is committed. */
  onExpired(leader: EnsembleMember, name: string): void {
    const isLocal = this.#history.isLocalAt(this.#history.last, name);
    if (leader.role !== 'leading' && !isLocal) return;
    const nowMs = this.#clock.monotonicMs();
    this.#decidedMs.set(`${name} ${leader.epoch}`, nowMs);
    for (const record of this.#records) {
      // What comes behind a closeSession that is not committed yet keeps nothing alive.
      if (record.name !== name || record.isClosing) continue;
      const patienceMs = patienceOf(record);
      const heardMs = this.#heard.newestKnownTo(leader, record);
      const [sinceMs, what] =
        heardMs === null ? [leader.roleSinceMs, 'it began to lead'] : [heardMs, 'it was heard'];
      if (nowMs - sinceMs >= patienceMs || (isLocal && heardMs === null)) continue;
      const why = `${name} is let go by ${leader.id} ${nowMs - sinceMs} ms after ${what}, of ${record.timeoutMs}`;
      demand(!isLocal, 'nobody expires who is heard', () => why);
      this.#hasty.set(`${name} ${leader.epoch}`, why);
    }
  }

  /**
   * A transaction is committed.
   *
   * @throws Violation when it ends a session whose client was heard in time
   */
  onCommitted(version: ModelVersion): void {
    this.checkEphemerals(version);
    if (version.write?.kind !== 'closeSession') return;
    const decision = `${version.session} ${Math.floor(version.zxid / 2 ** 32)}`;
    const hasty = this.#hasty.get(decision);
    demand(hasty === undefined, 'nobody expires who is heard', () => hasty ?? '');
    const decidedMs = this.#decidedMs.get(decision) ?? this.#clock.monotonicMs();
    this.onEnded(version.session, version.zxid, decidedMs);
  }

  /**
   * A session ends by a transaction made at `nowMs`, by the clock of what was heard.
   *
   * @throws Violation when all is calm, its client was heard in time, and did not ask for that
   */
  onEnded(session: string, zxid: number, nowMs: number): void {
    for (const record of this.#records) {
      if (record.name !== session || record.isClosing) continue;
      const heardMs = record.newestAnswered(nowMs - knownWithinTicks * this.#tickTimeMs);
      // Followers tell the leader twice a tick; what they heard before the calm may have been lost.
      if (heardMs < this.calmSinceMs + 2 * this.#tickTimeMs) continue;
      demand(nowMs - heardMs >= patienceOf(record), 'nobody expires who is heard', () => {
        return `${record.name} ends at ${formatZxid(zxid)}, ${nowMs - heardMs} ms after it was heard, of ${record.timeoutMs}`;
      });
    }
  }

  /**
   * All is quiet.
   *
   * @throws Violation when a client was told that its session is over, and it is not
   */
  checkEnd(): void {
    for (const record of this.#everTold) {
      if (!record.isToldExpired || record.name === '') continue;
      const lives = this.#history.last.sessions.has(record.name);
      demand(!lives, 'no session is told a lie', () => {
        return `${record.name} was told that it is no more, and it lives`;
      });
    }
  }

  /** @throws Violation when a transaction makes an ephemeral znode of a session that is no more */
  checkEphemerals(version: ModelVersion): void {
    for (const change of version.changes) {
      if (change.kind !== 'create') continue;
      const owner = version.tree.get(change.path)?.owner ?? '';
      demand(
        owner === '' || version.sessions.has(owner),
        'ephemerals live as long as their session',
        () => {
          return `${change.path} is made by ${owner} at ${formatZxid(version.zxid)}, which is no more`;
        },
      );
    }
  }
}

/** How long a session must live after it was heard of, ms, by a clock that is not the leader's. */
function patienceOf({ timeoutMs }: SessionRecord): number {
  return timeoutMs / fastestRate - 1;
}

/** By when a leader has heard of what a member has, once nothing breaks: see above, by the slowest clocks. */
const knownWithinTicks = 1.2;

/** How fast a clock of the simulation runs at most, with a little to spare. */
const fastestRate = 1.04;
