// Many sessions: what each costs, and that what befalls them together does not disturb the others.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { createPathTemplate, LoadConnection, Recorder, SequenceSource } from '@meerkat/cli';
import { measure } from './load.mjs';
import { ServerProcess, withDirectory } from './servers.mjs';
import { milliseconds, printTable, verdict, whole } from './table.mjs';

/** @typedef {{ ready?: boolean, error?: string, result?: unknown }} HerdMessage */

const timeoutMs = 30_000;
const expiringTimeoutMs = 6_000;
const watchesEach = 100;

/** @param {import('./run.mjs').BenchSettings} settings */
export function sessions(settings) {
  return withDirectory(settings.data, async (directory) => {
    const rows = [
      ...(await idleAndWatching(join(directory, 'idle'), settings)),
      ...(await expiringTogether(join(directory, 'expiring'), settings)),
    ];
    printTable(`${whole(settings.sessions)} sessions`, ['', 'measured', 'target', ''], rows);
  });
}

/**
 * @param {string} dataDirectory
 * @param {import('./run.mjs').BenchSettings} settings
 */
async function idleAndWatching(dataDirectory, settings) {
  const { sessions: count } = settings;
  const server = await ServerProcess.start({ target: 'meerkat', dataDirectory });
  const herd = new Herd();
  try {
    const empty = server.residentBytes();
    await herd.ask('open', { port: server.port, count, timeoutMs, ephemerals: 0 });
    await delay(5_000);
    const connected = server.residentBytes();
    const share = await cpuShare(server, 20_000);
    await herd.ask('watch', { each: watchesEach });
    await delay(2_000);
    const watching = server.residentBytes();
    const deliveredMs = await deliveryMs(server, herd);
    const perSession = (connected - empty) / count;
    const perWatch = (watching - connected) / (count * watchesEach);
    const rows = [
      [
        'resident per session that pings',
        `${(perSession / 1024).toFixed(1)} KB`,
        '12 KB',
        verdict(perSession <= 12 * 1024),
      ],
      ['share of one core, all pinging', `${(share * 100).toFixed(1)} %`, 'small', ''],
      [
        `resident per watch, ${whole(count * watchesEach)} of them`,
        `${whole(perWatch)} bytes`,
        '120 bytes',
        verdict(perWatch <= 120),
      ],
      [
        'one change told to all of them',
        `${whole(deliveredMs)} ms`,
        '150 ms',
        verdict(deliveredMs <= 150),
      ],
    ];
    rows.push(...(await reconnectingTogether(server, herd, settings)));
    return rows;
  } finally {
    await herd.end();
    await server.stop();
  }
}

/**
 * @param {ServerProcess} server
 * @param {Herd} herd
 * @param {import('./run.mjs').BenchSettings} settings
 */
async function reconnectingTogether(server, herd, settings) {
  const load = othersLoad(server, settings);
  const before = await measure(load);
  const others = measure({ ...load, seconds: 10 });
  await delay(3_000);
  const { tookMs, expired } = /** @type {{ tookMs: number, expired: number }} */ (
    await herd.ask('reconnect')
  );
  const during = await others;
  const lost = expired > 0 ? `, ${expired} EXPIRED` : '';
  return [
    ['p99.9 of others, nothing happening', milliseconds(before.p999Us), '', ''],
    [
      `p99.9 of others while all reconnect, ${watchesEach} watches each`,
      milliseconds(during.p999Us),
      '50 ms',
      verdict(during.p999Us <= 50_000),
    ],
    ['the slowest of the others', milliseconds(during.maxUs), '', ''],
    ['all back, watches set again', `${whole(tookMs)} ms${lost}`, '', ''],
  ];
}

/**
 * @param {string} dataDirectory
 * @param {import('./run.mjs').BenchSettings} settings
 */
async function expiringTogether(dataDirectory, settings) {
  const server = await ServerProcess.start({ target: 'meerkat', dataDirectory });
  const herd = new Herd();
  try {
    const { sessions: count, ephemerals } = settings;
    await herd.ask('open', { port: server.port, count, timeoutMs: expiringTimeoutMs, ephemerals });
    const others = measure({ ...othersLoad(server, settings), seconds: 15 });
    await delay(3_000);
    // A process that is stopped keeps its connections and says nothing.
    herd.signal('SIGSTOP');
    const { p999Us, maxUs } = await others;
    const ephemeralsLeft = await server.monitored('zk_ephemerals_count');
    return [
      [
        `p99.9 of others while all expire, ${ephemerals} ephemeral znodes each`,
        milliseconds(p999Us),
        '50 ms',
        verdict(p999Us <= 50_000),
      ],
      ['the slowest of the others', milliseconds(maxUs), '', ''],
      [
        'ephemeral znodes left afterwards',
        whole(ephemeralsLeft),
        '0',
        verdict(ephemeralsLeft === 0),
      ],
    ];
  } finally {
    await herd.end();
    await server.stop();
  }
}

/**
 * The others: half reads, half writes, one at a time.
 * @param {ServerProcess} server
 * @param {import('./run.mjs').BenchSettings} settings
 */
function othersLoad(server, { connections, seconds }) {
  return {
    address: server.address,
    mix: 'mix50',
    depth: 1,
    connections,
    seconds,
    warmUpSeconds: 1,
  };
}

/**
 * @param {ServerProcess} server
 * @param {Herd} herd
 */
async function deliveryMs(server, herd) {
  await herd.ask('watchShared');
  const connection = new LoadConnection({ host: '127.0.0.1', port: server.port }, timeoutMs);
  await connection.dial();
  const heard = herd.ask('hearAll', { timeoutMs: 60_000 });
  await herd.ready();
  const startMs = performance.timeOrigin + performance.now();
  const source = new SequenceSource(createPathTemplate('/watched-by-all'), 1);
  await connection.run({ source, depth: 1, recorder: new Recorder(), redial: false });
  const endMs = /** @type {number} */ (await heard);
  await connection.close();
  return endMs - startMs;
}

/**
 * @param {ServerProcess} server
 * @param {number} periodMs
 */
async function cpuShare(server, periodMs) {
  const startMs = performance.now();
  const cpuMs = server.cpuMs();
  await delay(periodMs);
  return (server.cpuMs() - cpuMs) / (performance.now() - startMs);
}

/** The process that holds the sessions. */
class Herd {
  #child = fork(new URL('session-herd.mjs', import.meta.url));
  /** @type {(() => void) | undefined} */
  #onReady;

  constructor() {
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  /**
   * @param {string} task
   * @param {unknown} [argument]
   * @returns {Promise<unknown>}
   */
  ask(task, argument = {}) {
    return new Promise((resolve, reject) => {
      const onMessage = (/** @type {HerdMessage} */ message) => {
        if (message.ready === true) {
          this.#onReady?.();
          return;
        }
        this.#child.off('message', onMessage);
        if (message.error === undefined) resolve(message.result);
        else reject(new Error(`Cannot ${task}: ${message.error}`));
      };
      this.#child.on('message', onMessage);
      this.#child.once('exit', () =>
        reject(new Error(`Cannot ${task}: the sessions' process ended`)),
      );
      this.#child.send({ task, argument });
    });
  }

  /** Resolves when the task under way says that it is ready. @returns {Promise<void>} */
  ready() {
    return new Promise((resolve) => {
      this.#onReady = resolve;
    });
  }

  /** @param {NodeJS.Signals} signal */
  signal(signal) {
    this.#child.kill(signal);
  }

  async end() {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
