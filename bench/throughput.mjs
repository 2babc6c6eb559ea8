// Operations per second beside the Java server's.
import { join } from 'node:path';
import { measure } from './load.mjs';
import { hasJava, ServerProcess, withDirectory } from './servers.mjs';
import { median, milliseconds, printTable, verdict, whole } from './table.mjs';

/** The workloads and the ratio to Java that each must reach. */
const workloads = [
  { name: 'getData, one at a time', mix: 'get', depth: 1, ratio: 1.8 },
  { name: 'getData, 50 pipelined', mix: 'get', depth: 50, ratio: 12 },
  { name: 'getData, 100 pipelined', mix: 'get', depth: 100, ratio: 12 },
  { name: 'setData, one at a time', mix: 'set', depth: 1, ratio: 1.4 },
  { name: 'setData, 50 pipelined', mix: 'set', depth: 50, ratio: 8 },
  { name: 'setData, 100 pipelined', mix: 'set', depth: 100, ratio: 8 },
  { name: 'create, 20 pipelined', mix: 'create', depth: 20, ratio: 4 },
];

/**
 * @param {import('./run.mjs').BenchSettings} settings
 */
export async function throughput(settings) {
  const targets = /** @type {const} */ (['java', 'meerkat']).filter(
    (target) => settings.only === undefined || settings.only === target,
  );
  if (targets.includes('java') && !hasJava()) {
    throw new Error(
      'Cannot compare: no Java server here. Install it, or measure with --only meerkat',
    );
  }
  /** @type {Map<string, import('./load.mjs').Measured[]>} */
  const measured = new Map();
  for (let round = 0; round < settings.rounds; round++) {
    // Who goes first changes, so that neither always finds the machine as the other left it.
    const order = round % 2 === 0 ? targets : [...targets].reverse();
    for (const target of order) {
      console.error(`round ${round + 1} of ${settings.rounds}: ${target}`);
      for (const [name, result] of await measureAll(target, settings)) {
        const key = `${target} ${name}`;
        measured.set(key, [...(measured.get(key) ?? []), result]);
      }
    }
  }
  report(measured, settings);
}

/**
 * @param {import('./servers.mjs').Target} target
 * @param {import('./run.mjs').BenchSettings} settings
 * @returns {Promise<Map<string, import('./load.mjs').Measured>>}
 */
function measureAll(target, settings) {
  return withDirectory(settings.data, async (directory) => {
    const server = await ServerProcess.start({ target, dataDirectory: join(directory, 'data') });
    const { connections, seconds, warmUpSeconds, generator } = settings;
    const load = { address: server.address, connections, seconds, warmUpSeconds };
    /** @type {Map<string, import('./load.mjs').Measured>} */
    const results = new Map();
    try {
      // Both compile what they run often: neither is measured cold.
      await measure({ ...load, mix: 'mix50', depth: 20, seconds: warmUpSeconds, warmUpSeconds: 0 });
      for (const { name, mix, depth } of workloads) {
        const result = await measure({ ...load, mix, depth }, generator);
        const { operationsPerSecond, p999Us, errors } = result;
        const wrong = errors > 0 ? `, ${errors} ERRORS` : '';
        console.error(
          `  ${name}: ${whole(operationsPerSecond)}/s, p99.9 ${milliseconds(p999Us)}${wrong}`,
        );
        results.set(name, result);
      }
    } finally {
      await server.stop();
    }
    return results;
  });
}

/**
 * @param {Map<string, import('./load.mjs').Measured[]>} measured
 * @param {import('./run.mjs').BenchSettings} settings
 */
function report(measured, { connections, rounds, seconds, generator }) {
  const medianOf = (
    /** @type {string} */ key,
    /** @type {(result: import('./load.mjs').Measured) => number} */ of,
  ) => median((measured.get(key) ?? []).map(of));
  const rows = workloads.map(({ name, ratio }) => {
    const java = medianOf(`java ${name}`, (result) => result.operationsPerSecond);
    const ours = medianOf(`meerkat ${name}`, (result) => result.operationsPerSecond);
    return [
      name,
      whole(java),
      whole(ours),
      Number.isFinite(ours / java) ? `${(ours / java).toFixed(1)} x` : '-',
      `${ratio} x`,
      Number.isFinite(ours / java) ? verdict(ours / java >= ratio) : '-',
      milliseconds(medianOf(`java ${name}`, (result) => result.p999Us)),
      milliseconds(medianOf(`meerkat ${name}`, (result) => result.p999Us)),
    ];
  });
  printTable(
    `Operations per second: ${connections} connections, 100-byte values, forceSync on, median of ` +
      `${rounds} rounds of ${seconds} s, load from ${generator ?? 'meerkat bench'}`,
    ['workload', 'Java', 'Meerkat', 'ratio', 'target', '', 'p99.9 Java', 'p99.9 Meerkat'],
    rows,
  );
}
