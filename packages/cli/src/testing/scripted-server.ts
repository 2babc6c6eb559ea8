import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { JuteReader, JuteWriter, writeConnectResponse } from '@meerkat/protocol';

/** A request as a scripted server sees it. */
export interface ScriptedRequest {
  readonly xid: number;
  readonly type: number;
  /** Stands at the record that follows the header. */
  readonly reader: JuteReader;
  /** Counts all requests of the server, from 0. */
  readonly number: number;
}

/** What a scripted server answers: an error code and a record, or nothing and the connection ends. */
export type ScriptedReply =
  | { readonly err: number; readonly record?: (writer: JuteWriter) => void }
  | 'close';

/** A server that speaks just enough of the protocol for a load, and answers as a test says. */
export class ScriptedServer {
  readonly #server: Server;
  readonly #answer: (request: ScriptedRequest) => ScriptedReply;
  readonly #sockets = new Set<Socket>();
  /** Replies leave in pieces of this many bytes; 0 means whole. */
  pieceBytes = 0;
  /** The timeout in the answer to a handshake; 0 refuses the session. */
  sessionTimeoutMs = 30_000;
  requests = 0;
  sessions = 0;

  private constructor(answer: (request: ScriptedRequest) => ScriptedReply) {
    this.#answer = answer;
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async start(
    answer: (request: ScriptedRequest) => ScriptedReply = () => ({ err: 0 }),
  ): Promise<ScriptedServer> {
    const server = new ScriptedServer(answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    let pending: Uint8Array = new Uint8Array(0);
    let isConnected = false;
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      const writer = new JuteWriter();
      while (pending.length >= 4) {
        const length = new DataView(pending.buffer, pending.byteOffset).getInt32(0);
        if (pending.length < 4 + length) break;
        const reader = new JuteReader(pending, 4, 4 + length);
        pending = pending.subarray(4 + length);
        if (isConnected) this.#reply(socket, reader, writer);
        else this.#welcome(writer);
        isConnected = true;
      }
      this.#write(socket, writer.toBytes());
    });
  }

  #welcome(writer: JuteWriter): void {
    this.sessions++;
    const start = writer.beginFrame();
    writeConnectResponse(writer, {
      protocolVersion: 0,
      timeOut: this.sessionTimeoutMs,
      sessionIdHi: 0,
      sessionIdLo: this.sessions,
      passwd: new Uint8Array(16),
      readOnly: false,
    });
    writer.endFrame(start);
  }

  #reply(socket: Socket, reader: JuteReader, writer: JuteWriter): void {
    const xid = reader.readInt();
    const type = reader.readInt();
    const reply = this.#answer({ xid, type, reader, number: this.requests++ });
    if (reply === 'close') {
      socket.destroy();
      return;
    }
    const start = writer.beginFrame();
    writer.writeInt(xid);
    writer.writeLong(0, 1);
    writer.writeInt(reply.err);
    reply.record?.(writer);
    writer.endFrame(start);
    if (type === -11) socket.end();
  }

  #write(socket: Socket, bytes: Uint8Array): void {
    if (socket.destroyed || bytes.length === 0) return;
    const pieceBytes = this.pieceBytes === 0 ? bytes.length : this.pieceBytes;
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      socket.write(bytes.subarray(at, at + pieceBytes));
    }
  }
}
