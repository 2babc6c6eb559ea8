import type { Clock, ConnectionStats, Replica } from '@meerkat/engine';
import { operationName } from './operation-names.ts';
import type {
  ConnectionStatistics,
  ExpiringSessions,
  ServerStatistics,
  ServerView,
  SessionIdView,
  Summary,
} from './server-view.ts';

/** What four-letter words see of a replica. Refuses to change anything but the counters that they reset. */
export class ReplicaView implements ServerView {
  readonly state = 'standalone' as const;
  readonly #replica: Replica;
  readonly #clock: Clock;
  readonly #startedMs: number;
  serving = false;

  constructor(replica: Replica, clock: Clock) {
    this.#replica = replica;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
  }

  statistics(): ServerStatistics {
    const { state, intake } = this.#replica;
    const { counters } = intake;
    const { tree, watches, sessions } = state;
    return {
      latencyMinMs: Math.floor(counters.latencyMinMs),
      latencyAvgMs: counters.answered === 0 ? 0 : counters.latencyTotalMs / counters.answered,
      latencyMaxMs: Math.floor(counters.latencyMaxMs),
      packetsReceived: counters.received,
      packetsSent: intake.replies.framesSent,
      outstandingRequests: intake.inProcess,
      lastProcessedZxid: state.lastProcessedZxid,
      nodeCount: tree.nodeCount,
      watchCount: watches.watchCount,
      ephemeralsCount: tree.ephemeralCount,
      approximateDataBytes: tree.approximateDataBytes,
      globalSessions: sessions.count,
      localSessions: 0,
      authFailedCount: counters.authFailures,
      uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
    };
  }

  resetStatistics(): void {
    const { counters, replies } = this.#replica.intake;
    counters.reset();
    replies.framesSent = 0;
  }

  onWordReceived(): void {
    this.#replica.intake.counters.received += 1;
  }

  connectionStatistics(id: number): ConnectionStatistics | null {
    const connection = this.#replica.intake.connections.get(id);
    if (connection === undefined) return null;
    const { stats, session } = connection;
    return {
      outstandingRequests: connection.pendingWrites + connection.deferredCount,
      packetsReceived: stats.received,
      packetsSent: stats.sent,
      reading: !connection.paused,
      session:
        session === null
          ? null
          : {
              id: { hi: session.idHi, lo: session.idLo },
              lastOperation: operationName(stats.lastType),
              establishedWallMs: this.#wallMsOf(connection.openedMs),
              timeoutMs: session.timeoutMs,
              lastCxid: stats.lastXid,
              lastZxid: stats.lastZxid,
              lastResponseMs: stats.lastResponseMs,
              ...latencies(stats),
            },
    };
  }

  resetConnectionStatistics(): void {
    for (const { stats } of this.#replica.intake.connections.all()) {
      stats.received = 0;
      stats.sent = 0;
      stats.answered = 0;
      stats.lastType = null;
      stats.lastXid = -1;
      stats.lastZxid = -1;
      stats.lastResponseMs = 0;
      stats.lastLatencyMs = 0;
      stats.minLatencyMs = Number.POSITIVE_INFINITY;
      stats.maxLatencyMs = 0;
      stats.totalLatencyMs = 0;
    }
  }

  sessionsByExpiry(): Iterable<ExpiringSessions> {
    return this.#replica.state.sessions.expiry.buckets().map(([bucketMs, sessions]) => ({
      expiresWallMs: this.#wallMsOf(bucketMs),
      sessions: sessions.map(({ idHi, idLo }) => ({ hi: idHi, lo: idLo })),
    }));
  }

  *ephemerals(): Iterable<readonly [SessionIdView, readonly string[]]> {
    const { tree } = this.#replica.state;
    for (const { hi, lo, nodes } of tree.sessionsWithEphemerals()) {
      yield [{ hi, lo }, nodes.toArray().map((node) => tree.pathOf(node))];
    }
  }

  watchTotals(): { connections: number; paths: number; watches: number } {
    const { watcherCount, pathCount, dataWatchCount } = this.#replica.state.watches;
    return { connections: watcherCount, paths: pathCount, watches: dataWatchCount };
  }

  watchesBySession(): Iterable<readonly [SessionIdView, readonly string[]]> {
    const { watches } = this.#replica.state;
    const entries: [SessionIdView, readonly string[]][] = [];
    watches.visitWatchers((watcher) => {
      const id = this.#sessionOf(watcher);
      if (id === null) return;
      const paths: string[] = [];
      watches.visitPathsOf(watcher, (bytes, start, end) => paths.push(textOf(bytes, start, end)));
      entries.push([id, paths]);
    });
    return entries;
  }

  watchesByPath(): Iterable<readonly [string, readonly SessionIdView[]]> {
    const entries: [string, SessionIdView[]][] = [];
    this.#replica.state.watches.visitPaths(
      (bytes, start, end) => entries.push([textOf(bytes, start, end), []]),
      (watcher) => {
        const id = this.#sessionOf(watcher);
        if (id !== null) entries.at(-1)?.[1].push(id);
      },
    );
    return entries;
  }

  digests(): Iterable<{ zxid: number; digest: bigint }> {
    return [];
  }

  counters(): Iterable<readonly [string, number]> {
    const { counters, replies } = this.#replica.intake;
    return [
      ['digest_mismatches_count', this.#replica.applier.digestMismatches],
      ['last_client_response_size', replies.sizes.last],
      ['max_client_response_size', replies.sizes.max],
      ['min_client_response_size', replies.sizes.min],
      ['large_requests_rejected', counters.largeRequestsRejected],
      ['stale_requests_dropped', counters.staleRequestsDropped],
      ['stale_sessions_expired', counters.sessionsExpired],
      ['throttled_ops', counters.throttledOperations],
    ];
  }

  summaries(): Iterable<readonly [string, Summary]> {
    return [];
  }

  #sessionOf(watcher: number): SessionIdView | null {
    const session = this.#replica.intake.connections.bySlot(watcher)?.session ?? null;
    return session === null ? null : { hi: session.idHi, lo: session.idLo };
  }

  #wallMsOf(monotonicMs: number): number {
    const passedMs = this.#clock.monotonicMs() - monotonicMs;
    return Math.round(this.#clock.wallMs() - passedMs);
  }
}

function latencies(stats: ConnectionStats): {
  lastLatencyMs: number;
  minLatencyMs: number;
  avgLatencyMs: number;
  maxLatencyMs: number;
} {
  const { answered } = stats;
  return {
    lastLatencyMs: Math.floor(stats.lastLatencyMs),
    minLatencyMs: answered === 0 ? 0 : Math.floor(stats.minLatencyMs),
    avgLatencyMs: answered === 0 ? 0 : stats.totalLatencyMs / answered,
    maxLatencyMs: Math.floor(stats.maxLatencyMs),
  };
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
}
