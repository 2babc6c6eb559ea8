import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  loadEpochs,
  type RecoveryOptions,
  type RecoveryReport,
  recover,
  StorageError,
  type StorageErrorKind,
  snapshotBytes,
  snapshotFileName,
  TransactionLog,
  writeCurrentEpoch,
} from '@meerkat/engine';
import { asZxid, JuteWriter, type Zxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { expectedNodes, ModelState } from './testing/model-state.ts';

const directory = '/data/version-2';
const defaults: RecoveryOptions = {
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

/** A data directory that is put together by hand. */
class Directory {
  readonly clock: ManualClock = new ManualClock();
  readonly disk: SimulatedDisk = new SimulatedDisk(this.clock);

  /** Writes a log file with these transactions; returns its path. */
  log(zxids: readonly number[], into = directory): string {
    this.disk.makeDirectory(into);
    const log = new TransactionLog(
      this.disk,
      {
        directory: into,
        lastZxid: asZxid((zxids[0] as number) - 1),
        preAllocBytes: 0,
        sync: true,
        sizeLimitBytes: -1,
        groupBytesMax: 65536,
        fsyncWarningMs: 1000,
      },
      {
        onGroupDurable: () => undefined,
        onLogFailed: (error) => assert.fail(error),
        onSlowSync: () => undefined,
      },
      this.clock,
    );
    for (const zxid of zxids) ModelState.append(log, asZxid(zxid), 20);
    log.flush();
    this.clock.runToEnd();
    return log.path;
  }

  /** Writes a snapshot of transactions 1 to `zxid` that says it was finished at `last`. */
  snapshot(zxid: number, last: number = zxid, into = directory): string {
    const state = new ModelState();
    for (const [path, data] of expectedNodes(zxid, () => 20)) state.nodes.set(path, data);
    state.last = asZxid(last);
    const path = `${into}/${snapshotFileName(asZxid(zxid), 'none')}`;
    this.disk.place(path, snapshotBytes(state, true));
    return path;
  }

  cut(path: string, bytes: number): void {
    this.disk.truncate(path, this.disk.sizeBytes(path) - bytes);
  }

  recover(options: Partial<RecoveryOptions> = {}): RecoveryReport & { nodes: Map<string, string> } {
    const state = new ModelState();
    const report = recover(this.disk, { ...defaults, ...options }, state);
    return { ...report, nodes: state.nodes };
  }

  refuses(kind: StorageErrorKind, options: Partial<RecoveryOptions> = {}): StorageError {
    try {
      this.recover(options);
    } catch (error) {
      assert.ok(error instanceof StorageError, String(error));
      assert.equal(error.kind, kind, error.message);
      assert.ok(error.remedy.length > 20);
      assert.ok(error.message.includes(error.file));
      return error;
    }
    return assert.fail(`recovered in spite of ${kind}`);
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

test('data directories are made, or complained about', () => {
  const data = new Directory();
  const error = data.refuses('directoryMissing', { datadirAutocreate: false });
  assert.equal(error.file, directory);
  assert.equal(data.recover().fresh, true);
  assert.equal(data.recover({ datadirAutocreate: false }).fresh, false);
});

test('snapshots and logs in each other’s directory are refused', () => {
  const swapped = { dataDir: '/snapshots', dataLogDir: '/logs' };
  const logs = new Directory();
  logs.log([1], '/snapshots/version-2');
  assert.equal(logs.refuses('misplacedFiles', swapped).file, '/snapshots/version-2/log.1');
  const snapshots = new Directory();
  snapshots.snapshot(1, 1, '/logs/version-2');
  snapshots.refuses('misplacedFiles', swapped);
});

test('logs and snapshots may lie in two directories', () => {
  const data = new Directory();
  data.snapshot(3, 3, '/snapshots/version-2');
  data.log([4, 5], '/logs/version-2');
  const report = data.recover({ dataDir: '/snapshots', dataLogDir: '/logs' });
  assert.equal(report.lastZxid, 5);
});

test('an empty database without autocreate needs an initialize file, in either directory', () => {
  for (const marker of ['/snapshots/initialize', '/logs/initialize']) {
    const data = new Directory();
    const options = { dbAutocreate: false, dataDir: '/snapshots', dataLogDir: '/logs' };
    assert.equal(data.recover(options).lastZxid, -1);
    data.disk.place(marker, new Uint8Array(0));
    const report = data.recover(options);
    assert.equal(report.fresh, true);
    assert.equal(report.lastZxid, 0);
    assert.equal(data.disk.sizeBytes(marker), -1);
  }
});

test('logs without a snapshot are refused unless they are to be trusted', () => {
  const data = new Directory();
  data.log(range(5, 9));
  data.refuses('logWithoutSnapshot');
  assert.equal(data.recover({ trustEmpty: true }).lastZxid, 9);
});

test('a partial snapshot is passed over and named when the logs lead on from an older one', () => {
  const data = new Directory();
  data.snapshot(0);
  data.log(range(1, 20));
  data.log(range(21, 30));
  const newer = data.snapshot(20);
  data.cut(newer, 30);
  const report = data.recover();
  assert.equal(report.lastZxid, 30);
  assert.deepEqual(
    report.nodes,
    expectedNodes(30, () => 20),
  );
  assert.deepEqual(
    report.skippedSnapshots.map((skipped) => skipped.file),
    [newer],
  );
});

test('a partial snapshot that nothing replaces is refused', () => {
  const data = new Directory();
  data.snapshot(5);
  data.log(range(6, 8));
  const newer = data.snapshot(20);
  data.cut(newer, 30);
  assert.equal(data.refuses('snapshotDamaged').file, newer);
  // The logs go on after it, but not from the older one.
  data.log(range(21, 25));
  data.refuses('logGap');
  const alone = new Directory();
  alone.cut(alone.snapshot(20), 30);
  alone.refuses('snapshotDamaged');
});

test('a first snapshot that never was whole is a new database', () => {
  const data = new Directory();
  data.cut(data.snapshot(0), 10);
  assert.equal(data.recover().fresh, true);
  assert.equal(data.recover().fresh, false);
});

test('a snapshot with parts of transactions that no log has is not used', () => {
  const data = new Directory();
  data.snapshot(2);
  data.log(range(1, 12));
  const fuzzy = data.snapshot(10, 15);
  const report = data.recover();
  assert.equal(report.snapshot?.zxid, 2);
  assert.equal(report.skippedSnapshots[0]?.file, fuzzy);
  assert.equal(report.lastZxid, 12);
  assert.deepEqual(
    report.nodes,
    expectedNodes(12, () => 20),
  );
});

test('newest logs without a record are removed, whatever a crash left in them', () => {
  for (const content of ['', 'ZK', 'ZKLG\0\0\0\x02\0\0\0\0\0\0\0\0', '\0\0\0\0\0\0\0\0']) {
    const data = new Directory();
    data.snapshot(0);
    data.log(range(1, 5));
    const empty = `${directory}/log.6`;
    data.disk.place(empty, Buffer.from(content, 'latin1'));
    const report = data.recover();
    assert.equal(report.lastZxid, 5);
    assert.deepEqual(report.repairs, [
      { file: empty, action: 'removed', offset: 0, droppedBytes: report.repairs[0]?.droppedBytes },
    ]);
    assert.equal(data.disk.sizeBytes(empty), -1);
  }
});

test('a file that is no log is refused', () => {
  const data = new Directory();
  data.snapshot(0);
  data.disk.place(`${directory}/log.1`, Buffer.from('this was never a log of anything'));
  data.refuses('logHeaderDamaged');
});

test('a torn end is cut, at any length', () => {
  for (let torn = 1; torn <= recordBytes(5); torn++) {
    const data = new Directory();
    data.snapshot(0);
    const path = data.log(range(1, 5));
    data.cut(path, torn);
    const report = data.recover();
    assert.equal(report.lastZxid, 4);
    // The first four bytes of a record are zeros, and zeros are left alone.
    const left = recordBytes(5) - torn;
    assert.equal(report.repairs.length, left <= 4 ? 0 : 1);
    if (left > 4) assert.equal(data.disk.sizeBytes(path), 16 + 4 * recordBytes(5));
    assert.deepEqual(data.recover().repairs, []);
  }
});

test('a file with a torn end may be followed by one that goes on without a gap', () => {
  const data = new Directory();
  data.snapshot(0);
  data.cut(data.log(range(1, 5)), 7);
  data.log(range(5, 9));
  assert.equal(data.recover().lastZxid, 9);
});

test('a file with a torn end before a gap is named with the gap', () => {
  const data = new Directory();
  data.snapshot(0);
  const torn = data.log(range(1, 5));
  data.cut(torn, 7);
  const after = data.log(range(6, 9));
  const error = data.refuses('logGap');
  assert.equal(error.file, after);
  assert.ok(error.message.includes(torn));
});

test('gaps within an epoch are refused, a new epoch begins at 1', () => {
  const epoch = 4294967296;
  const data = new Directory();
  data.snapshot(0);
  data.log([1, 2, epoch + 1, epoch + 2, 7 * epoch + 1]);
  assert.equal(data.recover().lastZxid, 7 * epoch + 1);
  for (const zxids of [
    [1, 3],
    [1, 2, epoch + 2],
    [2, 3],
  ]) {
    const gap = new Directory();
    gap.snapshot(0);
    gap.log(zxids);
    gap.refuses('logGap');
  }
});

test('a record in the place of another one is not taken for the end of its epoch', () => {
  const [one, two] = [2 ** 32, 2 * 2 ** 32];
  const data = new Directory();
  data.snapshot(0);
  const path = data.log([one + 1, one + 2, one + 3, one + 4, one + 5, two + 1, two + 2]);
  assert.equal(data.recover().lastZxid, two + 2);
  const content = data.disk.contentOf(path);
  const headerBytes = 16;
  const recordBytes = (content.length - headerBytes) / 7;
  // The sixth record comes to stand for the third, checksum and all.
  for (let i = 0; i < recordBytes; i++) {
    const value = content[headerBytes + 5 * recordBytes + i] as number;
    data.disk.corrupt(path, headerBytes + 2 * recordBytes + i, value);
  }
  assert.throws(() => data.recover(), { kind: 'logGap' });
});

test('a record that never came to its place is not taken for the end of its epoch', () => {
  const [one, two] = [2 ** 32, 2 * 2 ** 32];
  const data = new Directory();
  data.snapshot(0);
  const path = data.log([one + 1, one + 2, one + 3, one + 4]);
  data.log([two + 1, two + 2]);
  assert.equal(data.recover().lastZxid, two + 2);
  const content = data.disk.contentOf(path);
  const headerBytes = 16;
  const recordBytes = (content.length - headerBytes) / 4;
  for (let i = 0; i < recordBytes; i++) {
    data.disk.corrupt(path, headerBytes + 2 * recordBytes + i, 0);
  }
  assert.throws(() => data.recover(), { kind: 'logGap' });
});

test('the first record of the next epoch in the place of another one is not taken for what follows it', () => {
  const [one, two] = [2 ** 32, 2 * 2 ** 32];
  const data = new Directory();
  data.snapshot(0);
  const path = data.log([one + 1, one + 2, one + 3, one + 4]);
  const next = data.log([two + 1, two + 2]);
  const headerBytes = 16;
  const recordBytes = (data.disk.contentOf(path).length - headerBytes) / 4;
  const strange = data.disk.contentOf(next).slice(headerBytes, headerBytes + recordBytes);
  strange.forEach((value, i) => {
    data.disk.corrupt(path, headerBytes + 2 * recordBytes + i, value);
  });
  // What followed is no record any more, as when the strange one is shorter.
  data.disk.corrupt(path, headerBytes + 3 * recordBytes + 30, 0xee);
  assert.throws(() => data.recover(), { kind: 'logRecordDamaged' });
});

test('what a snapshot holds already is skipped in the logs, holes and all', () => {
  const data = new Directory();
  data.snapshot(20);
  data.log([3, 4]);
  data.log(range(15, 25));
  const report = data.recover();
  assert.equal(report.lastZxid, 25);
  assert.equal(report.replay?.recordCount, 5);
});

test('damage in the middle of the newest file names the record', () => {
  const data = new Directory();
  data.snapshot(0);
  const path = data.log(range(1, 9));
  const offset = 16 + 3 * recordBytes(1);
  data.disk.corrupt(path, offset + 60, 0xee);
  const error = data.refuses('logRecordDamaged');
  assert.deepEqual([error.file, error.offset, error.record], [path, offset, 3]);
});

test('a zxid beyond 2^53 in a file name is refused', () => {
  const data = new Directory();
  data.disk.place(`${directory}/snapshot.20000000000000`, new Uint8Array(20));
  data.refuses('fileNameDamaged');
  // Java writes this name for a database that it does not trust, and does not read it.
  const untrusted = new Directory();
  untrusted.disk.place(`${directory}/snapshot.ffffffffffffffff`, new Uint8Array(20));
  assert.equal(untrusted.recover().fresh, true);
});

test('what is left of unfinished snapshots is removed', () => {
  const data = new Directory();
  data.snapshot(0);
  data.disk.place(`${directory}/unfinished-snapshot.9.gz`, new Uint8Array(5));
  data.disk.place(`${directory}/snapshot.0.tmp`, new Uint8Array(5));
  data.recover();
  assert.deepEqual(data.disk.list(directory), ['snapshot.0']);
});

test('a snapshot that a leader sent is not passed over for logs with a hole before it', () => {
  const data = new Directory();
  const epoch = 2 ** 32;
  data.snapshot(3);
  data.log([4, 5]);
  const sent = data.snapshot(9);
  data.log([epoch + 1, epoch + 2]);
  assert.equal(data.recover().lastZxid, epoch + 2);
  data.cut(sent, 10);
  assert.equal(data.refuses('snapshotDamaged').file, sent);
});

test('a damaged record is not passed over because an epoch begins behind it', () => {
  const data = new Directory();
  data.snapshot(0);
  const older = data.log([1, 2, 3]);
  data.log([2 ** 32 + 1]);
  data.disk.corrupt(older, 16 + recordBytes(1) + 30, 0x55);
  data.refuses('logRecordDamaged');
});

test('epochs are made, agree with the last transaction, or are refused', () => {
  const { disk } = new Directory();
  disk.makeDirectory(directory);
  const last = asZxid(3 * 4294967296 + 5);
  assert.deepEqual(loadEpochs(disk, directory, last), { currentEpoch: 3, acceptedEpoch: 3 });
  assert.equal(Buffer.from(disk.contentOf(`${directory}/currentEpoch`)).toString(), '3');
  const later: Zxid = asZxid(4 * 4294967296 + 1);
  assert.throws(() => loadEpochs(disk, directory, later), { kind: 'epochsDisagree' });
  disk.place(`${directory}/currentEpoch.tmp`, Buffer.from('4'));
  assert.throws(() => loadEpochs(disk, directory, later), /accepted epoch 3.* current epoch 4/);
  disk.place(`${directory}/acceptedEpoch`, Buffer.from('4\n'));
  assert.deepEqual(loadEpochs(disk, directory, later), { currentEpoch: 4, acceptedEpoch: 4 });
  writeCurrentEpoch(disk, directory, 2);
  disk.place(`${directory}/currentEpoch`, Buffer.from('two'));
  assert.throws(() => loadEpochs(disk, directory, asZxid(0)), { kind: 'epochsDisagree' });
});

/** Bytes of a model record with 20 bytes of data, framed. */
function recordBytes(zxid: number): number {
  const writer = new JuteWriter();
  writer.writeString(`/n${zxid % 40}`);
  return 12 + 32 + writer.length + 4 + 20 + 1;
}
