import { ErrorCode, type JuteReader, type JuteWriter } from '@meerkat/protocol';
import {
  ConnectionLossError,
  errorOf,
  RequestTimeoutError,
  ZooKeeperError,
  type ZooKeeperErrorDetails,
} from './errors.ts';
import type { Operation } from './operations/operation.ts';
import type { Clock, TimerHandle } from './ports.ts';
import type { Watcher, WatchKind } from './watches.ts';

/** What every call takes. */
export interface RequestOptions {
  /** Gives the call up: it fails with the signal's reason. A request that was sent may still happen. */
  readonly signal?: AbortSignal;
  /** Gives the call up after this time, ms: it fails with `RequestTimeoutError`, and may still happen. */
  readonly timeoutMs?: number;
}

/** A call as the queue and the session see it, whatever its operation. */
export interface PendingRequest {
  readonly operation: {
    readonly opcode: number;
    readonly doing: string;
    readonly watchKind?: WatchKind;
    readonly isRead?: boolean;
  };
  /** The path as the caller gave it; '' when the operation has none. */
  readonly path: string;
  readonly serverPath: string;
  readonly watcher: Watcher | null;
  /** The number it was sent under, 0 before. */
  xid: number;
  /** Its bytes while it waits to be sent: the xid is filled in then. */
  frame: Uint8Array | null;
  /** True once the caller has an answer. */
  readonly isSettled: boolean;
  /** True when the request has not left this client. */
  readonly neverSent: boolean;
  /** Told once, when the call has ended, with what the caller got instead of a result; null when it succeeded. */
  onSettled?: ((error: unknown) => void) | null;
  /** Writes the request's record. */
  encode(writer: JuteWriter): void;
  /**
   * Reads the reply and settles. True when the watch, if any, is to be registered.
   *
   * @throws JuteError when the reply does not decode; the caller drops the connection
   */
  answer(reader: JuteReader, code: number): boolean;
  /** The call failed. */
  reject(reason: unknown): void;
  /** The server answered with a code of ZooKeeper's. */
  fail(code: number): void;
  /** The connection was lost, or never made. */
  lose(cause: Error): void;
  /** Lets the call be given up by a signal or after a time. */
  limit(signal: AbortSignal | undefined, timeoutMs: number | undefined, clock: Clock): void;
}

/**
 * One call that waits for its reply. It settles exactly once; after that a reply is taken off the stream and
 * dropped.
 */
export class Request<Body, Result> implements PendingRequest {
  readonly operation: Operation<Body, Result>;
  readonly path: string;
  readonly serverPath: string;
  readonly body: Body;
  readonly chroot: string;
  readonly watcher: Watcher | null;
  /** Settles with the result. */
  readonly promise: Promise<Result>;
  xid = 0;
  frame: Uint8Array | null = null;
  onSettled: ((error: unknown) => void) | null = null;
  #resolve: ((result: Result) => void) | null;
  #reject: (reason: unknown) => void;
  #limits: Limiter | null = null;

  constructor(
    operation: Operation<Body, Result>,
    target: RequestTarget,
    body: Body,
    watcher: Watcher | null,
  ) {
    this.operation = operation;
    this.path = target.path;
    this.serverPath = target.serverPath;
    this.chroot = target.chroot;
    this.body = body;
    this.watcher = watcher;
    this.promise = new Promise<Result>(captureSettlers);
    this.#resolve = capturedResolve;
    this.#reject = capturedReject;
  }

  get isSettled(): boolean {
    return this.#resolve === null;
  }

  /** The call succeeded. */
  resolve(result: Result): void {
    const resolve = this.#resolve;
    if (resolve === null) return;
    this.#settled();
    resolve(result);
    if (this.onSettled !== null) this.#tellSettled(null);
  }

