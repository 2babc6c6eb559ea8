/** Every bound of the client: its unit, its default, and what happens at it. All are options of `connect`. */
export interface ClientLimits {
  /** Bytes of one reply, Java's `jute.maxbuffer` of clients. A longer one drops the connection. */
  readonly replyBytesMax: number;
  /**
   * Bytes of one request. A longer one is refused before it is sent, since a server whose `jute.maxbuffer`
   * it exceeds would close the connection under all the others too. The default is that of servers.
   */
  readonly requestBytesMax: number;
  /** Requests sent and not answered; further ones wait their turn. */
  readonly inFlightRequestsMax: number;
  /** Bytes that the socket has not taken; further requests wait. */
  readonly unsentBytesMax: number;
  /** Requests waiting for a connection or for their turn; further ones fail with `RequestQueueFullError`. */
  readonly waitingRequestsMax: number;
  /** Bytes of waiting requests; further ones fail with `RequestQueueFullError`. */
  readonly waitingBytesMax: number;
  /** Text of paths in one setWatches request, bytes, Java's `SET_WATCHES_MAX_LENGTH`. */
  readonly setWatchesBytesMax: number;
  /** States that a slow `for await` over `states()` may lag behind; then the oldest are skipped. */
  readonly statesLagMax: number;
  /** Events that a slow reader of `watch()` may lag behind; then those that wait become one `gap`. */
  readonly watchLagMax: number;
}

/** The defaults. */
export const defaultLimits: ClientLimits = {
  replyBytesMax: 64 * 1024 * 1024,
  requestBytesMax: 0xfffff,
  inFlightRequestsMax: 10_000,
  unsentBytesMax: 4 * 1024 * 1024,
  waitingRequestsMax: 100_000,
  waitingBytesMax: 64 * 1024 * 1024,
  setWatchesBytesMax: 128 * 1024,
  statesLagMax: 1000,
  watchLagMax: 1000,
};
