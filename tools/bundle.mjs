// The end of a build: the modules of a server as one file, since node spends more of a server's start
// on finding and linking them than on everything else (docs/decisions/0010-one-file-for-the-server.md).
// Run after tsc.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import { keepConstants } from './keep-constants.mjs';
import { root } from './set-up.mjs';

const dist = join(root, 'packages', 'server', 'dist');
const folder = join(dist, 'bundle');
const outfile = join(folder, 'run-server.js');

// Whoever starts a server meanwhile loads the modules one by one.
rmSync(join(folder, 'inputs.json'), { force: true });
// Before they are read: what changes from now on makes the bundle old.
const inputs = modificationTimes();
await build({
  entryPoints: [join(dist, 'run-server.js')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  banner: {
    // For the dependencies that are CommonJS.
    js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
  },
});
writeFileSync(outfile, keepConstants(readFileSync(outfile, 'utf8')));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'inputs.json'), `${JSON.stringify(inputs, null, 2)}\n`);

/**
 * When the compiler last wrote each package that the bundle is made of: paths from the bundle, times in ms.
 * @returns {Record<string, number>}
 */
function modificationTimes() {
  const files = ['protocol', 'engine', 'server'].map((name) =>
    join(root, 'packages', name, 'dist', '.src.tsbuildinfo'),
  );
  return Object.fromEntries(
    files.map((file) => [relative(folder, file).split(sep).join('/'), statSync(file).mtimeMs]),
  );
}
