import { assert, type ErrorCode } from '@meerkat/protocol';

/**
 * Requests of one connection that must wait for its own earlier transactions, in order: ZooKeeper
 * answers a connection first in, first out (`CommitProcessor.java`).
 *
 * Owns copies of their bytes, packed one behind the other; refuses to know what they ask.
 */
export class DeferredRequests {
  #bytes: Uint8Array = new Uint8Array(initialBytes);
  #view: DataView = new DataView(this.#bytes.buffer);
  #head = 0;
  #tail = 0;

  /** Bytes that wait. */
  get size(): number {
    return this.#tail - this.#head;
  }

  /**
   * Keeps a request until transaction `afterSequence` of this connection is applied.
   *
   * @param receivedMs when it came, monotonic ms
   * @param mayBeWrite told by `firstMayBeWrite`
   * @param error what to answer it with, when that is settled already; the header is enough then
   */
  push(
    bytes: Uint8Array,
    start: number,
    end: number,
    afterSequence: number,
    receivedMs: number,
    mayBeWrite: boolean,
    error: ErrorCode,
  ): void {
    const length = end - start;
    this.#makeRoom(headerBytes + length);
    this.#view.setFloat64(this.#tail, afterSequence);
    this.#view.setFloat64(this.#tail + 8, receivedMs);
    this.#view.setInt32(this.#tail + 16, length);
    this.#view.setInt32(this.#tail + 20, error);
    this.#view.setInt32(this.#tail + 24, mayBeWrite ? 1 : 0);
    this.#bytes.set(bytes.subarray(start, end), this.#tail + headerBytes);
    this.#tail += headerBytes + length;
  }

  /** Whether the first waiting request may run once `sequence` is applied. */
  isReady(sequence: number): boolean {
    return this.#head < this.#tail && this.#view.getFloat64(this.#head) <= sequence;
  }

  /** Whether the first waiting request was pushed as one that may be a write. */
  get firstMayBeWrite(): boolean {
    return this.#head < this.#tail && this.#view.getInt32(this.#head + 24) === 1;
  }

  /**
   * Hands out the first request: `take(bytes, start, end, receivedMs, error)`. The bytes are valid
   * during the call only.
   */
  shift(take: TakeDeferred): void {
    assert(this.#head < this.#tail, 'a request waits', this.#head, this.#tail);
    const bytes = this.#bytes;
    const receivedMs = this.#view.getFloat64(this.#head + 8);
    const start = this.#head + headerBytes;
    const end = start + this.#view.getInt32(this.#head + 16);
    const error = this.#view.getInt32(this.#head + 20) as ErrorCode;
    this.#head = end;
    take(bytes, start, end, receivedMs, error);
    if (this.#head === this.#tail) this.#reset();
  }

  /** Whoever waits must wait for `sequence` at least: a transaction of this connection came in between. */
  raise(sequence: number): void {
    for (let at = this.#head; at < this.#tail; ) {
      if (this.#view.getFloat64(at) < sequence) this.#view.setFloat64(at, sequence);
      at += headerBytes + this.#view.getInt32(at + 16);
    }
  }

  #makeRoom(count: number): void {
    if (this.#tail + count <= this.#bytes.length) return;
    const waiting = this.size;
    let capacity = this.#bytes.length;
    while (capacity < waiting + count) capacity *= 2;
    const target = new Uint8Array(capacity);
    target.set(this.#bytes.subarray(this.#head, this.#tail));
    this.#bytes = target;
    this.#view = new DataView(target.buffer);
    this.#head = 0;
    this.#tail = waiting;
  }

  #reset(): void {
    this.#head = 0;
    this.#tail = 0;
    if (this.#bytes.length <= keptBytesMax) return;
    this.#bytes = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }
}

/** Runs a request whose turn has come; see `DeferredRequests.shift`. */
export type TakeDeferred = (
  bytes: Uint8Array,
  start: number,
  end: number,
  receivedMs: number,
  error: ErrorCode,
) => void;

/** Before each request: sequence (8), time received (8), length (4), error (4), may be a write (4). */
const headerBytes = 28;
const initialBytes = 1024;
const keptBytesMax = 64 * 1024;
