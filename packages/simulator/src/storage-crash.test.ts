import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from './seeded-random.ts';
import { CrashingStore, type StoreOptions } from './testing/crashing-store.ts';

/** `STORAGE_SEEDS=first..last` runs others: `STORAGE_SEEDS=17..17` one that failed. */
const range = (process.env.STORAGE_SEEDS ?? '1..100').split('..').map(Number);

function forEachSeed(run: (random: SeededRandom, seed: number) => void): void {
  for (let seed = range[0] ?? 1; seed <= (range[1] ?? 1); seed++) {
    try {
      run(new SeededRandom(seed), seed);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason} (again: STORAGE_SEEDS=${seed}..${seed})`, { cause: error });
    }
  }
}

function drawOptions(random: SeededRandom, sync: boolean): StoreOptions {
  return {
    sync,
    preAllocBytes: [0, 1024, 4096, 65536][random.below(4)] as number,
    groupBytesMax: [2000, 16384, 1 << 20][random.below(3)] as number,
    sizeLimitBytes: random.percent(30) ? 8192 : -1,
  };
}

function liveThroughCrashes(random: SeededRandom, options: StoreOptions): CrashingStore {
  const store = new CrashingStore(random, options);
  for (let life = 0; life < 6; life++) {
    store.start();
    for (let acts = random.below(120); acts > 0; acts--) store.act();
    if (random.percent(20)) store.settle();
    assert.equal(store.failed, null);
    store.crash();
  }
  store.start();
  return store;
}

test('whatever was reported durable survives a crash at any point, and nothing is invented', () => {
  forEachSeed((random) => {
    liveThroughCrashes(random, drawOptions(random, true));
  });
});

test('without forceSync a crash leaves a state that once was', () => {
  forEachSeed((random) => {
    liveThroughCrashes(random, drawOptions(random, false));
  });
});

test('a failed sync or write is final, and loses nothing that was acknowledged', () => {
  let failures = 0;
  forEachSeed((random) => {
    const store = new CrashingStore(random, drawOptions(random, true));
    store.start();
    const faultAt = random.below(200);
    const kind = random.percent(50) ? 'sync' : 'write';
    store.disk.fault = (order) => {
      const hit = order.number >= faultAt && order.kind === kind && order.path.includes('/log.');
      return hit ? 'EIO' : null;
    };
    for (let acts = 150; acts > 0; acts--) store.act();
    const { acknowledged } = store;
    if (store.failed !== null) {
      failures++;
      store.settle();
      assert.equal(store.acknowledged, acknowledged);
    }
    store.crash();
    store.start();
  });
  assert.ok(failures > 0);
});

test('a full disk refuses, says so, and keeps what was acknowledged', () => {
  let failures = 0;
  let snapshotFailures = 0;
  forEachSeed((random) => {
    const options = { ...drawOptions(random, true), preAllocBytes: 4096 };
    const store = new CrashingStore(random, {
      ...options,
      capacityBytes: 20_000 + random.below(100_000),
    });
    store.start();
    for (let acts = 200; acts > 0 && store.failed === null; acts--) store.act();
    if (store.failed !== null) {
      failures++;
      assert.equal(store.failed.code, 'ENOSPC');
    }
    snapshotFailures += store.snapshotFailures;
    store.crash();
    store.start();
  });
  assert.ok(failures > 0 && snapshotFailures > 0);
});
