// `npm run check`: everything a program can say about the sources without running them.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWhenNeeded, root, runTool } from './set-up.mjs';

/** Every check in the order in which they run; the later ones read what the compiler wrote. */
const checks = [
  { title: 'Types (tsc -b)', run: () => runTool('tsc', ['-b']) },
  { title: 'Format (biome)', run: () => runTool('biome', ['format', '.']) },
  {
    title: 'Lint (biome)',
    run: () => runTool('biome', ['lint', '--diagnostic-level=warn', '--error-on-warnings', '.']),
  },
  {
    title: 'Lint with types (oxlint)',
    run: () => runTool('oxlint', ['--type-aware', '--deny-warnings']),
    needsTypes: true,
  },
  {
    title: 'Import boundaries (dependency-cruiser)',
    run: () =>
      runTool('depcruise', ['packages', 'tests', 'bench', '--config', '.dependency-cruiser.cjs']),
  },
  { title: 'Nothing of one machine in the files', run: findTracesOfThisMachine },
];

/**
 * Runs all checks, under a heading each, and names the failed ones at the end.
 * @returns {boolean} whether all passed
 */
export function check() {
  let typesFailed = false;
  const failed = checks.filter(({ title, run, needsTypes }) => {
    console.log(`\n== ${title}`);
    if (needsTypes && typesFailed) {
      console.log('Left out: it would repeat the type errors many times over.');
      return false;
    }
    const passed = run() === 0;
    if (title.startsWith('Types')) typesFailed = !passed;
    return !passed;
  });
  if (failed.some(({ title }) => title.startsWith('Format'))) {
    console.log('\nnpm run format writes every file in the form that the format check wants.');
  }
  const titles = failed.map(({ title }) => title).join(', ');
  console.log(failed.length === 0 ? '\nAll checks passed.' : `\nChecks that failed: ${titles}`);
  return failed.length === 0;
}

/**
 * Looks through the files of the repository for the folder it stands in and for the package
 * registry in use: neither means anything on another machine.
 * @returns {number} 0 when there is none
 */
function findTracesOfThisMachine() {
  const listed = spawnSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  if (listed.status !== 0) {
    console.log('Left out: this is not a git clone.');
    return 0;
  }
  const traces = tracesOfThisMachine();
  let found = 0;
  for (const name of listed.stdout.split('\0')) {
    const path = join(root, name);
    if (name === '' || !existsSync(path)) continue;
    const lines = readFileSync(path, 'latin1').split('\n');
    for (const [index, line] of lines.entries()) {
      const trace = traces.find((text) => line.includes(text));
      if (trace === undefined) continue;
      console.log(`${name}:${index + 1}: contains ${trace}`);
      found++;
    }
  }
  if (found === 0) console.log('None found.');
  return found;
}

/** @returns {string[]} the texts that must not occur in a file of the repository */
function tracesOfThisMachine() {
  // "/app/" or a folder for temporary files could as well be an example's or a znode's.
  const isTelling = (/** @type {string} */ folder) =>
    folder.split(sep).length > 2 && !folder.startsWith(tmpdir());
  const folders = [root, dirname(root)].filter(isTelling).map((folder) => folder + sep);
  const asked = spawnSync('npm config get registry', { cwd: root, encoding: 'utf8', shell: true });
  const registry = asked.stdout.trim();
  if (!URL.canParse(registry)) return folders;
  const { host, hostname } = new URL(registry);
  const isLoopback = /^(localhost|127\..*)$/.test(hostname);
  return isLoopback ? folders : [...folders, host];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installWhenNeeded();
  process.exitCode = check() ? 0 : 1;
}
