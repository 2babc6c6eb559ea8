/**
 * All that a replica may ask of the world: four ports, and a fifth in an ensemble. They are implemented once on Node
 * (`server/`) and once in the simulator; the same contract tests run on both.
 *
 * No port calls back before the call that caused it has returned, and none calls two things at
 * once: the replica is one thread of events.
 */
export interface Ports {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly random: Random;
  /** The way to the other members; a replica that is alone needs none. */
  readonly peers?: PeerNetwork;
}

/** Time. Nothing else in the engine knows what time it is. */
export interface Clock {
  /** Milliseconds on a clock that only goes forward; its origin means nothing. */
  monotonicMs(): number;
  /** Milliseconds since 1970, whole; may jump. */
  wallMs(): number;
  /** Calls `listener.onTimer(token)` once, `delayMs` or more from now. Returns a handle for `cancelTimer`. */
  startTimer(delayMs: number, listener: TimerListener, token: number): number;
  /** Forgets a timer; a handle that has fired or is unknown is ignored. */
  cancelTimer(handle: number): void;
}

/** Whoever armed a timer. */
export interface TimerListener {
  onTimer(token: number): void;
}

/** A client connection, numbered by the port that accepted it; never reused while the process lives. */
export type ConnectionId = number;

/** Orders to client connections. What arrives from them comes in through `Replica.onClient…`. */
export interface Network {
  /**
   * Sends `bytes[start, end)`. True: the bytes may be reused at once. False: the port keeps the
   * array until it is written, the caller must not touch it again.
   */
  send(connection: ConnectionId, bytes: Uint8Array, start: number, end: number): boolean;
  /** Bytes accepted by `send` that the peer's socket has not taken yet. */
  unsentBytes(connection: ConnectionId): number;
  /** Closes after what was sent has left. `Replica.onClientClosed` follows in a later event. */
  close(connection: ConnectionId): void;
  /** Closes at once and forgets what has not left. `Replica.onClientClosed` follows in a later event. */
  destroy(connection: ConnectionId): void;
  /** Stops, or goes on with, reading from the connection: backpressure. */
  setReading(connection: ConnectionId, reading: boolean): void;
}

/** A host, name or literal, and a port. A name is looked up at every use. */
export interface NetworkAddress {
  readonly host: string;
  readonly port: number;
}

/** A stream to or from another member, numbered by the port from 1; never reused while the process lives. */
export type PeerStreamId = number;

/** A place where other members are awaited, numbered by the port from 1. */
export type PeerListenerId = number;

/**
 * Streams between the members of an ensemble: elections and learners. Each stream and listener reports to
 * the `events` that it was opened with.
 */
export interface PeerNetwork {
  /** Awaits peers; `onPeerListening` or `onPeerListenFailed` follows. Port 0 takes any free port. */
  listen(address: NetworkAddress, events: PeerListenerEvents): PeerListenerId;
  /** Awaits no more peers there. Streams that were accepted stay. */
  stopListening(listener: PeerListenerId): void;
  /** Opens a stream; `onPeerOpened`, or `onPeerClosed` at the latest after `timeoutMs`, follows. */
  dial(address: NetworkAddress, timeoutMs: number, events: PeerStreamEvents): PeerStreamId;
  /**
   * Sends `bytes[start, end)` with one write, so that a peer that reads once can get it whole. True: the bytes
   * may be reused at once. False: the port keeps the array until `onPeerDrained`. Unknown streams are ignored.
   */
  send(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): boolean;
  /** Bytes accepted by `send` that have not left yet. */
  unsentBytes(stream: PeerStreamId): number;
  /** Closes after what was sent has left. `onPeerClosed` follows in a later event. */
  close(stream: PeerStreamId): void;
  /** Closes at once and forgets what has not left. `onPeerClosed` follows in a later event. */
  destroy(stream: PeerStreamId): void;
  /** Stops, or goes on with, reading from the stream: backpressure. */
  setReading(stream: PeerStreamId, reading: boolean): void;
}

/** What becomes of a listener. Nothing of this is called from within an order to the port. */
export interface PeerListenerEvents {
  /** Peers are awaited, on this port. */
  onPeerListening(listener: PeerListenerId, port: number): void;
  /** Peers cannot be awaited there (any more); the listener is gone. `reason` is the system's word. */
  onPeerListenFailed(listener: PeerListenerId, reason: string): void;
  /** A peer has opened a stream. Returns who is told about it from now on. */
  onPeerAccepted(
    listener: PeerListenerId,
    stream: PeerStreamId,
    from: NetworkAddress,
  ): PeerStreamEvents;
}

