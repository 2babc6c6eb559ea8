import type { Socket } from 'node:net';
import type { Stream, StreamHandler } from '../ports.ts';

/** How long what was written may still take to leave after a close, ms. */
const lingerMs = 1000;

/** A stream over a socket of Node's, plain or TLS; the socket may come later. */
export class SocketStream implements Stream {
  readonly #handler: StreamHandler;
  #socket: Socket | null = null;
  #isClosed = false;

  constructor(handler: StreamHandler) {
    this.#handler = handler;
  }

  get unsentBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** Goes on over this socket, which says by `openEvent` that bytes may be written. */
  use(socket: Socket, openEvent: 'connect' | 'secureConnect'): void {
    const handler = this.#handler;
    let failure: Error | null = null;
    socket.on(openEvent, () => handler.onOpen());
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

  /** There is no socket to come. */
  fail(cause: Error): void {
    if (!this.#isClosed) this.#handler.onClosed(cause);
  }

  /** True once our side has closed it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  write(bytes: Uint8Array): boolean {
    const socket = this.#socket;
    if (socket === null) return true;
    // TLS keeps what it is given for a while: a copy of a little costs less than a new buffer for the caller.
    const isCopied = 'encrypted' in socket && bytes.length <= copiedBytesMax;
    socket.write(isCopied ? bytes.slice() : bytes);
    // Node hands bytes to the system at once when it can; what is left it keeps.
    return isCopied || socket.writableLength === 0;
  }

  close(): void {
    this.#isClosed = true;
    const socket = this.#socket;
    if (socket === null) return;
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

const copiedBytesMax = 64 * 1024;
