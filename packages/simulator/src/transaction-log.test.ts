import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type DiskError,
  LogFileReader,
  TransactionLog,
  type TransactionLogListener,
  type TransactionLogOptions,
} from '@meerkat/engine';
import { asZxid, type Zxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { ModelState } from './testing/model-state.ts';

const directory = '/data/version-2';

class Groups implements TransactionLogListener {
  readonly groups: string[] = [];
  readonly slow: number[] = [];
  failed: DiskError | null = null;
  onGroup: () => void = () => undefined;
  onGroupDurable(bytes: Uint8Array, start: number, end: number, count: number, last: Zxid): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    // Whole records up to the last: checksum (8), length (4), session (8), cxid (4), zxid (8), …, 0x42.
    for (let i = 1; i <= count; i++) {
      const next = at + 12 + view.getInt32(at + 8) + 1;
      assert.equal(bytes[next - 1], 0x42);
      assert.equal(Number(view.getBigInt64(at + 24)), last - count + i);
      at = next;
    }
    assert.equal(at, end);
    this.groups.push(`${count} to ${last}`);
    this.onGroup();
  }
  onLogFailed(error: DiskError): void {
    assert.equal(this.failed, null);
    this.failed = error;
  }
  onSlowSync(elapsedMs: number): void {
    this.slow.push(elapsedMs);
  }
}

function setUp(options: Partial<TransactionLogOptions> = {}, latencyMs = 1) {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock, { latencyMs });
  disk.makeDirectory(directory);
  const groups = new Groups();
  const log = new TransactionLog(
    disk,
    {
      directory,
      lastZxid: asZxid(0),
      preAllocBytes: 0,
      sync: true,
      sizeLimitBytes: -1,
      groupBytesMax: 4096,
      fsyncWarningMs: 1000,
      ...options,
    },
    groups,
    clock,
  );
  const append = (from: number, to: number, dataBytes = 20): void => {
    for (let zxid = from; zxid <= to; zxid++) ModelState.append(log, asZxid(zxid), dataBytes);
  };
  return { clock, disk, groups, log, append };
}

function zxidsOf(disk: SimulatedDisk, name: string): number[] {
  const reader = new LogFileReader(disk, `${directory}/${name}`);
  const zxids: number[] = [];
  while (reader.next()) zxids.push(reader.zxid);
  assert.equal(reader.ending, 'clean');
  return zxids;
}

/** How many groups had been reported when each write was ordered. */
function ordersOf(disk: SimulatedDisk, groups: Groups): number[] {
  const orders: number[] = [];
  const create = disk.create.bind(disk);
  disk.create = (path, options) => {
    const file = create(path, options);
    const write = file.write.bind(file);
    file.write = (bytes, start, ...rest) => {
      orders.push(groups.groups.length);
      write(bytes, start, ...rest);
    };
    return file;
  };
  return orders;
}

test('what forms while the disk works goes to disk as the next group, at once', () => {
  const { clock, groups, log, append } = setUp();
  append(1, 1);
  log.flush();
  append(2, 5);
  log.flush();
  append(6, 6);
  assert.equal(log.pendingCount, 6);
  assert.deepEqual(groups.groups, []);
  clock.step();
  assert.deepEqual(groups.groups, ['1 to 1']);
  assert.equal(log.pendingCount, 5);
  clock.runToEnd();
  assert.deepEqual(groups.groups, ['1 to 1', '5 to 6']);
  assert.equal(log.pendingBytes, 0);
});

test('the disk works on the next group while one is reported', () => {
  const { clock, disk, groups, log, append } = setUp();
  const orders = ordersOf(disk, groups);
  let barriers = 0;
  groups.onGroup = () => {
    assert.equal(barriers, 0);
    if (log.lastZxid === 2) log.barrier(() => barriers++);
  };
  append(1, 1);
  log.flush();
  append(2, 2);
  assert.equal(log.pendingCount, 2);
  clock.runToEnd();
  assert.deepEqual(groups.groups, ['1 to 1', '1 to 2']);
  assert.equal(log.pendingCount, 0);
  // Once for each time it was asked for, and after both were reported.
  assert.equal(barriers, 2);
  // The second was on its way before the first was reported.
  assert.deepEqual(orders, [0, 0]);
});

