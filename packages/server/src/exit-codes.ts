/** How the process ends, as ZooKeeper's does (`ExitCode.java`). */
export const ExitCode = {
  /** It was told to stop, and did. */
  ok: 0,
  /** Something that should not happen. */
  unexpected: 1,
  /** Arguments or configuration that do not do. */
  invocation: 2,
  /** A data directory that cannot be used: damaged, missing, or in use by another server. */
  dataDirectory: 3,
  /** The admin server did not start. */
  adminServer: 4,
  /** A snapshot could not be written where the server cannot go on without it. */
  snapshot: 10,
  /** A commit for a transaction that nobody proposed. */
  unmatchedCommit: 12,
  /** A packet of the quorum that makes no sense. */
  quorumPacket: 13,
  /** The port of the quorum is taken. */
  quorumPort: 14,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
