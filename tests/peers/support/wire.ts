import { connect, type Socket } from 'node:net';
import {
  type ConnectResponse,
  JuteReader,
  JuteWriter,
  readConnectResponse,
  readReplyHeader,
  readWatcherEvent,
  type WatcherEvent,
  writeConnectRequest,
} from '@meerkat/protocol';

/** A session that a connection asks for again. */
export interface SessionCredentials {
  readonly sessionIdHi: number;
  readonly sessionIdLo: number;
  readonly passwd: Uint8Array;
}

/** What a handshake may say; everything has a default. */
export interface HandshakeOptions {
  /** Default: a new session. */
  readonly session?: SessionCredentials;
  /** Default 60,000. */
  readonly timeoutMs?: number;
  readonly lastZxidSeen?: number;
  /** Null sends the old form of the record, which has no such field. Default false. */
  readonly readOnly?: boolean | null;
}

/** A frame from the server after the handshake. */
export type ServerFrame = ReplyFrame | EventFrame;

/** The answer to a request. */
export interface ReplyFrame {
  readonly kind: 'reply';
  readonly xid: number;
  readonly zxid: number;
  readonly err: number;
  /** What follows the header. */
  readonly body: Uint8Array;
}

/** A watch that fired. */
export interface EventFrame {
  readonly kind: 'event';
  readonly zxid: number;
  readonly err: number;
  readonly event: WatcherEvent;
}

/** The server closed the connection, or it broke. */
export class ConnectionClosedError extends Error {
  override readonly name = 'ConnectionClosedError';
}

/** A connection that sends the frames it is given and hands out the frames that come, in order; no more. */
export class RawConnection {
  #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #frames: Buffer[] = [];
  #wake: (() => void) | undefined;
  #closed = false;
  #response: ConnectResponse | undefined;
  #writer = new JuteWriter();
  #reader = new JuteReader();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#closed = true;
      this.#notify();
    });
  }

  /** Opens a socket without a handshake. */
  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawConnection(socket)));
    });
  }

  /** Opens a socket and a session; rejects with ConnectionClosedError when the server closes instead. */
  static async connect(port: number, options: HandshakeOptions = {}): Promise<RawConnection> {
    const connection = await RawConnection.open(port);
    await connection.handshake(options);
    return connection;
  }

  /** Sends a connect request and returns the response; a response with timeOut 0 means "expired". */
  async handshake(options: HandshakeOptions = {}): Promise<ConnectResponse> {
    const writer = this.#writer.clear();
    const start = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: options.lastZxidSeen ?? 0,
      timeOut: options.timeoutMs ?? 60_000,
      sessionIdHi: options.session?.sessionIdHi ?? 0,
      sessionIdLo: options.session?.sessionIdLo ?? 0,
      passwd: options.session?.passwd ?? new Uint8Array(16),
      readOnly: options.readOnly === undefined ? false : options.readOnly,
    });
    writer.endFrame(start);
    this.#socket.write(writer.toBytes());
    const frame = await this.nextBytes();
    const response = readConnectResponse(new JuteReader(frame));
    this.#response = { ...response, passwd: response.passwd?.slice() ?? null };
    return this.#response;
  }

  /** The server's half of the handshake. */
  get response(): ConnectResponse {
    if (this.#response === undefined) throw new Error('There was no handshake yet');
    return this.#response;
  }

  /** What is needed to come back to this connection's session. */
  get credentials(): SessionCredentials {
    const { sessionIdHi, sessionIdLo, passwd } = this.response;
    return { sessionIdHi, sessionIdLo, passwd: passwd ?? new Uint8Array(16) };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends requests (header and record each, without the length) in one write. */
  send(...payloads: readonly Uint8Array[]): void {
    const parts: Uint8Array[] = [];
    for (const payload of payloads) {
      const length = Buffer.alloc(4);
      length.writeInt32BE(payload.length);
      parts.push(length, payload);
    }
    this.#socket.write(Buffer.concat(parts));
  }

  /** Sends bytes as they are. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** The next frame, without its length; rejects with ConnectionClosedError when none will come. */
  async nextBytes(): Promise<Buffer> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      if (this.#closed) throw new ConnectionClosedError('The server closed the connection');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next frame after the handshake. */
  async next(): Promise<ServerFrame> {
    const bytes = await this.nextBytes();
    const reader = this.#reader.reset(bytes, 0, bytes.length);
    const { xid, zxid, err } = readReplyHeader(reader);
    if (xid !== -1) return { kind: 'reply', xid, zxid, err, body: bytes.subarray(reader.position) };
    return { kind: 'event', zxid, err, event: readWatcherEvent(reader) };
  }

  /** Waits until the server closes; whatever frames came before can still be read. */
  async untilClosed(): Promise<void> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Closes the socket, not the session. */
  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (bytes.length >= 4) {
      const end = 4 + bytes.readInt32BE(0);
      if (bytes.length < end) break;
      this.#frames.push(bytes.subarray(4, end));
      bytes = bytes.subarray(end);
    }
    this.#received = bytes;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
