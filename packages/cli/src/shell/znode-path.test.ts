import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPath, checkSequentialPath, childPath } from './znode-path.ts';

for (const path of ['/', '/a', '/a/b', '/a.b', '/...', '/.a', '/a..', '/é', '/a b']) {
  test(`${path} is a path`, () => checkPath(path));
}

const problems: readonly (readonly [string, string])[] = [
  ['', 'Path length must be > 0'],
  ['a', 'Path must start with / character'],
  ['/a/', 'Path must not end with / character'],
  ['/a//b', 'Invalid path string "/a//b" caused by empty node name specified @3'],
  ['/.', 'Invalid path string "/." caused by relative paths not allowed @1'],
  ['/..', 'Invalid path string "/.." caused by relative paths not allowed @2'],
  ['/a/./b', 'Invalid path string "/a/./b" caused by relative paths not allowed @3'],
  ['/a/../b', 'Invalid path string "/a/../b" caused by relative paths not allowed @4'],
  ['/a\u0000', 'Invalid path string "/a\u0000" caused by null character not allowed @2'],
  ['/a\u0001', 'Invalid path string "/a\u0001" caused by invalid character @2'],
  ['/\ud83d\ude00', 'Invalid path string "/\ud83d\ude00" caused by invalid character @1'],
];

for (const [path, message] of problems) {
  test(`${JSON.stringify(path)} is no path`, () =>
    assert.throws(() => checkPath(path), { message }));
}

test('a sequential path may end with a slash', () => checkSequentialPath('/a/'));

test('paths of children', () => {
  assert.equal(childPath('/', 'a'), '/a');
  assert.equal(childPath('/a', 'b'), '/a/b');
});
