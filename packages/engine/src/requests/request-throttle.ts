import { OpCode } from '@meerkat/protocol';
import type { RequestThrottleConfig } from '../replica-config.ts';
import { type ClientConnection, ConnectionPhase } from './client-connection.ts';

/** A request that waits for its turn. */
export interface ThrottledRequest {
  readonly connection: ClientConnection;
  readonly bytes: Uint8Array;
  readonly receivedMs: number;
}

/** What becomes of a request whose turn has come. */
export type ThrottleVerdict = 'run' | 'drop' | 'refuse';

/**
 * Requests that wait in front of the pipeline while `request_throttle_max_requests` are in it, in the
 * order in which they came (`RequestThrottler.java`). Owns their bytes; off unless configured. Bounded
 * by what the paused connections had sent.
 */
export class RequestThrottle {
  readonly #config: RequestThrottleConfig;
  #queue: ThrottledRequest[] = [];
  #head = 0;

  constructor(config: RequestThrottleConfig) {
    this.#config = config;
  }

  /** Whether a request must wait now. */
  mustWait(inProcess: number): boolean {
    const { maxRequests } = this.#config;
    return maxRequests > 0 && (this.size > 0 || inProcess >= maxRequests);
  }

  /** Whether the first one that waits may go on now. */
  hasReady(inProcess: number): boolean {
    return this.size > 0 && inProcess < this.#config.maxRequests;
  }

  /** Requests that wait. */
  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** Keeps a copy of a request. */
  push(
    connection: ClientConnection,
    bytes: Uint8Array,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    const copy = new Uint8Array(end - start);
    copy.set(bytes.subarray(start, end));
    this.#queue.push({ connection, bytes: copy, receivedMs: nowMs });
  }

  /** Takes the first one; call only while there is one. */
  shift(): ThrottledRequest {
    const request = this.#queue[this.#head++] as ThrottledRequest;
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    return request;
  }

  /** Whether a request still makes sense, and whether it is still to be run. */
  judge(request: ThrottledRequest, type: number, nowMs: number): ThrottleVerdict {
    const { connection, receivedMs } = request;
    const config = this.#config;
    const waitedMs = nowMs - receivedMs;
    const gone = config.staleConnectionCheck && connection.phase === ConnectionPhase.closed;
    const late = config.staleLatencyCheck && waitedMs > connection.sessionTimeoutMs;
    if (connection.phase === ConnectionPhase.closed) return 'drop';
    if (config.dropStale && (gone || late)) return 'drop';
    const exempt = type === OpCode.ping || type === OpCode.closeSession || type === OpCode.auth;
    const isOverdue = config.throttledOpWaitTimeMs > 0 && waitedMs > config.throttledOpWaitTimeMs;
    return isOverdue && !exempt ? 'refuse' : 'run';
  }
}
