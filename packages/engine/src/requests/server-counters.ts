import { LatencySummary, Summary } from '../summary.ts';

/** What the replica counts as it works: cheap to keep, read by the four-letter words. */
export class ServerCounters {
  /** Frames received, pings and handshakes included. */
  received = 0;
  /** Their bytes with the length before each (`bytes_received_count`). */
  receivedBytes = 0;
  /** Bytes of replies to requests, without their lengths and without pings (`response_bytes`). */
  responseBytes = 0;
  /** Bytes of watch events (`watch_bytes`). */
  watchBytes = 0;
  /** From arrival to answer, reads and pings, ms. */
  readonly readLatency: LatencySummary = new LatencySummary();
  /** From arrival to answer, writes, ms. */
  readonly updateLatency: LatencySummary = new LatencySummary();
  /** Handshakes, whatever became of them. */
  connectionRequests = 0;
  /** Handshakes that asked for a session of before. */
  connectionRevalidations = 0;
  /** Frames of a length that no frame has, and records that do not decode. */
  malformed = 0;
  /** Operation codes that nobody knows. */
  unknownOperations = 0;
  authFailures = 0;
  sessionsExpired = 0;
  connectionsRefused = 0;
  /** Connections that have ended, whoever ended them. */
  connectionsEnded = 0;
  /** Connections cut since their client did not read. */
  slowClientsCut = 0;
  largeRequestsRejected = 0;
  staleRequestsDropped = 0;
  throttledOperations = 0;
  /** Requests that had to wait for `request_throttle_max_requests`. */
  throttleWaits = 0;
  snapshotFailures = 0;
  /** How long snapshots took, ms. */
  readonly snapshotTime: Summary = new Summary();
  /** How long it took to bring the database back, ms: in all, its snapshot, its transactions. */
  readonly databaseTime: Summary = new Summary();
  readonly snapshotLoadTime: Summary = new Summary();
  readonly replayTime: Summary = new Summary();
  /** Transactions replayed at the start. */
  readonly replayedTransactions: Summary = new Summary();

  /** Notes that a request was answered `latencyMs` after it came. */
  answeredAfter(latencyMs: number, isWrite: boolean): void {
    if (isWrite) this.updateLatency.add(latencyMs);
    else this.readLatency.add(latencyMs);
  }

  /** All requests answered: count, sum and extremes of their latencies. */
  latency(): { count: number; sum: number; min: number; max: number } {
    const { readLatency: reads, updateLatency: updates } = this;
    const isMixed = reads.count > 0 && updates.count > 0;
    return {
      count: reads.count + updates.count,
      sum: reads.sum + updates.sum,
      // One without any has 0 there.
      min: isMixed ? Math.min(reads.min, updates.min) : reads.min + updates.min,
      max: Math.max(reads.max, updates.max),
    };
  }

  /** Starts again at 0, as `srst` asks: everything (`ServerMetrics.resetAll`). */
  reset(): void {
    this.received = 0;
    this.receivedBytes = 0;
    this.responseBytes = 0;
    this.watchBytes = 0;
    this.connectionRequests = 0;
    this.connectionRevalidations = 0;
    this.malformed = 0;
    this.unknownOperations = 0;
    this.sessionsExpired = 0;
    this.connectionsRefused = 0;
    this.connectionsEnded = 0;
    this.slowClientsCut = 0;
    this.largeRequestsRejected = 0;
    this.staleRequestsDropped = 0;
    this.throttledOperations = 0;
    this.throttleWaits = 0;
    this.snapshotFailures = 0;
    for (const summary of this.#summaries()) summary.reset();
  }

  #summaries(): readonly Summary[] {
    return [
      this.readLatency,
      this.updateLatency,
      this.snapshotTime,
      this.databaseTime,
      this.snapshotLoadTime,
      this.replayTime,
      this.replayedTransactions,
    ];
  }
}
