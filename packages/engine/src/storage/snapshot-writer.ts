import { assert, JuteWriter, type Zxid } from '@meerkat/protocol';
import { adler32, adler32Seed } from '../checksums.ts';
import type { Clock, Disk, DiskDone, Packing, TimerListener, WritableFile } from '../ports.ts';
import { DiskError } from '../ports.ts';
import { snapshotFileName, unfinishedSnapshotFileName } from './file-names.ts';
import {
  type SnapshotCursor,
  type SnapshotDigest,
  type SnapshotSource,
  writeSnapshotHeader,
} from './snapshot-format.ts';

/**
 * Writes snapshots in slices, one snapshot at a time, while the replica serves. Owns the file until it
 * has its name. A failure leaves serving intact: it is reported, and the older snapshots and the
 * logs still hold everything.
 *
 * A slice is serialized, written, and followed by a rest three times as long as it took, so that requests
 * get at least three quarters of the time; the next slice begins only when the disk has taken the last one.
 * The file has a name that no server looks at until it is durable; then it is renamed. So a
 * snapshot that is damaged was damaged later, and is not the remains of a crash, which Java's own
 * cannot tell apart.
 */
export class SnapshotWriter implements TimerListener {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #options: SnapshotWriterOptions;
  readonly #listener: SnapshotListener;
  readonly #slice: JuteWriter;

  #run: SnapshotRun | null = null;
  /** Bytes of the last snapshot. */
  #lastBytes = 0;
  #stopDone: DiskDone | null = null;

  readonly #onSliceWritten = (error: DiskError | null): void => this.#endSlice(error);
  readonly #onLogDurable = (error: DiskError | null): void => this.#syncFile(error);
  readonly #onSynced = (error: DiskError | null): void => this.#closeFile(error);
  readonly #onClosed = (error: DiskError | null): void => this.#rename(error);
  readonly #onRenamed = (error: DiskError | null): void => this.#finish(error);

  constructor(
    disk: Disk,
    clock: Clock,
    options: SnapshotWriterOptions,
    listener: SnapshotListener,
  ) {
    assert(options.sliceBytes > 0 && options.sliceMs > 0, 'snapshot slices of nothing');
    this.#disk = disk;
    this.#clock = clock;
    this.#options = options;
    this.#listener = listener;
    this.#slice = new JuteWriter(Math.min(2 * options.sliceBytes, firstSliceBytes));
  }

  /** Whether a snapshot is being written. */
  get busy(): boolean {
    return this.#run !== null;
  }

