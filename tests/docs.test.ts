import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from './peers/support/paths.ts';

/* What a program can check about the documents: links, the files they name, and that lists in them are whole. */

const packages = readdirSync(join(repositoryRoot, 'packages'));

test('every relative link in a document leads to a file, and to a heading of it', () => {
  const broken: string[] = [];
  for (const file of documents()) {
    for (const target of linksIn(file)) {
      const [path = '', heading] = target.split('#');
      const linked = path === '' ? file : join(dirname(file), decodeURIComponent(path));
      const isThere = existsSync(linked);
      const hasHeading = heading === undefined || (isThere && headingsOf(linked).has(heading));
      if (!isThere || !hasHeading) broken.push(`${nameOf(file)}: ${target}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('every file that a document names exists', () => {
  const missing: string[] = [];
  for (const file of documents()) {
    for (const path of pathsIn(file)) {
      if (!existsSync(join(repositoryRoot, path))) missing.push(`${nameOf(file)}: ${path}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('decision records are headed by their number, and listed', () => {
  const folder = join(repositoryRoot, 'docs/decisions');
  const index = readFileSync(join(repositoryRoot, 'docs/README.md'), 'utf8');
  const names = readdirSync(folder);
  assert.equal(new Set(names.map((name) => name.slice(0, 4))).size, names.length);
  for (const name of names) {
    const heading = `# ${name.slice(0, 4)}: `;
    assert.ok(readFileSync(join(folder, name), 'utf8').startsWith(heading), name);
    assert.ok(index.includes(`decisions/${name}`), `docs/README.md does not list ${name}`);
  }
});

test('docs/troubleshooting.md has every kind of storage error and every exit code', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/troubleshooting.md'), 'utf8');
  const errors = sourceOf('packages/engine/src/storage/storage-error.ts');
  const kinds = /type StorageErrorKind =([^;]+);/.exec(errors)?.[1]?.match(/\w+(?=')/g) ?? [];
  assert.ok(kinds.length > 5);
  for (const kind of kinds) assert.ok(page.includes(`\`${kind}\``), `no word about ${kind}`);
  const codes = [...sourceOf('packages/server/src/exit-codes.ts').matchAll(/^ {2}\w+: (\d+),$/gm)];
  assert.ok(codes.length > 5);
  for (const [, code] of codes) assert.ok(page.includes(`\n| ${code} |`), `no word about ${code}`);
});

/** Every Markdown file that is ours. */
function documents(): string[] {
  const files: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !isForeign(entry.name)) visit(path);
      else if (entry.isFile() && entry.name.endsWith('.md')) files.push(path);
    }
  };
  visit(repositoryRoot);
  return files;
}

function isForeign(folder: string): boolean {
  return folder.startsWith('.') || ['node_modules', 'dist', 'testdata', 'data'].includes(folder);
}

function linksIn(file: string): string[] {
  const links = [...textOf(file).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target ?? '');
  return links.filter((target) => !/^[a-z]+:/.test(target));
}

/**
 * Files and folders in code spans, from the top of the repository. `engine/replica.ts` is short for
 * `packages/engine/src/replica.ts`. Java's files are ZooKeeper's own.
 */
function pathsIn(file: string): string[] {
  const paths: string[] = [];
  for (const [, span] of textOf(file).matchAll(/`([\w.-]+(?:\/[\w.-]+)*\/?)`/g)) {
    const path = span ?? '';
    const [top = '', ...rest] = path.split('/');
    const isFile = /\.(ts|mts|cts|mjs|cjs|js|json|md|py|c|java)$/.test(path);
    if (rest.length === 0 || path.includes('NNNN') || !(isFile || path.endsWith('/'))) continue;
    if (packages.includes(top)) paths.push(join('packages', top, 'src', ...rest));
    else if (isFolderHere(top)) paths.push(path);
  }
  return paths;
}

function isFolderHere(name: string): boolean {
  const path = join(repositoryRoot, name);
  return existsSync(path) && statSync(path).isDirectory();
}

/** The text outside of blocks of code. */
function textOf(file: string): string {
  return readFileSync(file, 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** The anchors that headings get on the usual hosts of repositories. */
function headingsOf(file: string): Set<string> {
  const headings = [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading ?? '');
  return new Set(
    headings.map((heading) => {
      const plain = heading
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '');
      return plain.replaceAll(' ', '-');
    }),
  );
}

function sourceOf(path: string): string {
  return readFileSync(join(repositoryRoot, path), 'utf8');
}

function nameOf(file: string): string {
  return relative(repositoryRoot, file);
}
