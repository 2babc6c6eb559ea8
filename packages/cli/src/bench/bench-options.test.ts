import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMix, parseHosts, parseMix } from './bench-options.ts';

test('hosts with and without a port, and IPv6', () => {
  assert.deepEqual(parseHosts('a,b:1, [::1]:2,[fe80::1]'), [
    { host: 'a', port: 2181 },
    { host: 'b', port: 1 },
    { host: '::1', port: 2 },
    { host: 'fe80::1', port: 2181 },
  ]);
});

for (const wrong of ['', 'a:', 'a:0', 'a:65536', 'a,,b', '::1', 'a:b', 'a/chroot']) {
  test(`"${wrong}" is no list of hosts`, () =>
    assert.throws(() => parseHosts(wrong), /Cannot use/));
}

test('a mix is an operation, mixN, or weights', () => {
  assert.equal(formatMix(parseMix('children')), 'children');
  assert.equal(formatMix(parseMix('mix90')), 'get:90,set:10');
  assert.equal(formatMix(parseMix('mix0')), 'set');
  assert.equal(formatMix(parseMix('get:3,multi:0.5')), 'get:3,multi:0.5');
});

for (const wrong of ['', 'got', 'mix101', 'get:', 'get:-1', 'get:0', 'get:1:2', 'get;set']) {
  test(`"${wrong}" is no mix`, () => assert.throws(() => parseMix(wrong), /Cannot use mix/));
}
