import type { Session } from './session.ts';
import type { SessionTable } from './session-table.ts';

/**
 * Ends sessions that have not been heard of. Owns the pace, so that ten thousand at once are no burst,
 * and the server's own pauses, which say nothing about its clients.
 */
export class SessionExpirer {
  readonly #sessions: SessionTable;
  readonly #expire: (session: Session) => void;
  readonly #beatMs: number;
  #lastBeatMs = 0;

  /**
   * @param beatMs how often `beat` is called when all is well
   * @param expire closes one session
   */
  constructor(sessions: SessionTable, beatMs: number, expire: (session: Session) => void) {
    this.#sessions = sessions;
    this.#beatMs = beatMs;
    this.#expire = expire;
  }

  /** Gives every session its whole time from now on: the server has just started. */
  start(nowMs: number): void {
    this.#lastBeatMs = nowMs;
    this.#sessions.expiry.start(nowMs);
    for (const session of this.#sessions.all()) {
      this.#sessions.expiry.touch(session, nowMs, session.timeoutMs);
    }
  }

  /**
   * Expires whose time is over, `expiriesPerBeat` at most.
   *
   * @returns whether there may be more: beat again soon
   */
  beat(nowMs: number): boolean {
    const lateMs = nowMs - this.#lastBeatMs - this.#beatMs;
    this.#lastBeatMs = nowMs;
    if (lateMs > this.#beatMs) this.#sessions.expiry.forgivePause(lateMs);
    for (let i = 0; i < expiriesPerBeat; i++) {
      const session = this.#sessions.expiry.takeExpired(nowMs);
      if (session === null) return false;
      this.#expire(session);
    }
    return true;
  }
}

/**
 * Sessions expired in one go: a transaction and a closed connection each, so about two milliseconds'
 * work.
 */
const expiriesPerBeat = 25;
