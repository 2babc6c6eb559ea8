import type { Random } from '@meerkat/client';
import {
  type PendingRequest,
  Session,
  settingsOf,
  type Watcher,
  type WatchKind,
} from '@meerkat/client/core';
import { type JuteReader, type JuteWriter, OpCode } from '@meerkat/protocol';
import type { ManualClock } from '../manual-clock.ts';
import type { ModelRead } from '../model/model-reads.ts';
import type { ModelWrite } from '../model/model-tree.ts';
import type { Operation } from '../model/operations.ts';
import { encodeRequest } from '../model/random-requests.ts';
import type { PeerFabric } from '../simulated-peer-network.ts';
import { type ConnectionTap, SimulatedClientPorts } from './client-ports.ts';
import { type CheckerHost, ConnectionChecker, type SentRequest } from './connection-checker.ts';
import { SessionRecord } from './session-record.ts';

/** What a simulated client is made of. */
export interface SimulatedClientOptions {
  readonly clock: ManualClock;
  readonly fabric: PeerFabric;
  readonly random: Random;
  /** `host:port,host:port,…` */
  readonly servers: string;
  readonly checkers: CheckerHost;
}

/** How a session of a simulated client is opened. */
export interface OpenOptions {
  readonly sessionTimeoutMs: number;
  /** Whether a member without a leader will do; default false. */
  readonly canBeReadOnly?: boolean;
  /** Where it goes, `host:port,…`; everywhere unless given. */
  readonly servers?: string;
  /** Sent as digest credentials, and who that makes the client; null proves nothing. */
  readonly credentials: { readonly auth: string; readonly digestId: string } | null;
}

/**
 * One client of a simulated ensemble: the session of the client library's core, on a host of its own, life after
 * life. Owns the requests under way; every connection is watched by a checker.
 */
export class SimulatedClient {
  readonly name: string;
  readonly host: string;
  /** What is known of the session of this life. */
  record: SessionRecord = new SessionRecord('');
  /** The connection that was opened last, null before. */
  connection: ConnectionChecker | null = null;
  /** Writes of this life that were answered: done, or failed as they should. */
  successes = 0;
  lives = 0;
  readonly #options: SimulatedClientOptions;
  #ports: SimulatedClientPorts | null = null;
  #session: Session | null = null;
  #requests = new Set<SimulatedRequest>();
  #connections = 0;

  constructor(number: number, options: SimulatedClientOptions) {
    this.name = `c${number}`;
    this.host = `10.0.0.${number}`;
    this.#options = options;
  }

  /** The session of this life; null between two. */
  get session(): Session | null {
    return this.#session;
  }

  /** Whether a server serves the session now. */
  get isConnected(): boolean {
    return this.#session?.state.status === 'connected';
  }

  /** Whether a member without a leader serves it now. */
  get isConnectedReadOnly(): boolean {
    return this.#session?.state.status === 'connectedReadOnly';
  }

  /** Whether there is no session, or one that is over. */
  get isIdle(): boolean {
    const status = this.#session?.state.status;
    return (
      status === undefined || status === 'expired' || status === 'closed' || status === 'authFailed'
    );
  }

  /** Requests without an answer. */
  get underWay(): number {
    return this.#requests.size;
  }

  /** Starts a process with a new session. */
  open({ sessionTimeoutMs, credentials, servers, canBeReadOnly = false }: OpenOptions): void {
    this.crash();
    this.lives += 1;
    this.successes = 0;
    const record = new SessionRecord(credentials?.digestId ?? '');
    this.record = record;
    const { servers: all, checkers } = this.#options;
    const ports = new SimulatedClientPorts(this.host, this.#options, (server) => {
      // It asks for somebody who takes writes.
      if (this.isConnectedReadOnly) return nobodyListens;
      this.#connections += 1;
      const name = `${this.name}.${this.#connections}@${server.host}`;
      const connection = new ConnectionChecker(name, record, checkers, (xid) => this.#sentAs(xid));
      this.connection = connection;
      return connection;
    });
    this.#ports = ports;
    const auth = credentials === null ? [] : [{ scheme: 'digest', auth: credentials.auth }];
    const retryDelayMs = 500;
    const settings = settingsOf(servers ?? all, {
      sessionTimeoutMs,
      auth,
      retryDelayMs,
      canBeReadOnly,
    });
    ports.run(() => {
      this.#session = new Session(settings, ports);
    });
  }

