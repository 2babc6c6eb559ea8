import { assert, asZxid, counterOf, formatZxid, type Zxid } from '@meerkat/protocol';
import { type Disk, DiskError } from '../ports.ts';
import { type DataFile, listLogs } from '../storage/file-names.ts';
import { isZero, LogFileReader } from '../storage/log-file-reader.ts';
import { follows } from '../storage/log-format.ts';
import { logsFrom, type RecordSink } from '../storage/log-replay.ts';
import { ReadOrder } from '../storage/read-order.ts';
import { StorageError, type StorageErrorPlace } from '../storage/storage-error.ts';

/**
 * The transactions that a learner lacks, read from the logs on disk, while the newest of these is being written
 * (`FileTxnLog.FileTxnIterator`, `LearnerHandler.queueCommittedProposals`). Owns the question whether they
 * join what the learner has, and the check that none is missing between them (ZOOKEEPER-2418); refuses to decide
 * what was committed: the caller says up to where.
 *
 * A record that is not all there ends the newest file, as zeros do: it is being written. Everything is
 * done in steps of a bounded size. A purge may remove a file that is still to be read: `DiskError`.
 */
export class LogRange {
  /** The last record before what is given, -1 when there is none; set when the place was found. */
  beforeZxid: Zxid = asZxid(-1);
  /** The last record that was given to a sink; `afterZxid` before the first. */
  lastZxid: Zxid;

  readonly #disk: Disk;
  readonly #afterZxid: Zxid;
  readonly #throughZxid: Zxid;
  readonly #files: readonly DataFile[];
  readonly #order: ReadOrder;
  /** Index of the file that `#reader` reads. */
  #index = -1;
  #reader: LogFileReader | null = null;
  /** Whether the record that the reader stands on is the next one to be given. */
  #isFound = false;
  #isEnded = false;
  #isJoined = false;

  /**
   * Looks at the names of the files only.
   *
   * @param directory the `version-2` directory of `dataLogDir`
   * @param afterZxid the last transaction that the learner has
   * @param throughZxid the last one that is wanted; it must be durable and committed
   */
  constructor(
    disk: Disk,
    directory: string,
    afterZxid: Zxid,
    throughZxid: Zxid = asZxid(Number.MAX_SAFE_INTEGER),
  ) {
    this.#disk = disk;
    this.#afterZxid = afterZxid;
    this.#throughZxid = throughZxid;
    this.lastZxid = afterZxid;
    this.#order = new ReadOrder(afterZxid);
    this.#files = logsFrom(listLogs(disk, directory), afterZxid);
  }

