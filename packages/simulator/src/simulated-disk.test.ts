import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DiskError } from '@meerkat/engine';
import { diskContract } from './disk-contract.ts';
import { ManualClock } from './manual-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';

for (const { name, check } of diskContract) {
  test(`the simulated disk: ${name}`, async () => {
    const clock = new ManualClock();
    const disk = new SimulatedDisk(clock, { latencyMs: 1 });
    disk.makeDirectory('/data');
    const settle = async (): Promise<void> => clock.runToEnd();
    await check({ disk, directory: '/data', snappy: false, settle });
  });
}

/** Writes `synced` and then, without a sync, `unsynced`; returns what a crash leaves. */
function afterCrash(seed: number, synced: number, unsynced: number): Uint8Array {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock);
  disk.makeDirectory('/data');
  const file = disk.create('/data/file', { packing: 'none', replace: false });
  const bytes = new Uint8Array(synced + unsynced).fill(1);
  const fine = (error: DiskError | null): void => assert.equal(error, null);
  file.write(bytes, 0, synced, 0, true, fine);
  clock.runToEnd();
  file.write(bytes, synced, bytes.length, synced, false, fine);
  clock.runToEnd();
  return disk.crash(new SeededRandom(seed)).contentOf('/data/file');
}

test('a power cut leaves what was synced, and any sectors of the rest', () => {
  const lengths = new Set<number>();
  let holes = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const left = afterCrash(seed, 1000, 5000);
    assert.ok(left.length >= 1000 && left.length <= 6000);
    assert.ok(left.subarray(0, 1000).every((byte) => byte === 1));
    lengths.add(left.length);
    if (left.includes(0)) holes++;
  }
  assert.ok(lengths.has(1000) && lengths.has(6000));
  assert.ok(lengths.size > 20);
  assert.ok(holes > 20);
});

test('a name that was not synced may be gone, one that was is there', () => {
  let gone = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const disk = new SimulatedDisk(new ManualClock());
    disk.place('/data/old', new Uint8Array(3));
    disk.create('/data/new', { packing: 'none', replace: false });
    const after = disk.crash(new SeededRandom(seed));
    assert.equal(after.sizeBytes('/data/old'), 3);
    if (after.sizeBytes('/data/new') < 0) gone++;
  }
  assert.ok(gone > 5 && gone < 45);
});

test('what a failed sync lost stays lost, though it can be read until the power is cut', () => {
  const clock = new ManualClock();
  const disk = new SimulatedDisk(clock);
  disk.place('/data/file', new Uint8Array(10));
  disk.fault = (order) => (order.kind === 'sync' ? 'EIO' : null);
  const file = disk.create('/data/other', { packing: 'none', replace: false });
  let code = '';
  file.write(new Uint8Array([1, 2, 3]), 0, 3, 0, true, (error) => {
    code = error?.code ?? '';
  });
  clock.runToEnd();
  assert.equal(code, 'EIO');
  assert.deepEqual([...disk.contentOf('/data/other')], [1, 2, 3]);
  disk.fault = () => null;
  file.sync((error) => assert.equal(error, null));
  clock.runToEnd();
  const after = disk.crash(new SeededRandom(1));
  assert.deepEqual(
    [...after.contentOf('/data/other')].filter((byte) => byte !== 0),
    [],
  );
});
