import { randomInt } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { ClientPorts, HostPort, Stream, StreamHandler } from '../ports.ts';

/** The client's ports on Node: TCP, the monotonic clock, the system's randomness. */
export const nodePorts: ClientPorts = {
  transport: { dial },
  clock: {
    nowMs: () => performance.now(),
    startTimer: (delayMs, callback) => setTimeout(callback, delayMs),
    cancelTimer: (handle) => clearTimeout(handle as NodeJS.Timeout),
    // A tick asked for by a promise runs when no promise is left to run: calls that follow from the answers
    // of this turn leave with the same write.
    endOfTurn: (callback) => queueMicrotask(() => process.nextTick(callback)),
  },
  random: { below: (bound) => randomInt(bound) },
};

/** Dials a server over TCP; the name is resolved now. */
function dial(server: HostPort, handler: StreamHandler): Stream {
  return new TcpStream(server, handler);
}

/** How long what was written may still take to leave after a close, ms. */
const lingerMs = 1000;

class TcpStream implements Stream {
  readonly #socket: Socket;

  constructor(server: HostPort, handler: StreamHandler) {
    const socket = createConnection({ host: server.host, port: server.port, noDelay: true });
    let failure: Error | null = null;
    socket.on('connect', () => handler.onOpen());
    socket.on('data', (chunk: Buffer) => {
      // A plain array: cutting views off it is cheaper than off a Buffer.
      handler.onBytes(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    });
    socket.on('drain', () => handler.onDrained());
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => handler.onClosed(failure));
    this.#socket = socket;
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): boolean {
    this.#socket.write(bytes);
    // Node hands bytes to the system at once when it can; what is left it keeps.
    return this.#socket.writableLength === 0;
  }

  close(): void {
    const socket = this.#socket;
    socket.removeAllListeners();
    // An error that comes late, of a name that does not resolve say, concerns nobody any more.
    socket.on('error', () => {});
    if (socket.connecting || socket.writableLength === 0) {
      socket.destroy();
      return;
    }
    socket.destroySoon();
    // A server that reads no more must not keep the process alive.
    setTimeout(() => socket.destroy(), lingerMs).unref();
  }
}
