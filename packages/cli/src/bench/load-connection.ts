import { connect, type Socket } from 'node:net';
import {
  JuteReader,
  JuteWriter,
  OpCode,
  readConnectResponse,
  writeConnectRequest,
} from '@meerkat/protocol';
import type { HostAndPort } from './bench-options.ts';
import type { Recorder } from './recorder.ts';
import type { RequestSource } from './request-source.ts';
import { closeSessionTemplate } from './request-template.ts';

/** A read never brings more; replies that are longer are put together. */
const readBytesMax = 256 * 1024;
/** A write never has more, unless a single request is longer. */
const writeBytesMax = 256 * 1024;
/** The largest reply that is taken for one. */
const replyBytesMax = 256 * 1024 * 1024;
const dialTimeoutMs = 10_000;
const redialDelayMs = 1_000;

/**
 * Node reads and calls back in one go, for one socket after the other, so all of them can share it.
 */
const readBuffer = Buffer.allocUnsafe(readBytesMax);

/** What a run of one connection needs. */
export interface ConnectionLoad {
  readonly source: RequestSource;
  /** Requests kept in flight. */
  readonly depth: number;
  readonly recorder: Recorder;
  /** Dials again, with a new session, when the server closes; otherwise the run fails. */
  readonly redial: boolean;
}

/**
 * One session on one connection, made for load: requests are encoded in batches, one write each time
 * that replies have come in, and of a reply only its header is read.
 */
export class LoadConnection {
  readonly #host: HostAndPort;
  readonly #sessionTimeoutMs: number;
  #socket: Socket | undefined;
  #load: ConnectionLoad | undefined;
  #finish: ((failure?: Error) => void) | undefined;
  #onHandshake: ((failure?: Error) => void) | undefined;
  /** When each request in flight was handed over, in ms; a ring. */
  #sentAtMs: Float64Array = new Float64Array(1);
  #oldest = 0;
  #inFlight = 0;
  #nextXid = 1;
  #expectedXid = 1;
  #output: Buffer = Buffer.alloc(0);
  /** The beginning of a reply whose end has not arrived. */
  #partial: Buffer = Buffer.alloc(0);
  #partialBytes = 0;
  #failure: Error | undefined;

  constructor(host: HostAndPort, sessionTimeoutMs: number) {
    this.#host = host;
    this.#sessionTimeoutMs = sessionTimeoutMs;
  }

