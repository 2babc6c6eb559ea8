/**
 * What can be wrong with a data directory:
 *
 * | kind | meaning |
 * |---|---|
 * | `directoryMissing` | a data directory is missing and may not be made |
 * | `databaseMissing` | there is nothing on disk, and nothing says that this is right |
 * | `misplacedFiles` | snapshots in the log directory, or logs in the snapshot directory |
 * | `fileNameDamaged` | a zxid in a file name is beyond 2^53 |
 * | `logHeaderDamaged` | a log file does not begin as one |
 * | `logRecordDamaged` | a record's checksum is wrong, or it is no transaction |
 * | `logGap` | transactions are missing between two that are there |
 * | `logWithoutSnapshot` | there are logs, but nothing that they could be replayed onto |
 * | `snapshotDamaged` | no snapshot can be used together with the logs that are there |
 * | `epochsDisagree` | `currentEpoch`, `acceptedEpoch` and the last transaction contradict each other |
 * | `truncateImpossible` | the log cannot be cut after the wanted transaction |
 */
export type StorageErrorKind =
  | 'directoryMissing'
  | 'databaseMissing'
  | 'misplacedFiles'
  | 'fileNameDamaged'
  | 'logHeaderDamaged'
  | 'logRecordDamaged'
  | 'logGap'
  | 'logWithoutSnapshot'
  | 'snapshotDamaged'
  | 'epochsDisagree'
  | 'truncateImpossible';

/** Where a fault was found; what does not apply is absent. */
export interface StorageErrorPlace {
  readonly file: string;
  /** Bytes from the beginning of the (unpacked) file. */
  readonly offset?: number;
  /** Number of the record in its file, the first is 0. */
  readonly record?: number;
}

/**
 * A data directory that cannot be trusted as it is. A lone server refuses to start with it; a
 * member of an ensemble takes its state from the leader. Its message names the place and the remedy.
 */
export class StorageError extends Error {
  override readonly name: string = 'StorageError';
  readonly kind: StorageErrorKind;
  readonly file: string;
  readonly offset: number | null;
  readonly record: number | null;
  /** What an operator can do about it, as a sentence. */
  readonly remedy: string;

  constructor(kind: StorageErrorKind, place: StorageErrorPlace, what: string, remedy: string) {
    const offset = place.offset === undefined ? '' : `, offset ${place.offset}`;
    const record = place.record === undefined ? '' : `, record ${place.record}`;
    super(`${what} (${place.file}${offset}${record}). ${remedy}`);
    this.kind = kind;
    this.file = place.file;
    this.offset = place.offset ?? null;
    this.record = place.record ?? null;
    this.remedy = remedy;
  }
}
