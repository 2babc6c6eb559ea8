/**
 * Which sessions a learner has heard of since it last told its leader (`LearnerSessionTracker.snapshot`). Owns those whose
 * connections are gone meanwhile, or that are used through an observer behind this member; those of connections that are
 * there say so themselves.
 */
import type { Session } from '../sessions/session.ts';
import type { SessionTable } from '../sessions/session-table.ts';
import type { ConnectionTable } from './connection-table.ts';

export class HeardSessions {
  readonly #sessions: SessionTable;
  readonly #connections: ConnectionTable;
  /** Bounded by the learner's next PING. */
  readonly #heardAndGone = new Set<Session>();

  constructor(sessions: SessionTable, connections: ConnectionTable) {
    this.#sessions = sessions;
    this.#connections = connections;
  }

  /** A session was heard of that is used through a member that follows this one. */
  note(sessionHi: number, sessionLo: number): void {
    const session = this.#sessions.get(sessionHi, sessionLo);
    if (session !== undefined && !session.isLocal) this.noteGone(session);
  }

  /** A session was heard of, and its connection is gone. */
  noteGone(session: Session): void {
    session.isHeard = false;
    this.#heardAndGone.add(session);
  }

  /** Passes on every session that was heard of since the last time, the connection being gone or not. */
  take(take: (session: Session) => void): void {
    for (const session of this.#heardAndGone) take(session);
    this.#heardAndGone.clear();
    for (const { session } of this.#connections.all()) {
      if (session === null || !session.isHeard) continue;
      session.isHeard = false;
      if (session.isLocal) continue;
      take(session);
    }
  }

  /** Nobody is told any more. */
  clear(): void {
    this.#heardAndGone.clear();
  }
}