/** What becomes of a stream. Nothing of this is called from within an order to the port. */
export interface PeerStreamEvents {
  /** A stream that was dialled is open. */
  onPeerOpened(stream: PeerStreamId): void;
  /** `bytes[start, end)` arrived, valid during the call. */
  onPeerBytes(stream: PeerStreamId, bytes: Uint8Array, start: number, end: number): void;
  /** After `send` had returned false: everything that was sent has left. */
  onPeerDrained(stream: PeerStreamId): void;
  /** The stream is gone, or was never opened, whoever ended it. Once for each. */
  onPeerClosed(stream: PeerStreamId, reason: string): void;
}

/** Seeded randomness. Not for secrets. */
export interface Random {
  /** A whole number, 0 <= n < bound, bound at most 2^32. */
  below(bound: number): number;
}

/** A failure of the disk: `code` is the system's name for it (`ENOSPC`, `EIO`, `ENOENT`, …). */
export class DiskError extends Error {
  override readonly name: string = 'DiskError';
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, action: string) {
    super(`Cannot ${action} ${path}: the system says ${code}`);
    this.code = code;
    this.path = path;
  }
}

/** Called once when a disk order has ended, well (null) or not. */
export type DiskDone = (error: DiskError | null) => void;

/** How the bytes of a snapshot are packed: by the ending of its file name (`SnapStream.java`). */
export type Packing = 'none' | 'gzip' | 'snappy';

/**
 * Files. Paths are strings with `/`. What is read at start-up and what touches only a directory is
 * synchronous and throws `DiskError`; what happens while clients are served ends with a `DiskDone`.
 */
export interface Disk {
  /** Names in a directory, sorted; empty when it does not exist. */
  list(directory: string): readonly string[];
  /** The size of a file in bytes, -1 when it does not exist. */
  sizeBytes(path: string): number;
  /** When the file was last changed, ms since 1970; 0 when it does not exist. */
  modifiedMs(path: string): number;
  /** Makes a directory and those above it. */
  makeDirectory(path: string): void;
  /** The whole of a small file, null when it does not exist. */
  readSmallFile(path: string): Uint8Array | null;
  /** Replaces a small file as a whole, durably: temporary file, fsync, rename, fsync of the directory. */
  replaceSmallFile(path: string, bytes: Uint8Array): void;
  /** Removes a file, now. */
  remove(path: string): void;
  /** Removes a file that may be large, without stopping the caller. */
  removeLater(path: string, done: DiskDone): void;
  /** Cuts a file to `sizeBytes`, durably. */
  truncate(path: string, sizeBytes: number): void;
  /**
   * Makes an existing file durable, with its directory entry. What an earlier process wrote and did
   * not sync can be read back and still be lost with the power.
   */
  syncFile(path: string): void;
  /** Renames a file, replacing what has the new name; durable when `done`. */
  renameLater(from: string, to: string, done: DiskDone): void;
  /** Up to `length` packed bytes from `position`; fewer at the end of the file. */
  readRange(path: string, position: number, length: number): Uint8Array;
  /** Opens a file for reading; unpacks as it reads, positions are those of the unpacked bytes and only go forward. */
  openForReading(path: string, packing: Packing): ReadableFile;
  /**
   * Creates a file for writing. Its directory entry is durable once the first `sync` of the file has
   * ended. With a packing other than none the writes must come in order.
   * @throws DiskError `EEXIST` when it exists and `replace` is false
   */
  create(path: string, options: CreateOptions): WritableFile;
  /** Bytes free for us on the file system that holds `path`; Infinity when unknown. */
  freeBytes(path: string): number;
}

/** How `Disk.create` creates. */
export interface CreateOptions {
  readonly packing: Packing;
  readonly replace: boolean;
}

/** A file being read, synchronously. */
export interface ReadableFile {
  /** Reads up to `length` bytes of the unpacked content from where the last read ended; 0 is the end. */
  read(target: Uint8Array, offset: number, length: number): number;
  close(): void;
}

/** A file being written. One order at a time: the next only after `done` of the last. */
export interface WritableFile {
  /**
   * Writes `bytes[start, end)` at `position` (files that are packed ignore it and append), then, when `sync`,
   * makes all of the file's data durable. The bytes must not change before `done`.
   */
  write(
    bytes: Uint8Array,
    start: number,
    end: number,
    position: number,
    sync: boolean,
    done: DiskDone,
  ): void;
  /** Makes the file durable: its data, its size and, the first time, its directory entry. */
  sync(done: DiskDone): void;
  /** Ends the packing, if any, and closes; no order may follow. */
  close(done: DiskDone): void;
}
