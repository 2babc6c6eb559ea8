import type {
  Clock,
  ConnectionStats,
  LatencySummary,
  Replica,
  SessionEphemerals,
  Tree,
} from '@meerkat/engine';
import { EventType } from '@meerkat/protocol';
import { MemberView } from './member-view.ts';
import { operationName } from './operation-names.ts';
import type {
  ConnectionStatistics,
  ExpiringSessions,
  ServerState,
  ServerStatistics,
  ServerView,
  SessionIdView,
  Summary,
} from './server-view.ts';

/** What four-letter words see of a replica. Refuses to change anything but the counters that they reset. */
export class ReplicaView implements ServerView {
  readonly member: MemberView | null;
  readonly #replica: Replica;
  readonly #clock: Clock;
  readonly #startedMs: number;
  /** Between the start and the end; a member of an ensemble serves only part of that time. */
  isUp = false;

  constructor(replica: Replica, clock: Clock) {
    this.#replica = replica;
    this.#clock = clock;
    this.#startedMs = clock.monotonicMs();
    const { ensemble } = replica.config;
    const { member } = replica;
    this.member =
      member === null || ensemble === null ? null : new MemberView(member, ensemble, clock);
  }

  get serving(): boolean {
    return this.isUp && this.#replica.isServing;
  }

  get state(): ServerState {
    return this.member?.state ?? 'standalone';
  }

  statistics(): ServerStatistics {
    const { state, intake } = this.#replica;
    const { counters } = intake;
    const { tree, watches, sessions } = state;
    const latency = counters.latency();
    return {
      latencyMinMs: Math.floor(latency.min),
      latencyAvgMs: latency.count === 0 ? 0 : latency.sum / latency.count,
      latencyMaxMs: Math.floor(latency.max),
      packetsReceived: counters.received,
      packetsSent: intake.replies.framesSent,
      outstandingRequests: intake.inProcess,
      lastProcessedZxid: state.lastProcessedZxid,
      nodeCount: tree.nodeCount,
      watchCount: watches.watchCount,
      ephemeralsCount: tree.ephemeralCount,
      approximateDataBytes: tree.approximateDataBytes,
      globalSessions: sessions.count - sessions.localCount,
      localSessions: sessions.localCount,
      authFailedCount: counters.authFailures,
      uptimeMs: this.#clock.monotonicMs() - this.#startedMs,
    };
  }

  resetStatistics(): void {
    this.#replica.resetCounters();
  }

