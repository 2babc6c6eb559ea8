import {
  JuteReader,
  JuteWriter,
  readConnectRequest,
  writeConnectResponse,
} from '@meerkat/protocol';
import type { ClientPorts, Clock, HostPort, Stream, StreamHandler, Transport } from '../ports.ts';

/** Ports in memory: time moves when the test says so, servers answer what the test says. */
export class FakePorts implements ClientPorts {
  readonly clock: FakeClock = new FakeClock();
  readonly transport: FakeTransport = new FakeTransport();
  /** The next results of `below`, else 0. */
  readonly randoms: number[] = [];
  readonly random = {
    below: (bound: number): number => Math.min(this.randoms.shift() ?? 0, bound - 1),
  };

  /** The stream dialed last. */
  get stream(): FakeStream {
    const stream = this.transport.streams.at(-1);
    if (stream === undefined) throw new Error('nothing was dialed');
    return stream;
  }

  /** Lets time pass, timer by timer, and everything that follows from each. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    while (this.clock.fireNext(untilMs)) await turn();
    this.clock.standAt(untilMs);
    await turn();
  }
}

/** Waits until everything that follows from what has happened has happened. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

interface FakeTimer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** A clock that stands still. */
export class FakeClock implements Clock {
  #nowMs = 1000;
  readonly #timers = new Set<FakeTimer>();

  /** Timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  startTimer(delayMs: number, callback: () => void): FakeTimer {
    const timer = { dueMs: this.#nowMs + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  cancelTimer(handle: unknown): void {
    this.#timers.delete(handle as FakeTimer);
  }

  endOfTurn(callback: () => void): void {
    process.nextTick(callback);
  }

  /** Fires the next timer that is due by then. False when there is none. */
  fireNext(untilMs: number): boolean {
    let next: FakeTimer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (next === null || timer.dueMs < next.dueMs)) next = timer;
    }
    if (next === null) return false;
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.dueMs);
    next.callback();
    return true;
  }

  /** Moves time without firing anything: the process stood still. */
  standAt(ms: number): void {
    this.#nowMs = Math.max(this.#nowMs, ms);
  }
}

/** Servers that do what the test says. */
export class FakeTransport implements Transport {
  readonly streams: FakeStream[] = [];

  dial(server: HostPort, handler: StreamHandler): FakeStream {
    const stream = new FakeStream(server, handler);
    this.streams.push(stream);
    return stream;
  }
}

/** A request as the server sees it. */
export interface SeenRequest {
  readonly xid: number;
  readonly opcode: number;
  /** Stands at the record. */
  readonly reader: JuteReader;
}

/** One connection, seen from the server's side. */
export class FakeStream implements Stream {
  readonly server: HostPort;
  /** What arrived, write by write. */
  readonly writes: Uint8Array[] = [];
  unsentBytes = 0;
  /** True once the client has closed it. */
  isClosed = false;
  readonly #handler: StreamHandler;
  #received = new Uint8Array(0);

  constructor(server: HostPort, handler: StreamHandler) {
    this.server = server;
    this.#handler = handler;
  }

  // Stream, for the client

  write(bytes: Uint8Array): boolean {
    if (this.isClosed) throw new Error('written to after close');
    this.writes.push(bytes.slice());
    this.#received = Buffer.concat([this.#received, bytes]);
    return true;
  }

  close(): void {
    this.isClosed = true;
  }

  // The server, for the test

  /** Takes the connection. */
  open(): void {
    this.#handler.onOpen();
  }

  /** Takes the connection and answers the handshake. Returns what the client asked for. */
  async welcome(answer: Partial<Welcome> = {}): Promise<ReturnType<typeof readConnectRequest>> {
    this.#handler.onOpen();
    const request = readConnectRequest(this.#nextFrame());
    const { sessionId, timeoutMs, password, readOnly } = { ...defaultWelcome, ...answer };
    this.send((writer) =>
      writeConnectResponse(writer, {
        protocolVersion: 0,
        timeOut: timeoutMs,
        sessionIdHi: Number(BigInt.asIntN(32, sessionId >> 32n)),
        sessionIdLo: Number(BigInt.asIntN(32, sessionId)),
        passwd: password,
        readOnly,
      }),
    );
    await turn();
    return request;
  }

  /** The next request that arrived. */
  next(): SeenRequest {
    const reader = this.#nextFrame();
    return { xid: reader.readInt(), opcode: reader.readInt(), reader };
  }

  /** How many whole frames have arrived and were not looked at. */
  get unseen(): number {
    let count = 0;
    for (let at = 0; at + 4 <= this.#received.length; count++) {
      at += 4 + Buffer.from(this.#received).readInt32BE(at);
    }
    return count;
  }

  /** Answers a request. */
  reply(xid: number, err = 0, record: (writer: JuteWriter) => void = () => {}, zxid = 7): void {
    this.send((writer) => {
      writer.writeInt(xid);
      writer.writeLongFromDouble(zxid);
      writer.writeInt(err);
      record(writer);
    });
  }

  /** Sends a watch event. */
  notify(type: number, path: string, zxid = 8): void {
    this.reply(
      -1,
      0,
      (writer) => {
        writer.writeInt(type);
        writer.writeInt(3);
        writer.writeString(path);
      },
      zxid,
    );
  }

  /** Sends a frame. */
  send(record: (writer: JuteWriter) => void): void {
    this.sendBytes(frame(record));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.isClosed) this.#handler.onBytes(bytes);
  }

  /** The connection breaks, or was never made. */
  async fail(cause: Error | null = new Error('reset by the test')): Promise<void> {
    this.#handler.onClosed(cause);
    await turn();
  }

  drained(): void {
    this.unsentBytes = 0;
    this.#handler.onDrained();
  }

  #nextFrame(): JuteReader {
    const bytes = this.#received;
    if (bytes.length < 4) throw new Error('no frame has arrived');
    const end = 4 + Buffer.from(bytes).readInt32BE(0);
    if (end > bytes.length) throw new Error('half a frame has arrived');
    this.#received = bytes.slice(end);
    return new JuteReader(bytes, 4, end);
  }
}

/** A frame with this content. */
export function frame(record: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter();
  const start = writer.beginFrame();
  record(writer);
  writer.endFrame(start);
  return writer.toBytes();
}

/** Writes a Stat whose fields can be told apart. */
export function writeTestStat(writer: JuteWriter): void {
  writer.writeLongFromDouble(101);
  writer.writeLongFromDouble(102);
  writer.writeLongFromDouble(1_700_000_000_001);
  writer.writeLongFromDouble(1_700_000_000_002);
  for (const value of [3, 4, 5]) writer.writeInt(value);
  writer.writeLong(-2, 7);
  for (const value of [6, 8]) writer.writeInt(value);
  writer.writeLong(1, 9);
}

/** How a server answers the handshake. */
export interface Welcome {
  readonly sessionId: bigint;
  readonly timeoutMs: number;
  readonly password: Uint8Array;
  readonly readOnly: boolean;
}

const defaultWelcome: Welcome = {
  sessionId: 0x1234_0000_0000_5678n,
  timeoutMs: 9000,
  password: new Uint8Array(16).fill(7),
  readOnly: false,
};
