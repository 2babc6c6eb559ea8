import { assert } from '@meerkat/protocol';
import type { Session } from './session.ts';

/**
 * When sessions die. A session's deadline is rounded up to the next tick, so a whole bucket of them
 * expires at once and a touch that stays in its bucket costs one comparison (`ExpiryQueue.java`).
 *
 * Owns the buckets; refuses to decide what expiring means.
 */
export class ExpiryQueue {
  readonly #tickMs: number;
  readonly #buckets = new Map<number, Set<Session>>();
  #nextMs = 0;

  /** @param tickMs width of a bucket, `tickTime` */
  constructor(tickMs: number) {
    assert(tickMs > 0, 'a tick takes time', tickMs);
    this.#tickMs = tickMs;
  }

  /** Starts the clock: buckets before `nowMs` are over. */
  start(nowMs: number): void {
    this.#nextMs = this.#roundUp(nowMs);
  }

  /** The session was heard of: it lives for `timeoutMs` from `nowMs` on. Never shortens its life. */
  touch(session: Session, nowMs: number, timeoutMs: number): void {
    const bucketMs = this.#roundUp(nowMs + timeoutMs);
    if (bucketMs <= session.bucketMs) return;
    this.remove(session);
    let bucket = this.#buckets.get(bucketMs);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(bucketMs, bucket);
    }
    bucket.add(session);
    session.bucketMs = bucketMs;
  }

  /** The session is gone or is being closed. */
  remove(session: Session): void {
    const bucket = this.#buckets.get(session.bucketMs);
    if (bucket !== undefined) {
      bucket.delete(session);
      if (bucket.size === 0) this.#buckets.delete(session.bucketMs);
    }
    session.bucketMs = 0;
  }

  /** Takes one session whose time is over, or null. Call until null, at most a slice's worth at a time. */
  takeExpired(nowMs: number): Session | null {
    while (this.#nextMs <= nowMs) {
      const bucket = this.#buckets.get(this.#nextMs);
      if (bucket !== undefined) {
        for (const session of bucket) {
          this.remove(session);
          return session;
        }
      }
      this.#nextMs += this.#tickMs;
    }
    return null;
  }

  /**
   * The server itself stood still for `pauseMs`: what it did not hear in that time says nothing
   * about its clients, so everyone's deadline moves by as much.
   */
  forgivePause(pauseMs: number): void {
    const shiftMs = Math.ceil(pauseMs / this.#tickMs) * this.#tickMs;
    const moved = [...this.#buckets].map(([ms, bucket]) => [ms + shiftMs, bucket] as const);
    this.#buckets.clear();
    for (const [bucketMs, bucket] of moved) {
      for (const session of bucket) session.bucketMs = bucketMs;
      this.#buckets.set(bucketMs, bucket);
    }
  }

  /** Buckets by time, for the `dump` command. */
  buckets(): [number, readonly Session[]][] {
    const sorted = [...this.#buckets].sort((a, b) => a[0] - b[0]);
    return sorted.map(([ms, bucket]) => [ms, [...bucket]]);
  }

  #roundUp(ms: number): number {
    return (Math.floor(ms / this.#tickMs) + 1) * this.#tickMs;
  }
}
