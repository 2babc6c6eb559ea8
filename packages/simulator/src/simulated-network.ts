import type { ConnectionId, Network } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import type { ProcessClock } from './process-clock.ts';

/** What a network passes on to its replica; `Replica` has these methods. */
export interface NetworkEvents {
  onClientOpened(
    connection: ConnectionId,
    info: { address: string; port: number; secure: boolean },
  ): void;
  /** `bytes[start, end)` arrived, valid during the call. */
  onClientBytes(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): void;
  onClientClosed(connection: ConnectionId): void;
  /** All that is due now has been passed on. */
  onTurnEnd(): void;
}

/** How a simulated network behaves. */
export interface SimulatedNetworkOptions {
  /** How long bytes are under way, in each direction. */
  readonly latencyMs?: number;
  /** Bytes that the system takes over from the server before the client has read them. */
  readonly systemBytesMax?: number;
  /** How long a closed connection waits for its client to read the rest, ms. */
  readonly closingMs?: number;
}

/**
 * Client connections in memory. Owns the bytes under way, in order, and the rule of the port that nothing
 * calls back before the call that caused it has returned: everything arrives as an event of its own.
 * What a client sends in one event arrives as one chunk.
 */
export class SimulatedNetwork implements Network {
  readonly #clock: ProcessClock;
  readonly #events: NetworkEvents;
  readonly #options: SimulatedNetworkOptions;
  readonly #connections = new Map<ConnectionId, SimulatedConnection>();
  #lastId = 0;
  #isTurnOpen = false;

  constructor(clock: ProcessClock, events: NetworkEvents, options: SimulatedNetworkOptions = {}) {
    this.#clock = clock;
    this.#events = events;
    this.#options = options;
  }

  /** Connections that the server has not been told the end of. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** A client connects from `address`. */
  connect(address = '127.0.0.1'): SimulatedConnection {
    const id = ++this.#lastId;
    const connection = new SimulatedConnection(id, {
      latencyMs: this.#options.latencyMs ?? 0,
      systemBytesMax: this.#options.systemBytesMax ?? systemBytesMax,
      later: (delayMs, action) => this.#clock.after(delayMs, action),
      toServer: (bytes) => {
        this.#armTurn();
        this.#events.onClientBytes(id, bytes, 0, bytes.length);
      },
      closed: () => this.#closed(id),
    });
    this.#connections.set(id, connection);
    this.#clock.after(0, () => {
      this.#events.onClientOpened(id, { address, port: 40_000 + (id % 20_000), secure: false });
    });
    return connection;
  }

  send(id: ConnectionId, bytes: Uint8Array, start: number, end: number): boolean {
    assert(end > start, 'nothing is sent', start, end);
    this.#connections.get(id)?.fromServer(bytes.slice(start, end));
    return this.unsentBytes(id) === 0;
  }

  unsentBytes(id: ConnectionId): number {
    return this.#connections.get(id)?.unsentBytes ?? 0;
  }

  close(id: ConnectionId): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.closeAfterSending();
    if (connection.isClientReading) return;
    this.#clock.after(this.#options.closingMs ?? closingMs, () => connection.cut());
  }

  destroy(id: ConnectionId): void {
    this.#connections.get(id)?.cut();
  }

  setReading(id: ConnectionId, reading: boolean): void {
    this.#connections.get(id)?.setServerReading(reading);
  }

  /** The server is gone: every client sees its connection end. */
  cutAll(): void {
    for (const connection of this.#connections.values()) connection.cut();
    this.#connections.clear();
  }

  #closed(id: ConnectionId): void {
    this.#clock.after(0, () => {
      if (!this.#connections.delete(id)) return;
      this.#armTurn();
      this.#events.onClientClosed(id);
    });
  }

  #armTurn(): void {
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    this.#clock.after(0, () => {
      this.#isTurnOpen = false;
      this.#events.onTurnEnd();
    });
  }
}

