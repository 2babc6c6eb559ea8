import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitWords } from './words.ts';

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['', []],
  ['  \t ', []],
  ['ls /', ['ls', '/']],
  ['  ls   /  ', ['ls', '/']],
  ['create /a "x y"', ['create', '/a', 'x y']],
  ["create /a 'x \"y'", ['create', '/a', 'x "y']],
  ['create /a ""', ['create', '/a', '']],
  ['create /a x"y z"', ['create', '/a', 'x"y', 'z"']],
  ['get "/t', ['get', '/t']],
  ['get \'/t"', ['get', '/t"']],
  ['"ls" \'/\'', ['ls', '/']],
  ["set /a it's", ['set', '/a', "it's"]],
];

for (const [line, words] of cases) {
  test(`words of ${JSON.stringify(line)}`, () => assert.deepEqual(splitWords(line), words));
}

test('a line of megabytes, quoted or with quotes that never close', () => {
  const long = 'x'.repeat(4_000_000);
  assert.deepEqual(splitWords(`set /a "${long}"`), ['set', '/a', long]);
  assert.deepEqual(splitWords(`set /a "${long}`), ['set', '/a', long]);
});
