// Three members beside three Java members: operations per second, and how long a lost leader is missed.

import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { ConnectionLossError, connect } from '@meerkat/client';
import { EnsembleProcesses } from './ensembles.mjs';
import { measure } from './load.mjs';
import { hasJava, withDirectory } from './servers.mjs';
import { median, milliseconds, printTable, verdict, whole } from './table.mjs';
import { wipedMember } from './wiped-member.mjs';

/** The workloads and the ratio to Java that each must reach. */
const workloads = [
  { name: 'setData, one at a time', mix: 'set', depth: 1, ratio: 1.8 },
  { name: 'setData, 50 pipelined', mix: 'set', depth: 50, ratio: 5 },
  { name: 'getData, one at a time', mix: 'get', depth: 1, ratio: 1.8 },
  { name: 'getData, 50 pipelined', mix: 'get', depth: 50, ratio: 8 },
  { name: '70 % reads, 20 pipelined', mix: 'mix70', depth: 20, ratio: 5 },
];
/** Of Java's time in the same run, and in ms. */
const failoverRatio = 0.7;
const failoverMs = 300;

/**
 * @typedef {object} EnsembleResult
 * @property {Map<string, import('./load.mjs').Measured>} loads
 * @property {number[]} failoversMs
 */

/** @param {import('./run.mjs').BenchSettings} settings */
export async function ensemble(settings) {
  const targets = /** @type {const} */ (['java', 'meerkat']).filter(
    (target) => settings.only === undefined || settings.only === target,
  );
  if (targets.includes('java') && !hasJava()) {
    throw new Error(
      'Cannot compare: no Java server here. Install it, or measure with --only meerkat',
    );
  }
  /** @type {Map<string, EnsembleResult>} */
  const results = new Map();
  for (const target of targets) results.set(target, await measureAll(target, settings));
  report(results, settings);
  if (targets.includes('meerkat')) await wipedMember(settings);
}

/**
 * @param {import('./servers.mjs').Target} target
 * @param {import('./run.mjs').BenchSettings} settings
 * @returns {Promise<EnsembleResult>}
 */
function measureAll(target, settings) {
  return withDirectory(settings.data, async (directory) => {
    const members = await EnsembleProcesses.start(target, directory);
    const { connections, seconds, warmUpSeconds } = settings;
    const load = { address: members.address, connections, seconds, warmUpSeconds };
    /** @type {EnsembleResult} */
    const result = { loads: new Map(), failoversMs: [] };
    try {
      await measure({ ...load, mix: 'mix50', depth: 20, seconds: warmUpSeconds, warmUpSeconds: 0 });
      for (const { name, mix, depth } of workloads) {
        const measured = await measure({ ...load, mix, depth });
        const { operationsPerSecond, p999Us, errors } = measured;
        const wrong = errors > 0 ? `, ${errors} ERRORS` : '';
        console.error(
          `  ${target}, ${name}: ${whole(operationsPerSecond)}/s, p99.9 ${milliseconds(p999Us)}${wrong}`,
        );
        result.loads.set(name, measured);
      }
      for (let times = 0; times < settings.failovers; times++) {
        result.failoversMs.push(await failover(members));
      }
      const each = result.failoversMs.map((ms) => Math.round(ms)).join(', ');
      console.error(`  ${target}, failovers: ${each} ms`);
    } finally {
      await members.stop();
    }
    return result;
  });
}

/**
 * From the SIGKILL of the leader to the acknowledgement of a write through one of the others, ms. The client tries
 * without a pause, so that it is the ensemble that is measured.
 * @param {EnsembleProcesses} members
 */
async function failover(members) {
  const leader = await members.leader();
  const zk = await connect(members.addressWithout(leader), {
    sessionTimeoutMs: 30_000,
    retryDelayMs: 5,
    reconnectJitterMs: 1,
  });
  const path = '/meerkat-failover';
  await zk.create(path).catch(() => {});
  await zk.setData(path, 'before');
  const startMs = performance.now();
  members.killMember(leader);
  // A write that the killed leader had still acknowledged would show nothing: the next one is behind its end.
  for (let isDone = false; !isDone; ) {
    isDone = await written(zk, path);
    if (!isDone) await delay(1);
  }
  const ms = performance.now() - startMs;
  await zk.close();
  members.startMember(leader);
  await members.untilServing();
  return ms;
}

/**
 * @param {import('@meerkat/client').ZooKeeper} zk
 * @param {string} path
 */
async function written(zk, path) {
  try {
    await zk.setData(path, 'after', { timeoutMs: 30_000 });
    return true;
  } catch (error) {
    if (error instanceof ConnectionLossError) return false;
    throw error;
  }
}

/**
 * @param {Map<string, EnsembleResult>} results
 * @param {import('./run.mjs').BenchSettings} settings
 */
function report(results, { connections, seconds, failovers }) {
  const java = results.get('java');
  const ours = results.get('meerkat');
  const rows = workloads.map(({ name, ratio }) => {
    const theirs = java?.loads.get(name)?.operationsPerSecond ?? Number.NaN;
    const mine = ours?.loads.get(name)?.operationsPerSecond ?? Number.NaN;
    const isKnown = Number.isFinite(mine / theirs);
    return [
      name,
      whole(theirs),
      whole(mine),
      isKnown ? `${(mine / theirs).toFixed(1)} x` : '-',
      `${ratio} x`,
      isKnown ? verdict(mine / theirs >= ratio) : '-',
      milliseconds(java?.loads.get(name)?.p999Us ?? Number.NaN),
      milliseconds(ours?.loads.get(name)?.p999Us ?? Number.NaN),
    ];
  });
  printTable(
    `Ensembles of three, operations per second: ${connections} connections over the members, 100-byte values, ` +
      `forceSync on, ${seconds} s each`,
    ['workload', 'Java', 'Meerkat', 'ratio', 'target', '', 'p99.9 Java', 'p99.9 Meerkat'],
    rows,
  );
  const theirs = median(java?.failoversMs ?? []);
  const mine = median(ours?.failoversMs ?? []);
  const isKnown = Number.isFinite(mine / theirs);
  printTable(
    `From kill -9 of the leader to the next write through a survivor: median of ${failovers}, tickTime 2000`,
    ['', 'Java', 'Meerkat', 'ratio', 'target', ''],
    [
      [
        'failover',
        milliseconds(theirs * 1000),
        milliseconds(mine * 1000),
        isKnown ? `${(mine / theirs).toFixed(2)} x` : '-',
        `${failoverRatio} x, ${failoverMs} ms`,
        isKnown ? verdict(mine <= failoverRatio * theirs && mine <= failoverMs) : '-',
      ],
    ],
  );
}
