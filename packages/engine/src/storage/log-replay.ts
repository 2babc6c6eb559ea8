import { asZxid, formatZxid, JuteError, type Zxid } from '@meerkat/protocol';
import type { Disk } from '../ports.ts';
import { type DataFile, listLogs } from './file-names.ts';
import { LogFileReader } from './log-file-reader.ts';
import { fileHeaderBytes, follows } from './log-format.ts';
import { judgeTail } from './log-tail.ts';
import { ReadOrder } from './read-order.ts';
import { StorageError } from './storage-error.ts';

/**
 * Reads the logs back. Owns the order of the files, the check that no transaction is missing, and
 * the decision what a bad end of the newest file is. Refuses to go past a hole: Java moves on
 * silently when a file ends early, even in the middle of the history.
 */

/** Takes the body of a record, `bytes[start, end)`, valid only during the call. May throw `JuteError`. */
export type RecordSink = (bytes: Uint8Array, start: number, end: number, zxid: Zxid) => void;

/** What a crash left at the end of the logs, and what was or is to be done about it. */
export interface LogRepair {
  readonly file: string;
  /** `cut`: the file ends at `offset` now. `removed`: it held no whole record. */
  readonly action: 'cut' | 'removed';
  readonly offset: number;
  /** Bytes after `offset` up to the last one that was not zero. */
  readonly droppedBytes: number;
}

/** What a replay found. */
export interface ReplayedLogs {
  /** The last transaction, or `fromZxid` when there is none after it. */
  readonly lastZxid: Zxid;
  /** Records given to the sink. */
  readonly recordCount: number;
  /** Bytes of their bodies. */
  readonly recordBytes: number;
  /** Files read, oldest first. */
  readonly files: readonly string[];
  /** What a crash left, newest file first; nothing has been done about it yet. */
  readonly repairs: readonly LogRepair[];
  /** Records skipped because their transaction, or a later one, had been replayed already. */
  readonly repeatedCount: number;
}

/** How logs are replayed. */
export interface ReplayOptions {
  /** The `version-2` directory of `dataLogDir`. */
  readonly directory: string;
  /** The sink gets what is after this transaction. */
  readonly fromZxid: Zxid;
  /** Whether `fromZxid` is a state, so that the next transaction must follow it; else any may be first. */
  readonly anchored: boolean;
  /** How far a crash can have torn the newest file, bytes: as far as one write of the log reaches. */
  readonly tearBytesMax: number;
}

const toolkit = 'zkTxnLogToolkit.sh of ZooKeeper';

/** Does what `replayLogs` found necessary. */
export function repairLogTail(disk: Disk, repairs: readonly LogRepair[]): void {
  for (const repair of repairs) {
    if (repair.action === 'removed') disk.remove(repair.file);
    else disk.truncate(repair.file, repair.offset);
  }
}

/**
 * Gives every transaction after `fromZxid` to `sink`, in order, having checked that none is missing.
 * Changes nothing on disk: what a crash left at the end of the newest files is returned as `repairs`. A
 * later file is never begun before the group before it is durable, so besides files without a single
 * record (ZOOKEEPER-2332) only the newest one can be torn.
 *
 * @throws StorageError `logGap`, `logRecordDamaged`, `logHeaderDamaged`
 */
export function replayLogs(disk: Disk, options: ReplayOptions, sink: RecordSink): ReplayedLogs {
  const logs = listLogs(disk, options.directory);
  const repairs: LogRepair[] = [];
  for (let file = logs.at(-1); file !== undefined; file = logs.at(-1)) {
    const repair = recordlessFile(disk, file, options.tearBytesMax);
    if (repair === null) break;
    repairs.push(repair);
    logs.pop();
  }
  const files = logsFrom(logs, options.fromZxid);
  const replay = new Replay(options, sink);
  for (const [i, file] of files.entries()) {
    const reader = new LogFileReader(disk, file.path);
    try {
      replay.readFile(file, reader);
    } finally {
      reader.close();
    }
    if (i < files.length - 1) {
      if (holdsMore(disk, file, reader, options.tearBytesMax)) replay.endBadly(file, reader);
      continue;
    }
    const repair = tornFile(disk, file, reader, options.tearBytesMax);
    if (repair !== null) repairs.push(repair);
  }
  const { lastZxid, recordCount, recordBytes, repeatedCount } = replay;
  const paths = files.map((file) => file.path);
  return { lastZxid, recordCount, recordBytes, repeatedCount, repairs, files: paths };
}

/** Null when the file has a record. */
function recordlessFile(disk: Disk, file: DataFile, tearBytesMax: number): LogRepair | null {
  const reader = new LogFileReader(disk, file.path);
  try {
    if (reader.next()) return null;
  } finally {
    reader.close();
  }
  const repair = tornFile(disk, file, reader, tearBytesMax);
  const droppedBytes = repair?.droppedBytes ?? 0;
  return { file: file.path, action: 'removed', offset: 0, droppedBytes };
}

/** What to do about the end of a file that `reader` has read: null is nothing. */
function tornFile(
  disk: Disk,
  file: DataFile,
  reader: LogFileReader,
  tearBytesMax: number,
): LogRepair | null {
  if (reader.ending === 'foreign') throw foreignHeader(file);
  const offset = reader.ending === 'empty' ? 0 : reader.offset;
  const whole = reader.ending === 'mismatch';
  const { verdict, usedBytes } = judgeTail(disk, file.path, offset, whole, tearBytesMax);
  if (verdict === 'damaged') throw damagedRecord(file, reader);
  if (verdict === 'clean') return null;
  return { file: file.path, action: 'cut', offset, droppedBytes: usedBytes };
}

