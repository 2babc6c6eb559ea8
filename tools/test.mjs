// `npm test`: installs, builds, checks, then runs the compiled tests.
// `npm test -- <part of a path> ...` builds and runs only the test files whose path, as source or compiled, contains
// one of the parts.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { check } from './check.mjs';
import { bundleServer, installWhenNeeded, root, runTool } from './set-up.mjs';

/** @typedef {{ files: string[], concurrency: number, timeoutMs: number }} TestGroup */
/** @typedef {{ type: string, data: { nesting: number, message: string, name: string, skip?: string | boolean } }} TestEvent */

/** Series of seeds, each of which uses all cores by itself. */
const series = [
  'ensemble/ensemble-simulation.test.js',
  'mutants/mutants.test.js',
  'recipes/recipe-simulation.test.js',
];

const parts = process.argv.slice(2);

installWhenNeeded();
if (parts.length > 0) {
  if (runTool('tsc', ['-b']) !== 0) process.exitCode = 1;
  await runTests(parts);
} else if (check()) {
  bundleServer();
  await runTests([]);
} else {
  process.exitCode = 1;
}

/**
 * Runs the packages' tests side by side, then the series of seeds, then those under tests/, which start
 * servers and load the machine; the latter two one at a time. Node's reporter prints both as one run with one summary.
 * @param {readonly string[]} wanted parts of paths; none means all
 */
async function runTests(wanted) {
  const packages = readdirSync(join(root, 'packages'));
  const unit = packages.flatMap((name) => {
    const folder = join(root, 'packages', name);
    return compiledTests(join(folder, 'src'), join(folder, 'dist'));
  });
  const whole = compiledTests(join(root, 'tests'), join(root, 'tests', 'dist'));
  /** @param {string} file */
  const isWanted = (file) => {
    const compiled = relative(root, file).split(sep).join('/');
    const inSource = compiled.replace(/^tests\/dist/, 'tests').replace('/dist/', '/src/');
    const source = inSource.replace(/\.js$/, '.ts');
    return wanted.length === 0 || wanted.some((part) => `${source} ${compiled}`.includes(part));
  };
  /** @param {string} file */
  const isSeries = (file) => series.some((name) => file.endsWith(join(...name.split('/'))));
  const groups = [
    {
      files: unit.filter((file) => isWanted(file) && !isSeries(file)),
      concurrency: 2,
      timeoutMs: 5 * 60_000,
    },
    { files: unit.filter(isWanted).filter(isSeries), concurrency: 1, timeoutMs: 40 * 60_000 },
    { files: whole.filter(isWanted), concurrency: 1, timeoutMs: 20 * 60_000 },
  ].filter(({ files }) => files.length > 0);
  if (groups.length === 0) {
    console.error(`Cannot run tests: no test file has ${wanted.join(' or ')} in its path`);
    process.exitCode = 1;
    return;
  }
  console.log('\n== Tests (node:test)');
  await pipeline(Readable.from(eventsOf(groups)), new spec(), process.stdout, { end: false });
}

/**
 * The events of several runs as if they were one: each run's own totals are held back and added up,
 * and the names of the skipped tests stand before them.
 * @param {readonly TestGroup[]} groups
 */
async function* eventsOf(groups) {
  /** @type {Map<string, number>} */
  const totals = new Map();
  /** @type {string[]} */
  const skipped = [];
  for (const { files, concurrency, timeoutMs } of groups) {
    /** @type {AsyncIterable<TestEvent>} */
    const events = run({ files, concurrency, timeout: timeoutMs });
    for await (const event of events) {
      if (event.type === 'test:fail') process.exitCode = 1;
      if (event.type === 'test:pass' && event.data.skip !== undefined) {
        skipped.push(`skipped: ${event.data.name} (${event.data.skip})`);
      }
      const total = event.type === 'test:diagnostic' ? totalIn(event.data) : undefined;
      if (total === undefined) yield event;
      else totals.set(total.name, (totals.get(total.name) ?? 0) + total.value);
    }
  }
  for (const message of skipped) yield diagnostic(message);
  for (const [name, value] of totals) yield diagnostic(`${name} ${value}`);
}

/**
 * @param {{ nesting: number, message: string }} data a diagnostic of node:test
 * @returns {{ name: string, value: number } | undefined} set when it is a line of the summary
 */
function totalIn({ nesting, message }) {
  const [, name, value] =
    /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/.exec(message) ?? [];
  if (nesting !== 0 || name === undefined) return undefined;
  return { name, value: Number(value) };
}

/** @param {string} message */
function diagnostic(message) {
  return { type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } };
}

/**
 * Lists the compiled tests whose sources exist, and removes whatever else an earlier build left.
 * @param {string} source a folder of .ts files
 * @param {string} output where the compiler puts them
 * @returns {string[]}
 */
function compiledTests(source, output) {
  if (!existsSync(output)) return [];
  /** @type {string[]} */
  const tests = [];
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    const compiled = /^(.+?)(\.js|\.d\.ts)(\.map)?$/.exec(entry.name);
    if (!entry.isFile() || compiled === null) continue;
    // The one file of the server is made of what was compiled, and has no source of its own.
    if (entry.parentPath === join(output, 'bundle')) continue;
    const path = join(entry.parentPath, entry.name);
    const inSource = join(source, relative(output, entry.parentPath), `${compiled[1]}.ts`);
    if (!existsSync(inSource)) rmSync(path);
    else if (entry.name.endsWith('.test.js')) tests.push(path);
  }
  return tests.sort();
}
