// A large tree: memory per znode, a full collection, restart, reads while snapshots are written.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createPathTemplate,
  createTemplate,
  LoadConnection,
  Recorder,
  SequenceSource,
  setTemplate,
} from '@meerkat/cli';
import { measure } from './load.mjs';
import { hasJava, ServerProcess, withDirectory } from './servers.mjs';
import { median, megabytes, milliseconds, printTable, verdict, whole } from './table.mjs';

const payload = new Uint8Array(100).fill(0x78);
const childrenPerParent = 1000;
const restarts = 3;
const gcOnSignal = new URL('gc-on-signal.mjs', import.meta.url).href;
const nodeArguments = ['--expose-gc', '--import', gcOnSignal];

/** @param {import('./run.mjs').BenchSettings} settings */
export function memory(settings) {
  return withDirectory(settings.data, async (directory) => {
    const dataDirectory = join(directory, 'data');
    const rows = await loadAndWeigh(dataDirectory, settings);
    rows.push(...(await restart(directory, dataDirectory)));
    rows.push(...(await readWhileSnapshotting(dataDirectory, settings)));
    printTable(
      `${whole(settings.znodes)} znodes of 100 bytes`,
      ['', 'measured', 'target', ''],
      rows,
    );
  });
}

/**
 * @param {string} dataDirectory
 * @param {import('./run.mjs').BenchSettings} settings
 */
async function loadAndWeigh(dataDirectory, { znodes }) {
  const server = await ServerProcess.start({ target: 'meerkat', dataDirectory, nodeArguments });
  try {
    const empty = (await collect(server)).residentBytes;
    console.error(`empty server: ${megabytes(empty)} resident`);
    await createZnodes(server, znodes);
    // A snapshot begun by the last creates is part of the load, not of what the tree weighs.
    await delay(5_000);
    const asItIs = server.residentBytes();
    const { residentBytes, gcMs } = await collect(server);
    const perZnode = (residentBytes - empty) / znodes;
    console.error(
      `loaded: ${megabytes(asItIs)} resident, ${megabytes(residentBytes)} after a collection`,
    );
    return [
      ['resident, as loaded', megabytes(asItIs), '400 MB', verdict(asItIs <= 400e6)],
      [
        'resident, after a collection',
        megabytes(residentBytes),
        '400 MB',
        verdict(residentBytes <= 400e6),
      ],
      [
        'growth per znode, as loaded',
        `${whole((asItIs - empty) / znodes)} bytes`,
        '280 bytes',
        verdict((asItIs - empty) / znodes <= 280),
      ],
      [
        'growth per znode, after a collection',
        `${whole(perZnode)} bytes`,
        '280 bytes',
        verdict(perZnode <= 280),
      ],
      ['a full collection', `${gcMs.toFixed(0)} ms`, '100 ms', verdict(gcMs <= 100)],
    ];
  } finally {
    await server.stop();
  }
}

/**
 * Both servers start from copies of the same directory, in turn.
 * @param {string} directory
 * @param {string} dataDirectory
 */
async function restart(directory, dataDirectory) {
  /** @type {import('./servers.mjs').Target[]} */
  const targets = hasJava() ? ['meerkat', 'java'] : ['meerkat'];
  /** @type {Record<string, number[]>} */
  const timesMs = { java: [], meerkat: [] };
  for (let i = 0; i < restarts; i++) {
    for (const target of targets) {
      const copy = join(directory, `${target}-${i}`);
      cpSync(dataDirectory, copy, { recursive: true });
      const server = await ServerProcess.start({ target, dataDirectory: copy, heap: '4g' });
      timesMs[target]?.push(server.startMs);
      console.error(`restart of ${target}: ${whole(server.startMs)} ms`);
      await server.stop();
    }
  }
  const ours = median(timesMs.meerkat ?? []);
  const java = median(timesMs.java ?? []);
  return [
    [
      'restart to the first answer, Java',
      Number.isFinite(java) ? `${whole(java)} ms` : '-',
      '',
      '',
    ],
    [
      'restart to the first answer, Meerkat',
      `${whole(ours)} ms`,
      'half of it',
      Number.isFinite(java) ? verdict(ours <= java / 2) : '-',
    ],
  ];
}