  /**
   * Begins a snapshot of `source` as it is now, named by its last transaction. False: one is under way
   * already, and this request is dropped, as Java drops it.
   */
  start(source: SnapshotSource): boolean {
    if (this.#run !== null) return false;
    const zxid = source.lastZxid();
    const { directory, packing } = this.#options;
    const path = `${directory}/${unfinishedSnapshotFileName(zxid, packing)}`;
    let file: WritableFile;
    try {
      // Filling the disk with a snapshot that does not fit would fail the log as well.
      if (this.#disk.freeBytes(directory) < this.#lastBytes) {
        throw new DiskError('ENOSPC', path, 'write');
      }
      file = this.#disk.create(path, { packing, replace: true });
    } catch (error) {
      if (!(error instanceof DiskError)) throw error;
      this.#listener.onSnapshotFailed(zxid, error);
      return true;
    }
    const startMs = this.#clock.monotonicMs();
    this.#run = new SnapshotRun(zxid, source, path, file, startMs);
    this.#slice.clear();
    this.#run.writeHead(this.#slice);
    this.#writeSlice(this.#run, startMs);
    return true;
  }

  /** Gives up the snapshot under way, if any; `done` may be called at once. */
  stop(done: DiskDone): void {
    assert(this.#stopDone === null, 'a snapshot stopped twice');
    if (this.#run === null) return done(null);
    this.#stopDone = done;
  }

  /** The rest after a slice is over. */
  onTimer(): void {
    const run = this.#run;
    assert(run !== null, 'a rest without a snapshot');
    if (this.#stopDone !== null) return this.#abandon(run, null);
    this.#slice.clear();
    this.#writeSlice(run, this.#clock.monotonicMs());
  }

  #writeSlice(run: SnapshotRun, startMs: number): void {
    run.fillSlice(this.#slice, this.#clock, startMs, this.#options);
    const length = this.#slice.length;
    const start = run.position;
    run.position += length;
    run.unsyncedBytes += length;
    // Whatever piles up in the system's cache is a long wait for the log's next sync.
    const sync = run.unsyncedBytes >= unsyncedBytesMax;
    if (sync) run.unsyncedBytes = 0;
    run.restMs = Math.max(1, Math.ceil(restPerSlice * (this.#clock.monotonicMs() - startMs)));
    run.file.write(this.#slice.bytes, 0, length, start, sync, this.#onSliceWritten);
  }

  #endSlice(error: DiskError | null): void {
    const run = this.#current();
    if (error !== null || this.#stopDone !== null) return this.#abandon(run, error);
    if (!run.ended) this.#clock.startTimer(run.restMs, this, 0);
    else this.#options.beforeNaming(this.#onLogDurable);
  }

  #syncFile(error: DiskError | null): void {
    const run = this.#current();
    if (error !== null || this.#stopDone !== null) return this.#abandon(run, error);
    run.file.sync(this.#onSynced);
  }

  #closeFile(error: DiskError | null): void {
    const run = this.#current();
    if (error !== null) return this.#abandon(run, error);
    run.file.close(this.#onClosed);
  }

  /** The packing, if any, writes its last bytes on closing; they need a sync of their own. */
  #rename(error: DiskError | null): void {
    const run = this.#current();
    const path = `${this.#options.directory}/${snapshotFileName(run.zxid, this.#options.packing)}`;
    let failure = error;
    if (failure === null && this.#options.packing !== 'none') {
      try {
        this.#disk.syncFile(run.path);
      } catch (cause) {
        if (!(cause instanceof DiskError)) throw cause;
        failure = cause;
      }
    }
    if (failure !== null) return this.#remove(run, failure);
    this.#disk.renameLater(run.path, path, this.#onRenamed);
  }

  #finish(error: DiskError | null): void {
    const run = this.#current();
    if (error !== null) return this.#remove(run, error);
    this.#run = null;
    this.#lastBytes = run.position;
    const elapsedMs = this.#clock.monotonicMs() - run.startMs;
    const { zxid, position, nodeCount } = run;
    this.#listener.onSnapshotWritten({ zxid, bytes: position, nodeCount, elapsedMs });
    this.#releaseStop();
  }

  #abandon(run: SnapshotRun, error: DiskError | null): void {
    run.cursor.close();
    run.file.close(() => this.#remove(run, error));
  }

  #remove(run: SnapshotRun, error: DiskError | null): void {
    this.#disk.removeLater(run.path, () => {
      this.#run = null;
      if (error !== null) this.#listener.onSnapshotFailed(run.zxid, error);
      this.#releaseStop();
    });
  }

  #releaseStop(): void {
    const done = this.#stopDone;
    this.#stopDone = null;
    done?.(null);
  }

  #current(): SnapshotRun {
    assert(this.#run !== null, 'a disk order of no snapshot');
    return this.#run;
  }
}

/**
 * A whole snapshot of `source` as bytes: for a tree that is known to be small, such as that of a new
 * database, whose first snapshot must be on disk before its first transaction.
 */
export function snapshotBytes(source: SnapshotSource, withLastZxid: boolean): Uint8Array {
  const writer = new JuteWriter();
  const run = new SnapshotRun(source.lastZxid(), source, '', noFile, 0);
  run.writeHead(writer);
  run.writeNodesAndTail(writer, withLastZxid);
  return writer.toBytes();
}

/** How a `SnapshotWriter` writes. */
export interface SnapshotWriterOptions {
  /** The `version-2` directory of `dataDir`; it exists. */
  readonly directory: string;
  /** `snapshot.compression.method`. */
  readonly packing: Packing;
  /** Adds the section that ZooKeeper 3.9 reads by default and 3.8 ignores. `serializeLastProcessedZxid.enabled`. */
  readonly withLastZxid: boolean;
  /** How long serializing may take at a time, ms. */
  readonly sliceMs: number;
  /** Bytes serialized at a time. */
  readonly sliceBytes: number;
  /**
   * Called when all is written, before the snapshot gets its name: ends when every transaction that
   * may be in it is in a durable log (`TransactionLog.barrier`).
   */
  beforeNaming(done: DiskDone): void;
}

/** Whoever wants to know how a snapshot ended. */
export interface SnapshotListener {
  onSnapshotWritten(snapshot: WrittenSnapshot): void;
  /** The disk failed or is full. Older snapshots are untouched. */
  onSnapshotFailed(zxid: Zxid, error: DiskError): void;
}

/** A snapshot that is durable and has its name. */
export interface WrittenSnapshot {
  readonly zxid: Zxid;
  readonly bytes: number;
  readonly nodeCount: number;
  readonly elapsedMs: number;
}

/** How long a rest is, in slices. Under a load of creates a snapshot is nearly always being written. */
const restPerSlice = 3;

/** Room for a slice until a snapshot needs more. */
const firstSliceBytes = 16 * 1024;

/** Bytes of a snapshot that may wait for a sync. */
const unsyncedBytesMax = 8 * 1024 * 1024;

/** The clock is looked at once in so many znodes. */
const nodesPerLook = 32;

/** One snapshot on its way to disk. */
class SnapshotRun {
  readonly zxid: Zxid;
  readonly path: string;
  readonly file: WritableFile;
  readonly startMs: number;
  readonly cursor: SnapshotCursor;
  position = 0;
  unsyncedBytes = 0;
  restMs = 0;
  nodeCount = 0;
  /** Whether the last byte is in the slice. */
  ended = false;

  readonly #source: SnapshotSource;
  #checksum: number = adler32Seed;
  /** Up to here the checksum covers the slice. */
  #summed = 0;

  constructor(
    zxid: Zxid,
    source: SnapshotSource,
    path: string,
    file: WritableFile,
    startMs: number,
  ) {
    this.zxid = zxid;
    this.path = path;
    this.file = file;
    this.startMs = startMs;
    this.#source = source;
    this.cursor = source.openCursor();
  }

  writeHead(writer: JuteWriter): void {
    writeSnapshotHeader(writer);
    this.#source.writeSessions(writer);
    this.#source.writeAcls(writer);
  }

  fillSlice(
    writer: JuteWriter,
    clock: Clock,
    startMs: number,
    options: SnapshotWriterOptions,
  ): void {
    let more = true;
    for (let looked = 0; more && writer.length < options.sliceBytes; looked++) {
      if (looked % nodesPerLook === nodesPerLook - 1) {
        if (clock.monotonicMs() - startMs >= options.sliceMs) break;
      }
      more = this.cursor.writeNext(writer);
      if (more) this.nodeCount++;
    }
    if (!more) this.#writeTail(writer, options.withLastZxid);
    this.#sum(writer);
    this.#summed = 0;
  }

  writeNodesAndTail(writer: JuteWriter, withLastZxid: boolean): void {
    while (this.cursor.writeNext(writer)) this.nodeCount++;
    this.#writeTail(writer, withLastZxid);
  }

  #writeTail(writer: JuteWriter, withLastZxid: boolean): void {
    this.ended = true;
    this.cursor.close();
    writer.writeString('/');
    this.#seal(writer);
    const digest = this.#source.digest();
    if (digest !== null) {
      writeDigest(writer, digest);
      this.#seal(writer);
    }
    if (!withLastZxid) return;
    writer.writeLongFromDouble(this.#source.lastZxid());
    this.#seal(writer);
  }

  #seal(writer: JuteWriter): void {
    this.#sum(writer);
    writer.writeLong(0, this.#checksum | 0);
    writer.writeString('/');
  }

  #sum(writer: JuteWriter): void {
    this.#checksum = adler32(writer.bytes, this.#summed, writer.length, this.#checksum);
    this.#summed = writer.length;
  }
}

function writeDigest(writer: JuteWriter, digest: SnapshotDigest): void {
  writer.writeLongFromDouble(digest.zxid);
  writer.writeInt(digest.version);
  writer.writeLong(digest.digestHi, digest.digestLo);
}

/** For a snapshot that goes to no file. */
const noFile: WritableFile = {
  write: () => undefined,
  sync: () => undefined,
  close: () => undefined,
};
