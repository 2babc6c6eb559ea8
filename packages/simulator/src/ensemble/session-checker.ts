import { formatZxid } from '@meerkat/protocol';
import type { ManualClock } from '../manual-clock.ts';
import type { ModelHistory, ModelVersion } from './model-history.ts';
import type { SessionRecord } from './session-record.ts';
import { demand } from './violation.ts';

/**
 * Sessions live as long as their clients are heard, and ephemeral znodes exactly as long as their sessions.
 */
export class SessionChecker {
  /** Since when nothing breaks any more; before that a member may be deaf to its clients without fault. */
  calmSinceMs: number = Number.POSITIVE_INFINITY;
  readonly #history: ModelHistory;
  readonly #clock: ManualClock;
  readonly #tickTimeMs: number;
  readonly #records = new Set<SessionRecord>();
  readonly #everTold: SessionRecord[] = [];

  constructor(history: ModelHistory, clock: ManualClock, tickTimeMs: number) {
    this.#history = history;
    this.#clock = clock;
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

  /**
   * A transaction is committed.
   *
   * @throws Violation when it ends a session whose client was heard in time
   */
  onCommitted(version: ModelVersion): void {
    this.#checkEphemerals(version);
    if (version.write?.kind !== 'closeSession') return;
    for (const record of this.#records) {
      if (record.name !== version.session || record.isClosing) continue;
      const heardMs = record.heardMs;
      const nowMs = this.#clock.monotonicMs();
      // Followers tell the leader twice a tick; what they heard before the calm may have been lost.
      if (heardMs < this.calmSinceMs + 2 * this.#tickTimeMs) continue;
      demand(
        nowMs - heardMs >= record.timeoutMs - this.#tickTimeMs,
        'nobody expires who is heard',
        () => {
          return `${record.name} ends at ${formatZxid(version.zxid)}, ${nowMs - heardMs} ms after it was heard, of ${record.timeoutMs}`;
        },
      );
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
      demand(this.#history.hasEnded(record.name), 'no session is told a lie', () => {
        return `${record.name} was told that it is no more, and it lives`;
      });
    }
  }

  #checkEphemerals(version: ModelVersion): void {
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
