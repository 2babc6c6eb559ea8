import { type BenchOptions, formatMix, type HostAndPort } from './bench-options.ts';
import { LoadConnection } from './load-connection.ts';
import { Recorder } from './recorder.ts';
import { MixSource, type Names, SequenceSource } from './request-source.ts';
import {
  createPathTemplate,
  createTemplate,
  deletePathTemplate,
  deleteTemplate,
} from './request-template.ts';

/** Requests in flight while znodes are made and removed. */
const preparationDepth = 200;
/** Connections being opened at the same time: a listener's backlog is short. */
const dialsAtOnce = 40;
/** How long replies are waited for once the load is over. */
const drainTimeoutMs = 10_000;

/** The percentiles that a result has. */
export const percentiles = [50, 90, 95, 99, 99.9, 99.99] as const;

/** What a run has measured, after the warm-up. */
export interface LoadResult {
  readonly servers: readonly string[];
  readonly mix: string;
  readonly connections: number;
  readonly depth: number;
  readonly payloadBytes: number;
  readonly keys: number;
  /** From the end of the warm-up to the end of the load. */
  readonly measuredMs: number;
  /** Answered requests, those answered with an error included. */
  readonly operations: number;
  readonly operationsPerSecond: number;
  readonly latencyUs: {
    readonly min: number;
    readonly mean: number;
    readonly max: number;
    /** By percentile: `"99.9": 1234`. */
    readonly percentiles: Readonly<Record<string, number>>;
  };
  readonly errorCount: number;
  /** Answers with an error, by ZooKeeper's names. */
  readonly errors: Readonly<Record<string, number>>;
  /** Connections that the server ended (each was replaced by a new one), and what was in flight. */
  readonly connectionsLost: number;
  readonly requestsLost: number;
  readonly lastLoss: string;
}

/** Where a run stands; reported once a second. */
export interface LoadProgress {
  readonly phase: 'preparing' | 'connecting' | 'warming up' | 'measuring' | 'removing znodes';
  readonly elapsedMs: number;
  /** Since the last report. */
  readonly operationsPerSecond: number;
  readonly errorCount: number;
  readonly connectionsLost: number;
}

/** How a run is watched and ended. */
export interface LoadControl {
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends the load early; what was measured until then is the result. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the znodes, opens the connections, keeps them busy, removes the znodes again, and returns
 * what it measured.
 *
 * @throws Error when no server can be reached or the znodes cannot be made
 */
export async function runLoad(
  options: BenchOptions,
  control: LoadControl = {},
): Promise<LoadResult> {
  const run = new LoadRun(options, control);
  try {
    await run.prepare();
    await run.connect();
    await run.measure();
    await run.removeZnodes();
  } finally {
    await run.close();
  }
  return run.result();
}

class LoadRun {
  readonly #options: BenchOptions;
  readonly #control: LoadControl;
  readonly #names: Names;
  readonly #source: MixSource;
  readonly #recorder: Recorder = new Recorder();
  readonly #connections: LoadConnection[] = [];
  readonly #startMs: number = performance.now();
  #phase: LoadProgress['phase'] = 'preparing';
  #operationsReported = 0;
  #reportedAtMs: number = performance.now();
  #result: LoadResult | undefined;

  constructor(options: BenchOptions, control: LoadControl) {
    this.#options = options;
    this.#control = control;
    // Two runs at the same time, or one after a crash of the other, do not create the same names.
    const runName = Math.floor(Math.random() * 2 ** 32).toString(16);
    const root = options.root === '/' ? '' : options.root;
    this.#names = { keyPrefix: `${root}/k`, createdPrefix: `${root}/c${runName}-` };
    this.#source = new MixSource(options, this.#names, Math.random() * 2 ** 31);
  }

