import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ErrorCode, errorName, errorTable } from './errors.ts';
import { generateErrorsPage } from './errors-page.ts';

test('docs/errors.md says what the error table says, and nothing else', () => {
  const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (-?\d+) \| (\w+) \| (.+) \|$/gm)].map(
    ([, code, name, meaning]) => ({ code: Number(code), name, meaning }),
  );
  assert.deepEqual(rows, errorTable);
  assert.ok(page === generateErrorsPage(), 'docs/errors.md is stale: run `npm run generate`');
});

test('ErrorCode and the error table name the same codes', () => {
  const inTable = errorTable.map(({ code, name }) => `${name} ${code}`);
  const inConst = Object.entries(ErrorCode).map(([name, code]) => `${name.toUpperCase()} ${code}`);
  assert.deepEqual(inConst, inTable);
});

test('codes and names are unique, and codes descend', () => {
  const codes = errorTable.map(({ code }) => code);
  assert.deepEqual(
    codes,
    [...new Set(codes)].sort((a, b) => b - a),
  );
  assert.equal(new Set(errorTable.map(({ name }) => name)).size, errorTable.length);
});

test('an unknown code is named by its number', () => {
  assert.equal(errorName(-101), 'NONODE');
  assert.equal(errorName(-126), '-126');
});
