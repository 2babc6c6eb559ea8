// The end of packing a library, run by its `prepack`: what users install is the code without comments and indentation, and
// the declarations that its entry points lead to, with their comments.
// With --dry-run it changes nothing and prints what would be installed, in bytes.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { transformSync } from 'esbuild';

const [folder = '.', mode] = process.argv.slice(2).filter((arg) => arg !== '');
const isDryRun = mode === '--dry-run';
const dist = join(folder, 'dist');
const wanted = declarationsOf(entryPoints());
let bytes = statSync(join(folder, 'package.json')).size + statSync(join(folder, 'README.md')).size;

for (const path of shippedFiles()) {
  if (path.endsWith('.d.ts')) {
    if (wanted.has(path)) bytes += statSync(path).size;
    else if (!isDryRun) rmSync(path);
  } else {
    const code = slim(readFileSync(path, 'utf8'));
    bytes += Buffer.byteLength(code);
    if (!isDryRun) writeFileSync(path, code);
  }
}
console.log(JSON.stringify({ bytes }));

/** @param {string} code */
function slim(code) {
  const options = /** @type {const} */ ({
    target: 'node20.19',
    legalComments: 'none',
    minifyWhitespace: true,
    minifySyntax: true,
    // Lines stay short enough for stack traces to say something.
    lineLimit: 120,
  });
  return transformSync(code, options).code;
}

/** The declarations that package.json names. */
function entryPoints() {
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  const description = /** @type {{ exports: Record<string, { types: string }> }} */ (
    JSON.parse(text)
  );
  return Object.values(description.exports).map(({ types }) => resolve(folder, types));
}

/**
 * These declarations, and all that they import.
 * @param {readonly string[]} entries
 */
function declarationsOf(entries) {
  const found = new Set(entries);
  for (const path of found) {
    const text = readFileSync(path, 'utf8');
    for (const [, target = ''] of text.matchAll(/(?:from|import)\s*\(?['"](\.[^'"]+)['"]/gu)) {
      found.add(resolve(dirname(path), target.replace(/\.(js|ts)$/u, '.d.ts')));
    }
  }
  return found;
}

/** What package.json ships: the code and its declarations. */
function shippedFiles() {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /(?<!\.test)\.(js|d\.ts)$/u.test(entry.name))
    .map((entry) => resolve(entry.parentPath, entry.name))
    .filter((path) => !path.endsWith('.test.d.ts') && !relative(dist, path).startsWith('testing'));
}