  reject(reason: unknown): void {
    if (this.#resolve === null) return;
    this.#settled();
    this.#reject(reason);
    if (this.onSettled !== null) this.#tellSettled(reason);
  }

  get neverSent(): boolean {
    return this.xid === 0;
  }

  fail(code: number): void {
    if (this.#resolve !== null) this.reject(errorOf(code, this.#details()));
  }

  lose(cause: Error): void {
    if (this.#resolve === null) return;
    const { neverSent } = this;
    this.reject(new ConnectionLossError({ ...this.#details(), cause, neverSent }));
  }

  encode(writer: JuteWriter): void {
    this.operation.encode(writer, this.serverPath, this.body);
  }

  answer(reader: JuteReader, code: number): boolean {
    if (code === ErrorCode.ok) {
      // Decoded even when nobody waits any more: bytes that do not decode are a fault of the stream.
      this.#decode(reader);
      return true;
    }
    if (code === ErrorCode.noNode && this.operation.absent === true) {
      this.resolve(null as Result);
      return true;
    }
    this.fail(code);
    return false;
  }

  limit(signal: AbortSignal | undefined, timeoutMs: number | undefined, clock: Clock): void {
    if (this.isSettled || (signal === undefined && timeoutMs === undefined)) return;
    this.#limits = new Limiter(this, signal, timeoutMs, clock);
  }

  #details(): ZooKeeperErrorDetails {
    const { doing } = this.operation;
    return this.path === '' ? { doing } : { doing, path: this.path };
  }

  #decode(reader: JuteReader): void {
    let result: Result;
    try {
      result = this.operation.decode(reader, this);
    } catch (error) {
      if (!(error instanceof ZooKeeperError)) throw error;
      this.reject(error);
      return;
    }
    this.resolve(result);
  }

  #tellSettled(error: unknown): void {
    const { onSettled } = this;
    this.onSettled = null;
    onSettled?.(error);
  }

  #settled(): void {
    this.#resolve = null;
    this.#limits?.stop();
    this.#limits = null;
  }
}

/** Where a request goes. */
export interface RequestTarget {
  /** The path as the caller gave it; '' when the operation has none. */
  readonly path: string;
  /** The path on the server. */
  readonly serverPath: string;
  /** The prefix that replies carry. */
  readonly chroot: string;
}

/** Of operations that have no path. */
export const noTarget: RequestTarget = { path: '', serverPath: '', chroot: '' };

let capturedResolve: (result: unknown) => void;
let capturedReject: (reason: unknown) => void;

/** One executor for all promises: a closure per request less. */
function captureSettlers(
  resolve: (result: never) => void,
  reject: (reason: unknown) => void,
): void {
  capturedResolve = resolve as (result: unknown) => void;
  capturedReject = reject;
}

/** Watches a signal and a timer on behalf of one request. */
class Limiter {
  readonly #request: PendingRequest;
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #timer: TimerHandle | null;
  readonly #onAbort = (): void => this.#request.reject(this.#signal?.reason);

  constructor(
    request: PendingRequest,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    clock: Clock,
  ) {
    this.#request = request;
    this.#signal = signal;
    this.#clock = clock;
    signal?.addEventListener('abort', this.#onAbort);
    const onTimeout = (): void => request.reject(timeoutError(request, timeoutMs ?? 0));
    this.#timer = timeoutMs === undefined ? null : clock.startTimer(timeoutMs, onTimeout);
  }

  stop(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort);
    if (this.#timer !== null) this.#clock.cancelTimer(this.#timer);
  }
}

function timeoutError(request: PendingRequest, timeoutMs: number): RequestTimeoutError {
  const { doing } = request.operation;
  const { path, neverSent } = request;
  const state = neverSent ? 'it was not sent' : 'it may still happen';
  const message = `Cannot ${doing}${path === '' ? '' : ` ${path}`}: no reply within ${timeoutMs} ms; ${state}`;
  return new RequestTimeoutError(
    path === '' ? { message, neverSent } : { path, message, neverSent },
  );
}
