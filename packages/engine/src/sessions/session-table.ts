import { assert } from '@meerkat/protocol';
import { ExpiryQueue } from './expiry-queue.ts';
import { Session } from './session.ts';

/**
 * All sessions of the replica, by id. Owns creation of ids, the lookup and the expiry buckets;
 * refuses to touch the tree or connections (`SessionTrackerImpl.java`).
 */
export class SessionTable {
  readonly expiry: ExpiryQueue;
  // Ids of one server share their upper half for minutes: two levels, and no 64-bit keys.
  readonly #byHi = new Map<number, Map<number, Session>>();
  #count = 0;
  #localCount = 0;
  #nextHi = 0;
  #nextLo = 0;

  /** @param tickMs width of an expiry bucket */
  constructor(tickMs: number) {
    this.expiry = new ExpiryQueue(tickMs);
  }

  /** Sessions known, closing ones included. */
  get count(): number {
    return this.#count;
  }

  /** How many of them are local. */
  get localCount(): number {
    return this.#localCount;
  }

  /**
   * Sets the first id to hand out: the server id in the top byte, the low 40 bits of the clock in
   * the next five, 0 in the last two (`SessionTrackerImpl.initializeNextSessionId`).
   */
  startIds(serverId: number, clockMs: number): void {
    const ms = Math.floor(clockMs);
    const low40Hi = Math.floor(ms / 65536) % 0x1000000;
    this.#nextHi = (serverId << 24) | low40Hi;
    this.#nextLo = (ms % 65536) << 16;
    this.#skipContainerOwner();
  }

  /** A new session with the next id; it lives from `nowMs` on. */
  create(timeoutMs: number, nowMs: number): Session {
    while (this.get(this.#nextHi, this.#nextLo) !== undefined) this.#advance();
    const session = new Session(this.#nextHi, this.#nextLo, timeoutMs);
    this.#advance();
    this.#put(session);
    this.expiry.touch(session, nowMs, timeoutMs);
    return session;
  }

  /** As `create`, known to this replica alone. */
  createLocal(timeoutMs: number, nowMs: number): Session {
    const session = this.create(timeoutMs, nowMs);
    session.isLocal = true;
    this.#localCount++;
    return session;
  }

  /** A local session is to become everybody's. */
  upgrade(session: Session): void {
    assert(session.isLocal, 'a local session is upgraded', session.idHi, session.idLo);
    session.isLocal = false;
    this.#localCount--;
  }

  /** A session that a log or a snapshot tells of; known ones only take the timeout. */
  restore(idHi: number, idLo: number, timeoutMs: number): Session {
    const known = this.get(idHi, idLo);
    if (known !== undefined) {
      known.timeoutMs = timeoutMs;
      known.committed = true;
      return known;
    }
    const session = new Session(idHi, idLo, timeoutMs);
    session.committed = true;
    this.#put(session);
    return session;
  }

  /** A session that another member speaks of, and that may not be agreed on yet: known ones stay as they are. */
  track(idHi: number, idLo: number, timeoutMs: number): Session {
    const known = this.get(idHi, idLo);
    if (known !== undefined) return known;
    const session = new Session(idHi, idLo, timeoutMs);
    this.#put(session);
    return session;
  }

  get(idHi: number, idLo: number): Session | undefined {
    return this.#byHi.get(idHi)?.get(idLo);
  }

  /** Forgets a session; unknown ones are ignored. */
  remove(idHi: number, idLo: number): void {
    const half = this.#byHi.get(idHi);
    const session = half?.get(idLo);
    if (half === undefined || session === undefined) return;
    this.expiry.remove(session);
    half.delete(idLo);
    if (half.size === 0) this.#byHi.delete(idHi);
    this.#count--;
    if (session.isLocal) this.#localCount--;
  }

  /** Forgets all, for a reload of the database. */
  clear(): void {
    for (const session of this.all()) this.remove(session.idHi, session.idLo);
    assert(this.#count === 0, 'every session was removed', this.#count);
  }

  /** Every session, in no order that means anything. */
  *all(): IterableIterator<Session> {
    for (const half of this.#byHi.values()) yield* half.values();
  }

  #put(session: Session): void {
    let half = this.#byHi.get(session.idHi);
    if (half === undefined) {
      half = new Map();
      this.#byHi.set(session.idHi, half);
    }
    assert(!half.has(session.idLo), 'a session id is given once', session.idHi, session.idLo);
    half.set(session.idLo, session);
    this.#count++;
  }

  #advance(): void {
    this.#nextLo = (this.#nextLo + 1) | 0;
    if (this.#nextLo === 0) this.#nextHi = (this.#nextHi + 1) | 0;
    this.#skipContainerOwner();
  }

  /** 0x8000000000000000 marks containers and is never a session's id. */
  #skipContainerOwner(): void {
    if (this.#nextHi === -2147483648 && this.#nextLo === 0) this.#nextLo = 1;
  }
}
