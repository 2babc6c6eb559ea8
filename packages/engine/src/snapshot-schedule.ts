import type { Clock, Disk, DiskDone, DiskError, Random } from './ports.ts';
import type { ReplicaConfig } from './replica-config.ts';
import { type SnapshotSource, SnapshotWriter, type WrittenSnapshot } from './storage/index.ts';

/** What the schedule works with. */
export interface SnapshotScheduleOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly config: ReplicaConfig;
  /** The log that is being written: it begins a new file with each snapshot, which waits for it to be durable. */
  readonly log: { requestRoll(): void; barrier(done: DiskDone): void };
  readonly database: SnapshotSource;
  /** The `version-2` directory of `dataDir`. */
  readonly directory: string;
  readonly listener: {
    onSnapshotWritten(snapshot: WrittenSnapshot): void;
    onSnapshotFailed(error: DiskError): void;
  };
}

/**
 * When a snapshot is taken: after so many transactions or bytes, drawn anew each time in [n/2, n), so
 * that the members of an ensemble do not all write at once (`SyncRequestProcessor.java`). Owns the
 * counting; a snapshot that is due while one is being written is skipped.
 */
export class SnapshotSchedule {
  readonly #options: SnapshotScheduleOptions;
  readonly #writer: SnapshotWriter;
  #transactions = 0;
  #bytes = 0;
  #transactionsMax = 0;
  #bytesMax = 0;
  #stopped = false;

  constructor(options: SnapshotScheduleOptions) {
    this.#options = options;
    const { config, listener } = options;
    this.#writer = new SnapshotWriter(
      options.disk,
      options.clock,
      {
        directory: options.directory,
        packing: config.snapshot.compression,
        withLastZxid: config.snapshot.serializeLastProcessedZxid,
        sliceMs: config.limits.sliceMs,
        sliceBytes: sliceBytes,
        beforeNaming: (done: DiskDone) => options.log.barrier(done),
      },
      {
        onSnapshotWritten: (snapshot) => listener.onSnapshotWritten(snapshot),
        onSnapshotFailed: (_zxid, error) => listener.onSnapshotFailed(error),
      },
    );
    this.#draw();
  }

  /** Transactions were committed: `count` of them, `bytes` long in the log. */
  committed(count: number, bytes: number): void {
    this.#transactions += count;
    this.#bytes += bytes;
    if (this.#transactions > this.#transactionsMax || this.#bytes > this.#bytesMax) this.begin();
  }

  /** Rolls the log and begins a snapshot; false when one is being written, or after `stop`. */
  begin(): boolean {
    if (this.#stopped) return false;
    this.#draw();
    this.#options.log.requestRoll();
    if (this.#writer.busy) return false;
    return this.#writer.start(this.#options.database);
  }

  /** Begins a snapshot while no log is open; false when one is being written. */
  beginAlone(): boolean {
    return !this.#writer.busy && this.#writer.start(this.#options.database);
  }

  /** Gives up a snapshot under way; none begins before `done`. */
  giveUp(done: () => void): void {
    this.#stopped = true;
    this.#writer.stop(() => {
      this.#stopped = false;
      done();
    });
  }

  #draw(): void {
    const { snapCount, snapSizeLimitKb } = this.#options.config.txnLog;
    this.#transactions = 0;
    this.#bytes = 0;
    this.#transactionsMax = this.#jitter(Math.max(2, snapCount));
    const bytes = snapSizeLimitKb * 1024;
    this.#bytesMax = bytes > 0 ? this.#jitter(bytes) : Number.POSITIVE_INFINITY;
  }

  #jitter(count: number): number {
    const half = Math.floor(count / 2);
    // The port draws from 32 bits; a share of them is fine enough for a size.
    return half + Math.floor((this.#options.random.below(drawsMax) / drawsMax) * half);
  }
}

const drawsMax = 1 << 30;
/** Bytes serialized between two looks at the clients. */
const sliceBytes = 256 * 1024;
