import { setTimeout as delay } from 'node:timers/promises';
import {
  ConnectionLossError,
  open,
  SessionExpiredError,
  type ZooKeeper,
  ZooKeeperError,
} from '@meerkat/client';
import { ErrorCode } from '@meerkat/protocol';
import type { ModelRead, ModelWrite, SeededRandom, Workload } from '@meerkat/simulator';
import { performRequest } from './perform-request.ts';
import type { Recorder } from './recorder.ts';
import { recordingPorts } from './recording-ports.ts';

/** What the clients of a run share. */
export interface ClientsShared {
  readonly recorder: Recorder;
  /** `host:port,host:port,…` */
  readonly servers: string;
  /** Paths that some client has seen made and none has seen deleted. */
  readonly paths: Map<string, null>;
  readonly thinkMs: number;
  operations: number;
  unknown: number;
}

/**
 * A client of the real library that asks for anything, session after session, until it is told to pause. What it asks
 * for, how that ends, and every byte of its connections go into the history.
 */
export class RecordedClient {
  readonly name: string;
  readonly #shared: ClientsShared;
  readonly #random: SeededRandom;
  readonly #workload: Workload;
  #zk: ZooKeeper | null = null;
  #isPaused = true;
  #running: Promise<void> = Promise.resolve();
  /** Writes that a server has answered, refused ones too. */
  acknowledged = 0;
  sessions = 0;

  constructor(name: string, shared: ClientsShared, random: SeededRandom, workload: Workload) {
    this.name = name;
    this.#shared = shared;
    this.#random = random;
    this.#workload = workload;
  }

  /** Goes on asking. */
  run(): void {
    this.#isPaused = false;
    this.#running = this.#ask();
  }

  /** Ends with what is under way. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#running;
  }

  /** Asks for something after which everything has been told that happened before. */
  async hearAll(): Promise<void> {
    const zk = this.#session();
    await Promise.all(
      [{ kind: 'sync', path: '/' } as const, { kind: 'getAcl', path: '/' } as const].map(
        (request) => this.#perform(zk, request),
      ),
    );
  }

  async close(): Promise<void> {
    await this.#zk?.close();
  }

  async #ask(): Promise<void> {
    while (!this.#isPaused) {
      const zk = this.#session();
      const burst = this.#workload.drawBurst(this.#shared.paths);
      await Promise.all(burst.map((request) => this.#perform(zk, request)));
      if (zk.state.status !== 'connected') await untilTold(zk);
      const fate = this.#random.below(200);
      // It ends its session, or goes without a word as when its process dies.
      if (fate < 2) await this.#leave(zk, fate === 0);
      else await delay(this.#random.below(this.#shared.thinkMs));
    }
  }

  /** The session of this client; another one when that is over. */
  #session(): ZooKeeper {
    const status = this.#zk?.state.status;
    if (this.#zk !== null && status !== 'expired' && status !== 'closed') return this.#zk;
    this.sessions += 1;
    const { sessionTimeoutMs, credentials } = this.#workload.drawOpening();
    const name = `${this.name}-${this.sessions}`;
    this.#zk = open(this.#shared.servers, {
      sessionTimeoutMs,
      retryDelayMs: 50,
      reconnectJitterMs: 50,
      auth: credentials === null ? [] : [{ scheme: 'digest', auth: credentials.auth }],
      ports: recordingPorts(this.#shared.recorder, name),
    });
    return this.#zk;
  }

  async #leave(zk: ZooKeeper, keepSession: boolean): Promise<void> {
    this.#shared.recorder.note({ client: this.name, leaves: keepSession ? 'silently' : 'well' });
    await zk.close({ keepSession });
    this.#zk = null;
  }

  async #perform(zk: ZooKeeper, request: ModelRead | ModelWrite): Promise<void> {
    const { recorder } = this.#shared;
    const client = `${this.name}-${this.sessions}`;
    this.#shared.operations += 1;
    const operation = this.#shared.operations;
    recorder.note({ client, operation, invoked: request });
    try {
      const value = await performRequest(zk, request, (event) => recorder.note({ client, event }));
      recorder.note({
        client,
        operation,
        session: zk.sessionId,
        zxid: zk.lastZxid,
        completed: value ?? null,
      });
      this.#remember(request, value);
    } catch (error) {
      // Everything that the library throws is of its own kind; anything else is a bug of it, or of this.
      if (!(error instanceof ZooKeeperError)) throw error;
      const isUnknown =
        error instanceof ConnectionLossError || error instanceof SessionExpiredError;
      if (isUnknown) this.#shared.unknown += 1;
      else if (writes.has(request.kind) && error.code !== ErrorCode.badArguments) {
        this.acknowledged += 1;
      }
      const how = { [isUnknown ? 'unknown' : 'failed']: error.code };
      recorder.note({ client, operation, session: zk.sessionId, zxid: zk.lastZxid, ...how });
    }
  }

  #remember(request: ModelRead | ModelWrite, value: unknown): void {
    if (writes.has(request.kind)) this.acknowledged += 1;
    const { paths } = this.#shared;
    if (request.kind === 'delete') paths.delete(request.path);
    const results = Array.isArray(value) ? (value as unknown[]) : [value];
    for (const path of request.kind === 'create' || request.kind === 'multi' ? results : []) {
      const made = typeof path === 'string' ? path : (path as { path?: string }).path;
      if (made !== undefined) paths.set(made, null);
    }
  }
}

/** Waits until a session is served, or over. */
async function untilTold(zk: ZooKeeper): Promise<void> {
  await zk.connected({ timeoutMs: 120_000 }).catch((error: unknown) => {
    if (!(error instanceof ZooKeeperError)) throw error;
  });
}

const writes = new Set(['create', 'delete', 'setData', 'setAcl', 'check', 'multi']);
