export * from './adopt-snapshot.ts';
export * from './data-directories.ts';
export * from './epoch-files.ts';
export {
  type DataFile,
  listLogs,
  listSnapshots,
  logFileName,
  packingOf,
  snapshotFileName,
  versionDirectory,
} from './file-names.ts';
export * from './log-file-reader.ts';
export { fileHeaderBytes, recordHeadBytes } from './log-format.ts';
export * from './log-replay.ts';
export * from './purge.ts';
export * from './recover.ts';
export type {
  SnapshotCursor,
  SnapshotDigest,
  SnapshotSource,
  SnapshotTarget,
} from './snapshot-format.ts';
export * from './snapshot-reader.ts';
export * from './snapshot-writer.ts';
export * from './storage-error.ts';
export * from './transaction-log.ts';
export * from './truncate-log.ts';
