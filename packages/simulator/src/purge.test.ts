import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DiskError, filesToPurge, Purge, recover, truncateLog } from '@meerkat/engine';
import { asZxid } from '@meerkat/protocol';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { CrashingStore } from './testing/crashing-store.ts';
import { ModelState } from './testing/model-state.ts';

const whole = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x2f]);
const partial = new Uint8Array(20);

function diskWith(files: Readonly<Record<string, Uint8Array>>): SimulatedDisk {
  const disk = new SimulatedDisk(new ManualClock());
  disk.makeDirectory('/data');
  for (const [name, content] of Object.entries(files)) disk.place(`/data/${name}`, content);
  return disk;
}

function purged(disk: SimulatedDisk, retainCount: number): string[] {
  return filesToPurge(disk, '/data', '/data', retainCount).map((path) => path.slice(6));
}

test('the newest whole snapshots stay, and the logs that they need', () => {
  const disk = diskWith({
    'snapshot.0': whole,
    'snapshot.10': whole,
    'snapshot.20': whole,
    'snapshot.30': whole,
    'snapshot.40': whole,
    'log.1': partial,
    'log.11': partial,
    'log.1d': partial,
    'log.25': partial,
    'log.41': partial,
    currentEpoch: partial,
  });
  assert.deepEqual(purged(disk, 3), ['snapshot.0', 'snapshot.10', 'log.1', 'log.11']);
  assert.deepEqual(purged(disk, 1), purged(disk, 3));
  assert.deepEqual(purged(disk, 4), ['snapshot.0']);
  assert.deepEqual(purged(disk, 9), []);
});

test('snapshots that are not whole do not count', () => {
  const disk = diskWith({
    'snapshot.10': whole,
    'snapshot.20': whole,
    'snapshot.25': partial,
    'snapshot.30': whole,
    'snapshot.40': partial,
    'snapshot.5': partial,
    'log.1': partial,
    'log.11': partial,
  });
  assert.deepEqual(purged(disk, 3), ['snapshot.5']);
  assert.deepEqual(purged(diskWith({ 'snapshot.5': partial, 'log.1': partial }), 3), []);
});

test('a purge removes file by file and reports what it could not remove', () => {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock, { latencyMs: 1 });
  for (let i = 0; i < 6; i++) disk.place(`/data/snapshot.${i}`, whole);
  disk.fault = (order) => (order.path.endsWith('.1') && order.kind === 'remove' ? 'EIO' : null);
  const events: string[] = [];
  const purge = new Purge(disk, {
    onPurged: (count) => events.push(`removed ${count}`),
    onPurgeFailed: (path: string, error: DiskError) => events.push(`${path} ${error.code}`),
  });
  assert.ok(purge.start('/data', '/data', 3));
  assert.equal(purge.start('/data', '/data', 3), false);
  clock.runToEnd();
  assert.deepEqual(events, ['/data/snapshot.1 EIO', 'removed 2']);
  disk.fault = () => null;
  assert.ok(purge.start('/data', '/data', 3));
  clock.runToEnd();
  assert.deepEqual(disk.list('/data'), ['snapshot.3', 'snapshot.4', 'snapshot.5']);
});

test('the log is cut after any of its transactions, and recovers to it', () => {
  for (let seed = 1; seed <= 30; seed++) {
    const random = new SeededRandom(seed);
    const store = new CrashingStore(random, {
      sync: true,
      preAllocBytes: 4096,
      groupBytesMax: 16384,
      sizeLimitBytes: 4096,
    });
    store.start();
    for (let acts = 150; acts > 0; acts--) store.act();
    store.settle();
    const { disk } = store;
    const wanted = asZxid(1 + random.below(store.acknowledged));
    const directory = '/data/version-2';
    if (!disk.list(directory).includes('snapshot.0')) continue;
    const result = truncateLog(disk, directory, directory, wanted);
    assert.equal(result.lastZxid, wanted);
    const report = recover(
      disk,
      {
        dataDir: '/data',
        dataLogDir: '/data',
        datadirAutocreate: true,
        dbAutocreate: true,
        trustEmpty: false,
        withLastZxid: true,
        itemBytesMax: 0x1ffffe,
        groupBytesMax: 16384,
        sync: true,
      },
      new ModelState(),
    );
    assert.equal(report.lastZxid, wanted, `seed ${seed}`);
    assert.throws(() => truncateLog(disk, directory, directory, asZxid(wanted + 1)), {
      kind: 'truncateImpossible',
    });
  }
});
