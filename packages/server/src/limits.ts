/** Bounds of the shell that no configuration key sets; the engine's own are in its limits.ts. */
export interface ShellLimits {
  /** The buffer that all sockets read into, bytes: what one read of a pipelining client brings at most. */
  readonly readBufferBytes: number;
  /** How long a connection that is being closed may take to accept what was sent to it, ms. */
  readonly closingMs: number;
  /** Descriptors kept free of connections, for logs, snapshots and whoever looks after the server. */
  readonly descriptorsReserved: number;
  /** Waiting connections in the kernel when `clientPortListenBacklog` is not set. */
  readonly listenBacklog: number;
  /** One kind of remark about hostile input is logged at most this often, ms; the rest is counted. */
  readonly remarkIntervalMs: number;
  /** How long a turn may last before what it answered so far leaves, ms. */
  readonly turnMs: number;
  /** How long the answers to four-letter words may keep a turn, ms; what is longer goes on in the next. */
  readonly wordSliceMs: number;
  /** Characters of such an answer that wait for its reader, about. */
  readonly wordPieceCharacters: number;
  /** How long a stop may take until the process is ended anyway, ms. */
  readonly stopMs: number;
  /** Bytes of log that may wait for a slow reader of standard output; lines on top of that are dropped. */
  readonly logWaitingBytesMax: number;
  /** How long the end of the process may wait for that reader, ms. */
  readonly logFlushMs: number;
}

/** The bounds in use. */
export const shellLimits: ShellLimits = {
  readBufferBytes: 64 * 1024,
  closingMs: 5000,
  descriptorsReserved: 64,
  listenBacklog: 511,
  remarkIntervalMs: 60_000,
  turnMs: 2,
  wordSliceMs: 2,
  wordPieceCharacters: 16 * 1024,
  stopMs: 10_000,
  logWaitingBytesMax: 4 * 1024 * 1024,
  logFlushMs: 500,
};
