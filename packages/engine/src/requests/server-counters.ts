/** What the replica counts as it works: cheap to keep, read by the four-letter words. */
export class ServerCounters {
  /** Frames received, pings and handshakes included. */
  received = 0;
  /** Requests answered, for the average latency. */
  answered = 0;
  latencyTotalMs = 0;
  latencyMinMs = 0;
  latencyMaxMs = 0;
  /** Frames of a length that no frame has, and records that do not decode. */
  malformed = 0;
  /** Operation codes that nobody knows. */
  unknownOperations = 0;
  authFailures = 0;
  sessionsExpired = 0;
  connectionsRefused = 0;
  /** Connections cut since their client did not read. */
  slowClientsCut = 0;
  largeRequestsRejected = 0;
  staleRequestsDropped = 0;
  throttledOperations = 0;

  /** Notes that a request was answered `latencyMs` after it came. */
  answeredAfter(latencyMs: number): void {
    this.latencyTotalMs += latencyMs;
    if (this.answered === 0 || latencyMs < this.latencyMinMs) this.latencyMinMs = latencyMs;
    if (latencyMs > this.latencyMaxMs) this.latencyMaxMs = latencyMs;
    this.answered++;
  }

  /** Forgets what `srst` forgets. */
  reset(): void {
    this.received = 0;
    this.answered = 0;
    this.latencyTotalMs = 0;
    this.latencyMinMs = 0;
    this.latencyMaxMs = 0;
  }
}
