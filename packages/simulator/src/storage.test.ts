import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DiskError,
  type RecoveryOptions,
  recover,
  SnapshotWriter,
  TransactionLog,
  type TransactionLogListener,
  type WrittenSnapshot,
} from '@meerkat/engine';
import { asZxid, type Zxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { expectedNodes, ModelState } from './testing/model-state.ts';

const options: RecoveryOptions = {
  dataDir: '/data',
  dataLogDir: '/data',
  datadirAutocreate: true,
  dbAutocreate: true,
  trustEmpty: false,
  withLastZxid: true,
  itemBytesMax: 0x1ffffe,
  groupBytesMax: 65536,
  sync: true,
};

class Events implements TransactionLogListener {
  durable = 0;
  groups = 0;
  count = 0;
  failed: DiskError | null = null;
  onGroupDurable(
    _bytes: Uint8Array,
    _start: number,
    _end: number,
    count: number,
    last: Zxid,
  ): void {
    this.durable = last;
    this.count += count;
    this.groups++;
  }
  onLogFailed(error: DiskError): void {
    this.failed = error;
  }
  onSlowSync(): void {}
}

function newLog(disk: SimulatedDisk, clock: ManualClock, events: Events, lastZxid: Zxid) {
  return new TransactionLog(
    disk,
    {
      directory: '/data/version-2',
      lastZxid,
      preAllocBytes: 16384,
      sync: true,
      sizeLimitBytes: -1,
      groupBytesMax: 65536,
      fsyncWarningMs: 1000,
    },
    events,
    clock,
  );
}

const dataBytes = () => 50;

test('a new database has its first snapshot before its first transaction', () => {
  const disk = new SimulatedDisk(new ManualClock());
  const report = recover(disk, options, new ModelState());
  assert.equal(report.fresh, true);
  assert.equal(report.lastZxid, 0);
  assert.deepEqual(disk.list('/data/version-2'), ['snapshot.0']);
  const again = recover(disk, options, new ModelState());
  assert.equal(again.fresh, false);
  assert.equal(again.lastZxid, 0);
});

test('what was logged comes back, with snapshots or without', () => {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock);
  const state = new ModelState();
  recover(disk, options, state);
  const events = new Events();
  const log = newLog(disk, clock, events, asZxid(0));
  for (let zxid = 1; zxid <= 100; zxid++) {
    ModelState.append(log, asZxid(zxid), 50);
    if (zxid % 7 === 0) log.flush();
  }
  log.flush();
  clock.runToEnd();
  assert.equal(events.durable, 100);
  assert.equal(events.count, 100);
  assert.equal(log.pendingCount, 0);
  assert.equal(disk.sizeBytes('/data/version-2/log.1'), 16384 + 16);

  const loaded = new ModelState();
  const report = recover(disk, options, loaded);
  assert.equal(report.lastZxid, 100);
  assert.deepEqual(loaded.nodes, expectedNodes(100, dataBytes));
  assert.deepEqual(report.repairs, []);

  for (const packing of ['none', 'gzip'] as const) {
    const written: WrittenSnapshot[] = [];
    const writer = new SnapshotWriter(
      disk,
      clock,
      {
        directory: '/data/version-2',
        packing,
        withLastZxid: packing === 'none',
        sliceMs: 2,
        sliceBytes: 300,
        beforeNaming: (done) => log.barrier(done),
      },
      {
        onSnapshotWritten: (snapshot) => written.push(snapshot),
        onSnapshotFailed: (_zxid, error) => assert.fail(error),
      },
    );
    loaded.withDigest = packing === 'none';
    assert.ok(writer.start(loaded));
    assert.equal(writer.start(loaded), false);
    clock.runToEnd();
    assert.equal(written[0]?.zxid, 100);
    const third = new ModelState();
    const fromSnapshot = recover(disk, options, third);
    assert.equal(fromSnapshot.snapshot?.zxid, 100);
    assert.equal(fromSnapshot.snapshot.nodeCount, 41);
    assert.equal(fromSnapshot.replay?.recordCount, 0);
    assert.deepEqual(third.nodes, expectedNodes(100, dataBytes));
    disk.remove(`/data/version-2/snapshot.64${packing === 'gzip' ? '.gz' : ''}`);
  }
});
