import { assert, type JuteWriter, type Zxid } from '@meerkat/protocol';
import { adler32 } from '../checksums.ts';
import type { Clock, Disk, DiskDone, WritableFile } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { Summary } from '../summary.ts';
import { logFileName } from './file-names.ts';
import { fileHeaderBytes, paddingRoomBytes, recordEnd, recordHeadBytes } from './log-format.ts';
import { LogGroup } from './log-group.ts';

/**
 * The transaction log that is being written. Owns the log file, its preallocation, the group commit
 * and the moment at which a transaction is durable. Refuses to go on after any failure of the disk:
 * what a failed fsync left behind is unknown, so nothing is acknowledged any more.
 *
 * Records are encoded straight into the group that is forming. While the disk works on one group
 * the next one forms in another buffer; when the disk is done, that one goes at once, and only then is
 * the first reported: the disk works while its transactions are applied and answered. So the load itself
 * decides how many transactions share a sync, and none waits for company.
 *
 * A file is extended as ZooKeeper does it (`FilePadding.java`: one byte at the end of the next
 * step), and zeros are written a little ahead of the records between two groups: a sync that finds its
 * blocks allocated is a third faster than one that has to allocate them. An old file is never
 * appended to.
 */
export class TransactionLog {
  readonly #disk: Disk;
  readonly #options: TransactionLogOptions;
  readonly #listener: TransactionLogListener;
  readonly #clock: Clock;

  #forming: LogGroup = new LogGroup();
  /** The group whose parts are going to disk; empty when there is none. */
  #leaving: LogGroup = new LogGroup();
  /** The group that is durable and being reported; empty when there is none. */
  #settling: LogGroup = new LogGroup();
  #flushRequested = false;
  #rollRequested = false;
  #lastZxid: Zxid;

  #file: WritableFile | null = null;
  #path = '';
  /** Where the next record goes. */
  #position = 0;
  /** Bytes of the file with its padding. */
  #paddedBytes = 0;
  /** Up to here zeros or records have been written. */
  #filledBytes = 0;
  #lastGroupBytes = 0;
  /** Whether the room ahead is to be looked after, once per group. */
  #paddingDue = false;

  #step: Step = 'idle';
  #stepStartMs = 0;
  /** Rolled files that are not closed yet. */
  #retiring = 0;
  #barriers: DiskDone[] = [];
  #closeDone: DiskDone | null = null;
  #failure: DiskError | null = null;
  /** How long groups took to become durable, ms; empty without `sync` (`FileTxnLog`: `fsynctime`). */
  readonly syncTime: Summary = new Summary();
  /** Transactions in each group that was written. */
  readonly groupSizes: Summary = new Summary();

  readonly #onStepDone = (error: DiskError | null): void => this.#endStep(error);

  constructor(
    disk: Disk,
    options: TransactionLogOptions,
    listener: TransactionLogListener,
    clock: Clock,
  ) {
    assert(options.preAllocBytes >= 0, 'a negative preallocation', options.preAllocBytes);
    assert(options.groupBytesMax > 0, 'a log group of no bytes', options.groupBytesMax);
    this.#disk = disk;
    this.#options = options;
    this.#listener = listener;
    this.#clock = clock;
    this.#lastZxid = options.lastZxid;
  }

  /** The buffer of the group that is forming. Swapped between groups: read it anew for each record. */
  get writer(): JuteWriter {
    return this.#forming.writer;
  }

  /** Records that are not durable yet. */
  get pendingCount(): number {
    return this.#forming.count + this.#leaving.count + this.#settling.count;
  }

  /** Bytes of the records that are not durable yet. */
  get pendingBytes(): number {
    return this.#forming.pendingBytes + this.#leaving.pendingBytes + this.#settling.pendingBytes;
  }

  /** The zxid of the last record appended, durable or not. */
  get lastZxid(): Zxid {
    return this.#lastZxid;
  }

  /** The file being written, empty before the first group. */
  get path(): string {
    return this.#path;
  }

  /** Bytes of the file being written, without its padding. */
  get fileBytes(): number {
    return this.#position;
  }