  /** Makes the root and the keys, through the first connection. */
  async prepare(): Promise<void> {
    const { hosts, sessionTimeoutMs, root, keys, payloadBytes, mix } = this.#options;
    const connection = new LoadConnection(hosts[0] as HostAndPort, sessionTimeoutMs);
    await connection.dial();
    this.#connections.push(connection);
    for (const path of ancestorsAndSelf(root)) {
      await this.#doAll(connection, new SequenceSource(createPathTemplate(path), 1));
    }
    if (mix.every(({ operation }) => operation === 'create')) return;
    const payload = new Uint8Array(payloadBytes).fill(0x78);
    const template = createTemplate(this.#names.keyPrefix, payload);
    await this.#doAll(connection, new SequenceSource(template, keys));
  }

  /** Opens the other connections. */
  async connect(): Promise<void> {
    const { hosts, connections, sessionTimeoutMs } = this.#options;
    this.#phase = 'connecting';
    while (this.#connections.length < connections) {
      const first = this.#connections.length;
      const count = Math.min(dialsAtOnce, connections - first);
      const dialled = Array.from({ length: count }, (_, i) => {
        const host = hosts[(first + i) % hosts.length] as HostAndPort;
        return new LoadConnection(host, sessionTimeoutMs);
      });
      this.#connections.push(...dialled);
      await Promise.all(dialled.map((connection) => connection.dial()));
    }
  }

  /** Keeps all connections busy, first for the warm-up, then for as long as is measured. */
  async measure(): Promise<void> {
    const { depth, warmUpMs, durationMs } = this.#options;
    const load = { source: this.#source, depth, recorder: this.#recorder, redial: true };
    this.#phase = 'warming up';
    const reports = setInterval(() => this.#report(), 1000);
    const ends = this.#connections.map((connection) => connection.run(load));
    if (warmUpMs > 0) {
      await this.#wait(warmUpMs);
      this.#recorder.clear();
      this.#operationsReported = 0;
    }
    this.#phase = 'measuring';
    const measuringSinceMs = performance.now();
    await this.#wait(durationMs);
    this.#result = this.#summary(performance.now() - measuringSinceMs);
    this.#source.stop();
    clearInterval(reports);
    const drained = setTimeout(() => {
      for (const connection of this.#connections) connection.destroy();
    }, drainTimeoutMs);
    await Promise.all(ends);
    clearTimeout(drained);
  }

  /** Removes what the run has made, unless it is to stay. */
  async removeZnodes(): Promise<void> {
    const { keep, keys, root, mix } = this.#options;
    const [connection] = this.#connections;
    if (keep || connection === undefined) return;
    this.#phase = 'removing znodes';
    const { created } = this.#source;
    const { keyPrefix, createdPrefix } = this.#names;
    await this.#doAll(connection, new SequenceSource(deleteTemplate(createdPrefix), created));
    if (mix.some(({ operation }) => operation !== 'create')) {
      await this.#doAll(connection, new SequenceSource(deleteTemplate(keyPrefix), keys));
    }
    if (root !== '/') {
      await this.#doAll(connection, new SequenceSource(deletePathTemplate(root), 1));
    }
  }

  /** Ends all sessions. */
  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  /** What `measure` has found. */
  result(): LoadResult {
    if (this.#result === undefined) throw new Error('Cannot tell a result: nothing was measured');
    return this.#result;
  }

  async #doAll(connection: LoadConnection, source: SequenceSource): Promise<void> {
    const recorder = new Recorder();
    await connection.run({ source, depth: preparationDepth, recorder, redial: false });
    const harmless = new Set(['NODEEXISTS', 'NONODE', 'NOTEMPTY']);
    const failed = Object.keys(recorder.errorsByName()).filter((name) => !harmless.has(name));
    if (failed.length > 0) {
      const { root } = this.#options;
      throw new Error(`Cannot prepare znodes under ${root}: the server answers ${failed.join()}`);
    }
  }

  #wait(durationMs: number): Promise<void> {
    const { signal } = this.#control;
    return new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const finish = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const timer = setTimeout(finish, durationMs);
      signal?.addEventListener('abort', finish);
    });
  }

  #report(): void {
    const nowMs = performance.now();
    const operations = this.#recorder.latencies.count;
    const seconds = (nowMs - this.#reportedAtMs) / 1000;
    this.#control.onProgress?.({
      phase: this.#phase,
      elapsedMs: nowMs - this.#startMs,
      operationsPerSecond: (operations - this.#operationsReported) / seconds,
      errorCount: this.#recorder.errorCount,
      connectionsLost: this.#recorder.connectionsLost,
    });
    this.#operationsReported = operations;
    this.#reportedAtMs = nowMs;
  }

  #summary(measuredMs: number): LoadResult {
    const { latencies, connectionsLost, requestsLost, lastLoss, errorCount } = this.#recorder;
    const { hosts, mix, connections, depth, payloadBytes, keys } = this.#options;
    const valueAt = (percent: number) => [String(percent), latencies.percentileUs(percent)];
    return {
      servers: hosts.map(({ host, port }) => `${host}:${port}`),
      mix: formatMix(mix),
      connections,
      depth,
      payloadBytes,
      keys,
      measuredMs,
      operations: latencies.count,
      operationsPerSecond: (latencies.count * 1000) / measuredMs,
      latencyUs: {
        min: latencies.minUs,
        mean: latencies.meanUs,
        max: latencies.maxUs,
        percentiles: Object.fromEntries(percentiles.map(valueAt)) as Record<string, number>,
      },
      errorCount,
      errors: this.#recorder.errorsByName(),
      connectionsLost,
      requestsLost,
      lastLoss,
    };
  }
}

/** `/a/b` -> `/a`, `/a/b`. */
function ancestorsAndSelf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, i) => `/${names.slice(0, i + 1).join('/')}`);
}
