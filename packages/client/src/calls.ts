import type { WatchOptions } from './call-options.ts';
import { BadArgumentsError } from './errors.ts';
import type { MultiBody } from './operations/multi.ts';
import type { Operation } from './operations/operation.ts';
import { validateTimeout } from './options.ts';
import { toServerPath, validatePath, validateSequentialPath } from './paths.ts';
import type { Clock } from './ports.ts';
import {
  noTarget,
  type PendingRequest,
  Request,
  type RequestOptions,
  type RequestTarget,
} from './request.ts';
import type { Session } from './session.ts';
import type { Watcher } from './watches.ts';

/** What calls depend on besides their arguments. */
export interface CallSettings {
  readonly chroot: string;
  readonly clock: Clock;
  /** How long a call may take when its options do not say, ms. */
  readonly requestTimeoutMs: number | undefined;
}

/**
 * How a call of the client becomes a request of its session: what is wrong with it is refused before anything is sent, its
 * path goes below the chroot, and its options bound the time it may take.
 */
export class Calls {
  readonly #session: Session;
  readonly #chroot: string;
  readonly #clock: Clock;
  readonly #requestTimeoutMs: number | undefined;

  constructor(session: Session, { chroot, clock, requestTimeoutMs }: CallSettings) {
    this.#session = session;
    this.#chroot = chroot;
    this.#clock = clock;
    this.#requestTimeoutMs = requestTimeoutMs;
  }

  /** A read of one znode, with a watch when one is asked for. */
  read<Result>(
    operation: Operation<boolean, Result>,
    path: string,
    options: WatchOptions | undefined,
  ): Promise<Result> {
    const watcher = options?.watch ?? null;
    return this.call(operation, path, watcher !== null, options, watcher);
  }

  /** A call about one znode. */
  call<Body, Result>(
    operation: Operation<Body, Result>,
    path: string,
    body: Body,
    options: RequestOptions | undefined,
    watcher: Watcher | null = null,
    sequential = false,
  ): Promise<Result> {
    try {
      if (sequential) validateSequentialPath(path, operation.doing);
      else validatePath(path, operation.doing);
    } catch (error) {
      return Promise.reject(error);
    }
    const target = { path, serverPath: toServerPath(this.#chroot, path), chroot: this.#chroot };
    return this.submit(operation, target, body, watcher, options);
  }

  /** A call about whatever `target` is. */
  submit<Body, Result>(
    operation: Operation<Body, Result>,
    target: RequestTarget,
    body: Body,
    watcher: Watcher | null,
    options: RequestOptions | undefined,
  ): Promise<Result> {
    try {
      if (watcher !== null && typeof watcher !== 'function')
        throw badArgument('watch with', watcher);
      operation.validate?.(body, target.path);
      const request = new Request(operation, target, body, watcher);
      if (options !== undefined || this.#requestTimeoutMs !== undefined)
        this.limit(request, options);
      this.#session.submit(request);
      return request.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Gives a request the time and the signal of its options, or of the client's. */
  limit(request: PendingRequest, options: RequestOptions | undefined): void {
    options?.signal?.throwIfAborted();
    validateTimeout(options?.timeoutMs);
    const signal = options?.signal;
    const timeoutMs = options?.timeoutMs ?? this.#requestTimeoutMs;
    request.limit(signal, timeoutMs, this.#clock);
  }

  /** Refuses what is wrong with the options before `call` sends anything. */
  async guard<Result>(
    options: RequestOptions | undefined,
    call: () => Promise<Result>,
  ): Promise<Result> {
    options?.signal?.throwIfAborted();
    validateTimeout(options?.timeoutMs);
    return call();
  }

  /** Several operations as one request. */
  several<Op, Result>(
    operation: Operation<MultiBody<Op>, Result>,
    operations: readonly Op[],
    options: RequestOptions | undefined,
  ): Promise<Result> {
    if (!isList(operations))
      return Promise.reject(badArgument(`${operation.doing} of`, operations));
    // A copy: what was validated is what is sent.
    const body = { operations: [...operations], chroot: this.#chroot };
    return this.submit(operation, noTarget, body, null, options);
  }
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** What is said of an argument that is none. */
export function badArgument(doing: string, value: unknown): BadArgumentsError {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return new BadArgumentsError({
    message: `Cannot ${doing} what it does not know: current value is ${text}`,
  });
}