/** What a connection asks of its network. */
interface ConnectionHost {
  readonly latencyMs: number;
  readonly systemBytesMax: number;
  later(delayMs: number, action: () => void): void;
  toServer(bytes: Uint8Array): void;
  closed(): void;
}

/** One connection, as its client uses it. */
export class SimulatedConnection {
  readonly id: ConnectionId;
  /** Called with bytes that arrive at the client. */
  onBytes: (bytes: Uint8Array) => void = () => {};
  /** Called once when the client learns that the connection is gone. */
  onClosed: () => void = () => {};
  readonly #host: ConnectionHost;
  /** Sent by the client, not passed on to the server yet. */
  #toServer: Uint8Array[] = [];
  /** Sent by the server, not read by the client yet. */
  #toClient: Uint8Array[] = [];
  #toClientBytes = 0;
  #isDelivering = false;
  #isServerReading = true;
  #isClientReading = true;
  #isClosing = false;
  #isCut = false;

  constructor(id: ConnectionId, host: ConnectionHost) {
    this.id = id;
    this.#host = host;
  }

  /** Whether the connection is gone. */
  get isClosed(): boolean {
    return this.#isCut;
  }

  /** Whether the client takes what arrives. */
  get isClientReading(): boolean {
    return this.#isClientReading;
  }

  /** Bytes that the system has not taken over from the server. */
  get unsentBytes(): number {
    return Math.max(0, this.#toClientBytes - this.#host.systemBytesMax);
  }

  /** Bytes that the server has not read. */
  get unreadBytes(): number {
    return this.#toServer.reduce((sum, { length }) => sum + length, 0);
  }

  /** Sends bytes to the server; what is sent before the server looks arrives in one chunk. */
  send(bytes: Uint8Array): void {
    if (this.#isCut) return;
    this.#toServer.push(bytes.slice());
    if (this.#toServer.length === 1) this.#host.later(this.#host.latencyMs, () => this.#arrive());
  }

  /** The client stops, or goes on with, reading. */
  setReading(reading: boolean): void {
    this.#isClientReading = reading;
    if (reading) this.#deliver();
  }

  /** The client closes, or is gone. What it has sent before still arrives. */
  end(): void {
    if (this.#isCut) return;
    this.#host.later(this.#host.latencyMs, () => this.cut());
  }

  /** The server stops, or goes on with, reading. */
  setServerReading(reading: boolean): void {
    this.#isServerReading = reading;
    if (reading && this.#toServer.length > 0) this.#host.later(0, () => this.#arrive());
  }

  /** Takes bytes from the server, which may not change any more. */
  fromServer(bytes: Uint8Array): void {
    if (this.#isCut || this.#isClosing) return;
    this.#toClient.push(bytes);
    this.#toClientBytes += bytes.length;
    this.#deliver();
  }

  /** The server closes behind what it has sent. */
  closeAfterSending(): void {
    this.#isClosing = true;
    if (this.#toClientBytes === 0) this.#host.later(this.#host.latencyMs, () => this.cut());
  }

  /** Ends the connection for both sides, now. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#toClient = [];
    this.#toServer = [];
    this.#toClientBytes = 0;
    this.#host.closed();
    this.onClosed();
  }

  #arrive(): void {
    if (!this.#isServerReading || this.#isClosing || this.#toServer.length === 0) return;
    const chunk = Buffer.concat(this.#toServer);
    this.#toServer = [];
    this.#host.toServer(chunk);
  }

  #deliver(): void {
    if (this.#isDelivering || !this.#isClientReading || this.#toClientBytes === 0) return;
    this.#isDelivering = true;
    this.#host.later(this.#host.latencyMs, () => {
      this.#isDelivering = false;
      if (!this.#isClientReading || this.#isCut) return;
      const pieces = this.#toClient;
      this.#toClient = [];
      this.#toClientBytes = 0;
      for (const piece of pieces) this.onBytes(piece);
      if (this.#isClosing) this.#host.later(0, () => this.cut());
    });
  }
}

const systemBytesMax = 256 * 1024;
const closingMs = 10_000;
