/** When a client gives up waiting and when it pings: ZooKeeper's `ClientCnxn.java`. All in ms. */
export interface Timing {
  /** Without a word from the server for so long, the connection is dropped: 2/3 of the session timeout. */
  readonly readTimeoutMs: number;
  /** So long may dialing and the handshake take: the session timeout divided by the number of servers. */
  readonly connectTimeoutMs: number;
  /** Without a word from any server for so long, the session is given up: 4/3 of its timeout. */
  readonly expirationTimeoutMs: number;
  /** A ping is due when nothing was sent for so long. */
  readonly pingIdleMs: number;
}

/** The timing of a session timeout and a number of servers. */
export function timingOf(sessionTimeoutMs: number, servers: number): Timing {
  const readTimeoutMs = Math.floor((sessionTimeoutMs * 2) / 3);
  return {
    readTimeoutMs,
    connectTimeoutMs: Math.floor(sessionTimeoutMs / Math.max(1, servers)),
    expirationTimeoutMs: Math.floor((sessionTimeoutMs * 4) / 3),
    pingIdleMs: pingIdleMs(readTimeoutMs),
  };
}

/**
 * Half of the read timeout; once idle for over a second, a second earlier, so that there is time for another;
 * every 10 s at least.
 */
function pingIdleMs(readTimeoutMs: number): number {
  const half = Math.floor(readTimeoutMs / 2);
  return half <= 1000 ? half : Math.min(10_000, Math.max(1001, half - 1000));
}
