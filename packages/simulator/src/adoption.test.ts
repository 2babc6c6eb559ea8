import assert from 'node:assert/strict';
import test from 'node:test';
import {
  announceAdoption,
  finishAdoption,
  recover,
  snapshotBytes,
  snapshotFileName,
  TransactionLog,
  truncateLog,
} from '@meerkat/engine';
import { asZxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { ModelState } from './testing/model-state.ts';

const directories = {
  dataDir: '/data',
  dataLogDir: '/logs',
  snapshots: '/data/version-2',
  logs: '/logs/version-2',
};
/** Thrown where the power is cut. */
class PowerCut extends Error {}

test('a snapshot of a leader takes the place of the whole history, or of nothing, wherever a crash comes', () => {
  // What the member has: snapshot 3, transactions 4 to 20 in three logs, snapshot 15. The leader sends 10.
  let crashes = 0;
  for (const snapshots of [[3], [3, 15], [3, 10], [3, 10, 15]]) {
    for (let at = 0; at < 200; at++) {
      const random = new SeededRandom(at);
      const { clock, disk } = oldHistory(snapshots);
      const isOver = adoptUntil(clock, disk, at);
      const after = disk.crash(random);
      finishAdoption(after, '/data', '/logs');
      const state = new ModelState();
      const { lastZxid } = recover(after, recoveryOptions, state);
      const isNew = state.nodes.has('/n39');
      assert.equal(lastZxid, isNew ? 10 : lastZxid, `a mixture after order ${at}`);
      if (!isNew) assert.ok(lastZxid === 20 || lastZxid === 10, `neither after order ${at}`);
      if (isOver) {
        assert.ok(isNew);
        break;
      }
      crashes++;
    }
  }
  assert.ok(crashes > 30, `${crashes}`);
});

test('a marker without its snapshot changes nothing', () => {
  const { disk } = oldHistory([3]);
  announceAdoption(disk, directories, asZxid(10), false);
  finishAdoption(disk, '/data', '/logs');
  assert.equal(recover(disk, recoveryOptions, new ModelState()).lastZxid, 20);
  disk.place('/data/version-2/adopting', new TextEncoder().encode('0x3 and more'));
  finishAdoption(disk, '/data', '/logs');
  assert.equal(recover(disk, recoveryOptions, new ModelState()).lastZxid, 20);
});

test('a history that ends before the snapshot of a leader stays beside it', () => {
  const { clock, disk } = oldHistory([3]);
  const before = disk.list(directories.logs);
  announceAdoption(disk, directories, asZxid(30), false);
  assert.deepEqual(disk.list(directories.snapshots), ['snapshot.3']);
  place(clock, disk, 30);
  finishAdoption(disk, '/data', '/logs');
  assert.deepEqual(disk.list(directories.logs), before);
  assert.equal(recover(disk, recoveryOptions, new ModelState()).lastZxid, 30);
});

test('a history that begins with a snapshot can be cut right behind it', () => {
  const { disk } = oldHistory([3]);
  const { removed } = truncateLog(disk, directories.snapshots, directories.logs, asZxid(3));
  assert.equal(removed.length, 3);
  assert.equal(recover(disk, recoveryOptions, new ModelState()).lastZxid, 3);
});

const recoveryOptions = {
  dataDir: '/data',
  dataLogDir: '/logs',
  datadirAutocreate: true,
  dbAutocreate: true,
  trustEmpty: false,
  withLastZxid: true,
  itemBytesMax: 0x1ffffe,
  groupBytesMax: 65536,
  sync: true,
};

function oldHistory(snapshots: readonly number[]): { clock: ManualClock; disk: SimulatedDisk } {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock);
  disk.makeDirectory(directories.snapshots);
  disk.makeDirectory(directories.logs);
  for (const zxid of snapshots) {
    const state = new ModelState();
    state.last = asZxid(zxid);
    disk.place(`${directories.snapshots}/${nameOf(zxid)}`, snapshotBytes(state.source, true));
  }
  for (const [from, to] of [
    [4, 9],
    [10, 15],
    [16, 20],
  ] as const) {
    writeLog(clock, disk, from, to);
  }
  return { clock, disk };
}

function writeLog(clock: ManualClock, disk: SimulatedDisk, from: number, to: number): void {
  const log = new TransactionLog(
    disk,
    {
      directory: directories.logs,
      lastZxid: asZxid(from - 1),
      preAllocBytes: 0,
      sync: true,
      sizeLimitBytes: -1,
      groupBytesMax: 65536,
      fsyncWarningMs: 1000,
    },
    {
      onGroupDurable: () => {},
      onLogFailed: (error) => assert.fail(error),
      onSlowSync: () => {},
    },
    clock,
  );
  for (let zxid = from; zxid <= to; zxid++) ModelState.append(log, asZxid(zxid), 20);
  log.close(() => {});
  clock.advance(10);
}

/** Adopts until that many orders were given to the disk. Returns whether it came to its end. */
function adoptUntil(clock: ManualClock, disk: SimulatedDisk, orders: number): boolean {
  const first = disk.orderCount;
  disk.fault = ({ number }) => {
    if (number - first >= orders) throw new PowerCut();
    return null;
  };
  try {
    announceAdoption(disk, directories, asZxid(10), false);
    place(clock, disk, 10);
    finishAdoption(disk, '/data', '/logs');
    return true;
  } catch (error) {
    if (!(error instanceof PowerCut)) throw error;
    return false;
  }
}

/** A snapshot gets its name, as the writer of snapshots gives it. */
function place(clock: ManualClock, disk: SimulatedDisk, zxid: number): void {
  const state = new ModelState();
  state.last = asZxid(zxid);
  state.nodes.set('/n39', 'new');
  const temporary = `${directories.snapshots}/${nameOf(zxid)}.tmp`;
  disk.replaceSmallFile(temporary, snapshotBytes(state.source, true));
  disk.renameLater(temporary, `${directories.snapshots}/${nameOf(zxid)}`, () => {});
  clock.advance(10);
}

function nameOf(zxid: number): string {
  return snapshotFileName(asZxid(zxid), 'none');
}

test('of a history that is not trusted nothing stays, however old', () => {
  const { clock, disk } = oldHistory([3]);
  announceAdoption(disk, directories, asZxid(30), true);
  place(clock, disk, 30);
  finishAdoption(disk, '/data', '/logs');
  assert.deepEqual(disk.list(directories.snapshots), ['snapshot.1e']);
  assert.deepEqual(disk.list(directories.logs), []);
});
