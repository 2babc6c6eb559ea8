import { connect, createServer, type Server, type Socket } from 'node:net';

/** One frame as it went over the wire. */
export interface RecordedFrame {
  /** Name of the step during which it passed. */
  readonly step: string;
  readonly from: 'client' | 'server';
  /** The whole frame, the four length bytes included. */
  readonly bytes: Buffer;
  /** Number of the connection, from 0. */
  readonly connection: number;
  /** Whether it is the first frame of its direction, the handshake. */
  readonly first: boolean;
}

/** Stands between a client and a server, forwards every byte and keeps every frame. */
export class RecordingProxy {
  readonly frames: RecordedFrame[] = [];
  /** Filed with each frame. */
  step = '';
  #server: Server;
  #connections = new Set<Socket>();
  #connectionCount = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#serve(client, targetPort));
  }

  static start(targetPort: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(targetPort);
    return new Promise((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', () => resolve(proxy));
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('The proxy is closed');
    return address.port;
  }

  /** Cuts every connection; the proxy goes on listening. */
  cut(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #serve(client: Socket, targetPort: number): void {
    const connection = this.#connectionCount++;
    const server = connect(targetPort, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#connections.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#connections.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    this.#forward('client', client, server, connection);
    this.#forward('server', server, client, connection);
  }

  #forward(from: 'client' | 'server', source: Socket, sink: Socket, connection: number): void {
    let pending: Buffer = Buffer.alloc(0);
    let first = true;
    source.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
        const end = 4 + pending.readInt32BE(0);
        const bytes = Buffer.from(pending.subarray(0, end));
        this.frames.push({ step: this.step, from, bytes, connection, first });
        first = false;
        pending = pending.subarray(end);
      }
      sink.write(chunk);
    });
  }
}
