import { OpCode } from '@meerkat/protocol';
import { formatServer } from './connect-string.ts';
import { type ListenerErrorHandler, rethrow } from './listeners.ts';
import type { Clock, HostPort } from './ports.ts';
import type { PendingRequest } from './request.ts';
import type { ConnectionState } from './states.ts';
import type { WatchEventType } from './watches.ts';

/**
 * What a client tells whoever measures or traces it. Hooks are called at once and must return soon; what they throw goes to
 * `onListenerError` and disturbs no call. Without hooks none of this costs anything.
 */
export interface ClientHooks {
  /** A call begins, in the turn of its caller. The function returned, if any, is told how it ended. Refused calls are not told. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is as good
  readonly onCall?: (call: CallStart) => ((end: CallEnd) => void) | void;
  /** An attempt to reach a server has ended, one way or the other. */
  readonly onDial?: (dial: DialEnd) => void;
  /** The client has another state. */
  readonly onState?: (state: ConnectionState) => void;
  /** A watch event has arrived. */
  readonly onWatchEvent?: (event: WatchEventTold) => void;
}

/** A call, as `ClientHooks.onCall` is told of it. */
export interface CallStart {
  /** In the words of ZooKeeper's `OpCode`: `getData`, `create2`, `multi`, … */
  readonly operation: string;
  /** As the caller gave it, without the chroot; '' when the operation has none. */
  readonly path: string;
}

/** How a call ended. */
export interface CallEnd {
  /** From the call to its answer, waiting for a connection included, ms. */
  readonly durationMs: number;
  /** What the caller got instead of a result: a `ZooKeeperError`, or the reason of a signal; null when it succeeded. */
  readonly error: unknown;
  /** False when the request never left this client. */
  readonly wasSent: boolean;
}

/** How an attempt to reach a server ended. */
export interface DialEnd {
  /** `host:port`. */
  readonly server: string;
  /** From the dial to the end of handshake and SASL, ms. */
  readonly durationMs: number;
  /** Why it failed; null when the server serves the session now. */
  readonly error: Error | null;
}

/** A watch event, as `ClientHooks.onWatchEvent` is told of it. */
export interface WatchEventTold {
  readonly type: WatchEventType;
  readonly path: string;
  /** How many watchers hear of it. */
  readonly watchers: number;
}

/** Calls the hooks of one client, and keeps what they throw away from it. */
export class HookRunner {
  readonly #hooks: ClientHooks;
  readonly #clock: Clock;
  readonly #onError: ListenerErrorHandler;

  constructor(hooks: ClientHooks, clock: Clock, onError: ListenerErrorHandler | undefined) {
    this.#hooks = hooks;
    this.#clock = clock;
    this.#onError = onError ?? rethrow;
  }

  /** A request begins; its end is told too. */
  onCall(request: PendingRequest): void {
    const { onCall } = this.#hooks;
    if (onCall === undefined || request.isSettled) return;
    const { operation, path } = request;
    const startMs = this.#clock.nowMs();
    const onEnd = this.#guarded(() =>
      onCall({ operation: operationNames.get(operation.opcode) ?? operation.doing, path }),
    );
    if (typeof onEnd !== 'function') return;
    request.onSettled = (error) => {
      const durationMs = this.#clock.nowMs() - startMs;
      this.#guarded(() =>
        onEnd({ durationMs, error, wasSent: error === null || !request.neverSent }),
      );
    };
  }

  /** An attempt to reach a server that began at `dialedMs` has ended. */
  onDial(server: HostPort, dialedMs: number, error: Error | null): void {
    const { onDial } = this.#hooks;
    if (onDial === undefined) return;
    const durationMs = this.#clock.nowMs() - dialedMs;
    this.#guarded(() => onDial({ server: formatServer(server), durationMs, error }));
  }

  onState(state: ConnectionState): void {
    const { onState } = this.#hooks;
    if (onState !== undefined) this.#guarded(() => onState(state));
  }

  onWatchEvent(event: WatchEventTold): void {
    const { onWatchEvent } = this.#hooks;
    if (onWatchEvent !== undefined) this.#guarded(() => onWatchEvent(event));
  }

  #guarded<T>(call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}

const operationNames: ReadonlyMap<number, string> = new Map(
  Object.entries(OpCode).map(([name, code]) => [code, name]),
);
