import type {
  ConnectionId,
  Network,
  NetworkAddress,
  PeerListenerEvents,
  PeerListenerId,
  PeerStreamEvents,
  PeerStreamId,
} from '@meerkat/engine';
import type { SimulatedPeerNetwork } from '../simulated-peer-network.ts';

/** What the port passes on; `Replica` has these methods. */
export interface ClientPortEvents {
  onClientOpened(
    connection: ConnectionId,
    info: { address: string; port: number; secure: boolean },
  ): void;
  onClientBytes(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): void;
  onClientClosed(connection: ConnectionId): void;
}

/**
 * The port that a simulated member's clients connect to: the engine's `Network` over the network between hosts, so
 * that what breaks between hosts breaks between clients and members too. Connections have the numbers of their streams.
 */
export class ClientPort implements Network, PeerListenerEvents, PeerStreamEvents {
  readonly #peers: SimulatedPeerNetwork;
  #events: ClientPortEvents | null = null;
  #takesWrites: () => boolean = () => true;
  /** What has come of the word `isro` on streams that began with it: the shell answers that. */
  readonly #words = new Map<PeerStreamId, number>();
  /** Streams of which nothing has come yet. */
  readonly #silent = new Set<PeerStreamId>();

  constructor(peers: SimulatedPeerNetwork) {
    this.#peers = peers;
  }

  /** Awaits clients from now on, and tells those who ask whether writes are taken. */
  open(address: NetworkAddress, events: ClientPortEvents, takesWrites: () => boolean): void {
    this.#events = events;
    this.#takesWrites = takesWrites;
    this.#peers.listen(address, this);
  }

  send(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): boolean {
    return this.#peers.send(connection, bytes, start, end);
  }

  unsentBytes(connection: ConnectionId): number {
    return this.#peers.unsentBytes(connection);
  }

  close(connection: ConnectionId): void {
    this.#peers.close(connection);
  }

  destroy(connection: ConnectionId): void {
    this.#peers.destroy(connection);
  }

  setReading(connection: ConnectionId, reading: boolean): void {
    this.#peers.setReading(connection, reading);
  }

  onPeerListening(): void {}

  onPeerListenFailed(_listener: PeerListenerId, reason: string): void {
    throw new Error(`Cannot await clients: ${reason}`);
  }

  onPeerAccepted(
    _listener: PeerListenerId,
    stream: PeerStreamId,
    from: NetworkAddress,
  ): PeerStreamEvents {
    this.#silent.add(stream);
    this.#events?.onClientOpened(stream, { address: from.host, port: from.port, secure: false });
    return this;
  }

  onPeerOpened(): void {}

  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void {
    const isFirst = this.#silent.delete(stream);
    if (isFirst && bytes[start] === firstOfWord) this.#words.set(stream, 0);
    const before = this.#words.get(stream);
    if (before === undefined) return this.#events?.onClientBytes(stream, bytes, start, end);
    this.#words.set(stream, before + end - start);
    if (before + end - start >= wordBytes) this.#answer(stream);
  }

  #answer(stream: PeerStreamId): void {
    const answer = new TextEncoder().encode(this.#takesWrites() ? 'rw' : 'ro');
    this.#peers.send(stream, answer, 0, answer.length);
    this.#peers.close(stream);
  }

  onPeerDrained(): void {}

  onPeerClosed(stream: PeerStreamId): void {
    this.#silent.delete(stream);
    this.#words.delete(stream);
    this.#events?.onClientClosed(stream);
  }
}

/** No frame of a client is so long that it begins like that. */
const firstOfWord = 0x69;
const wordBytes = 4;
