import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../peers/support/paths.ts';

/** An example: a block of TypeScript in a document or in a doc comment. */
export interface ExampleBlock {
  /** File and line, for messages. */
  readonly where: string;
  readonly code: string;
  /** Whether it is to be run: the fence says `ts run`, or it stands in a doc comment. */
  readonly isRun: boolean;
  /** Whether it may wait for what does not come: those of doc comments show loops that have no end. */
  readonly isEndless: boolean;
  /** What it prints, when a block of text follows at once; otherwise null. */
  readonly output: string | null;
}

/** The examples of a document. */
export function blocksOfDocument(path: string): ExampleBlock[] {
  const text = readFileSync(join(repositoryRoot, path), 'utf8');
  const fences = /^```ts( run)?\n([\s\S]*?)^```\n(?:\n```text\n([\s\S]*?)^```$)?/gm;
  return [...text.matchAll(fences)].map((match) => {
    const [, run, code = '', output = null] = match;
    const line = lineOf(text, match.index);
    const isRun = run !== undefined;
    return { where: `${path}:${line}`, code, isRun, isEndless: false, output };
  });
}

/** The code in the last column of a document's tables, each piece as an example that is only compiled. */
export function blocksOfTables(path: string): ExampleBlock[] {
  const lines = readFileSync(join(repositoryRoot, path), 'utf8').split('\n');
  return lines.flatMap((row, index) => {
    const cells = row.split(/(?<!\\)\|/);
    if (cells.length < 4 || row.startsWith('|---')) return [];
    const pieces = [...(cells.at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
    // A word alone names something: an option, a state.
    const codes = pieces.filter((code) => /[.(]|^await /.test(code));
    const where = `${path}:${index + 1}`;
    return codes.map((code) => {
      return { where, code: `${code};\n`, isRun: false, isEndless: false, output: null };
    });
  });
}

/** The examples in the doc comments of a package, but for its tests. */
export function blocksOfPackage(name: string): ExampleBlock[] {
  const source = join(repositoryRoot, 'packages', name, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !file.includes('testing/'),
  );
  const blocks = files.sort().flatMap((file) => blocksOfComments(join(source, file)));
  return blocks.filter(({ code }) => importsWhatIsThere(code));
}

/** Whether all packages are installed that an example imports: not so optional ones. */
function importsWhatIsThere(code: string): boolean {
  return [...code.matchAll(/ from '((?:@[^/']+\/)?[^/']+)/g)].every(([, name = '']) => {
    return name.startsWith('node:') || existsSync(join(repositoryRoot, 'node_modules', name));
  });
}

function blocksOfComments(path: string): ExampleBlock[] {
  const text = readFileSync(path, 'utf8');
  const fences = /^ *\* ```ts\n([\s\S]*?)^ *\* ```$/gm;
  return [...text.matchAll(fences)].map((match) => {
    const code = (match[1] ?? '').replaceAll(/^ *\* ?/gm, '');
    const where = `${relative(repositoryRoot, path)}:${lineOf(text, match.index)}`;
    return { where, code, isRun: true, isEndless: true, output: null };
  });
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
