// The client library beside the C client and npm's: one client, one connection, one znode of 100 bytes.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServerProcess, withDirectory } from './servers.mjs';
import { fixed, median, printTable, ratio, verdict, whole } from './table.mjs';

const loadProgram = fileURLToPath(new URL('./client-load.mjs', import.meta.url));
const cSource = fileURLToPath(new URL('./programs/c_client_load.c', import.meta.url));
const pipelined = 200;
const lockRounds = 100_000;
const treeSecondsMax = 3;
/** How much the heap may differ between the middle and the end of the rounds. */
const heapGrowthMax = 1.1;

/** @param {import('./run.mjs').BenchSettings} settings */
export async function client(settings) {
  await withDirectory(settings.data, async (directory) => {
    const cProgram = join(directory, 'c_client_load');
    const hasC = compile(cProgram);
    const libraries = ['meerkat', 'node-zookeeper-client', ...(hasC ? ['c'] : []), ...addon()];
    for (const target of /** @type {const} */ (['java', 'meerkat'])) {
      const server = await ServerProcess.start({ target, dataDirectory: join(directory, target) });
      try {
        await prepare(server.address);
        // A JVM takes its time until it is as fast as it gets; the server is the same for all.
        const warmUp = ['meerkat', server.address, '/bench', String(pipelined)];
        run(process.execPath, [loadProgram, ...warmUp, String(settings.warmUpSeconds * 2)]);
        const read = (/** @type {string} */ library, /** @type {number} */ depth) =>
          library === 'c'
            ? run(cProgram, [server.address, '/bench', String(depth), String(settings.seconds)])
            : run(process.execPath, [
                loadProgram,
                library,
                server.address,
                '/bench',
                String(depth),
                String(settings.seconds),
              ]);
        /** @type {Map<string, number[]>} */
        const results = new Map();
        for (let round = 0; round < settings.rounds; round++) {
          for (const depth of [0, pipelined]) {
            for (const library of libraries) {
              const { reads, microseconds } = read(library, depth);
              const key = `${library} ${depth}`;
              results.set(key, [...(results.get(key) ?? []), (reads / microseconds) * 1e6]);
            }
          }
        }
        printReads(target, libraries, results);
      } finally {
        await server.stop();
      }
    }
    await recipes(join(directory, 'recipes'));
  });
}

/**
 * @param {string} target
 * @param {string[]} libraries
 * @param {Map<string, number[]>} results
 */
function printReads(target, libraries, results) {
  const of = (/** @type {string} */ library, /** @type {number} */ depth) =>
    median(results.get(`${library} ${depth}`) ?? []);
  const rows = libraries.map((library) => [
    library,
    `${fixed(1e6 / of(library, 0), 1)} us`,
    ratio(of('meerkat', 0), of(library, 0)),
    `${whole(of(library, pipelined))}/s`,
    ratio(of('meerkat', pipelined), of(library, pipelined)),
  ]);
  const title = `One client of a ${target} server, getData of 100 bytes, medians`;
  const head = [
    'library',
    'one at a time',
    'to meerkat',
    `${pipelined} pipelined`,
    'meerkat to it',
  ];
  printTable(title, head, rows);
  const npm = of('meerkat', pipelined) / of('node-zookeeper-client', pipelined);
  console.log(`\npipelined, at least 3 x node-zookeeper-client: ${verdict(npm >= 3)}`);
  if (!libraries.includes('c')) return;
  const c = of('meerkat', pipelined) / of('c', pipelined);
  console.log(`pipelined, at least level with the C client: ${verdict(c >= 1)}`);
  const latency = of('c', 0) / of('meerkat', 0);
  console.log(`one at a time, within 1.2 x of the C client's latency: ${verdict(latency <= 1.2)}`);
}

/** @param {string} dataDirectory */
async function recipes(dataDirectory) {
  const server = await ServerProcess.start({ target: 'meerkat', dataDirectory });
  try {
    const result = run(process.execPath, [
      '--expose-gc',
      loadProgram,
      'recipes',
      server.address,
      '/',
      String(lockRounds),
    ]);
    const { lockSeconds, heaps, cacheSeconds, nodes } = result;
    const growth = (heaps.at(-1) ?? 0) / (heaps[Math.floor(heaps.length / 2)] ?? 1);
    printTable(
      'Recipes of one client of a meerkat server',
      ['', 'measured', 'target', ''],
      [
        [
          `heap after ${whole(lockRounds)} locks, to half of them`,
          `${fixed(growth, 2)} x in ${fixed(lockSeconds, 0)} s`,
          'no growth',
          verdict(growth <= heapGrowthMax),
        ],
        [
          `a tree cache of ${whole(nodes)} znodes is filled in`,
          `${fixed(cacheSeconds, 2)} s`,
          `${treeSecondsMax} s`,
          verdict(cacheSeconds < treeSecondsMax),
        ],
      ],
    );
  } finally {
    await server.stop();
  }
}

/** @param {string} address */
async function prepare(address) {
  const { connect } = await import('../packages/client/dist/index.js');
  const zk = await connect(address, { sessionTimeoutMs: 30_000 });
  await zk.create('/bench', 'x'.repeat(100));
  await zk.close();
}

/**
 * @typedef {object} LoadResult
 * @property {number} reads
 * @property {number} microseconds
 * @property {number} lockSeconds of the recipes, as all below
 * @property {number[]} heaps
 * @property {number} nodes
 * @property {number} cacheSeconds
 */

/**
 * @param {string} program
 * @param {string[]} programArguments
 */
function run(program, programArguments) {
  const output = execFileSync(program, programArguments, { encoding: 'utf8' });
  return /** @type {LoadResult} */ (JSON.parse(output));
}

/**
 * Whether the C client could be built: it needs gcc and libzookeeper-mt-dev.
 * @param {string} program
 */
function compile(program) {
  try {
    const libraries = ['-pthread', '-DTHREADED', '-lzookeeper_mt'];
    execFileSync('gcc', ['-O2', '-o', program, cSource, ...libraries], { stdio: 'ignore' });
    return true;
  } catch {
    console.log('the C client is left out: gcc or libzookeeper-mt-dev is missing');
    return false;
  }
}

/** npm's `zookeeper`, if ZOOKEEPER_MODULES names a folder that has it. */
function addon() {
  const folder = process.env.ZOOKEEPER_MODULES ?? '';
  if (existsSync(join(folder, 'node_modules/zookeeper'))) return ['zookeeper'];
  console.log("npm's zookeeper is left out: ZOOKEEPER_MODULES names no folder that has it");
  return [];
}
