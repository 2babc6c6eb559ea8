// Memory and time of a million watches: node --expose-gc bench/watches.mjs, after `npm run build`.
// Each shape is measured in a process of its own: resident bytes per watch, time to set, fire and close.
import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const shapes = ['10,000 watchers x 100 shared paths', '10,000 watchers x 100 own paths'];
const shape = process.argv[2];

if (shape === undefined) {
  for (const name of shapes) {
    const file = fileURLToPath(import.meta.url);
    spawnSync(process.execPath, ['--expose-gc', file, name], { stdio: 'inherit' });
  }
} else {
  await measure(shape);
}

/** @param {string} name one of the shapes */
async function measure(name) {
  const { asZxid } = await import('../packages/protocol/dist/index.js');
  const { WatchTable } = await import('../packages/engine/dist/watches/watch-table.js');
  const ownPaths = name === shapes[1];
  const encoder = new TextEncoder();
  const scratch = new Uint8Array(256);
  const table = new WatchTable();
  const path = (/** @type {number} */ watcher, /** @type {number} */ i) => {
    const text = ownPaths ? `/services/host-${watcher}/entry-${i}` : `/services/shared/entry-${i}`;
    return encoder.encodeInto(text, scratch).written;
  };
  let told = 0;
  const sink = { deliver: () => told++ };

  // Warm up, so that compiled code is not counted as memory of watches.
  for (let i = 0; i < 20_000; i++) table.addData(i % 100, scratch, 0, path(i % 100, i));
  for (let i = 0; i < 100; i++) table.removeWatcher(i);
  const before = residentBytes();

  let slowestMs = 0;
  const startMs = performance.now();
  for (let watcher = 0; watcher < 10_000; watcher++) {
    const watcherStartMs = performance.now();
    for (let i = 0; i < 100; i++) table.addData(watcher, scratch, 0, path(watcher, i));
    slowestMs = Math.max(slowestMs, performance.now() - watcherStartMs);
  }
  const setMs = performance.now() - startMs;
  const bytesEach = (residentBytes() - before) / table.watchCount;
  console.log(`${name}: ${bytesEach.toFixed(1)} bytes per watch`);
  console.log(`  set ${setMs.toFixed(0)} ms, slowest 100 watches ${slowestMs.toFixed(1)} ms`);

  const unwatched = encoder.encode('/services/nobody/watches-this-one');
  const rounds = 2_000_000;
  const quietMs = timed(() => {
    for (let i = 0; i < rounds; i++) {
      table.nodeDataChanged(unwatched, 0, unwatched.length, asZxid(i), sink);
    }
  });
  console.log(`  a change that nobody watches ${((quietMs / rounds) * 1e6).toFixed(0)} ns`);

  const end = path(0, 0);
  const fireMs = timed(() => table.nodeDataChanged(scratch, 0, end, asZxid(1), sink));
  console.log(`  one change told to ${told} watchers ${fireMs.toFixed(2)} ms`);

  let slowestCloseMs = 0;
  const closeMs = timed(() => {
    for (let watcher = 0; watcher < 10_000; watcher++) {
      slowestCloseMs = Math.max(
        slowestCloseMs,
        timed(() => table.removeWatcher(watcher)),
      );
    }
  });
  console.log(
    `  all watchers close ${closeMs.toFixed(0)} ms, slowest ${slowestCloseMs.toFixed(2)} ms`,
  );
  console.log(`  left ${table.watchCount} watches`);
}

/** @param {() => void} work */
function timed(work) {
  const startMs = performance.now();
  work();
  return performance.now() - startMs;
}

function residentBytes() {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage.rss();
}
