import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { StreamHandler } from '@meerkat/client';
import type { ClientLink } from './client-link.ts';
import type { EnsembleTime } from './ensemble-time.ts';
import { testLimits } from './limits.ts';

/** What a port asks of its ensemble. */
export interface ClientPortHost {
  readonly time: EnsembleTime;
  /** Whether somebody is there to take connections. */
  isUp(): boolean;
  /** A client has come from `address`. */
  open(address: string, handler: StreamHandler): ClientLink;
}

/**
 * A member's port for clients, TCP on the loopback interface. Owns the sockets and hands their bytes to links. It stays open
 * over the member's lives, so that nobody else gets the number; while there is no process, connections are reset.
 */
export class ClientPort {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #host: ClientPortHost | null = null;

  constructor() {
    this.#server = createServer({ noDelay: true });
    this.#server.on('connection', (socket) => this.#onConnection(socket));
  }

  /** Opens the port. Returns its number, which the system chooses. */
  listen(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () =>
        resolve((this.#server.address() as AddressInfo).port),
      );
    });
  }

  /** Connections are taken from now on. */
  serve(host: ClientPortHost): void {
    this.#host = host;
  }

  /** Resets what is open, and lets nobody else in. */
  close(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #onConnection(socket: Socket): void {
    // 'close' follows every error.
    socket.on('error', () => {});
    const host = this.#host;
    if (host === null || !host.isUp()) {
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.once('data', (bytes: Buffer) => onFirstBytes(host, socket, bytes));
  }
}

/** What comes first is a handshake's length, or a four-letter word. */
function onFirstBytes(host: ClientPortHost, socket: Socket, bytes: Buffer): void {
  const word = bytes.length === 4 ? bytes.toString('latin1') : '';
  const answer = Object.hasOwn(wordAnswers, word) ? wordAnswers[word] : undefined;
  if (answer !== undefined) socket.end(answer);
  else join(host, socket, bytes);
}

/** Joins a socket to a link. */
function join(host: ClientPortHost, socket: Socket, first: Buffer): void {
  const link = host.open(socket.remoteAddress ?? '127.0.0.1', {
    onOpen() {},
    onBytes(bytes) {
      if (!socket.write(bytes)) link.setReading(false);
    },
    onDrained: () => socket.resume(),
    onClosed: (cause) => {
      if (cause === null) socket.destroySoon();
      else socket.resetAndDestroy();
    },
  });
  const take = (bytes: Buffer): void => {
    if (!link.write(bytes)) socket.pause();
    else if (link.unreadBytes > testLimits.unreadBytesMax) holdBack(host.time, socket, link);
  };
  socket.on('data', take);
  socket.on('drain', () => link.setReading(true));
  socket.on('close', () => link.close());
  take(first);
}

/** Reads on once the member has read what there is. */
function holdBack(time: EnsembleTime, socket: Socket, link: ClientLink): void {
  socket.pause();
  time.after(testLimits.unreadLookMs, () => {
    if (link.unreadBytes > testLimits.unreadBytesMax) holdBack(time, socket, link);
    else socket.resume();
  });
}

/** The words that clients and start-up scripts use to see whether a server is there. */
const wordAnswers: Readonly<Record<string, string>> = { ruok: 'imok', isro: 'rw' };