  /** Submits requests in one turn. */
  submit(requests: readonly (ModelRead | ModelWrite)[]): void {
    const session = this.#session;
    if (session === null) return;
    this.#ports?.run(() => {
      for (const request of requests) session.submit(this.#newRequest(session, request));
    });
  }

  /** Ends the session in good order. */
  close(): void {
    const session = this.#session;
    if (session === null) return;
    this.#ports?.run(() => {
      const request = this.#newRequest(session, { kind: 'closeSession' });
      request.onAnswered = () => void session.close(true);
      session.submit(request);
    });
  }

  /** The process is gone, without a word. */
  crash(): void {
    this.#ports?.crash();
    if (this.connection !== null) this.connection.isOver = true;
    this.#ports = null;
    this.#session = null;
    this.connection = null;
    this.#requests = new Set();
  }

  /** The process stands still. */
  standStill(ms: number): void {
    this.#ports?.process.standStill(ms);
  }

  #newRequest(session: Session, request: ModelRead | ModelWrite): SimulatedRequest {
    const requests = this.#requests;
    const made: SimulatedRequest = new SimulatedRequest(request, (code) => {
      requests.delete(made);
      if ('write' in made.sent && !isUnserved(code)) this.successes += 1;
      if (code !== 0) return;
      if (request.kind === 'removeWatches') {
        session.watches.drop(removedKinds(request.type), request.path, null);
      }
    });
    requests.add(made);
    return made;
  }

  #sentAs(xid: number): SentRequest | undefined {
    for (const request of this.#requests) if (request.xid === xid) return request.sent;
    return undefined;
  }
}

/** A request of the model as the client's core takes it: no promise, answered within the event. */
class SimulatedRequest implements PendingRequest {
  readonly operation: { opcode: number; doing: string; watchKind?: WatchKind };
  readonly path: string;
  readonly serverPath: string;
  readonly watcher: Watcher | null;
  readonly sent: SentRequest;
  xid = 0;
  frame: Uint8Array | null = null;
  isSettled = false;
  onAnswered: () => void = () => {};
  readonly #encode: Operation[1];
  readonly #onSettled: (code: number) => void;

  constructor(request: ModelRead | ModelWrite, onSettled: (code: number) => void) {
    const [opcode, encode] = encodeRequest(request);
    const watchKind = watchKindOf(request);
    this.operation = { opcode, doing: request.kind, ...(watchKind === null ? {} : { watchKind }) };
    this.path = 'path' in request ? request.path : '';
    this.serverPath = this.path;
    this.watcher = watchKind === null ? null : nobody;
    this.sent = asSent(request);
    this.#encode = encode;
    this.#onSettled = onSettled;
  }

  get neverSent(): boolean {
    return this.xid === 0;
  }

  encode(writer: JuteWriter): void {
    this.#encode(writer);
  }

  answer(_reader: JuteReader, code: number): boolean {
    this.#settle(code);
    this.onAnswered();
    return (
      this.watcher !== null &&
      (code === 0 || (this.operation.opcode === OpCode.exists && code === noNode))
    );
  }

  reject(): void {
    this.#settle(unknownOutcome);
  }

  fail(code: number): void {
    this.#settle(code);
  }

  lose(): void {
    this.#settle(unknownOutcome);
  }

  limit(): void {}

  #settle(code: number): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.#onSettled(code);
  }
}

/** Whether an error says nothing about the request, but about the connection or the session. */
function isUnserved(code: number): boolean {
  return (
    code === notReadOnly ||
    code === unknownOutcome ||
    code === sessionExpired ||
    code === sessionMoved
  );
}

function asSent(request: ModelRead | ModelWrite): SentRequest {
  if (request.kind === 'closeSession') return { end: true };
  return isWrite(request) ? { write: request } : { read: request };
}

function isWrite(request: ModelRead | ModelWrite): request is ModelWrite {
  return writeKinds.has(request.kind);
}

function watchKindOf(request: ModelRead | ModelWrite): WatchKind | null {
  if (request.kind === 'addWatch') {
    return request.mode === 0 ? 'persistent' : 'persistentRecursive';
  }
  if (!('watch' in request) || !request.watch) return null;
  return request.kind === 'exists' || request.kind === 'getData' ? 'data' : 'child';
}

/** Which of the client's lists a type of `removeWatches` empties. */
function removedKinds(type: number): readonly WatchKind[] {
  switch (type) {
    case 1:
      return ['child'];
    case 2:
      return ['data', 'exist'];
    case 4:
      return ['persistent'];
    case 5:
      return ['persistentRecursive'];
    default:
      return ['data', 'exist', 'child', 'persistent', 'persistentRecursive'];
  }
}

const writeKinds = new Set(['create', 'delete', 'setData', 'setAcl', 'check', 'multi', 'reconfig']);
const nobodyListens: ConnectionTap = { onSent() {}, onReceived() {}, onEnded() {} };
const nobody: Watcher = () => {};
const noNode = -101;
const unknownOutcome = -4;
const sessionExpired = -112;
const notReadOnly = -119;
const sessionMoved = -118;
