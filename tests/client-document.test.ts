import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import * as client from '@meerkat/client';
import { repositoryRoot } from './peers/support/paths.ts';

/* docs/client.md: its examples compile, and its tables are whole. */

const text = readFileSync(join(repositoryRoot, 'docs/client.md'), 'utf8');

/** What the examples take for granted. */
const surroundings = `
import type { ZooKeeper } from '@meerkat/client';
declare global {
  const zk: ZooKeeper;
  const signal: AbortSignal;
  const passphrase: string;
  const password: string;
  interface User { name: string; logins: number }
  function load(): Promise<void>;
  function update(path: string): Promise<void>;
}
`;

test('the examples of docs/client.md compile', () => {
  const blocks = [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  assert.ok(blocks.length > 6);
  const folder = join(repositoryRoot, 'tests/dist/examples-of-the-client');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'surroundings.ts'), surroundings);
  for (const code of blocks) {
    // OpenTelemetry is nothing that this repository installs.
    if (code.includes('@opentelemetry/api')) continue;
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

for (const [file, name] of [
  ['options.ts', 'ClientOptions'],
  ['connect.ts', 'ConnectOptions'],
  ['limits.ts', 'ClientLimits'],
  ['node/tls-options.ts', 'TlsOptions'],
] as const) {
  test(`docs/client.md has every option of ${name}`, () => {
    const source = readFileSync(join(repositoryRoot, 'packages/client/src', file), 'utf8');
    const body = new RegExp(`^export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(
      source,
    );
    const options = [...(body?.[1] ?? '').matchAll(/^ {2}readonly (\w+)\??:/gm)];
    assert.ok(options.length >= 4, name);
    for (const [, option] of options) {
      const isInTable = new RegExp(`^\\|[^|]*\`${option}\``, 'm').test(text);
      assert.ok(isInTable, `no word about ${option}`);
    }
  });
}

test('docs/client.md has every default of a bound', () => {
  for (const [name, value] of Object.entries(client.defaultLimits)) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
    const said = /\| ([\d,]+)( [KM]iB)? \|/.exec(row);
    const unit = { ' KiB': 1024, ' MiB': 1024 * 1024 }[said?.[2] ?? ''] ?? 1;
    assert.equal(Number((said?.[1] ?? '').replaceAll(',', '')) * unit, value, name);
  }
});

/** An example as a module: its own imports, then those of what it names without saying where from, then the rest. */
function moduleOf(code: string): string {
  const own = code.match(/^import .*$/gm) ?? [];
  const names = new Set(code.match(/\b[A-Za-z]\w*\b/g));
  const missing = Object.keys(client)
    .filter((name) => names.has(name) && !own.join().includes(name))
    .join(', ');
  return `${own.join('\n')}
import { ${missing} } from '@meerkat/client';
export async function example(): Promise<void> {
${code.replaceAll(/^import .*$/gm, '')}
}
`;
}
