// Brings a clone to the state where its programs run: dependencies installed, sources compiled.
// Imports nothing but Node, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const onWindows = process.platform === 'win32';

/**
 * Runs `npm ci` unless node_modules holds what the lock file asks for.
 * @throws when npm fails
 */
export function installWhenNeeded() {
  if (isInstalled()) return;
  console.error('Installing dependencies (npm ci) ...');
  const npm = process.env.npm_execpath;
  const status = npm?.endsWith('.js')
    ? runToEnd(process.execPath, [npm, 'ci', '--no-progress'])
    : runToEnd('npm', ['ci', '--no-progress'], onWindows);
  if (status !== 0) throw new Error(`Cannot install: npm ci ended with ${status}`);
}

/**
 * Compiles the command and the packages under it, unless no source has changed since the last time.
 * @throws when the compiler reports errors
 */
export function buildCommandWhenNeeded() {
  const stamp = join(root, '.build', 'command-sources');
  const sources = sourcesFingerprint();
  const built = existsSync(join(root, 'packages/cli/dist/main.js'));
  if (built && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  console.error('Building (tsc -b packages/cli) ...');
  const status = runTool('tsc', ['-b', 'packages/cli']);
  if (status !== 0) throw new Error(`Cannot build: tsc ended with ${status}`);
  bundleServer();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
}

/** Makes one file of the server's modules. Without it a server starts more slowly, and that is all. */
export function bundleServer() {
  const status = runToEnd(process.execPath, [join(root, 'tools', 'bundle.mjs')]);
  if (status !== 0) console.error('Went on without: servers start more slowly');
}

/**
 * Runs an installed development tool with its output shown, and waits for it.
 * @param {string} name the command as in node_modules/.bin
 * @param {readonly string[]} args
 * @returns {number} its exit status
 */
export function runTool(name, args) {
  return runToEnd(join(root, 'node_modules', '.bin', name), args, onWindows);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {boolean} [shell] Windows starts .cmd files only through a shell
 * @returns {number}
 */
function runToEnd(command, args, shell = false) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell,
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

/** Compares the lock file with the record npm leaves in node_modules at the end of an install. */
function isInstalled() {
  const installedLock = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installedLock)) return false;
  const wanted = lockedPackages(join(root, 'package-lock.json'));
  const installed = lockedPackages(installedLock);
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional || (path in installed && installed[path]?.version === version),
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean }>}
 */
function lockedPackages(file) {
  const lock = /** @type {{ packages: ReturnType<typeof lockedPackages> }} */ (
    JSON.parse(readFileSync(file, 'utf8'))
  );
  return lock.packages;
}

/** Path, size and modification time of everything the command is compiled from, as one hash. */
function sourcesFingerprint() {
  const hash = createHash('sha1');
  /** @param {string} path */
  const add = (path) => {
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  };
  add(join(root, 'package-lock.json'));
  add(join(root, 'tsconfig.base.json'));
  add(join(root, 'tools', 'bundle.mjs'));
  for (const name of ['protocol', 'engine', 'client', 'server', 'simulator', 'testing', 'cli']) {
    const folder = join(root, 'packages', name);
    add(join(folder, 'tsconfig.json'));
    for (const entry of readdirSync(join(folder, 'src'), {
      recursive: true,
      withFileTypes: true,
    })) {
      const isSource = entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts');
      if (isSource) add(join(entry.parentPath, entry.name));
    }
  }
  return hash.digest('hex');
}
