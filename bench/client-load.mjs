// One client with one connection reading one znode, in a process of its own:
// `node client-load.mjs <library> <host:port> <path> <depth> <seconds>`. Depth 0 is one read after the other; else so
// many are kept under way. Prints reads and microseconds as JSON; for `recipes`, what locks and a tree cache take.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const [library = '', address = '', path = '', depthText = '0', secondsText = '1'] =
  process.argv.slice(2);
const depth = Number(depthText);
const seconds = Number(secondsText);

/**
 * @typedef {object} Reader
 * @property {(done: () => void) => void} read reads once, then calls `done`
 * @property {() => Promise<void> | void} close
 */

/**
 * @typedef {object} NodeZookeeperClient what is used of npm's `node-zookeeper-client`
 * @property {(address: string, options: object) => {
 *   once: (event: string, listener: () => void) => void,
 *   connect: () => void,
 *   close: () => void,
 *   getData: (path: string, done: (error: Error | null) => void) => void,
 * }} createClient
 */
/**
 * @typedef {new (options: object) => {
 *   config: object,
 *   connect: (config: object, done: () => void) => void,
 *   close: () => void,
 *   a_get: (path: string, watch: boolean, done: () => void) => void,
 * }} AddonClass what is used of npm's `zookeeper`
 */

/** @type {Record<string, () => Promise<Reader>>} */
const libraries = { meerkat, 'node-zookeeper-client': nodeZookeeperClient, zookeeper };

/** @returns {Promise<Reader>} */
async function meerkat() {
  const { connect } = await import('../packages/client/dist/index.js');
  const zk = await connect(address, { sessionTimeoutMs: 30_000 });
  return {
    read: (done) => {
      void (async () => {
        await zk.getData(path);
        done();
      })();
    },
    close: () => zk.close(),
  };
}

/** @returns {Promise<Reader>} */
async function nodeZookeeperClient() {
  const library = /** @type {NodeZookeeperClient} */ (
    createRequire(import.meta.url)('node-zookeeper-client')
  );
  const client = library.createClient(address, { sessionTimeout: 30_000 });
  await new Promise((resolve) => {
    client.once('connected', () => resolve(undefined));
    client.connect();
  });
  return {
    read: (done) => {
      client.getData(path, (error) => {
        if (error) throw error;
        done();
      });
    },
    close: () => client.close(),
  };
}

/**
 * npm's `zookeeper`, an addon around the C client, which has to be compiled: ZOOKEEPER_MODULES names a folder that
 * has it in its node_modules.
 * @returns {Promise<Reader>}
 */
async function zookeeper() {
  const folder = process.env.ZOOKEEPER_MODULES ?? '';
  const ZooKeeper = /** @type {AddonClass} */ (createRequire(`${folder}/index.js`)('zookeeper'));
  const client = new ZooKeeper({ connect: address, timeout: 30_000, debug_level: 1 });
  await new Promise((resolve) => client.connect(client.config, () => resolve(undefined)));
  return {
    read: (done) => {
      client.a_get(path, false, () => done());
    },
    close: () => client.close(),
  };
}

/**
 * @param {Reader} reader
 * @param {number} forSeconds
 */
async function run(reader, forSeconds) {
  const begin = performance.now();
  const until = begin + forSeconds * 1000;
  let reads = 0;
  let underWay = Math.max(1, depth);
  await new Promise((resolve) => {
    const next = () => {
      reads++;
      if (performance.now() < until) return reader.read(next);
      underWay--;
      if (underWay === 0) resolve(undefined);
    };
    for (let i = 0; i < Math.max(1, depth); i++) reader.read(next);
  });
  return { reads, microseconds: (performance.now() - begin) * 1000 };
}

/** 100,000 uncontended locks, and a cache of 100,000 znodes. */
async function recipes() {
  const { connect } = await import('../packages/client/dist/index.js');
  const { Mutex, TreeCache } = await import('../packages/client/dist/recipes/index.js');
  const zk = await connect(address, { sessionTimeoutMs: 30_000 });
  const rounds = Number(depthText);
  const mutex = new Mutex(zk, '/bench-lock');
  /** @type {number[]} */
  const heaps = [];
  const begin = performance.now();
  for (let round = 1; round <= rounds; round++) {
    const lock = await mutex.acquire();
    await lock.release();
    if (round % (rounds / 10) === 0) {
      globalThis.gc?.();
      heaps.push(process.memoryUsage().heapUsed);
    }
  }
  const lockSeconds = (performance.now() - begin) / 1000;
  await zk.create('/bench-tree', '');
  const nodes = 100_000;
  for (let from = 0; from < nodes; from += 1000) {
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        zk.create(`/bench-tree/n${from + i}`, 'x'.repeat(100)),
      ),
    );
  }
  const fillBegin = performance.now();
  const cache = await TreeCache.start(zk, '/bench-tree');
  const cacheSeconds = (performance.now() - fillBegin) / 1000;
  const cached = cache.size;
  await cache.close();
  await zk.close();
  return { rounds, lockSeconds, heaps, nodes: cached, cacheSeconds };
}

if (library === 'recipes') {
  console.log(JSON.stringify(await recipes()));
} else {
  const open = libraries[library];
  if (open === undefined) throw new Error(`Cannot measure "${library}": no such library`);
  const reader = await open();
  await run(reader, seconds / 4);
  console.log(JSON.stringify(await run(reader, seconds)));
  await reader.close();
}
process.exit(0);
