import { connect, createServer, type Server, type Socket } from 'node:net';
import type {
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerNetwork,
  PeerStreamEvents,
  PeerStreamId,
} from '@meerkat/engine';
import { shellLimits } from '../limits.ts';

/** Streams between members over TCP. Owns sockets and listeners; knows nothing of what is said on them. */
export class NodePeerNetwork implements PeerNetwork {
  readonly #streams = new Map<PeerStreamId, PeerStream>();
  readonly #listeners = new Map<PeerListenerId, Server>();
  readonly #keepAlive: boolean;
  readonly #onEvent: () => void;
  #lastId = 0;

  /**
   * @param keepAlive whether the system probes silent streams: `tcpKeepAlive`
   * @param onEvent called before each event that is told: its turn has to end
   */
  constructor(keepAlive = false, onEvent: () => void = () => {}) {
    this.#keepAlive = keepAlive;
    this.#onEvent = onEvent;
  }

  listen(address: NetworkAddress, events: PeerListenerEvents): PeerListenerId {
    const id = ++this.#lastId;
    const server = createServer({ noDelay: true, keepAlive: this.#keepAlive }, (socket) => {
      const from = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
      const stream = this.#add(socket);
      this.#onEvent();
      stream.events = events.onPeerAccepted(id, stream.id, from);
    });
    this.#listeners.set(id, server);
    server.on('listening', () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
      this.#onEvent();
      events.onPeerListening(id, port);
    });
    server.on('error', (error) => {
      if (!this.#listeners.delete(id)) return;
      server.close();
      this.#onEvent();
      events.onPeerListenFailed(id, systemWord(error));
    });
    server.listen({ host: address.host, port: address.port });
    return id;
  }

  stopListening(id: PeerListenerId): void {
    this.#listeners.get(id)?.close();
    this.#listeners.delete(id);
  }

  dial(address: NetworkAddress, timeoutMs: number, events: PeerStreamEvents): PeerStreamId {
    const { host, port } = address;
    const socket = connect({ host, port, noDelay: true, keepAlive: this.#keepAlive });
    const stream = this.#add(socket);
    stream.events = events;
    const timer = setTimeout(() => {
      stream.reason = 'ETIMEDOUT';
      socket.destroy();
    }, timeoutMs);
    socket.once('close', () => clearTimeout(timer));
    socket.once('connect', () => {
      clearTimeout(timer);
      if (stream.isOver) return;
      this.#onEvent();
      events.onPeerOpened(stream.id);
    });
    return stream.id;
  }

  send(id: PeerStreamId, bytes: Uint8Array, start: number, end: number): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isOver || stream.socket.destroyed) return true;
    const { socket } = stream;
    socket.write(
      Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start),
      stream.onWritten,
    );
    // Node tries the system call at once and keeps only what the kernel did not take.
    stream.isDrainAwaited = socket.writableLength > 0;
    return !stream.isDrainAwaited;
  }

  unsentBytes(id: PeerStreamId): number {
    return this.#streams.get(id)?.socket.writableLength ?? 0;
  }

  close(id: PeerStreamId): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isOver) return;
    stream.isOver = true;
    const { socket } = stream;
    // What the peer still says is read, so that its end of the stream comes, and not looked at.
    socket.resume();
    socket.end();
    const timer = setTimeout(() => socket.destroy(), shellLimits.closingMs);
    socket.once('close', () => clearTimeout(timer));
  }

  destroy(id: PeerStreamId): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.isOver = true;
    stream.socket.destroy();
  }

  setReading(id: PeerStreamId, reading: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.isOver) return;
    if (reading) stream.socket.resume();
    else stream.socket.pause();
  }

  /** Ends everything at once: the process is about to end. */
  destroyAll(): void {
    for (const id of this.#listeners.keys()) this.stopListening(id);
    for (const id of this.#streams.keys()) this.destroy(id);
  }

  #add(socket: Socket): PeerStream {
    const stream = new PeerStream(++this.#lastId, socket, this.#onEvent);
    this.#streams.set(stream.id, stream);
    socket.on('data', (bytes: Buffer) => {
      if (stream.isOver) return;
      this.#onEvent();
      stream.events?.onPeerBytes(stream.id, bytes, 0, bytes.length);
    });
    socket.on('error', (error) => {
      stream.reason = systemWord(error);
    });
    socket.on('close', () => {
      this.#streams.delete(stream.id);
      this.#onEvent();
      stream.events?.onPeerClosed(stream.id, stream.reason);
    });
    return stream;
  }
}

/** One stream and who is told about it. */
class PeerStream {
  readonly id: PeerStreamId;
  readonly socket: Socket;
  readonly #onEvent: () => void;
  events: PeerStreamEvents | null = null;
  /** Why it will have been closed. */
  reason = 'closed';
  /** Whether we have ended it. */
  isOver = false;
  isDrainAwaited = false;

  constructor(id: PeerStreamId, socket: Socket, onEvent: () => void) {
    this.id = id;
    this.socket = socket;
    this.#onEvent = onEvent;
  }

  /** Node has passed on something that was written. */
  readonly onWritten = (): void => {
    if (!this.isDrainAwaited || this.isOver || this.socket.writableLength > 0) return;
    this.isDrainAwaited = false;
    this.#onEvent();
    this.events?.onPeerDrained(this.id);
  };
}

function systemWord(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
