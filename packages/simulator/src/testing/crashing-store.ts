import assert from 'node:assert/strict';
import {
  type DiskError,
  Purge,
  type RecoveryReport,
  recover,
  SnapshotWriter,
  TransactionLog,
  type TransactionLogListener,
} from '@meerkat/engine';
import { asZxid, formatZxid, type Zxid } from '@meerkat/protocol';
import { ManualClock } from '../manual-clock.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { expectedNodes, ModelState } from './model-state.ts';

const directory = '/data/version-2';

/** Settings that the crash tests vary. */
export interface StoreOptions {
  readonly sync: boolean;
  readonly preAllocBytes: number;
  readonly groupBytesMax: number;
  readonly sizeLimitBytes: number;
  readonly capacityBytes?: number;
}

/**
 * The storage of one replica, through any number of crashes, with a record beside it of what was
 * appended and what was reported durable. Everything that it does is drawn from the random numbers.
 */
export class CrashingStore implements TransactionLogListener {
  readonly clock: ManualClock = new ManualClock();
  disk: SimulatedDisk;
  /** The last transaction reported durable, in any life. */
  acknowledged = 0;
  /** Data bytes of each transaction that may exist. */
  readonly history = new Map<number, number>();
  lastReport: RecoveryReport | null = null;
  failed: DiskError | null = null;
  snapshotFailures = 0;
  snapshotsWritten = 0;

  readonly #random: SeededRandom;
  readonly #options: StoreOptions;
  #state = new ModelState();
  #log: TransactionLog | null = null;
  #snapshots: SnapshotWriter | null = null;
  #purge: Purge | null = null;
  #next = 1;

  constructor(random: SeededRandom, options: StoreOptions) {
    this.#random = random;
    this.#options = options;
    const { capacityBytes } = options;
    this.disk = new SimulatedDisk(this.clock, {
      latencyMs: 1,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
    });
  }

  /** Starts a replica on what is on the disk, and checks that it is what it may be. */
  start(): void {
    const random = this.#random;
    const { sync, preAllocBytes, groupBytesMax, sizeLimitBytes } = this.#options;
    this.#state = new ModelState();
    const report = recover(
      this.disk,
      {
        dataDir: '/data',
        dataLogDir: '/data',
        datadirAutocreate: true,
        dbAutocreate: true,
        trustEmpty: false,
        withLastZxid: true,
        itemBytesMax: 0x1ffffe,
        groupBytesMax,
        sync,
      },
      this.#state,
    );
    this.lastReport = report;
    this.#check(report.lastZxid);
    this.#next = report.lastZxid + 1;
    this.failed = null;
    this.#log = new TransactionLog(
      this.disk,
      {
        directory,
        lastZxid: report.lastZxid,
        preAllocBytes,
        sync,
        sizeLimitBytes,
        groupBytesMax,
        fsyncWarningMs: 1000,
      },
      this,
      this.clock,
    );
    const log = this.#log;
    this.#snapshots = new SnapshotWriter(
      this.disk,
      this.clock,
      {
        directory,
        packing: random.percent(30) ? 'gzip' : 'none',
        withLastZxid: random.percent(80),
        sliceMs: 2,
        sliceBytes: 100 + random.below(3000),
        beforeNaming: (done) => log.barrier(done),
      },
      {
        onSnapshotWritten: () => this.snapshotsWritten++,
        onSnapshotFailed: () => this.snapshotFailures++,
      },
    );
    this.#purge = new Purge(this.disk, {
      onPurged: () => undefined,
      onPurgeFailed: () => undefined,
    });
  }

  /** Does one thing at random. */
  act(): void {
    const random = this.#random;
    const log = this.#log as TransactionLog;
    const what = random.below(100);
    if (what < 45) {
      const count = 1 + random.below(random.percent(10) ? 60 : 6);
      for (let i = 0; i < count && this.failed === null; i++) this.#append(log);
      if (random.percent(80)) log.flush();
    } else if (what < 90) {
      for (let steps = random.below(12); steps > 0; steps--) this.clock.step();
    } else if (what < 93) {
      log.requestRoll();
    } else if (what < 98) {
      log.requestRoll();
      (this.#snapshots as SnapshotWriter).start(this.#state);
    } else {
      (this.#purge as Purge).start(directory, directory, 3);
    }
  }

  /** Lets everything that is under way end well. */
  settle(): void {
    (this.#log as TransactionLog).flush();
    this.clock.runToEnd();
  }

  /** Cuts the power, or ends the process only. What was acknowledged has to survive both. */
  crash(): void {
    this.disk = this.#random.percent(70) ? this.disk.crash(this.#random) : this.disk.endProcess();
    // What was to happen in the old life happens to nobody.
    this.clock.forgetAll();
    if (!this.#options.sync) this.acknowledged = 0;
  }

  onGroupDurable(
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    lastZxid: Zxid,
  ): void {
    assert.equal(this.failed, null, 'durable after a failure');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    for (let i = 0; i < count; i++) {
      const bodyStart = at + 12;
      const bodyEnd = bodyStart + view.getInt32(at + 8);
      const zxid = view.getInt32(bodyStart + 12) * 4294967296 + view.getUint32(bodyStart + 16);
      assert.equal(zxid, this.#state.last + 1, 'out of order');
      this.#state.applyRecord(bytes, bodyStart, bodyEnd, asZxid(zxid));
      at = bodyEnd + 1;
    }
    assert.equal(at, end);
    assert.equal(this.#state.last, lastZxid);
    this.acknowledged = lastZxid;
    if (this.#random.percent(20)) this.#append(this.#log as TransactionLog);
  }

  onLogFailed(error: DiskError): void {
    assert.equal(this.failed, null, 'failed twice');
    this.failed = error;
  }

  onSlowSync(): void {}

  #append(log: TransactionLog): void {
    const random = this.#random;
    const zxid = asZxid(this.#next++);
    const dataBytes = random.percent(90) ? 20 + random.below(200) : random.below(9000);
    if (random.percent(5)) {
      const start = log.beginRecord();
      log.writer.writeString('never mind');
      log.cancelRecord(start);
    }
    this.history.set(zxid, dataBytes);
    ModelState.append(log, zxid, dataBytes);
  }

  /** Every acknowledged transaction is there, no invented one, and none is missing in between. */
  #check(last: Zxid): void {
    assert.ok(last >= this.acknowledged, `lost ${formatZxid(last)} to ${this.acknowledged}`);
    assert.ok(last === 0 || this.history.has(last), `invented ${formatZxid(last)}`);
    for (const zxid of this.history.keys()) if (zxid > last) this.history.delete(zxid);
    const expected = expectedNodes(last, (zxid) => this.history.get(zxid) ?? -1);
    assert.deepEqual(this.#state.nodes, expected);
    // What came back once may not be lost any more: a client may have seen it.
    this.acknowledged = last;
  }
}