test('a long group goes to an idle disk before its turn ends', () => {
  const { clock, groups, append } = setUp({ groupBytesMax: 1024 * 1024 });
  append(1, 40, 2000);
  clock.runToEnd();
  // The rest formed meanwhile.
  assert.deepEqual(groups.groups, ['24 to 24', '16 to 40']);
});

test('the header of a new file is not written over records that are still to be reported', () => {
  const { clock, disk, groups, log, append } = setUp({ groupBytesMax: 4096 });
  groups.onGroup = () => log.requestRoll();
  append(1, 1);
  log.flush();
  append(2, 30, 1500);
  log.flush();
  clock.runToEnd();
  const names = disk.list(directory);
  assert.ok(names.length > 3, names.join(' '));
  assert.deepEqual(
    names.flatMap((name) => zxidsOf(disk, name)).sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, index) => index + 1),
  );
});

test('nothing is written before the turn ends, unless a group is full', () => {
  const { clock, groups, append } = setUp();
  append(1, 3);
  clock.runToEnd();
  assert.deepEqual(groups.groups, []);
  append(4, 6, 2000);
  clock.runToEnd();
  // Record 5 fills the first group; record 6 waited for the disk.
  assert.deepEqual(groups.groups, ['5 to 5', '1 to 6']);
});

test('a long queue leaves in writes of bounded length', () => {
  const { clock, groups, log, append } = setUp();
  append(1, 1);
  log.flush();
  append(2, 12, 1500);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(groups.groups, ['1 to 1', '3 to 4', '3 to 7', '3 to 10', '2 to 12']);
});

test('records appended while a group is reported join the next one', () => {
  const { clock, disk, groups, log, append } = setUp();
  groups.onGroup = () => {
    if (log.lastZxid < 4) append(log.lastZxid + 1, log.lastZxid + 1);
    log.flush();
  };
  append(1, 1);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(groups.groups, ['1 to 1', '1 to 2', '1 to 3', '1 to 4']);
  assert.deepEqual(zxidsOf(disk, 'log.1'), [1, 2, 3, 4]);
});

test('a roll begins a file named by its first record', () => {
  const { clock, disk, log, append } = setUp();
  append(1, 3);
  log.flush();
  clock.runToEnd();
  log.requestRoll();
  append(4, 20);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(disk.list(directory), ['log.1', 'log.4']);
  assert.deepEqual(zxidsOf(disk, 'log.1'), [1, 2, 3]);
  assert.equal(zxidsOf(disk, 'log.4').length, 17);
  assert.equal(log.path, `${directory}/log.4`);
});

test('a file that is longer than the limit is followed by a new one', () => {
  const { clock, disk, log, append } = setUp({ sizeLimitBytes: 1000, preAllocBytes: 65536 });
  for (let zxid = 1; zxid <= 6; zxid++) {
    append(zxid, zxid, 600);
    log.flush();
    clock.runToEnd();
  }
  assert.deepEqual(disk.list(directory), ['log.1', 'log.3', 'log.5']);
});

test('a record that is cancelled leaves nothing behind', () => {
  const { clock, disk, log, append } = setUp();
  append(1, 1);
  const start = log.beginRecord();
  log.writer.writeString('half a transaction');
  log.cancelRecord(start);
  append(2, 2);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(zxidsOf(disk, 'log.1'), [1, 2]);
});

