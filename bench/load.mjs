// Load in a process of its own, from `meerkat bench` or another generator.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const meerkat = fileURLToPath(new URL('../packages/cli/bin/meerkat.js', import.meta.url));

/**
 * @typedef {object} Load
 * @property {string} address
 * @property {string} mix
 * @property {number} connections
 * @property {number} depth
 * @property {number} seconds
 * @property {number} warmUpSeconds
 * @property {number} [keys]
 */
/**
 * @typedef {object} Measured
 * @property {number} operationsPerSecond
 * @property {number} p50Us
 * @property {number} p99Us
 * @property {number} p999Us
 * @property {number} maxUs
 * @property {number} errors
 */

/**
 * @param {Load} load
 * @param {string} [generator] the path of a generator that takes zkload's arguments; default: our own
 * @returns {Promise<Measured>}
 */
export async function measure(load, generator) {
  return generator === undefined ? measureOurselves(load) : measureWith(generator, load);
}

/** @param {Load} load */
async function measureOurselves({
  address,
  mix,
  connections,
  depth,
  seconds,
  warmUpSeconds,
  keys = 1000,
}) {
  const text = await outputOf(process.execPath, [
    meerkat,
    'bench',
    '--json',
    '--server',
    address,
    '--mix',
    mix,
    '--connections',
    `${connections}`,
    '--depth',
    `${depth}`,
    '--duration',
    `${seconds}`,
    '--warm-up',
    `${warmUpSeconds}`,
    '--keys',
    `${keys}`,
    '--size',
    '100',
  ]);
  const result = /** @type {import('@meerkat/cli').LoadResult} */ (JSON.parse(text));
  const { percentiles, max } = result.latencyUs;
  return {
    operationsPerSecond: result.operationsPerSecond,
    p50Us: percentiles['50'] ?? 0,
    p99Us: percentiles['99'] ?? 0,
    p999Us: percentiles['99.9'] ?? 0,
    maxUs: max,
    errors: result.errorCount + result.requestsLost,
  };
}

/**
 * @param {string} generator
 * @param {Load} load
 */
async function measureWith(
  generator,
  { address, mix, connections, depth, seconds, warmUpSeconds, keys = 1000 },
) {
  const text = await outputOf(generator, [
    address,
    '-c',
    `${connections}`,
    '-d',
    `${depth}`,
    '-t',
    `${seconds}`,
    '-w',
    `${warmUpSeconds}`,
    '-m',
    mix,
    '-s',
    '100',
    '-k',
    `${keys}`,
  ]);
  const number = (/** @type {RegExp} */ pattern) => Number(pattern.exec(text)?.[1] ?? Number.NaN);
  return {
    operationsPerSecond: number(/(\d+) op\/s/),
    p50Us: number(/p50=(\d+)/),
    p99Us: number(/p99=(\d+)/),
    p999Us: number(/p99\.9=(\d+)/),
    maxUs: number(/max=(\d+)/),
    errors: number(/errs=(\d+)/),
  };
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>}
 */
function outputOf(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`Cannot measure: ${command} ended with ${code}\n${errors}`));
    });
  });
}