  /** Connects and opens a session. */
  dial(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail('no answer to the handshake'), dialTimeoutMs);
      this.#onHandshake = (failure) => {
        clearTimeout(timer);
        this.#onHandshake = undefined;
        if (failure === undefined) resolve();
        else reject(failure);
      };
      this.#open();
    });
  }

  /** Sends what the source hands out; resolves when that is over and everything is answered. */
  run(load: ConnectionLoad): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#load = load;
      if (this.#sentAtMs.length !== load.depth) this.#sentAtMs = new Float64Array(load.depth);
      this.#oldest = 0;
      this.#finish = (failure) => {
        this.#load = undefined;
        this.#finish = undefined;
        if (failure === undefined) resolve();
        else reject(failure);
      };
      if (this.#socket !== undefined) this.#fill(load);
      else this.#onClose();
    });
  }

  /** Ends the session in an orderly way; resolves when the server has closed the connection. */
  close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => socket.destroy(), dialTimeoutMs);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      const bytes = Buffer.alloc(64);
      socket.write(bytes.subarray(0, closeSessionTemplate().copyTo(bytes, 0, this.#nextXid)));
    });
  }

  /** Cuts the connection. A run in progress ends as if the server had closed. */
  destroy(): void {
    this.#socket?.destroy();
  }

  #open(): void {
    const socket = connect({
      host: this.#host.host,
      port: this.#host.port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (bytes) => {
          this.#onBytes(bytes);
          return true;
        },
      },
    });
    this.#socket = socket;
    this.#nextXid = 1;
    this.#expectedXid = 1;
    this.#partialBytes = 0;
    this.#failure = undefined;
    socket.once('connect', () => socket.write(this.#connectRequest()));
    socket.once('error', (error) => {
      this.#failure ??= new Error(`Cannot talk to ${this.#name()}: ${reasonOf(error)}`);
    });
    socket.once('close', () => this.#onClose());
  }

  #connectRequest(): Uint8Array {
    const writer = new JuteWriter(64);
    const start = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: 0,
      timeOut: this.#sessionTimeoutMs,
      sessionIdHi: 0,
      sessionIdLo: 0,
      passwd: new Uint8Array(16),
      readOnly: false,
    });
    writer.endFrame(start);
    return writer.toBytes();
  }

  /** Encodes requests until `depth` are in flight, and writes them. */
  #fill(load: ConnectionLoad): void {
    const { source, depth } = load;
    let more = true;
    while (more && this.#inFlight < depth) {
      const output = this.#freeOutput(source.requestBytesMax);
      const lastStart = output.length - source.requestBytesMax;
      const nowMs = performance.now();
      let length = 0;
      while (this.#inFlight < depth && length <= lastStart) {
        const end = source.encode(output, length, this.#nextXid);
        if (end === -1) {
          more = false;
          break;
        }
        this.#nextXid = this.#nextXid === 0x7fffffff ? 1 : this.#nextXid + 1;
        let slot = this.#oldest + this.#inFlight;
        if (slot >= depth) slot -= depth;
        this.#sentAtMs[slot] = nowMs;
        this.#inFlight++;
        length = end;
      }
      if (length > 0) this.#socket?.write(output.subarray(0, length));
    }
    if (!more && this.#inFlight === 0) this.#finish?.();
  }

  /** A buffer that no earlier write still needs. */
  #freeOutput(requestBytesMax: number): Buffer {
    const depth = this.#sentAtMs.length;
    const wanted = Math.max(requestBytesMax, Math.min(writeBytesMax, requestBytesMax * depth));
    const isBusy = (this.#socket?.writableLength ?? 0) > 0;
    if (isBusy || this.#output.length < wanted) this.#output = Buffer.allocUnsafeSlow(wanted);
    return this.#output;
  }

  #onBytes(readLength: number): void {
    const nowMs = performance.now();
    let at = this.#partialBytes === 0 ? 0 : this.#completePartial(readLength, nowMs);
    while (readLength - at >= 4) {
      const length = this.#frameLength(readBuffer, at);
      if (length === -1) return;
      if (readLength - at - 4 < length) break;
      this.#onFrame(readBuffer, at + 4, length, nowMs);
      at += 4 + length;
    }
    if (at < readLength) this.#addToPartial(at, readLength);
    if (this.#load !== undefined && this.#onHandshake === undefined) this.#fill(this.#load);
  }

  /** Adds what was read to the frame begun earlier; returns where the next one starts. */
  #completePartial(readLength: number, nowMs: number): number {
    let at = 0;
    if (this.#partialBytes < 4) {
      at = Math.min(4 - this.#partialBytes, readLength);
      this.#addToPartial(0, at);
      if (this.#partialBytes < 4) return at;
    }
    const length = this.#frameLength(this.#partial, 0);
    if (length === -1) return readLength;
    const end = Math.min(readLength, at + 4 + length - this.#partialBytes);
    this.#addToPartial(at, end, 4 + length);
    if (this.#partialBytes < 4 + length) return readLength;
    this.#partialBytes = 0;
    this.#onFrame(this.#partial, 4, length, nowMs);
    return end;
  }

  #addToPartial(start: number, end: number, expectedBytes = 64): void {
    const length = this.#partialBytes + end - start;
    if (this.#partial.length < length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, expectedBytes));
      this.#partial.copy(grown, 0, 0, this.#partialBytes);
      this.#partial = grown;
    }
    readBuffer.copy(this.#partial, this.#partialBytes, start, end);
    this.#partialBytes = length;
  }

  /** The length of the frame at `at`; -1 when no server would send it, and the connection ends. */
  #frameLength(bytes: Buffer, at: number): number {
    const length = readInt(bytes, at);
    if (length >= 16 && length <= replyBytesMax) return length;
    this.#fail(`a reply of ${length} bytes`);
    return -1;
  }

  #onFrame(bytes: Buffer, at: number, length: number, nowMs: number): void {
    if (this.#onHandshake !== undefined) {
      this.#onConnectResponse(bytes, at, length);
      return;
    }
    const xid = readInt(bytes, at);
    if (xid <= 0) return;
    if (this.#inFlight === 0 || xid !== this.#expectedXid) {
      // The answer to closeSession, or one that nobody asked for.
      if (this.#load !== undefined) this.#fail(`a reply to ${xid}, not ${this.#expectedXid}`);
      return;
    }
    const recorder = this.#load?.recorder;
    recorder?.latencies.record((nowMs - (this.#sentAtMs[this.#oldest] as number)) * 1000);
    this.#expectedXid = xid === 0x7fffffff ? 1 : xid + 1;
    this.#oldest = this.#oldest + 1 === this.#sentAtMs.length ? 0 : this.#oldest + 1;
    this.#inFlight--;
    const errorCode = readInt(bytes, at + 12);
    if (errorCode !== 0) recorder?.countError(errorCode);
    else if (this.#load?.source.hasTransactions === true) {
      const failure = transactionFailure(bytes, at + 16, at + length);
      if (failure !== 0) recorder?.countError(failure);
    }
  }

  #onConnectResponse(bytes: Buffer, at: number, length: number): void {
    try {
      const response = readConnectResponse(new JuteReader(bytes, at, at + length));
      if (response.timeOut > 0) this.#onHandshake?.();
      else this.#fail('it refused the session');
    } catch {
      this.#fail('it does not answer as a ZooKeeper server');
    }
  }

  #fail(reason: string): void {
    this.#failure ??= new Error(`Cannot go on with ${this.#name()}: ${reason}`);
    this.#socket?.destroy();
  }

  #onClose(): void {
    this.#socket = undefined;
    const failure =
      this.#failure ?? new Error(`Cannot go on with ${this.#name()}: it closed the connection`);
    if (this.#onHandshake !== undefined) {
      this.#onHandshake(failure);
      return;
    }
    const load = this.#load;
    if (load === undefined) return;
    load.recorder.countLoss(this.#inFlight, failure.message);
    this.#inFlight = 0;
    this.#oldest = 0;
    if (load.redial) this.#redial(load);
    else this.#finish?.(failure);
  }

  /** Dials after a while, again and again, for as long as there is something to send. */
  #redial(load: ConnectionLoad): void {
    setTimeout(() => {
      if (load.source.isOver) this.#finish?.();
      else this.dial().catch(() => this.#redial(load));
    }, redialDelayMs);
  }

  #name(): string {
    return `${this.#host.host}:${this.#host.port}`;
  }
}

function readInt(bytes: Buffer, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/**
 * The code of the operation that made a transaction fail, 0 when it did not: each result is then a
 * header of type -1 and an error response, 0 for the operations before the failing one.
 */
function transactionFailure(bytes: Buffer, start: number, end: number): number {
  const resultBytes = 13;
  for (let at = start; at + resultBytes <= end; at += resultBytes) {
    if (readInt(bytes, at) !== OpCode.error || bytes[at + 4] !== 0) return 0;
    const code = readInt(bytes, at + 5);
    if (code !== 0) return code;
  }
  return 0;
}

/** Node gathers the failures of a name with several addresses under one error without a message. */
function reasonOf(error: NodeJS.ErrnoException): string {
  return error.message || error.code || 'unknown';
}
