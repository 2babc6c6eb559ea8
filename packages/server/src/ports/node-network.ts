import type { Socket } from 'node:net';
import type { Clock, ConnectionId, Network } from '@meerkat/engine';
import { assert } from '@meerkat/protocol';
import type { WordAnswer } from '../four-letter-words/word-context.ts';
import { shellLimits } from '../limits.ts';
import { ClientConnection, Phase } from '../listener/client-connection.ts';
import { DeadlineQueue } from '../listener/deadline-queue.ts';
import { LongAnswers } from '../listener/long-answers.ts';
import { adoptSocket, connectionOf, startReading } from '../listener/static-buffer-socket.ts';
import type { Turn } from '../turn.ts';

/** What a replica is told about client connections; `Replica` has these methods. */
export interface ClientEvents {
  /** A connection whose first bytes are those of a client. */
  onClientOpened(connection: ConnectionId, info: ClientInfo): void;
  /** `bytes[start, end)` arrived; they are valid only during the call. */
  onClientBytes(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): void;
  /** The connection is gone, whoever closed it. Once for each that was opened. */
  onClientClosed(connection: ConnectionId): void;
}

/** Where a connection comes from. */
export interface ClientInfo {
  readonly address: string;
  readonly port: number;
  readonly secure: boolean;
}

/** Looks at the first four bytes of every connection. */
export interface WordListener {
  /** Whether these four bytes, big endian, are a word; otherwise they are a handshake's length. */
  isWord(code: number): boolean;
  /** How many bytes follow the word before it can be answered. */
  argumentBytes(code: number): number;
  /** Answers: what to send before the connection is closed, null to close without a word. */
  onWord(connection: ClientConnection, code: number, argument: bigint): WordAnswer | null;
}

/** What a network needs to know beyond its port. */
export interface NodeNetworkOptions {
  readonly clock: Clock;
  readonly turn: Turn;
  readonly events: ClientEvents;
  readonly words: WordListener;
  /** A connection whose handshake has not arrived whole by then is closed, ms. */
  readonly handshakeMs: number;
  /** Called after the connection has left the table. */
  readonly onGone: (connection: ClientConnection) => void;
  /** Called when a connection is closed for its silence. */
  readonly onHandshakeMissed: (connection: ClientConnection) => void;
}

