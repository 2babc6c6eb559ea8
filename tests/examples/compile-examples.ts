import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as client from '@meerkat/client';
import * as opentelemetry from '@meerkat/client/opentelemetry';
import * as recipes from '@meerkat/client/recipes';
import * as testing from '@meerkat/testing';
import { repositoryRoot } from '../peers/support/paths.ts';
import type { ExampleBlock } from './example-blocks.ts';
import { surroundingsDeclarations } from './surroundings.ts';

/** An example that compiles. */
export interface CompiledExample extends ExampleBlock {
  /** The module, whose function `example` runs it. */
  readonly module: URL;
}

/** Examples compiled, or what the compiler says. */
export interface Compilation {
  readonly examples: readonly CompiledExample[];
  /** Names that examples of doc comments take for granted beyond the surroundings; not checked. */
  readonly undeclared: readonly string[];
  /** The compiler's messages, with the places in the documents; empty when all is well. */
  readonly problems: string;
}

/** What examples import as `@meerkat/client`: the same, but that all servers are the ensemble at hand. */
const clientOfExamples = `
import * as client from '@meerkat/client';
export * from '@meerkat/client';
export const connect: typeof client.connect = (_servers, options) => {
  return client.connect(ensemble.connectString, { ...options, ports: ensemble.ports });
};
export const open: typeof client.open = (_servers, options) => {
  return client.open(ensemble.connectString, { ...options, ports: ensemble.ports });
};
`;

/** Compiles examples, each as a module of its own, in a folder of the build. */
export function compileExamples(folderName: string, blocks: readonly ExampleBlock[]): Compilation {
  const folder = join(repositoryRoot, 'tests/dist', folderName);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'surroundings.ts'), surroundingsDeclarations);
  writeFileSync(join(folder, 'client-of-examples.ts'), clientOfExamples);
  for (const [index, { code }] of blocks.entries()) {
    writeFileSync(join(folder, `example-${index}.ts`), moduleOf(code));
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  let messages = compile(folder);
  const undeclared = undeclaredIn(messages, blocks);
  if (undeclared.length > 0) {
    const declarations = undeclared.map((name) => `declare const ${name}: any;\n`);
    writeFileSync(join(folder, 'undeclared.d.ts'), declarations.join(''));
    messages = compile(folder);
  }
  const problems = messages.replaceAll(exampleName, (name, index: string) => {
    return blocks[Number(index)]?.where ?? name;
  });
  const examples = blocks.map((block, index) => {
    return { ...block, module: pathToFileURL(join(folder, 'out', `example-${index}.js`)) };
  });
  return { examples, problems, undeclared };
}

const exampleName = /^.*?example-(\d+)[.]ts/gm;

function compile(folder: string): string {
  const compiler = join(repositoryRoot, 'node_modules/.bin/tsc');
  return spawnSync(compiler, ['-p', folder, '--pretty', 'false'], { encoding: 'utf8' }).stdout;
}

/** What examples of doc comments name and nobody declares: their own program's functions and values. Types are not among them. */
function undeclaredIn(messages: string, blocks: readonly ExampleBlock[]): string[] {
  const missing = messages.matchAll(/example-(\d+)[.]ts.* TS2304: Cannot find name '([a-z]\w*)'/g);
  const names = [...missing].filter(([, index]) => blocks[Number(index)]?.isEndless === true);
  return [...new Set(names.map(([, , name = '']) => name))];
}

const configuration = {
  extends: join(repositoryRoot, 'tsconfig.base.json'),
  compilerOptions: {
    rootDir: '.',
    outDir: 'out',
    // What this Node can run: it knows no "await using".
    target: 'es2022',
    composite: false,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    noUnusedLocals: false,
    isolatedDeclarations: false,
    types: ['node'],
  },
  include: ['*.ts'],
};

/** An example as a module: its own imports, then those of what it names without saying where from, then the rest. */
function moduleOf(code: string): string {
  const imports = /^import\b[^;]*;\n/gm;
  const own = code.match(imports)?.join('') ?? '';
  const names = new Set(code.match(/\b[A-Za-z]\w*\b/g));
  const imported = new Set(own.match(/\b[A-Za-z]\w*\b/g));
  const missing = (library: object): string =>
    Object.keys(library)
      .filter((name) => names.has(name) && !imported.has(name))
      .join(', ');
  return `${own.replaceAll("'@meerkat/client'", "'./client-of-examples.ts'")}
import { ${missing(client)} } from './client-of-examples.ts';
import { ${missing(recipes)} } from '@meerkat/client/recipes';
import { ${missing(opentelemetry)} } from '@meerkat/client/opentelemetry';
import { ${missing(testing)} } from '@meerkat/testing';
export async function example(): Promise<void> {
${code.replaceAll(imports, '')}
}
`;
}
