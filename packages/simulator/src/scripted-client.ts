import {
  type ConnectResponse,
  FrameDecoder,
  type FrameReceiver,
  JuteReader,
  JuteWriter,
  readConnectResponse,
  readReplyHeader,
  readWatcherEvent,
  SpecialXid,
  type WatcherEvent,
  writeConnectRequest,
  writeRequestHeader,
} from '@meerkat/protocol';
import type { SimulatedConnection } from './simulated-network.ts';

/** What a client received: the handshake's answer, an answer, or a watch event. */
export type Received =
  | { readonly kind: 'handshake'; readonly response: ConnectResponse }
  | { readonly kind: 'reply'; readonly reply: Reply }
  | { readonly kind: 'event'; readonly zxid: number; readonly event: WatcherEvent };

/** An answer as it came. */
export interface Reply {
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  /** Stands at the body; nothing remains when there is none. */
  readonly body: JuteReader;
}

/** A connection of a scripted client, in memory. */
export interface ScriptedConnection {
  onBytes: (bytes: Uint8Array) => void;
  /** The server has closed it. */
  onClosed: () => void;
  send(bytes: Uint8Array): void;
  /** The client closes it. */
  end(): void;
}

/** Whom a scripted client connects to, and who moves time: an `InProcessServer`, a member of a `ScriptedCluster`. */
export interface ScriptedServer<Connection extends ScriptedConnection = ScriptedConnection> {
  connect(address?: string): Connection;
  /** Lets happen what is due, until an answer that needs no time is there. */
  settle(): void;
  advance(ms: number): void;
}

/** How a client shakes hands. */
export interface HandshakeOptions {
  readonly timeOut?: number;
  readonly lastZxidSeen?: number;
  /** The session to come back to: another client's `session`. */
  readonly session?: ConnectResponse | null;
  readonly passwd?: Uint8Array;
  /** Null leaves the field out, as clients before 3.4. */
  readonly readOnly?: boolean | null;
}

/**
 * A client without any cleverness: sends what it is told and keeps all that it gets, in order. Nothing
 * is sent again, nothing is pinged, no order is checked.
 */
export class ScriptedClient<Connection extends ScriptedConnection = SimulatedConnection>
  implements FrameReceiver
{
  readonly connection: Connection;
  /** Everything received, oldest first, that was not taken. */
  received: Received[] = [];
  /** The answer to the handshake, once there is one. */
  session: ConnectResponse | null = null;
  isClosed = false;
  /** Takes xid -1 for a watch event. False for clients that use that number themselves. */
  knowsEvents = true;
  readonly #server: ScriptedServer<Connection>;
  readonly #frames = new FrameDecoder(2 ** 31 - 1);
  #nextXid = 1;
  #isShaken = false;

  constructor(server: ScriptedServer<Connection>, address?: string) {
    this.#server = server;
    this.connection = server.connect(address);
    this.connection.onBytes = (bytes) => {
      this.#frames.push(bytes, 0, bytes.length, this);
    };
    this.connection.onClosed = () => {
      this.isClosed = true;
    };
  }

  /** Connects and shakes hands, and waits for the answer. */
  static open<Connection extends ScriptedConnection>(
    server: ScriptedServer<Connection>,
    options: HandshakeOptions = {},
    address?: string,
  ): ScriptedClient<Connection> {
    const client = new ScriptedClient(server, address);
    client.sendHandshake(options);
    server.settle();
    return client;
  }

  /** Sends a ConnectRequest; `session` has the answer. */
  sendHandshake(options: HandshakeOptions = {}): void {
    const { session = null } = options;
    const writer = new JuteWriter(64);
    const frame = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: options.lastZxidSeen ?? 0,
      timeOut: options.timeOut ?? 10_000,
      sessionIdHi: session?.sessionIdHi ?? 0,
      sessionIdLo: session?.sessionIdLo ?? 0,
      passwd: options.passwd ?? session?.passwd ?? new Uint8Array(16),
      readOnly: options.readOnly === undefined ? false : options.readOnly,
    });
    writer.endFrame(frame);
    this.connection.send(writer.toBytes());
  }

  /** Sends a request and does not wait. Returns its xid. */
  send(type: number, write: (writer: JuteWriter) => void = () => {}, xid?: number): number {
    const writer = new JuteWriter(256);
    const frame = writer.beginFrame();
    const number = xid ?? this.#nextXid++;
    writeRequestHeader(writer, { xid: number, type });
    write(writer);
    writer.endFrame(frame);
    this.connection.send(writer.written());
    return number;
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    this.connection.send(bytes);
  }

  /**
   * Sends a request and waits for its answer, which it takes out of `received`. Time goes on only when the
   * answer takes time.
   */
  call(type: number, write?: (writer: JuteWriter) => void, xid?: number): Reply {
    const number = this.send(type, write, xid);
    for (let waitedMs = 0; waitedMs <= answerMsMax; waitedMs++) {
      this.#server.advance(waitedMs === 0 ? 0 : 1);
      const index = this.received.findIndex(
        (each) => each.kind === 'reply' && each.reply.xid === number,
      );
      const found = this.received[index];
      if (found?.kind !== 'reply') continue;
      this.received.splice(index, 1);
      return found.reply;
    }
    throw new Error(`Cannot find the reply to request ${number}`);
  }

  /** Takes all that was received. */
  take(): Received[] {
    const received = this.received;
    this.received = [];
    return received;
  }

  /** Takes the watch events, and leaves the rest. */
  takeEvents(): { type: number; path: string; zxid: number }[] {
    const events = this.received.flatMap((each) =>
      each.kind === 'event'
        ? [{ type: each.event.type, path: each.event.path, zxid: each.zxid }]
        : [],
    );
    this.received = this.received.filter((each) => each.kind !== 'event');
    return events;
  }

  /** What was received in short: `#xid` or `#xid!err` for replies, `type path` for events. Takes it. */
  takeSummary(): string[] {
    return this.take().map((each) => {
      if (each.kind === 'handshake') return `session ${each.response.timeOut}`;
      if (each.kind === 'event') return `event ${each.event.type} ${each.event.path}`;
      return each.reply.err === 0 ? `#${each.reply.xid}` : `#${each.reply.xid}!${each.reply.err}`;
    });
  }

  /** Closes the connection without a word. */
  disconnect(): void {
    this.connection.end();
  }

  onFrame(bytes: Uint8Array, start: number, end: number): boolean {
    const reader = new JuteReader(bytes.slice(start, end));
    if (this.#isShaken) {
      this.#onReply(reader);
      return true;
    }
    this.#isShaken = true;
    const response = readConnectResponse(reader);
    const passwd = response.passwd?.slice() ?? null;
    this.session = { ...response, passwd };
    this.received.push({ kind: 'handshake', response: this.session });
    return true;
  }

  onBadLength(length: number): void {
    throw new Error(`Cannot read a frame: current length is ${length}`);
  }

  #onReply(body: JuteReader): void {
    const { xid, zxid, err } = readReplyHeader(body);
    if (xid === SpecialXid.notification && this.knowsEvents) {
      this.received.push({ kind: 'event', zxid, event: readWatcherEvent(body) });
    } else {
      this.received.push({ kind: 'reply', reply: { xid, zxid, err, body } });
    }
  }
}

/** How long a call waits for its answer, virtual ms. */
const answerMsMax = 1000;
