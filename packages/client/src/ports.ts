/**
 * All that the client's core asks of the world: streams, time and chance. `node/` implements them on
 * Node, `testing/` and the simulator in memory under virtual time.
 *
 * No port calls back before the call that caused it has returned, and none calls two things at once.
 */
export interface ClientPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  /** Looks names up, for `dns-srv://`. Ports without it refuse such connect strings. */
  readonly resolver?: Resolver;
}

/** A server as a connect string names it. The host is resolved at each dial. */
export interface HostPort {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Opens streams to servers. */
export interface Transport {
  /** Starts to dial; `handler.onOpen` or `handler.onClosed` follows in a later event. */
  dial(server: HostPort, handler: StreamHandler): Stream;
}

/** What happens to a stream. After `onClosed`, or after our own `Stream.close`, nothing more is called. */
export interface StreamHandler {
  /** The stream is open: bytes may be written. */
  onOpen(): void;
  /** Bytes arrived. They belong to the handler: the transport never writes to them again. */
  onBytes(bytes: Uint8Array): void;
  /** The bytes that `Stream.write` kept have left: `unsentBytes` is 0 again. */
  onDrained(): void;
  /** The stream ended, or never opened; `cause` is null when the server closed it in good order. */
  onClosed(cause: Error | null): void;
}

/** One stream to one server. */
export interface Stream {
  /**
   * Sends bytes. True: they may be reused at once. False: the stream keeps the array until it is
   * written, the caller must not touch it again, and `onDrained` follows.
   */
  write(bytes: Uint8Array): boolean;
  /** Bytes accepted by `write` that the socket has not taken yet. */
  readonly unsentBytes: number;
  /** Closes; what was written still leaves when the server reads on. The handler hears nothing more. */
  close(): void;
}

/** Looks up names. */
export interface Resolver {
  /** Asks DNS for the SRV records of a name; calls back once, in a later event. With an error there are no records. */
  resolveSrv(name: string, callback: SrvCallback): void;
}

/** Hears of an answer of DNS. */
export type SrvCallback = (error: Error | null, records: readonly SrvRecord[]) => void;

/** One SRV record. Its priority and weight mean nothing to ZooKeeper. */
export interface SrvRecord {
  /** The host. */
  readonly name: string;
  readonly port: number;
}

/** What `Clock.startTimer` returns. */
export type TimerHandle = object | number;

/** Time, and the end of the present turn. */
export interface Clock {
  /** Milliseconds on a clock that only goes forward; its origin means nothing. */
  nowMs(): number;
  /** Calls `callback` once, `delayMs` or more from now. */
  startTimer(delayMs: number, callback: () => void): TimerHandle;
  /** Forgets a timer; one that has fired is ignored. */
  cancelTimer(handle: TimerHandle): void;
  /** Calls `callback` once the present event and the promises it settled have been dealt with. */
  endOfTurn(callback: () => void): void;
}

/** Randomness for shuffling hosts and spreading reconnects. Not for secrets. */
export interface Random {
  /** A whole number, 0 <= n < bound, bound at most 2^32. */
  below(bound: number): number;
}
