import { ErrorCode } from '@meerkat/protocol';
import { ZooKeeperError } from '../errors.ts';
import { validateTimeout } from '../options.ts';
import { isFinal } from '../states.ts';
import type { ZooKeeper } from '../zookeeper.ts';
import { WaitTimeoutError } from './errors.ts';

/** What every recipe that waits takes. */
export interface WaitOptions {
  /** Gives up: the call fails with the signal's reason, and what it put on the server is taken back. */
  readonly signal?: AbortSignal;
  /** Gives up after this time, ms: the call fails with `WaitTimeoutError`. Default: no limit. */
  readonly timeoutMs?: number;
}

/**
 * Runs something that waits until a signal aborts, under the caller's signal and time limit.
 *
 * @param doing what it is, as in "acquire the lock /jobs": part of the message when the time is up
 * @throws WaitTimeoutError | BadArgumentsError, or the signal's reason
 */
export async function within<T>(
  zk: ZooKeeper,
  options: WaitOptions,
  doing: string,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  validateTimeout(timeoutMs);
  const { clock } = zk.ports;
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  const onTimeout = (): void => {
    controller.abort(
      new WaitTimeoutError(`Cannot ${doing}: current value is ${timeoutMs} ms waited`),
    );
  };
  const timer = timeoutMs === undefined ? null : clock.startTimer(timeoutMs, onTimeout);
  try {
    return await run(controller.signal);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    if (timer !== null) clock.cancelTimer(timer);
  }
}

/**
 * Makes a call until it is answered: again after each lost connection or missed time limit, as soon as a server serves
 * the session. Only for calls that may happen twice.
 *
 * @throws ZooKeeperError the server's answer, SessionExpiredError or AuthFailedError when the session has ended, or the
 *   signal's reason
 */
export async function untilAnswered<T>(
  zk: ZooKeeper,
  call: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await call();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
    }
    await zk.connected(signal === undefined ? {} : { signal });
  }
}

/** Waits until a server that takes writes serves the session, or the session is over. */
export async function untilWritable(zk: ZooKeeper, signal: AbortSignal): Promise<void> {
  for await (const state of zk.states({ signal })) {
    if (state.status === 'connected' || isFinal(state)) return;
  }
  signal.throwIfAborted();
}

/** True when a call failed without an answer of the server: it may be made again. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof ZooKeeperError && unansweredCodes.has(error.code);
}

/** True when the session is over, and with it all that it owned. */
export function isSessionEnded(error: unknown): boolean {
  return error instanceof ZooKeeperError && endedCodes.has(error.code);
}

/** Waits for `start` to call back, or for the signal. What `start` returns is called at the end, either way. */
export async function untilTold<T>(
  signal: AbortSignal,
  start: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => {};
  let onAbort = (): void => {};
  try {
    return await new Promise<T>((resolve, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      stop = start(resolve, reject);
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop();
  }
}

/** What `untilFired` waits for. */
export interface WatchedRead {
  /** The znode that is watched. */
  readonly path: string;
  /** The kind of watch that `read` sets. */
  readonly type: 'data' | 'children';
  readonly signal: AbortSignal;
  /** Reads with this watcher. True: wait for it to be told. False: there is nothing to wait for. */
  readonly read: (watch: () => void) => Promise<boolean>;
}

/**
 * Reads with a watch and waits until it fires, if the read says so. Takes the watch back when it has not fired: what is
 * watched may stay as it is for hours, and watchers would pile up on its list.
 */
export async function untilFired(zk: ZooKeeper, watched: WatchedRead): Promise<void> {
  const { path, type, signal, read } = watched;
  let told = false;
  let tell = (): void => {};
  const watcher = (): void => {
    told = true;
    tell();
  };
  try {
    await untilTold<void>(signal, (resolve, reject) => {
      tell = resolve;
      read(watcher).then((wait) => {
        if (!wait) resolve();
      }, reject);
      return () => {};
    });
  } finally {
    // Without such a watch this says so, and is not heard.
    if (!told) zk.removeWatches(path, { type, watcher, local: true }).catch(() => {});
  }
}

/** The outcome of `promise`, or the signal's reason if that comes first. The promise itself goes on. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody hears of it when the signal has aborted already.
  promise.catch(() => {});
  return untilTold<T>(signal, (resolve, reject) => {
    promise.then(resolve, reject);
    return () => {};
  });
}

const unansweredCodes: ReadonlySet<number> = new Set<number>([
  ErrorCode.connectionLoss,
  ErrorCode.requestTimeout,
  ErrorCode.operationTimeout,
]);

const endedCodes: ReadonlySet<number> = new Set<number>([
  ErrorCode.sessionExpired,
  ErrorCode.authFailed,
]);
