import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { renderConfigurationPage } from './configuration-page.ts';

test('docs/configuration.md is what the table of keys says', () => {
  const page = new URL('../../../../docs/configuration.md', import.meta.url);
  assert.equal(
    readFileSync(page, 'utf8'),
    renderConfigurationPage(),
    'write it anew: node -e "import(\'@meerkat/server\').then((s) => process.stdout.write(s.renderConfigurationPage()))" > docs/configuration.md',
  );
});