/** Client connections over TCP. Owns the sockets; knows nothing of frames beyond the first length. */
export class NodeNetwork implements Network {
  readonly #options: NodeNetworkOptions;
  readonly #connections = new Map<ConnectionId, ClientConnection>();
  readonly #handshakes: DeadlineQueue<ClientConnection>;
  readonly #closings: DeadlineQueue<ClientConnection>;
  readonly #longAnswers: LongAnswers;
  /** One function for all sockets; node calls it with the socket as `this`. */
  readonly #onSocketClose: (this: Socket) => void;
  #lastId = 0;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
    this.#handshakes = new DeadlineQueue(options.clock, options.handshakeMs, (connection) => {
      options.onHandshakeMissed(connection);
      connection.phase = Phase.closing;
      connection.socket.destroy();
    });
    this.#closings = new DeadlineQueue(options.clock, shellLimits.closingMs, (connection) => {
      connection.socket.destroy();
    });
    this.#longAnswers = new LongAnswers({
      onPiece: (connection) => {
        // Each piece has its time.
        this.#closings.remove(connection);
        this.#closings.add(connection);
      },
      onEnd: (connection) => this.#closeAfterSending(connection),
    });
    const onClose = (connection: ClientConnection): void => this.#onClose(connection);
    this.#onSocketClose = function onSocketClose(this: Socket): void {
      onClose(connectionOf(this));
    };
  }

  /** Connections of every phase, four-letter words included. */
  get connections(): ReadonlyMap<ConnectionId, ClientConnection> {
    return this.#connections;
  }

  /** Takes over a socket that was accepted and has not read yet. */
  adopt(accepted: Socket, info: ClientInfo): ClientConnection {
    this.#lastId += 1;
    const socket = adoptSocket(accepted);
    const connection = new ClientConnection(this.#lastId, socket, info);
    this.#connections.set(connection.id, connection);
    this.#handshakes.add(connection);
    // 'close' follows every error; there is nothing else to do about a broken connection.
    socket.on('error', ignoreError);
    socket.on('close', this.#onSocketClose);
    startReading(connection, this.#onRead);
    return connection;
  }

  send(id: ConnectionId, bytes: Uint8Array, start: number, end: number): boolean {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.phase === Phase.closing) return true;
    const socket = connection.socket;
    if (socket.destroyed) return true;
    socket.write(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start));
    // Node tries the system call at once and keeps only what the kernel did not take.
    return socket.writableLength === 0;
  }

  unsentBytes(id: ConnectionId): number {
    return this.#connections.get(id)?.socket.writableLength ?? 0;
  }

  close(id: ConnectionId): void {
    const connection = this.#connections.get(id);
    if (connection !== undefined) this.#closeAfterSending(connection);
  }

  destroy(id: ConnectionId): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.phase = Phase.closing;
    connection.socket.destroy();
  }

  setReading(id: ConnectionId, reading: boolean): void {
    const connection = this.#connections.get(id);
    if (connection === undefined || connection.phase === Phase.closing) return;
    if (reading) connection.socket.resume();
    else connection.socket.pause();
  }

  /** Closes every connection at once, unsent bytes or not. */
  destroyAll(): void {
    this.#handshakes.clear();
    this.#closings.clear();
    for (const connection of this.#connections.values()) {
      connection.phase = Phase.closing;
      connection.socket.destroy();
    }
  }

  readonly #onRead = (connection: ClientConnection, bytes: Uint8Array, end: number): void => {
    if (connection.phase === Phase.client) {
      this.#options.turn.arm();
      this.#options.events.onClientBytes(connection.id, bytes, 0, end);
      return;
    }
    // Whatever comes before a handshake is complete, in pieces of any size.
    if (connection.phase === Phase.firstBytes) this.#onFirstBytes(connection, bytes, end);
    else if (connection.phase === Phase.wordArgument) this.#onArgument(connection, bytes, 0, end);
    else if (connection.phase === Phase.handshake) this.#onHandshake(connection, bytes, 0, end);
  };

  #onFirstBytes(connection: ClientConnection, bytes: Uint8Array, end: number): void {
    const missing = connection.missingBytes;
    const at = takeHead(connection, bytes, 0, end);
    if (connection.missingBytes > 0) return;
    const code = connection.head;
    const { words, events, turn } = this.#options;
    if (words.isWord(code)) {
      connection.phase = Phase.wordArgument;
      connection.missingBytes = words.argumentBytes(code);
      this.#onArgument(connection, bytes, at, end);
      return;
    }
    connection.phase = Phase.handshake;
    connection.missingBytes = Math.max(code, 0);
    connection.announced = true;
    turn.arm();
    events.onClientOpened(connection.id, connection);
    if (missing < 4) {
      // The length came in pieces: put it together again.
      const length = Buffer.alloc(4);
      length.writeInt32BE(code);
      if (!isClosing(connection)) events.onClientBytes(connection.id, length, 0, 4);
      this.#onHandshake(connection, bytes, at, end);
    } else {
      connection.missingBytes += 4;
      this.#onHandshake(connection, bytes, 0, end);
    }
  }

  #onHandshake(connection: ClientConnection, bytes: Uint8Array, start: number, end: number): void {
    if (start === end || isClosing(connection)) return;
    connection.missingBytes -= end - start;
    if (connection.missingBytes <= 0) {
      connection.phase = Phase.client;
      this.#handshakes.remove(connection);
    }
    this.#options.turn.arm();
    this.#options.events.onClientBytes(connection.id, bytes, start, end);
  }

  #onArgument(connection: ClientConnection, bytes: Uint8Array, start: number, end: number): void {
    const code = connection.head;
    for (let at = start; at < end && connection.missingBytes > 0; at++) {
      connection.argument = (connection.argument << 8n) | BigInt(bytes[at] ?? 0);
      connection.missingBytes -= 1;
    }
    if (connection.missingBytes > 0) return;
    const reply = this.#options.words.onWord(
      connection,
      code,
      BigInt.asIntN(64, connection.argument),
    );
    if (reply === null || typeof reply === 'string') {
      if (reply !== null) connection.socket.write(reply);
      return this.#closeAfterSending(connection);
    }
    connection.phase = Phase.answering;
    this.#handshakes.remove(connection);
    this.#closings.add(connection);
    this.#longAnswers.send(connection, reply);
  }

  #closeAfterSending(connection: ClientConnection): void {
    if (connection.phase === Phase.closing) return;
    connection.phase = Phase.closing;
    this.#handshakes.remove(connection);
    this.#closings.add(connection);
    connection.socket.destroySoon();
  }

  #onClose(connection: ClientConnection): void {
    connection.phase = Phase.closing;
    this.#handshakes.remove(connection);
    this.#closings.remove(connection);
    const known = this.#connections.delete(connection.id);
    assert(known, 'a connection closed twice', connection.id);
    this.#options.onGone(connection);
    if (!connection.announced) return;
    this.#options.turn.arm();
    this.#options.events.onClientClosed(connection.id);
  }
}

function ignoreError(): void {}

function isClosing(connection: ClientConnection): boolean {
  return connection.phase === Phase.closing;
}

/** Takes what is missing of the first four bytes; returns where it stopped. */
function takeHead(
  connection: ClientConnection,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  let at = start;
  while (at < end && connection.missingBytes > 0) {
    connection.head = (connection.head << 8) | (bytes[at] ?? 0);
    connection.missingBytes -= 1;
    at += 1;
  }
  return at;
}