/** Whether something follows the zeros that a file seems to end with: a record that never came to its place. */
function holdsMore(
  disk: Disk,
  file: DataFile,
  reader: LogFileReader,
  tearBytesMax: number,
): boolean {
  if (reader.ending !== 'clean') return false;
  return judgeTail(disk, file.path, reader.offset, false, tearBytesMax).verdict !== 'clean';
}

/** The logs that may hold transactions after `zxid`: the last one named at or before `zxid + 1`, and all after it. */
export function logsFrom(files: readonly DataFile[], zxid: Zxid): readonly DataFile[] {
  let first = 0;
  for (const [i, file] of files.entries()) if (file.zxid <= zxid + 1) first = i;
  return files.slice(first);
}

class Replay {
  lastZxid: Zxid;
  recordCount = 0;
  recordBytes = 0;
  repeatedCount = 0;

  readonly #options: ReplayOptions;
  readonly #sink: RecordSink;
  readonly #order: ReadOrder;
  /** Whether the next transaction must follow `lastZxid`. */
  #anchored: boolean;
  /** Where an earlier file ended badly; harmless if the next one goes on without a gap. */
  #brokenEnd: { file: DataFile; reader: LogFileReader } | null = null;

  constructor(options: ReplayOptions, sink: RecordSink) {
    this.#options = options;
    this.#sink = sink;
    this.lastZxid = options.fromZxid;
    this.#order = new ReadOrder(options.fromZxid);
    this.#anchored = options.anchored;
  }

  readFile(file: DataFile, reader: LogFileReader): void {
    while (reader.next()) this.#takeRecord(file, reader);
    if (reader.ending === 'foreign') throw foreignHeader(file);
    if (reader.ending !== 'clean') this.endBadly(file, reader);
  }

  /** Something may be missing at the end of this file. */
  endBadly(file: DataFile, reader: LogFileReader): void {
    this.#brokenEnd = { file, reader };
  }

  #takeRecord(file: DataFile, reader: LogFileReader): void {
    const { zxid } = reader;
    if (zxid <= this.lastZxid) {
      if (zxid <= this.#options.fromZxid) return;
      // Behind a file that ended badly even one that is known may stand there for one that is missing.
      if (this.#brokenEnd !== null || !this.#order.has(zxid)) throw this.#gap(file, reader);
      this.repeatedCount++;
      return;
    }
    if (this.#anchored && !this.#goesOn(zxid)) throw this.#gap(file, reader);
    this.#anchored = true;
    this.#brokenEnd = null;
    try {
      this.#sink(reader.bytes, reader.start, reader.end, zxid);
    } catch (error) {
      if (!(error instanceof JuteError)) throw error;
      throw new StorageError(
        'logRecordDamaged',
        { file: file.path, offset: reader.offset, record: reader.record },
        `Cannot apply transaction ${formatZxid(zxid)}, though its checksum is right: ${error.message}`,
        `Look at it with ${toolkit} (-d); a newer version of ZooKeeper may have written it.`,
      );
    }
    this.lastZxid = zxid;
    this.#order.took(zxid);
    this.recordCount++;
    this.recordBytes += reader.end - reader.start;
  }

  /** Behind a file that ended badly only the very next zxid shows that nothing is missing: a new epoch hides it. */
  #goesOn(zxid: Zxid): boolean {
    return this.#brokenEnd === null ? follows(this.lastZxid, zxid) : zxid === this.lastZxid + 1;
  }

  #gap(file: DataFile, reader: LogFileReader): StorageError {
    const broken = this.#brokenEnd;
    if (broken !== null && broken.reader.ending === 'mismatch') {
      return damagedRecord(broken.file, broken.reader);
    }
    const cause =
      broken === null
        ? ''
        : `; ${broken.file.path} ends with an incomplete record at offset ${broken.reader.offset}`;
    return new StorageError(
      'logGap',
      { file: file.path, offset: reader.offset, record: reader.record },
      `Cannot go on from transaction ${formatZxid(this.lastZxid)} to ${formatZxid(reader.zxid)}: ` +
        `what lies between is missing${cause}`,
      'Bring back the missing log or a snapshot that is at least as new, from a backup or another ' +
        'member; a member of an ensemble may start with an empty data directory instead.',
    );
  }
}

function damagedRecord(file: DataFile, reader: LogFileReader): StorageError {
  return new StorageError(
    'logRecordDamaged',
    { file: file.path, offset: reader.offset, record: reader.record },
    `Cannot read a transaction after ${formatZxid(reader.zxid)}: its checksum is wrong`,
    `Show it with ${toolkit} (-d <file>) and compare it with a backup or another member; -r <file> ` +
      'accepts it as it is; a member of an ensemble may start with an empty data directory instead.',
  );
}

function foreignHeader(file: DataFile): StorageError {
  return new StorageError(
    'logHeaderDamaged',
    { file: file.path, offset: 0 },
    'Cannot read a log that does not begin with "ZKLG"',
    `Bring back its first ${fileHeaderBytes} bytes from any other log file, or move it out of the ` +
      'directory if it is none of ZooKeeper.',
  );
}

/** The zxid of the last record in the logs, -1 when there is none. */
export function lastLoggedZxid(disk: Disk, directory: string): Zxid {
  const files = listLogs(disk, directory);
  for (let i = files.length - 1; i >= 0; i--) {
    const reader = new LogFileReader(disk, (files[i] as DataFile).path);
    try {
      while (reader.next());
    } finally {
      reader.close();
    }
    if (reader.record > 0) return reader.zxid;
  }
  return asZxid(-1);
}
