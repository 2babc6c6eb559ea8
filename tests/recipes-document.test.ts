import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as client from '@meerkat/client';
import * as recipes from '@meerkat/client/recipes';
import { repositoryRoot } from './peers/support/paths.ts';

/* The examples of docs/recipes.md compile. */

/** What the examples take for granted. */
const surroundings = `
import type { ZooKeeper } from '@meerkat/client';
import type { ConfigCenter, Held, StandardSchema, Work } from '@meerkat/client/recipes';
declare global {
  const zk: ZooKeeper;
  const lock: Held;
  const servers: string;
  const signal: AbortSignal;
  const hostname: string;
  const address: string;
  const payload: string;
  const body: string;
  const id: number;
  const pool: { readonly isOpen: boolean };
  interface Pool { host: string; connectionsMax: number }
  const keys: { pool: { schema: StandardSchema<Pool> } };
  const config: ConfigCenter<typeof keys>;
  const z: {
    object(members: object): StandardSchema<Pool>;
    string(): StandardSchema<string>;
    number(): { int(): { positive(): StandardSchema<number> } };
  };
  const ledger: {
    reserve(id: string, payload: unknown): Promise<boolean>;
    book(id: string): Promise<void>;
    free(id: string): Promise<void>;
  };
  function rebuild(pool: Pool): Promise<void>;
  function sql(text: TemplateStringsArray, ...values: unknown[]): Promise<void>;
  function runReport(options: { signal: AbortSignal }): Promise<void>;
  function clean(options: { signal: AbortSignal; token: bigint }): Promise<void>;
  function schedule(options: { signal: AbortSignal; token: bigint }): Promise<void>;
  function compute(): Promise<void>;
  function work(zk: ZooKeeper): Promise<void>;
  function resize(items: Work['items']): Promise<void>;
  function encode(value: object): Uint8Array;
  function decode(bytes: Uint8Array | null): object;
  function apply(value: unknown): void;
  function rebalance(names: string[]): void;
}
`;

test('the examples of docs/recipes.md compile', () => {
  const text = readFileSync(join(repositoryRoot, 'docs/recipes.md'), 'utf8');
  const blocks = [...text.matchAll(/^( *)```ts\n([\s\S]*?)^\1```/gm)];
  assert.ok(blocks.length > 10);
  const folder = join(repositoryRoot, 'tests/dist/examples-of-the-recipes');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'surroundings.ts'), surroundings);
  for (const [, , code = ''] of blocks) {
    const line = text.slice(0, text.indexOf(code)).split('\n').length;
    writeFileSync(join(folder, `line-${line}.ts`), moduleOf(code));
  }
  const configuration = {
    extends: join(repositoryRoot, 'tsconfig.base.json'),
    compilerOptions: {
      noEmit: true,
      composite: false,
      noUnusedLocals: false,
      isolatedDeclarations: false,
      types: ['node'],
    },
    include: ['*.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(configuration));
  const compiler = join(repositoryRoot, 'node_modules/.bin/tsc');
  const { stdout } = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
  assert.equal(stdout, '');
});

/** An example as a module: its own imports, then those of what it names without saying where from, then the rest. */
function moduleOf(code: string): string {
  const own = code.match(/^ *import .*$/gm) ?? [];
  const names = new Set(code.match(/\b[A-Za-z]\w*\b/g));
  const missing = (library: object): string =>
    Object.keys(library)
      .filter((name) => names.has(name) && !own.join().includes(name))
      .join(', ');
  return `${own.join('\n')}
import { ${missing(client)} } from '@meerkat/client';
import { ${missing(recipes)} } from '@meerkat/client/recipes';
export async function example(): Promise<void> {
${code.replaceAll(/^ *import .*$/gm, '')}
}
`;
}