test('files are extended in the steps of FilePadding.java', () => {
  const { clock, disk, log, append } = setUp({ preAllocBytes: 8192 });
  const sizes: number[] = [];
  for (let zxid = 1; zxid <= 4; zxid++) {
    append(zxid, zxid, 3000);
    log.flush();
    clock.runToEnd();
    sizes.push(disk.sizeBytes(`${directory}/log.1`));
  }
  assert.deepEqual(sizes, [8208, 16400, 16400, 16400]);
  // Longer than a step.
  append(5, 5, 30_000);
  log.flush();
  clock.runToEnd();
  assert.equal(disk.sizeBytes(`${directory}/log.1`), 16 + 6 * 8192);
  assert.deepEqual(zxidsOf(disk, 'log.1'), [1, 2, 3, 4, 5]);
});

test('a failed sync is final: it is said once, and nothing is durable afterwards', () => {
  const { clock, disk, groups, log, append } = setUp();
  append(1, 1);
  log.flush();
  clock.runToEnd();
  disk.fault = (order) => (order.kind === 'sync' ? 'EIO' : null);
  append(2, 2);
  log.flush();
  append(3, 3);
  clock.runToEnd();
  assert.equal(groups.failed?.code, 'EIO');
  disk.fault = () => null;
  append(4, 4);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(groups.groups, ['1 to 1']);
  const ends: (string | undefined)[] = [];
  log.barrier((error) => ends.push(error?.code));
  log.close((error) => ends.push(error?.code));
  clock.runToEnd();
  assert.deepEqual(ends, ['EIO', 'EIO']);
});

test('a file that exists already is not overwritten', () => {
  const { clock, disk, groups, log, append } = setUp();
  disk.place(`${directory}/log.1`, new Uint8Array([1, 2, 3]));
  append(1, 1);
  log.flush();
  clock.runToEnd();
  assert.equal(groups.failed?.code, 'EEXIST');
  assert.deepEqual([...disk.contentOf(`${directory}/log.1`)], [1, 2, 3]);
});

test('without forceSync groups are reported before they are durable, and a barrier waits', () => {
  const { clock, groups, log, append } = setUp({ sync: false });
  append(1, 1);
  let passedMs = 0;
  const startMs = clock.monotonicMs();
  log.barrier((error) => {
    assert.equal(error, null);
    passedMs = clock.monotonicMs() - startMs;
  });
  assert.equal(passedMs, 0);
  clock.step();
  assert.deepEqual(groups.groups, ['1 to 1']);
  clock.runToEnd();
  assert.equal(passedMs, 11);
});

test('closing makes durable what is pending', () => {
  for (const sync of [true, false]) {
    const { clock, disk, groups, log, append } = setUp({ sync });
    append(1, 3);
    let closed = 0;
    log.close((error) => {
      assert.equal(error, null);
      closed++;
    });
    clock.runToEnd();
    assert.equal(closed, 1);
    assert.deepEqual(groups.groups, ['3 to 3']);
    const left = disk.crash({ below: () => 0 });
    assert.deepEqual(zxidsOf(left, 'log.1'), [1, 2, 3]);
  }
});

test('a slow sync is reported', () => {
  const { clock, groups, log, append } = setUp({ fsyncWarningMs: 50 }, 10);
  append(1, 1);
  log.flush();
  clock.runToEnd();
  assert.deepEqual(groups.slow, [100]);
  assert.equal(log.syncTime.max, 100);
});

test("the records of Java's log, appended again, make the same file", () => {
  const url = new URL(
    '../../engine/src/storage/testdata/java-3.8.0/padded-log/version-2/log.1',
    import.meta.url,
  );
  const expected = readFileSync(url);
  const source = new SimulatedDisk(new ManualClock());
  source.place('/log.1', expected);
  const { clock, disk, log } = setUp({ preAllocBytes: 16384 });
  const reader = new LogFileReader(source, '/log.1');
  while (reader.next()) {
    const start = log.beginRecord();
    log.writer.writeBytes(reader.bytes, reader.start, reader.end);
    log.endRecord(start, reader.zxid);
  }
  log.flush();
  clock.runToEnd();
  assert.deepEqual(disk.contentOf(`${directory}/log.1`), new Uint8Array(expected));
});
