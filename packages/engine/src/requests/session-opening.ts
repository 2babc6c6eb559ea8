/**
 * How a connection comes to its session (`ZooKeeperServer.processConnectRequest`, `finishSessionInit`): the first frame asks
 * for a new one or for one that is there, which this member or the leader knows; when it is agreed on the client hears so.
 *
 * Owns the way from the first frame to the answer, and the heir of a session whose requests are still under way. What the
 * frame may ask for is judged in `handshake.ts`.
 */
import { assert, JuteError, JuteReader, JuteWriter, OpCode } from '@meerkat/protocol';
import type { Session } from '../sessions/session.ts';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { judgeHandshake, writeHandshakeAnswer } from './handshake.ts';
import type { ReplicaState } from './replica-state.ts';
import type { ReplyWriter } from './reply-writer.ts';
import type { RequestDispatcher } from './request-dispatcher.ts';
import type { ServerCounters } from './server-counters.ts';
import type { TurnClock } from './turn-clock.ts';

/** Whose connections they are. */
export interface OpeningHost {
  readonly connections: ConnectionTable;
  readonly replies: ReplyWriter;
  readonly counters: ServerCounters;
  readonly clock: TurnClock;
  readonly isServing: boolean;
  readonly isReadOnly: boolean;
  /** Whether one more session may be created or renewed now. */
  admitSession(isRenewal: boolean): boolean;
  /** A connection of this session, if there is one here, ends. */
  onSessionEnding(sessionHi: number, sessionLo: number): void;
  refuse(connection: ClientConnection, kind: string, detail: string): void;
  close(connection: ClientConnection): void;
}

export class SessionOpening {
  readonly #state: ReplicaState;
  readonly #host: OpeningHost;
  readonly #dispatcher: RequestDispatcher;
  readonly #reader = new JuteReader();
  readonly #body = new JuteWriter(4);

  constructor(state: ReplicaState, host: OpeningHost, dispatcher: RequestDispatcher) {
    this.#state = state;
    this.#host = host;
    this.#dispatcher = dispatcher;
  }

  /** The first frame of a connection. */
  begin(connection: ClientConnection, bytes: Uint8Array, start: number, end: number): void {
    this.#host.counters.connectionRequests++;
    if (!this.#host.isServing)
      return this.#host.refuse(connection, 'not-serving', 'there is no leader');
    let outcome: ReturnType<typeof judgeHandshake>;
    try {
      const reader = this.#reader.reset(bytes, start, end);
      outcome = judgeHandshake(this.#state, connection, reader, this.#dispatcher.pipeline);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      this.#host.refuse(connection, 'handshake', error.message);
      return;
    }
    if (outcome.kind === 'refused')
      return this.#host.refuse(connection, 'handshake', outcome.reason);
    if (!this.#host.admitSession(outcome.kind === 'renewed')) {
      return this.#host.refuse(connection, 'throttled', 'too many sessions are asked for');
    }
    if (outcome.kind !== 'new') this.#host.counters.connectionRevalidations++;
    if (outcome.kind === 'new') this.#createSession(connection);
    else if (outcome.kind === 'renewed') this.#renew(connection, outcome.session);
    else if (outcome.kind === 'asked') this.#ask(connection, outcome.idHi, outcome.idLo);
    else this.#sayExpired(connection);
  }

  #sayExpired(connection: ClientConnection): void {
    const writer = this.#host.replies.outbox(connection);
    writeHandshakeAnswer(writer, connection, null, this.#host.isReadOnly);
    this.#host.close(connection);
  }

  #createSession(connection: ClientConnection): void {
    if (this.#state.config.ensemble?.localSessionsEnabled === true) {
      return this.#createLocalSession(connection);
    }
    const session = this.#state.sessions.create(
      connection.sessionTimeoutMs,
      this.#host.clock.nowMs,
    );
    this.#host.connections.attach(connection, session);
    session.owner = this.#dispatcher.pipeline;
    connection.phase = ConnectionPhase.establishing;
    const body = this.#body.clear();
    body.writeInt(connection.sessionTimeoutMs);
    const reader = this.#reader.reset(body.bytes, 0, body.length);
    this.#dispatcher.submit(connection, session, 0, OpCode.createSession, reader);
  }

  /** Nobody else is told. */
  #createLocalSession(connection: ClientConnection): void {
    const { sessions } = this.#state;
    const session = sessions.createLocal(connection.sessionTimeoutMs, this.#host.clock.nowMs);
    this.#host.connections.attach(connection, session);
    session.owner = this.#dispatcher.pipeline;
    this.establish(connection);
  }

  /**
   * The leader says whether the session lives: what comes meanwhile waits. An older connection is given up now: the
   * leader takes what comes behind the question for the new one's, even if its client has long been elsewhere since.
   */
  #ask(connection: ClientConnection, idHi: number, idLo: number): void {
    this.#host.onSessionEnding(idHi, idLo);
    connection.phase = ConnectionPhase.establishing;
    this.#dispatcher.pipeline.revalidate(connection, idHi, idLo);
  }

  /** The answer to `WriteRoute.revalidate`: the session lives, or null. */
  revalidated(connection: ClientConnection, session: Session | null): void {
    if (connection.phase !== ConnectionPhase.establishing) return;
    if (session !== null) {
      this.#host.clock.look();
      this.#renew(connection, session);
      if (this.#isOpen(connection) && connection.deferredCount > 0) {
        this.#dispatcher.waiting.drain(connection);
      }
      return;
    }
    this.#sayExpired(connection);
  }

  #isOpen({ phase }: ClientConnection): boolean {
    return phase === ConnectionPhase.open;
  }

  #renew(connection: ClientConnection, session: Session): void {
    const older = this.#host.connections.bySession(session);
    if (older !== undefined) this.#host.close(older);
    this.#host.connections.attach(connection, session);
    session.owner = this.#dispatcher.pipeline;
    session.isHeard = true;
    this.#state.sessions.expiry.touch(session, this.#host.clock.nowMs, connection.sessionTimeoutMs);
    const { newestPendingSequence } = session;
    if (newestPendingSequence < this.#dispatcher.pipeline.pending.oldestSequence) {
      this.establish(connection);
      return;
    }
    // It comes back to find out what became of its requests: those under way are applied first.
    connection.phase = ConnectionPhase.establishing;
    connection.newestPendingSequence = newestPendingSequence;
  }

  /** A transaction of a lost connection was applied: the session's next one may wait for it. */
  onAppliedAfterLoss({ session }: ClientConnection): void {
    const heir = session === null ? undefined : this.#host.connections.bySession(session);
    if (heir === undefined || heir.phase !== ConnectionPhase.establishing) return;
    if (heir.newestPendingSequence !== this.#dispatcher.pipeline.pending.oldestSequence) return;
    this.establish(heir);
    if (heir.deferredCount > 0) this.#dispatcher.waiting.drain(heir);
  }

  /** The session is agreed on: the client hears so. */
  establish(connection: ClientConnection): void {
    assert(connection.session !== null, 'a session was attached');
    connection.phase = ConnectionPhase.open;
    const writer = this.#host.replies.outbox(connection);
    writeHandshakeAnswer(writer, connection, connection.session, this.#host.isReadOnly);
    connection.stats.sent++;
    this.#host.replies.framesSent++;
  }
}
