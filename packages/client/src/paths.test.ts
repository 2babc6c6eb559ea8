import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BadArgumentsError } from './errors.ts';
import {
  pathProblem,
  toClientPath,
  toServerPath,
  validatePath,
  validateSequentialPath,
} from './paths.ts';

const validPaths = ['/', '/a', '/a/b', '/.a', '/a.', '/...', '/a/..b', '/ü', '/a b'];
const invalidPaths = [
  '',
  'a',
  '/a/',
  '//',
  '/a//b',
  '/.',
  '/..',
  '/a/.',
  '/a/../b',
  '/a\0',
  '/\u0001',
];

for (const path of validPaths) {
  test(`pathProblem() takes ${JSON.stringify(path)}`, () => assert.equal(pathProblem(path), null));
}

for (const path of [
  ...invalidPaths,
  '/\u007f',
  '/\u009f',
  '/\ud800',
  '/\uf8ff',
  '/\ufff0',
  '/\uffff',
]) {
  test(`validatePath() refuses ${JSON.stringify(path)}`, () => {
    assert.throws(
      () => validatePath(path, 'delete'),
      (error) => {
        assert.ok(error instanceof BadArgumentsError);
        assert.match(error.message, /^Cannot delete a path: current value is "/);
        return true;
      },
    );
  });
}

test('validateSequentialPath() lets a path end in a slash', () => {
  validateSequentialPath('/a/', 'create');
  validateSequentialPath('/', 'create');
  assert.throws(() => validateSequentialPath('/a//', 'create'), BadArgumentsError);
});

test('a chroot goes before each path and comes off again', () => {
  for (const [chroot, path, serverPath] of [
    ['', '/', '/'],
    ['', '/a', '/a'],
    ['/app', '/', '/app'],
    ['/app', '/a', '/app/a'],
  ] as const) {
    assert.equal(toServerPath(chroot, path), serverPath);
    assert.equal(toClientPath(chroot, serverPath), path);
  }
  assert.equal(toClientPath('/app', '/application'), '/application');
  assert.equal(toClientPath('/app', '/zookeeper/config'), '/zookeeper/config');
});
