import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from './jute/utf8.ts';
import {
  checkPath,
  describePathFault,
  formatSequentialSuffix,
  isSpecialPath,
  PathFault,
  pathFaultOf,
  pathFaultOffsetOf,
  sequentialSuffixBytesMax,
  startOfName,
  writeSequentialSuffix,
} from './paths.ts';

/** The fault and its offset; the path stands in the middle of a longer array, as in a frame. */
function check(path: string | Uint8Array): [PathFault, number] {
  const bytes = typeof path === 'string' ? new TextEncoder().encode(path) : path;
  const frame = new Uint8Array(bytes.length + 4).fill(0x2f);
  frame.set(bytes, 2);
  const result = checkPath(frame, 2, 2 + bytes.length);
  return [pathFaultOf(result), pathFaultOffsetOf(result)];
}

test('Path validation: valid paths', () => {
  const valid = [
    '/',
    '/a',
    '/a/b',
    '/zookeeper/quota',
    '/...',
    '/.a/a./..a/a..',
    '/a b',
    '/~',
    '/ü/猫鼬',
    '/\u00a0',
    '/\u07ff\u0800',
    '/\ud7ff',
    '/\uf900',
    '/\uffef',
  ];
  for (const path of valid) assert.deepEqual(check(path), [PathFault.none, 0], path);
});

test('Path validation: each fault at its place', () => {
  const faults: [string, PathFault, number][] = [
    ['', PathFault.empty, 0],
    ['a', PathFault.noLeadingSlash, 0],
    ['a/', PathFault.noLeadingSlash, 0],
    ['//', PathFault.trailingSlash, 1],
    ['/a/', PathFault.trailingSlash, 2],
    ['/\u0001/', PathFault.trailingSlash, 2],
    ['/a\0b', PathFault.nullCharacter, 2],
    ['//a', PathFault.emptyName, 1],
    ['/a//b', PathFault.emptyName, 3],
    ['/.', PathFault.relativeName, 1],
    ['/..', PathFault.relativeName, 2],
    ['/a/./b', PathFault.relativeName, 3],
    ['/a/../b', PathFault.relativeName, 4],
    ['/\u0001', PathFault.invalidCharacter, 1],
    ['/a\u001f', PathFault.invalidCharacter, 2],
    ['/\u007f', PathFault.invalidCharacter, 1],
    ['/\u0080', PathFault.invalidCharacter, 1],
    ['/\u009f', PathFault.invalidCharacter, 1],
    ['/\ue000', PathFault.invalidCharacter, 1],
    ['/\uf8ff', PathFault.invalidCharacter, 1],
    ['/\ufff0', PathFault.invalidCharacter, 1],
    ['/\uffff', PathFault.invalidCharacter, 1],
    ['/a/😀', PathFault.invalidCharacter, 3],
  ];
  for (const [path, fault, offset] of faults) {
    assert.deepEqual(check(path), [fault, offset], JSON.stringify(path));
  }
});

test('Path validation: bytes that are not UTF-8 are an invalid character', () => {
  const malformed = [
    [0x80],
    [0xc0, 0xaf],
    [0xc1, 0xbf],
    [0xc3],
    [0xe0, 0x9f, 0xbf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x8f, 0xbf, 0xbf],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xff],
  ];
  for (const bytes of malformed) {
    const path = Uint8Array.from([0x2f, 0x61, ...bytes]);
    assert.deepEqual(check(path), [PathFault.invalidCharacter, 2], bytes.join());
  }
});

/** `PathUtils.validatePath` on the string, as ZooKeeper goes about it. */
function isValid(path: string): boolean {
  if (!path.startsWith('/')) return false;
  if (path === '/') return true;
  const names = path.slice(1).split('/');
  const isInvalid = (unit: number): boolean =>
    unit <= 0x1f ||
    (unit >= 0x7f && unit <= 0x9f) ||
    (unit >= 0xd800 && unit <= 0xf8ff) ||
    unit >= 0xfff0;
  const hasInvalid = (name: string): boolean =>
    Array.from({ length: name.length }, (_, i) => name.charCodeAt(i)).some(isInvalid);
  return !names.some((name) => name === '' || name === '.' || name === '..' || hasInvalid(name));
}

test('Path validation: agrees with the rule on strings', () => {
  const unit = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom('/', '.', 'a', 'ü', '猫', '😀') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  );
  const path = fc.array(unit, { maxLength: 12 }).map((units) => `/${units.join('')}`);
  fc.assert(
    fc.property(path, (text) => {
      assert.equal(check(text)[0] === PathFault.none, isValid(text));
      assert.equal(describePathFault(text) === null, isValid(text));
    }),
    { numRuns: 2000 },
  );
});

test('faults in words', () => {
  assert.equal(describePathFault('/a'), null);
  assert.equal(
    describePathFault('/猫//a'),
    'Cannot use a path: current value is "/猫//a", with an empty name at 3',
  );
  assert.equal(
    describePathFault('/a/😀'),
    'Cannot use a path: current value is "/a/😀", with a character that paths may not have at 3',
  );
  assert.match(describePathFault('/a/') ?? '', /must not end with "\/"/);
  assert.match(describePathFault('') ?? '', /empty/);
});

test('Sequential: the path is checked with the number appended', () => {
  assert.equal(describePathFault('/a/', true), null);
  assert.equal(describePathFault('/a/.', true), null);
  assert.equal(describePathFault('/', true), null);
  assert.match(describePathFault('/a//', true) ?? '', /current value is "\/a\/\/", with an empty/);
});

test('Sequential: %010d of the stored cversion, negative after 2^31', () => {
  const suffixes: [number, string][] = [
    [0, '0000000000'],
    [7, '0000000007'],
    [2147483647, '2147483647'],
    [-1, '-000000001'],
    [-999999999, '-999999999'],
    [-1000000000, '-1000000000'],
    [-2147483648, '-2147483648'],
  ];
  for (const [number, suffix] of suffixes) {
    assert.equal(formatSequentialSuffix(number), suffix);
    const target = new Uint8Array(3 + sequentialSuffixBytesMax);
    const end = writeSequentialSuffix(number, target, 3);
    assert.equal(new TextDecoder().decode(target.subarray(3, end)), suffix);
  }
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (number) => {
      const target = new Uint8Array(sequentialSuffixBytesMax);
      const end = writeSequentialSuffix(number, target, 0);
      assert.equal(
        new TextDecoder().decode(target.subarray(0, end)),
        formatSequentialSuffix(number),
      );
    }),
  );
});

test('Special paths', () => {
  for (const path of ['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    const bytes = utf8(`##${path}##`);
    assert.equal(isSpecialPath(bytes, 2, bytes.length - 2), true, path);
  }
  for (const path of ['', '/a', '/zookeepes', '/zookeeper/quotb', '/zookeeper/config/a']) {
    const bytes = utf8(path);
    assert.equal(isSpecialPath(bytes, 0, bytes.length), false, path);
  }
});

test('the last name of a path', () => {
  const bytes = utf8('/ab/cd');
  assert.equal(startOfName(bytes, 0, bytes.length), 4);
  assert.equal(startOfName(bytes, 0, 3), 1);
});
