import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from './peers/support/paths.ts';

/* What `npm install @meerkat/client` puts on a disk, besides the protocol. */

test('the client takes less than 500 KB installed', () => {
  const program = join(repositoryRoot, 'tools/slim-package.mjs');
  const folder = join(repositoryRoot, 'packages/client');
  const output = execFileSync(process.execPath, [program, folder, '--dry-run'], {
    encoding: 'utf8',
  });
  const { bytes } = JSON.parse(output) as { bytes: number };
  assert.ok(bytes > 100_000 && bytes < 500_000, `it takes ${bytes} bytes`);
});
