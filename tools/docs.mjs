// `npm run docs`: the API reference, in docs/api, from the declarations and doc comments of the packages. It is not kept in
// the repository, since it follows from what is. `npm run docs -- --check` writes nothing: it fails when something that is exported
// has no doc comment.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEntry } from './read-declarations.mjs';

/** @typedef {import('./read-declarations.mjs').Declaration} Declaration */

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, 'docs', 'api');

/** @type {Declaration} */
const missing = { name: '', kind: '', doc: '', text: '', members: [], file: '' };

/** What programs import, and the page that tells of it. */
const entries = [
  { specifier: '@meerkat/client', page: 'client.md' },
  { specifier: '@meerkat/client/recipes', page: 'recipes.md' },
  { specifier: '@meerkat/client/opentelemetry', page: 'opentelemetry.md' },
  { specifier: '@meerkat/testing', page: 'testing.md' },
];

const kinds = [
  { kind: 'function', title: 'Functions' },
  { kind: 'class', title: 'Classes' },
  { kind: 'interface', title: 'Interfaces' },
  { kind: 'type', title: 'Types' },
  { kind: 'const', title: 'Constants' },
];

/** @type {Map<string, string>} */
const pages = new Map();
/** @type {string[]} */
const undocumented = [];
const contents = ['# API reference', '', 'Written by `npm run docs` from the sources.', ''];
for (const { specifier, page } of entries) {
  const module = fileURLToPath(import.meta.resolve(specifier));
  const { doc, names } = readEntry(module.replace(/[.]js$/, '.d.ts'));
  const declarations = [...names.values()];
  for (const [declaration] of declarations) note(specifier, declaration);
  pages.set(page, renderPage(specifier, doc, declarations));
  contents.push(`## [${specifier}](${page})`, '', doc, '');
  for (const overloads of sorted(declarations)) {
    const [{ name, doc: words } = missing] = overloads;
    contents.push(`- [\`${name}\`](${page}#${name.toLowerCase()}): ${firstSentence(words)}`);
  }
  contents.push('');
}
pages.set('README.md', `${contents.join('\n')}\n`);

if (undocumented.length > 0) {
  console.error(`Exported, and without a doc comment:\n${undocumented.join('\n')}`);
  process.exitCode = 1;
}
if (!process.argv.includes('--check')) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [page, text] of pages) writeFileSync(join(folder, page), text);
  console.log(`${pages.size} pages in ${relative(process.cwd(), folder) || folder}`);
}

/**
 * @param {string} specifier
 * @param {Declaration | undefined} declaration
 */
function note(specifier, declaration) {
  const { name, doc } = declaration ?? missing;
  if (doc === '') undocumented.push(`${specifier}: ${name}`);
}

/**
 * @param {string} specifier
 * @param {string} doc
 * @param {readonly Declaration[][]} declarations
 * @returns {string}
 */
function renderPage(specifier, doc, declarations) {
  const lines = [`# ${specifier}`, '', doc, ''];
  for (const { kind, title } of kinds) {
    const ofKind = sorted(declarations).filter(([first]) => first?.kind === kind);
    if (ofKind.length === 0) continue;
    lines.push(`# ${title}`, '');
    for (const overloads of ofKind) lines.push(...renderDeclaration(overloads));
  }
  return `${lines.join('\n')}\n`;
}

/**
 * @param {readonly Declaration[]} overloads
 * @returns {string[]}
 */
function renderDeclaration(overloads) {
  const [first = missing] = overloads;
  const lines = [`## ${first.name}`, '', '```ts', ...overloads.map(({ text }) => text), '```', ''];
  lines.push(renderDoc(first.doc), '');
  for (const { doc, text } of first.members) {
    const signature = text.split('\n').map((line) => line.trim());
    lines.push(`- \`${signature.join(' ')}\``);
    if (doc !== '') lines.push('', indented(renderDoc(doc)), '');
  }
  lines.push('');
  return lines;
}

/**
 * A doc comment as Markdown: its tags become lines of their own.
 * @param {string} doc
 * @returns {string}
 */
function renderDoc(doc) {
  return doc
    .replaceAll(/^@param (\w+) /gm, '- `$1`: ')
    .replaceAll(/^@returns? /gm, '- Returns ')
    .replaceAll(/^@throws /gm, '- Throws ')
    .replaceAll(/ @throws /g, '\n\n- Throws ')
    .replaceAll(/\n{3,}/g, '\n\n');
}

/** @param {string} text */
function indented(text) {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** @param {string} doc */
function firstSentence(doc) {
  const [paragraph = ''] = doc.split(/\n\n|\n- |\n@/);
  const [sentence = ''] = paragraph.replaceAll('\n', ' ').split(/(?<=[.:]) (?=[A-Z`])/);
  return sentence;
}

/**
 * @param {readonly Declaration[][]} declarations
 * @returns {Declaration[][]} by name
 */
function sorted(declarations) {
  return [...declarations].sort(([a = missing], [b = missing]) => a.name.localeCompare(b.name));
}
