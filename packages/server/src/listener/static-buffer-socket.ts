import { Socket, type SocketConstructorOpts } from 'node:net';
import { assert } from '@meerkat/protocol';
import { shellLimits } from '../limits.ts';
import type { ClientConnection } from './client-connection.ts';

/** Takes what a socket has read; the bytes are valid only during the call. */
export type OnRead = (connection: ClientConnection, bytes: Uint8Array, end: number) => void;

/**
 * What every socket of this process reads into. Reads are handled before the next one happens, so
 * one buffer serves all of them; node would otherwise allocate 64 KB for each read. Not a `Buffer`, whose
 * views cost several times as much.
 */
const readBuffer: Uint8Array = new Uint8Array(shellLimits.readBufferBytes);

/** What `net.Server` holds of an accepted socket, and what `new Socket` takes; not in its documentation. */
interface StreamHandle {
  useUserBuffer?: (buffer: Uint8Array) => void;
  reading?: boolean;
}

/** A socket that knows its connection, so that no closure is needed to find it. */
class ClientSocket extends Socket {
  connection: ClientConnection | null = null;
  onRead: OnRead | null = null;
}

/**
 * Moves an accepted, paused socket to one that reads into the shared buffer. Node offers that
 * (`onread`) to sockets that connect; for those that are accepted the handle has to change hands.
 * Where a version of node does not play along, the accepted socket is used as it is.
 */
export function adoptSocket(accepted: Socket): Socket {
  const holder = accepted as unknown as { _handle: StreamHandle | null };
  const handle = holder._handle;
  if (handle === null || typeof handle?.useUserBuffer !== 'function') return accepted;
  holder._handle = null;
  handle.reading = false;
  const options = { handle, onread: { buffer: readBuffer, callback: onBytes } };
  return new ClientSocket(options as SocketConstructorOpts);
}

/** Starts to read. `onRead` is called for each piece until the socket is closed. */
export function startReading(connection: ClientConnection, onRead: OnRead): void {
  const socket = connection.socket;
  (socket as ClientSocket).connection = connection;
  if (socket instanceof ClientSocket) {
    socket.onRead = onRead;
  } else {
    socket.on('data', (bytes: Uint8Array) => onRead(connection, bytes, bytes.length));
  }
  socket.resume();
}

/** The connection of a socket on which `startReading` was called. */
export function connectionOf(socket: Socket): ClientConnection {
  const { connection } = socket as ClientSocket;
  assert(connection !== null && connection !== undefined, 'a socket without a connection');
  return connection;
}

function onBytes(this: unknown, length: number, bytes: Uint8Array): boolean {
  const { connection, onRead } = this as ClientSocket;
  if (connection !== null && onRead !== null) onRead(connection, bytes, length);
  return true;
}
