// Reads what a package exports from the declarations that the compiler emits: names, signatures and doc comments. They
// are regular enough to be read line by line; TypeScript 7 offers no parser to JavaScript programs.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {{ doc: string, text: string }} Piece a declaration or a member, without and with its words
 * @typedef {{ name: string, kind: string, doc: string, text: string, members: Piece[], file: string }} Declaration
 * @typedef {{ doc: string, names: Map<string, Declaration[]> }} Entry what a module exports; overloads share a name
 */

/** @type {Map<string, Entry>} */
const read = new Map();

/**
 * What a module exports, by name; re-exports are followed.
 * @param {string} file a .d.ts file
 * @returns {Entry}
 */
export function readEntry(file) {
  const known = read.get(file);
  if (known !== undefined) return known;
  /** @type {Entry} */
  const entry = { doc: '', names: new Map() };
  read.set(file, entry);
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let at = 0, doc = ''; at < lines.length; ) {
    const line = lines[at] ?? '';
    if (line.startsWith('/**')) {
      const end = endOfComment(lines, at);
      doc = textOfComment(lines.slice(at, end));
      if (at === 0) entry.doc = doc;
      at = end;
      continue;
    }
    const end = endOfStatement(lines, at);
    addStatement(entry, file, lines.slice(at, end), doc);
    doc = '';
    at = end;
  }
  return entry;
}

/**
 * @param {Entry} entry
 * @param {string} file
 * @param {string[]} lines one statement
 * @param {string} doc the comment before it
 */
function addStatement(entry, file, lines, doc) {
  const text = lines.join('\n');
  const from = /^export (\*|(?:type )?\{([^}]*)\}) from '([^']+)'/.exec(text);
  if (from !== null) {
    const source = readEntry(fileOf(file, from[3] ?? ''));
    if (from[1] === '*') for (const [name, each] of source.names) entry.names.set(name, each);
    else for (const [name, own] of namesIn(from[2] ?? '')) take(entry, name, source.names.get(own));
    return;
  }
  const [, kind = '', name = ''] =
    /^export (?:declare )?(?:abstract )?(class|interface|type|function|const) (\w+)/.exec(text) ??
    [];
  if (name === '') return;
  const hasMembers = kind === 'class' || kind === 'interface';
  const members = hasMembers ? membersOf(lines) : [];
  const shown = hasMembers ? `${(lines[0] ?? '').replace(/ \{\}?$/, '')}` : withoutComments(lines);
  const plain = shown.replace(/^export (declare )?/, '').replace(/;$/, '');
  take(entry, name, [{ name, kind, doc, text: plain, members, file }]);
}

/**
 * @param {Entry} entry
 * @param {string} name
 * @param {Declaration[] | undefined} declarations
 */
function take(entry, name, declarations) {
  if (declarations === undefined)
    throw new Error(`Cannot read the declaration of ${name}: it is not there`);
  entry.names.set(name, [...(entry.names.get(name) ?? []), ...declarations]);
}

/**
 * The members of a class or an interface that anyone may use.
 * @param {string[]} lines
 * @returns {Piece[]}
 */
function membersOf(lines) {
  /** @type {Piece[]} */
  const members = [];
  let doc = '';
  for (let at = 1; at < lines.length - 1; ) {
    const line = lines[at] ?? '';
    if (line.startsWith('    /**')) {
      const end = endOfComment(lines, at);
      doc = textOfComment(lines.slice(at, end));
      at = end;
      continue;
    }
    const end = endOfStatement(lines, at);
    const text = withoutComments(lines.slice(at, end).map((each) => each.slice(4)));
    if (!/^(#private|private |\[Symbol[.])/.test(text)) {
      members.push({ doc, text: text.replace(/;$/, '') });
    }
    doc = '';
    at = end;
  }
  return members;
}

/**
 * @param {string[]} lines
 * @param {number} start a line that begins a comment
 * @returns {number} the line behind it
 */
function endOfComment(lines, start) {
  let at = start;
  while (!(lines[at] ?? '*/').includes('*/')) at++;
  return at + 1;
}

/**
 * @param {string[]} lines
 * @param {number} start
 * @returns {number} the line behind the statement that begins there
 */
function endOfStatement(lines, start) {
  let depth = 0;
  for (let at = start; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (/^\s*(\/\*\*|\*)/.test(line)) continue;
    const code = line.replaceAll(/'[^']*'|=>/g, '').replace(/\/\/.*$/, '');
    depth += (code.match(/[{([<]/g) ?? []).length - (code.match(/[})\]>]/g) ?? []).length;
    if (depth <= 0 && /[;}]\s*$|^\s*$/.test(code)) return at + 1;
  }
  return lines.length;
}

/**
 * @param {string[]} lines of one comment
 * @returns {string}
 */
function textOfComment(lines) {
  const text = lines
    .join('\n')
    .replace(/^\s*\/\*\*/, '')
    .replace(/\*\/\s*$/, '');
  return text.replaceAll(/^\s*\* ?/gm, '').trim();
}

/**
 * @param {string[]} lines
 * @returns {string}
 */
function withoutComments(lines) {
  return lines.join('\n').replaceAll(/^\s*\/\*\*[\s\S]*?\*\/\n/gm, '');
}

/**
 * @param {string} list what stands between the braces of a re-export
 * @returns {[string, string][]} the names, and what they are called where they come from
 */
function namesIn(list) {
  const parts = list.split(',').map((part) => part.trim().replace(/^type /, ''));
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const [own = '', name = own] = part.split(' as ');
      return [name, own];
    });
}

/**
 * @param {string} file the module that imports
 * @param {string} specifier
 * @returns {string} the .d.ts file
 */
function fileOf(file, specifier) {
  if (specifier.startsWith('.'))
    return join(dirname(file), specifier.replace(/[.][tj]s$/, '.d.ts'));
  const resolved = fileURLToPath(import.meta.resolve(specifier));
  return resolved.replace(/[.]js$/, '.d.ts');
}
