import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isCurrent } from './server-module.ts';

const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a bundle serves until what it was made of is compiled again', () => {
  const bundle = pathToFileURL(`${join(folder, 'bundle')}/`);
  assert.equal(isCurrent(bundle), false);
  mkdirSync(bundle);
  const compiled = join(folder, 'compiled');
  writeFileSync(compiled, '');
  const inputs = { '../compiled': statSync(compiled).mtimeMs, '../not-there': 1 };
  writeFileSync(new URL('inputs.json', bundle), JSON.stringify(inputs));
  assert.equal(isCurrent(bundle), false, 'the file itself is missing');
  writeFileSync(new URL('run-server.js', bundle), '');
  assert.equal(isCurrent(bundle), true);
  utimesSync(compiled, 1000, 1000);
  assert.equal(isCurrent(bundle), false);
  writeFileSync(new URL('inputs.json', bundle), '{');
  assert.equal(isCurrent(bundle), false);
});