  /**
   * Looks for the first record after `afterZxid`, in the next `maxBytes` of the file that may hold it.
   *
   * @returns whether the search is over
   * @throws StorageError, DiskError
   */
  find(maxBytes: number): boolean {
    for (let bytes = 0; !this.#isFound; bytes += this.#recordBytes()) {
      if (bytes >= maxBytes) return false;
      const hasRecord = this.#moveOn();
      const zxid = this.#nextZxid();
      if (!hasRecord || zxid > this.#afterZxid) this.#endSearch();
      else if (zxid > this.beforeZxid) this.beforeZxid = zxid;
    }
    return true;
  }

  /**
   * Whether the records follow what the learner has, so that nothing is missing in between. They do when
   * the learner's last one is among ours, or ours begin right behind it. A zxid with a counter of 0 is that of
   * no transaction but of the beginning of an epoch: then it is enough that the logs reach back beyond it.
   * Not joined is also a learner that has something that we have not. Ends the search, if it has not ended.
   */
  get isJoined(): boolean {
    this.find(Number.POSITIVE_INFINITY);
    return this.#isJoined;
  }

  /**
   * About how many bytes of log files there are from the first record that would be given on; the zeros at the
   * end of a file are not counted. Ends the search, if it has not ended.
   */
  get sizeBytes(): number {
    this.find(Number.POSITIVE_INFINITY);
    if (this.#reader === null) return 0;
    let bytes = -this.#reader.offset;
    for (const { path } of this.#files.slice(this.#index)) bytes += usedBytes(this.#disk, path);
    return Math.max(0, bytes);
  }

  /**
   * Gives the next records to `sink`, until they are `maxBytes` long together or longer.
   *
   * @returns false when there are no more; `lastZxid` says how far they went
   * @throws StorageError when one is missing; what was given is right; DiskError
   */
  next(maxBytes: number, sink: RecordSink): boolean {
    assert(this.isJoined, 'records that do not join', this.#afterZxid, this.beforeZxid);
    let bytes = 0;
    while (bytes < maxBytes && !this.#isEnded) {
      const reader = this.#reader;
      assert(reader !== null, 'records without a file');
      bytes += this.#recordBytes();
      // Records that were logged twice are given once, as when logs are replayed.
      if (reader.zxid > this.lastZxid) this.#give(reader, sink);
      else if (reader.zxid > this.#afterZxid && !this.#order.has(reader.zxid)) {
        throw gapError(this.#placeOf(reader), this.lastZxid, reader.zxid);
      }
      this.#isEnded = !this.#moveOn() || this.#nextZxid() > this.#throughZxid;
    }
    return !this.#isEnded;
  }

  /**
   * Checks, when all was given, that `next` follows it.
   *
   * @throws StorageError when something is missing before `next`
   */
  checkJoins(next: Zxid): void {
    assert(this.#isEnded, 'the end of a log before its end', this.lastZxid, next);
    if (follows(this.lastZxid, next)) return;
    throw gapError({ file: this.#path() }, this.lastZxid, next);
  }

  /** Closes the file being read; twice is once. */
  close(): void {
    this.#reader?.close();
    this.#reader = null;
    this.#isFound = true;
    this.#isEnded = true;
  }

  #give(reader: LogFileReader, sink: RecordSink): void {
    const { zxid } = reader;
    if (!follows(this.beforeZxid, zxid) && zxid !== this.lastZxid + 1) {
      throw gapError(this.#placeOf(reader), this.beforeZxid, zxid);
    }
    sink(reader.bytes, reader.start, reader.end, zxid);
    this.beforeZxid = zxid;
    this.lastZxid = zxid;
    this.#order.took(zxid);
  }

  #placeOf({ offset, record }: LogFileReader): StorageErrorPlace {
    return { file: this.#path(), offset, record };
  }

  #endSearch(): void {
    this.#isFound = true;
    const after = this.#afterZxid;
    const before = this.beforeZxid;
    const next = this.#nextZxid();
    if (next < 0 || next > this.#throughZxid) this.#isEnded = true;
    const isPassed = before === after || (counterOf(after) === 0 && before >= 0);
    this.#isJoined = next === after + 1 || (isPassed && (next < 0 || follows(before, next)));
  }

  /** The record that the reader stands on, -1 when there is none. */
  #nextZxid(): Zxid {
    return this.#reader?.zxid ?? asZxid(-1);
  }

  #recordBytes(): number {
    return this.#reader === null ? 0 : this.#reader.end - this.#reader.start;
  }

  /** Moves the reader to the next record, of the next file if need be. False: there is none. */
  #moveOn(): boolean {
    for (;;) {
      if (this.#reader?.next() === true) return true;
      if (this.#reader?.ending === 'foreign') throw this.#foreignHeader();
      this.#reader?.close();
      this.#reader = null;
      const file = this.#files[this.#index + 1];
      if (file === undefined) return false;
      this.#index++;
      this.#reader = new LogFileReader(this.#disk, file.path);
    }
  }

  #foreignHeader(): StorageError {
    return new StorageError(
      'logHeaderDamaged',
      { file: this.#path(), offset: 0 },
      'Cannot send a log that does not begin with "ZKLG"',
      'Move it out of the directory if it is none of ZooKeeper; the learner has to be sent the whole state.',
    );
  }

  #path(): string {
    return this.#files[this.#index]?.path ?? '';
  }
}

/** Whether this is what a `LogRange` throws: a fault of the logs, and no reason to stop. */
export function isUnreadableLog(error: unknown): error is StorageError | DiskError {
  return error instanceof StorageError || error instanceof DiskError;
}

function gapError(place: StorageErrorPlace, before: Zxid, next: Zxid): StorageError {
  return new StorageError(
    'logGap',
    place,
    `Cannot send the logs from transaction ${formatZxid(before)} to ${formatZxid(next)}: ` +
      'what lies between is missing',
    'The learner has to be sent the whole state.',
  );
}

/** So much is looked at to tell records from the zeros behind them. */
const probeBytes = 4096;

/**
 * Bytes of a file before the zeros at its end, to the next multiple of `probeBytes`. Records that hold as many
 * zeros make it less: it is an estimate.
 */
function usedBytes(disk: Disk, path: string): number {
  const isUsed = (chunk: number): boolean => {
    const bytes = disk.readRange(path, chunk * probeBytes, probeBytes);
    return !isZero(bytes, 0, bytes.length);
  };
  const fileBytes = Math.max(0, disk.sizeBytes(path));
  let low = 0;
  let high = Math.ceil(fileBytes / probeBytes);
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (isUsed(middle)) low = middle + 1;
    else high = middle;
  }
  return Math.min(fileBytes, low * probeBytes);
}