  /**
   * Begins a record: leaves room for its checksum and length. The caller then writes TxnHeader, txn and
   * digest into `writer` and calls `endRecord` or `cancelRecord`, before anything else of the log.
   *
   * @returns what `endRecord` and `cancelRecord` need
   */
  beginRecord(): number {
    return this.#forming.writer.reserve(recordHeadBytes);
  }

  /**
   * Ends the record begun at `start`: fills in its checksum and length.
   *
   * @param zxid the record's own; higher than that of any before
   */
  endRecord(start: number, zxid: Zxid): void {
    assert(zxid > this.#lastZxid, 'a log record out of order', this.#lastZxid, zxid);
    const group = this.#forming;
    const writer = group.writer;
    const bodyStart = start + recordHeadBytes;
    const bodyEnd = writer.length;
    assert(bodyEnd > bodyStart, 'a log record without a body', start, bodyEnd);
    const checksum = adler32(writer.bytes, bodyStart, bodyEnd);
    writer.view.setInt32(start, 0);
    writer.view.setUint32(start + 4, checksum);
    writer.view.setInt32(start + 8, bodyEnd - bodyStart);
    writer.writeByte(recordEnd);
    this.#lastZxid = zxid;
    group.add(zxid, this.#options.groupBytesMax);
    const { openBytes } = group;
    if (this.#step === 'idle' && (openBytes === 0 || openBytes >= earlyGroupBytes)) this.flush();
  }

  /** Drops what was written since `beginRecord`. */
  cancelRecord(start: number): void {
    const writer = this.#forming.writer;
    assert(start + recordHeadBytes <= writer.length, 'a log record cancelled twice', start);
    writer.length = start;
  }

  /**
   * The end of a turn: the group that has formed goes to disk, at once when the disk is free, else
   * as soon as it is.
   */
  flush(): void {
    if (this.#forming.count === 0) return;
    this.#flushRequested = true;
    this.#pump();
  }

  /** The next group starts a new file, named by its first record. */
  requestRoll(): void {
    this.#rollRequested = true;
  }

  /**
   * Ends when all that was appended before is durable, even when `sync` is off: what a snapshot waits
   * for before it gets its name. `done` may be called at once.
   */
  barrier(done: DiskDone): void {
    this.#barriers.push(done);
    this.#flushRequested = true;
    this.#pump();
  }

  /** Writes what is pending, syncs and closes. No record may follow; `done` may be called at once. */
  close(done: DiskDone): void {
    assert(this.#closeDone === null, 'a log closed twice');
    this.#closeDone = done;
    this.#flushRequested = true;
    this.#pump();
  }

  /** Gives the disk its next order, if it is free. */
  #pump(): void {
    if (this.#failure !== null) return this.#refuse(this.#failure);
    if (this.#step !== 'idle') return;
    if (this.#paddingDue && this.#pad()) return;
    if (this.#leaving.count === 0 && this.#flushRequested) this.#swap();
    if (this.#leaving.count > 0) return this.#writePart();
    // Whoever waits for all that was appended hears of it after it was reported.
    if (this.#settling.count > 0) return;
    if (this.#barriers.length > 0) return this.#passBarriers();
    if (this.#closeDone !== null && this.#retiring === 0) this.#closeFile();
  }

  #swap(): void {
    this.#flushRequested = false;
    if (this.#forming.count === 0) return;
    const formed = this.#forming;
    this.#forming = this.#leaving;
    this.#leaving = formed;
    formed.seal();
  }

  #writePart(): void {
    const group = this.#leaving;
    if (this.#rollRequested && !this.#retireFile()) return;
    if (this.#file === null && !this.#createFile(group.partFirstZxid)) return;
    const file = this.#file;
    assert(file !== null, 'a log without a file');
    const newFile = this.#position === 0;
    assert(!newFile || group.partStart >= fileHeaderBytes, 'no room for a header', group.partStart);
    let start = group.partStart;
    if (newFile) {
      start -= fileHeaderBytes;
      group.putHeader(start);
    }
    const bytes = group.writer.bytes;
    this.#begin('group');
    file.write(bytes, start, group.partEnd, this.#position, this.#options.sync, this.#onStepDone);
  }

  /** Header and first group go to disk in one write, so no file is ever left with a header alone. */
  #createFile(firstZxid: Zxid): boolean {
    this.#path = `${this.#options.directory}/${logFileName(firstZxid)}`;
    this.#position = 0;
    this.#paddedBytes = 0;
    this.#filledBytes = 0;
    try {
      this.#file = this.#disk.create(this.#path, { packing: 'none', replace: false });
      return true;
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#file = null;
      this.#fail(error);
      return false;
    }
  }

  /**
   * Lets go of the file being written. False: it has to be synced first, since a later file that
   * outlives the end of this one would leave a hole between them.
   */
  #retireFile(): boolean {
    this.#rollRequested = false;
    const file = this.#file;
    if (file === null) return true;
    this.#file = null;
    this.#retiring++;
    const closed: DiskDone = () => {
      this.#retiring--;
      this.#pump();
    };
    if (this.#options.sync) {
      file.close(closed);
      return true;
    }
    this.#begin('retire');
    file.sync((error) => {
      file.close(closed);
      this.#onStepDone(error);
    });
    return false;
  }

  #begin(step: Step): void {
    this.#step = step;
    this.#stepStartMs = this.#clock.monotonicMs();
  }

  #endStep(error: DiskError | null): void {
    const step = this.#step;
    assert(step !== 'idle', 'a disk order ended that was not given');
    if (this.#failure !== null) {
      this.#step = 'idle';
      return this.#refuse(this.#failure);
    }
    // A disk too full to be extended may still hold what is already allocated.
    const harmless = (step === 'extend' || step === 'fill') && error?.code === 'ENOSPC';
    if (error !== null && !harmless) {
      this.#step = 'idle';
      return this.#fail(error);
    }
    if (step === 'group') return this.#endGroup();
    if (step === 'barrier') this.#releaseBarriers(null);
    if (harmless) this.#filledBytes = Number.POSITIVE_INFINITY;
    this.#goOn();
  }

  /** Nothing is under way: whatever waits is next. */
  #goOn(): void {
    this.#step = 'idle';
    this.#flushRequested = true;
    this.#pump();
  }

  #endGroup(): void {
    const group = this.#leaving;
    const elapsedMs = this.#clock.monotonicMs() - this.#stepStartMs;
    if (this.#options.sync) this.syncTime.add(elapsedMs);
    this.groupSizes.add(group.partCount);
    const written = group.partEnd - group.partStart;
    this.#position += this.#position === 0 ? written + fileHeaderBytes : written;
    this.#lastGroupBytes = written;
    this.#paddedBytes = Math.max(this.#paddedBytes, this.#position);
    this.#filledBytes = Math.max(this.#filledBytes, this.#position);
    this.#paddingDue = this.#options.preAllocBytes > 0;
    const limit = this.#options.sizeLimitBytes;
    if (limit > 0 && this.#position > limit) this.#rollRequested = true;
    if (elapsedMs > this.#options.fsyncWarningMs) this.#listener.onSlowSync(elapsedMs);
    this.#report(group);
  }

  /** Gives the disk its next order, then says that the next part of `group` is durable. */
  #report(group: LogGroup): void {
    const { partStart, partEnd, partCount, partLastZxid } = group;
    const isWhole = partCount === group.count;
    if (isWhole) {
      assert(this.#settling.count === 0, 'a log group is durable while another is reported');
      this.#leaving = this.#settling;
      this.#settling = group;
      this.#goOn();
      if (this.#failure !== null) return;
    }
    // Of a group in parts the step has not ended yet: a header for the next part may lie in this one.
    const { bytes } = group.writer;
    this.#listener.onGroupDurable(bytes, partStart, partEnd, partCount, partLastZxid);
    group.dropPart(this.#options.groupBytesMax);
    if (!isWhole) return this.#goOn();
    this.#flushRequested = true;
    this.#pump();
  }

  /** Looks after the room ahead of the records. True: an order was given. */
  #pad(): boolean {
    const file = this.#file;
    this.#paddingDue = false;
    if (file === null || this.#rollRequested) return false;
    const position = this.#position;
    if (position + paddingRoomBytes >= this.#paddedBytes) {
      const step = this.#options.preAllocBytes;
      const steps = Math.floor((position + paddingRoomBytes - fileHeaderBytes) / step) + 1;
      this.#paddedBytes = fileHeaderBytes + steps * step;
      this.#paddingDue = true;
      this.#begin('extend');
      file.write(zeros, 0, 1, this.#paddedBytes - 1, false, this.#onStepDone);
      return true;
    }
    const ahead = this.#filledBytes - position;
    // A long group pays for its blocks easily; zeros before it would double what is written.
    if (this.#lastGroupBytes > longGroupBytes) return false;
    if (ahead >= zeros.length / 2 || this.#filledBytes >= this.#paddedBytes) return false;
    const start = this.#filledBytes;
    const end = Math.min(start + zeros.length, this.#paddedBytes);
    this.#filledBytes = end;
    this.#begin('fill');
    file.write(zeros, 0, end - start, start, false, this.#onStepDone);
    return true;
  }

  #passBarriers(): void {
    if (this.#retiring > 0) return;
    if (this.#options.sync || this.#file === null) {
      this.#releaseBarriers(null);
      return this.#pump();
    }
    this.#begin('barrier');
    this.#file.sync(this.#onStepDone);
  }

  #releaseBarriers(error: DiskError | null): void {
    const barriers = this.#barriers;
    this.#barriers = [];
    for (const done of barriers) done(error);
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = null;
    const done = this.#closeDone;
    assert(done !== null, 'a log closed that nobody closed');
    if (file === null) return done(null);
    this.#begin('close');
    if (this.#options.sync) file.close(done);
    else file.sync((error) => file.close((closeError) => done(error ?? closeError)));
  }

  #fail(error: DiskError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#listener.onLogFailed(error);
    this.#refuse(error);
  }

  /** Nothing that comes after a failure is kept, so that nothing piles up. */
  #refuse(error: DiskError): void {
    this.#forming.clear();
    this.#releaseBarriers(error);
    const file = this.#file;
    const done = this.#closeDone;
    if (done === null || this.#step !== 'idle') return;
    this.#closeDone = () => undefined;
    this.#file = null;
    this.#step = 'close';
    if (file === null) done(error);
    else file.close(() => done(error));
  }
}

/** How a `TransactionLog` writes. */
export interface TransactionLogOptions {
  /** The `version-2` directory of `dataLogDir`; it exists. */
  readonly directory: string;
  /** The last transaction that is already in the logs or the snapshot; the first record is later. */
  readonly lastZxid: Zxid;
  /** Step by which a file is extended, bytes; 0 is not at all. `preAllocSize` is in KB. */
  readonly preAllocBytes: number;
  /** Whether a group is durable before it is reported. `forceSync`. */
  readonly sync: boolean;
  /** A file longer than this, padding not counted, is followed by a new one; 0 or less is no limit. */
  readonly sizeLimitBytes: number;
  /** Bytes of one write at most, but for a single record that is longer. */
  readonly groupBytesMax: number;
  /** A group that takes longer is reported, ms. `fsync.warningthresholdms`. */
  readonly fsyncWarningMs: number;
}

/** Whoever waits for transactions to become durable. */
export interface TransactionLogListener {
  /**
   * A group is on disk: `count` whole records as framed in the file, in order. The bytes are valid
   * only during the call; records may be appended in it.
   */
  onGroupDurable(
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    lastZxid: Zxid,
  ): void;
  /** The disk failed. Final: nothing more will be reported durable. Called once. */
  onLogFailed(error: DiskError): void;
  /** A group took longer than `fsyncWarningMs`. */
  onSlowSync(elapsedMs: number): void;
}

/** What the disk is doing for the log. */
type Step = 'idle' | 'group' | 'extend' | 'fill' | 'retire' | 'barrier' | 'close';

/** When the disk is idle, a group of this many bytes goes before its turn is over; one durable write takes it. */
const earlyGroupBytes = 48 * 1024;

/** A group of this many bytes needs no zeros ahead. */
const longGroupBytes = 32 * 1024;

/** Written ahead of the records, at most this much at a time, so that no group waits long for it. */
const zeros = new Uint8Array(256 * 1024);