/**
 * A small snapCount makes one snapshot follow the other while few writes come in.
 * @param {string} dataDirectory
 * @param {import('./run.mjs').BenchSettings} settings
 */
async function readWhileSnapshotting(dataDirectory, { connections, seconds }) {
  const server = await ServerProcess.start({
    target: 'meerkat',
    dataDirectory,
    config: { snapCount: 2000 },
  });
  try {
    const quiet = {
      address: server.address,
      mix: 'get',
      depth: 1,
      connections,
      seconds,
      warmUpSeconds: 2,
    };
    const before = await measure(quiet);
    const writer = await startWriter(server);
    const snapshotsBefore = snapshotsIn(dataDirectory).size;
    const during = await measure({ ...quiet, seconds: Math.max(seconds, 15) });
    await writer.stop();
    const written = snapshotsIn(dataDirectory).size - snapshotsBefore;
    return [
      ['p99.9 of reads, no snapshot', milliseconds(before.p999Us), '', ''],
      [
        `p99.9 of reads, ${written} snapshots written meanwhile`,
        milliseconds(during.p999Us),
        '20 ms',
        written === 0 ? 'no snapshot' : verdict(during.p999Us <= 20_000),
      ],
      ['the slowest of these reads', milliseconds(during.maxUs), '', ''],
    ];
  } finally {
    await server.stop();
  }
}

/**
 * Writes, one at a time, a few hundred a second: enough to make snapshots due.
 * @param {ServerProcess} server
 */
async function startWriter(server) {
  const connection = new LoadConnection({ host: '127.0.0.1', port: server.port }, 30_000);
  await connection.dial();
  const template = setTemplate('/bench/d0000000000/k', payload);
  let isStopped = false;
  const work = (async () => {
    while (!isStopped) {
      const source = new SequenceSource(template, 20);
      await connection.run({ source, depth: 1, recorder: new Recorder(), redial: false });
      await delay(40);
    }
  })();
  return {
    async stop() {
      isStopped = true;
      await work;
      await connection.close();
    },
  };
}

/**
 * @param {ServerProcess} server
 * @param {number} count
 */
async function createZnodes(server, count) {
  const connection = new LoadConnection({ host: '127.0.0.1', port: server.port }, 30_000);
  await connection.dial();
  const create = async (/** @type {SequenceSource} */ source, depth = 500) => {
    const recorder = new Recorder();
    await connection.run({ source, depth, recorder, redial: false });
    if (recorder.errorCount > 0)
      throw new Error(`Cannot create: ${JSON.stringify(recorder.errorsByName())}`);
  };
  await create(new SequenceSource(createPathTemplate('/bench'), 1));
  const parents = Math.ceil(count / (childrenPerParent + 1));
  for (let parent = 0; parent < parents; parent++) {
    const path = `/bench/d${String(parent).padStart(10, '0')}`;
    await create(new SequenceSource(createPathTemplate(path), 1), 1);
    await create(new SequenceSource(createTemplate(`${path}/k`, payload), childrenPerParent));
    if (parent % 100 === 99)
      console.error(`  ${whole((parent + 1) * (childrenPerParent + 1))} znodes`);
  }
  await connection.close();
}

/**
 * Has the server collect its garbage.
 * @param {ServerProcess} server
 */
async function collect(server) {
  const before = server.output.split('collected ').length;
  server.signal('SIGUSR2');
  while (server.output.split('collected ').length === before) await delay(20);
  await delay(200);
  const text = server.output.split('collected ').at(-1)?.split('\n')[0] ?? '{}';
  const { gcMs } = /** @type {{ gcMs: number }} */ (JSON.parse(text));
  return { gcMs, residentBytes: server.residentBytes() };
}

/** @param {string} dataDirectory */
function snapshotsIn(dataDirectory) {
  const names = readdirSync(join(dataDirectory, 'version-2'));
  return new Set(names.filter((name) => name.startsWith('snapshot.')));
}
