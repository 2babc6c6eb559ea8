import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatServer, parseConnectString } from './connect-string.ts';
import { BadArgumentsError } from './errors.ts';

const valid: readonly [string, string[], string][] = [
  ['a', ['a:2181'], ''],
  ['a:1', ['a:1'], ''],
  ['a:1,b:2 , c', ['a:1', 'b:2', 'c:2181'], ''],
  ['a:1,,b', ['a:1', 'b:2181'], ''],
  ['a:1/', ['a:1'], ''],
  ['a:1/app', ['a:1'], '/app'],
  ['a:1,b:2/app/x', ['a:1', 'b:2'], '/app/x'],
  ['[::1]:3', ['[::1]:3'], ''],
  ['[fe80::1]', ['[fe80::1]:2181'], ''],
  ['fe80::1,b', ['[fe80::1]:2181', 'b:2181'], ''],
];

for (const [text, servers, chroot] of valid) {
  test(`parseConnectString() takes "${text}" apart`, () => {
    const target = parseConnectString(text);
    assert.deepEqual(target.servers.map(formatServer), servers);
    assert.equal(target.chroot, chroot);
  });
}

test('parseConnectString() takes "dns-srv://name/chroot" apart', () => {
  const name = '_zookeeper._tcp.example.com';
  for (const [text, chroot] of [
    [`dns-srv://${name}`, ''],
    [`dns-srv://${name}/`, ''],
    [`dns-srv://${name}/app/x`, '/app/x'],
  ] as const) {
    assert.deepEqual(parseConnectString(text), { servers: [], srvName: name, chroot });
  }
});

for (const text of [
  'dns-srv://',
  'dns-srv:///app',
  'dns-srv://a,b',
  'dns-srv://a:2181',
  'dns-srv://a/b/',
  '',
  ' ',
  ',',
  '/app',
  'a:0',
  'a:65536',
  'a:x',
  ':1',
  'a/b/',
  'a//b',
  '[::1]:x',
]) {
  test(`parseConnectString() refuses "${text}"`, () => {
    assert.throws(
      () => parseConnectString(text),
      (error) => {
        assert.ok(error instanceof BadArgumentsError);
        assert.match(error.message, /^Cannot use a connect string: current value is /);
        return true;
      },
    );
  });
}