  onWordReceived(): void {
    const { counters } = this.#replica.intake;
    counters.received += 1;
    counters.receivedBytes += wordBytes;
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

  get sessionsWithEphemerals(): number {
    return this.#replica.state.tree.sessionsWithEphemeralsCount;
  }

  *ephemerals(): Iterable<readonly [SessionIdView, Iterable<string>]> {
    const { tree } = this.#replica.state;
    for (const session of tree.sessionsWithEphemerals())
      yield [session, ephemeralsOf(tree, session)];
  }

  watchTotals(): { connections: number; paths: number; watches: number } {
    const { watcherCount, pathCount, dataWatchCount } = this.#replica.state.watches;
    return { connections: watcherCount, paths: pathCount, watches: dataWatchCount };
  }

  *watchesBySession(): Iterable<readonly [SessionIdView, Iterable<string>]> {
    const { state } = this.#replica;
    for (const watcher of state.watches.watchers()) {
      const id = this.#sessionOf(watcher);
      if (id !== null) yield [id, this.#pathsOf(watcher)];
    }
  }

  *watchesByPath(): Iterable<readonly [string, Iterable<SessionIdView>]> {
    for (const { path, watchers } of this.#replica.state.watches.pathsWatched()) {
      yield [path, this.#sessionsOf(watchers)];
    }
  }

  digests(): Iterable<{ zxid: number; digest: bigint }> {
    const entries: { zxid: number; digest: bigint }[] = [];
    this.#replica.applier.digests.visit((zxid, hi, lo) => {
      entries.push({ zxid, digest: (BigInt(hi) << 32n) | BigInt(lo >>> 0) });
    });
    return entries;
  }

  counters(): Iterable<readonly [string, number]> {
    const { counters, replies } = this.#replica.intake;
    return [
      ['digest_mismatches_count', this.#replica.applier.digestMismatches],
      ['last_client_response_size', replies.sizes.last],
      ['max_client_response_size', replies.sizes.max],
      ['min_client_response_size', replies.sizes.min],
      ['bytes_received_count', counters.receivedBytes],
      ['response_bytes', counters.responseBytes],
      ['watch_bytes', counters.watchBytes],
      ['connection_request_count', counters.connectionRequests],
      ['connection_revalidate_count', counters.connectionRevalidations],
      ['connection_drop_count', counters.connectionsEnded],
      ['large_requests_rejected', counters.largeRequestsRejected],
      ['stale_requests_dropped', counters.staleRequestsDropped],
      ['stale_sessions_expired', counters.sessionsExpired],
      ['throttled_ops', counters.throttledOperations],
      ['request_throttle_wait_count', counters.throttleWaits],
      ['snapshot_error_count', counters.snapshotFailures],
      // Where Java counts a thread that died of an error, the process ends.
      ['unrecoverable_error_count', 0],
    ];
  }

  *summaries(): Iterable<readonly [string, Summary]> {
    const { state, intake, log } = this.#replica;
    const { counters } = intake;
    const { told } = state.watches;
    yield ['node_created_watch_count', told[EventType.nodeCreated]];
    yield ['node_deleted_watch_count', told[EventType.nodeDeleted]];
    yield ['node_changed_watch_count', told[EventType.nodeDataChanged]];
    yield ['node_children_watch_count', told[EventType.nodeChildrenChanged]];
    yield ['startup_txns_loaded', counters.replayedTransactions];
    yield ['startup_txns_load_time', wholeMs(counters.replayTime)];
    yield ['startup_snap_load_time', wholeMs(counters.snapshotLoadTime)];
    yield ['dbinittime', wholeMs(counters.databaseTime)];
    yield ['snapshottime', wholeMs(counters.snapshotTime)];
    if (log !== null) {
      yield ['fsynctime', wholeMs(log.syncTime)];
      yield ['sync_processor_batch_size', log.groupSizes];
    }
    if (this.member !== null) yield* this.member.summaries();
    yield ['readlatency', withQuantiles(counters.readLatency)];
    yield ['updatelatency', withQuantiles(counters.updateLatency)];
  }

  #sessionOf(watcher: number): SessionIdView | null {
    const session = this.#replica.intake.connections.bySlot(watcher)?.session ?? null;
    return session === null ? null : { hi: session.idHi, lo: session.idLo };
  }

  #sessionsOf(watchers: readonly number[]): readonly SessionIdView[] {
    return watchers.map((watcher) => this.#sessionOf(watcher)).filter((id) => id !== null);
  }

  /** Until its connection ends: then the number may be another's. */
  *#pathsOf(watcher: number): Iterable<string> {
    const { connections } = this.#replica.intake;
    const connection = connections.bySlot(watcher);
    for (const path of this.#replica.state.watches.pathsOf(watcher)) {
      if (connections.bySlot(watcher) !== connection) return;
      yield path;
    }
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

/** A word is a packet without a length before it. */
const wordBytes = 4;

/** The ephemerals of a session as they are now; those that go meanwhile are left out. */
function* ephemeralsOf(tree: Tree, { hi, lo, nodes }: SessionEphemerals): Iterable<string> {
  for (const node of nodes.toArray()) {
    if (tree.isEphemeralOf(node, hi, lo)) yield tree.pathOf(node);
  }
}

/** Times as Java has them: the sum as it is, the extremes in whole milliseconds. */
function wholeMs({ count, sum, min, max }: Summary): Summary {
  return { count, sum: Math.floor(sum), min: Math.floor(min), max: Math.floor(max) };
}

function withQuantiles(summary: LatencySummary): Summary {
  const quantiles = {
    p50: summary.quantile(0.5),
    p95: summary.quantile(0.95),
    p99: summary.quantile(0.99),
    p999: summary.quantile(0.999),
  };
  return { ...wholeMs(summary), quantiles };
}
