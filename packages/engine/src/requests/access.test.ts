import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, ErrorCode, type Id, Perms } from '@meerkat/protocol';
import { addressMatches, fixupAcl, isPermitted, isValidAddressExpression } from './access.ts';

const anyone: Id = { scheme: 'world', id: 'anyone' };
const caller: readonly Id[] = [
  { scheme: 'ip', id: '10.1.2.3' },
  { scheme: 'digest', id: 'user:hash' },
];

function entry(scheme: string, id: string, perms: number = Perms.all): Acl {
  return { perms, id: { scheme, id } };
}

test('one entry with one of the permissions is enough', () => {
  const acl = [entry('digest', 'user:hash', Perms.read), entry('ip', '10.1.2.3', Perms.write)];
  assert.ok(isPermitted(acl, Perms.read, caller));
  assert.ok(isPermitted(acl, Perms.write, caller));
  assert.ok(isPermitted(acl, Perms.read | Perms.admin, caller));
  assert.ok(!isPermitted(acl, Perms.admin, caller));
  assert.ok(!isPermitted(acl, Perms.read, [{ scheme: 'digest', id: 'user:other' }]));
});

test('an ACL of many entries means the same as a short one, also when it is asked again', () => {
  const others = Array.from({ length: 1000 }, (_, i) =>
    entry('ip', `192.168.${i >> 8}.${i & 255}`),
  );
  const acl = [
    ...others,
    entry('digest', 'user:hash', Perms.read),
    entry('ip', '10.1.2.3', Perms.write),
  ];
  const stranger: readonly Id[] = [{ scheme: 'ip', id: '10.9.9.9' }];
  for (let i = 0; i < 3; i++) {
    assert.ok(isPermitted(acl, Perms.read, caller));
    assert.ok(isPermitted(acl, Perms.write | Perms.admin, caller));
    assert.ok(!isPermitted(acl, Perms.admin, caller));
    assert.ok(!isPermitted(acl, Perms.all, stranger));
    assert.ok(isPermitted(acl, Perms.read, [...stranger, ...caller]));
    assert.ok(isPermitted(acl, Perms.all, [{ scheme: 'super', id: '' }]));
  }
});

test('world, super and an empty ACL let everybody in', () => {
  assert.ok(isPermitted([{ perms: Perms.read, id: anyone }], Perms.read, []));
  assert.ok(!isPermitted([{ perms: Perms.read, id: anyone }], Perms.write, caller));
  assert.ok(isPermitted([entry('digest', 'x:y')], Perms.admin, [{ scheme: 'super', id: '' }]));
  assert.ok(isPermitted([], Perms.admin, []));
});

test('an ip entry matches by address, by prefix, in both families', () => {
  const matches: readonly [string, string, boolean][] = [
    ['10.1.2.3', '10.1.2.3', true],
    ['10.1.2.3', '10.1.2.4', false],
    ['10.1.2.3', '10.1.0.0/16', true],
    ['10.2.2.3', '10.1.0.0/16', false],
    ['10.1.2.3', '0.0.0.0/0', true],
    ['10.1.2.3', '10.1.2.2/31', true],
    ['10.1.2.4', '10.1.2.2/31', false],
    ['10.1.2.3', '10.1.2.3/32', true],
    ['10.1.2.3', '10.1.2.3/33', false],
    ['10.1.2.3', '10.1.2.3/-1', false],
    ['10.1.2.3', '10.1.2', false],
    ['10.1.2.3', '10.1.2.3.4', false],
    ['10.1.2.3', '10.1.2.256', false],
    ['10.1.2.3', '', false],
    ['10.1.2.3', '/', false],
    ['10.1.2.3', '10.1.2.3/8/8', false],
    ['::1', '::1', true],
    ['0:0:0:0:0:0:0:1', '::1', true],
    ['2001:db8::42', '2001:db8::/32', true],
    ['2001:db9::42', '2001:db8::/32', false],
    ['2001:db8:0:0:1::', '2001:0db8::1:0:0:0', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['2001:db8::42', '2001:db8::42/129', false],
    ['2001:db8::42', '2001::db8::42', false],
    ['2001:db8::42', '10.0.0.0/0', false],
    ['10.1.2.3', '::/0', false],
    ['::ffff:10.1.2.3', '10.1.0.0/16', true],
  ];
  for (const [address, expression, expected] of matches) {
    assert.equal(addressMatches(address, expression), expected, `${address} in ${expression}`);
  }
});

test('an address expression of an ACL has to be one', () => {
  for (const good of ['1.2.3.4', '1.2.3.4/0', '1.2.3.4/32', '::', '::1/128', 'fe80::1:2']) {
    assert.ok(isValidAddressExpression(good), good);
  }
  for (const bad of ['', '1.2.3', '1.2.3.4/33', '1.2.3.4/', 'a.b.c.d', '::1/129', ':::', '1:2']) {
    assert.ok(!isValidAddressExpression(bad), bad);
  }
});

test('an ACL is stored without duplicates, auth replaced by what the caller proved', () => {
  const fixed = fixupAcl(
    [entry('auth', ''), entry('auth', ''), entry('ip', '1.2.3.4')],
    caller,
    true,
  );
  assert.deepEqual(fixed, {
    error: ErrorCode.ok,
    acl: [entry('digest', 'user:hash'), entry('ip', '1.2.3.4')],
  });
});

test('an ACL that says nothing, or what nobody knows, is not valid', () => {
  const bad: readonly (readonly Acl[] | null)[] = [
    null,
    [],
    [entry('world', 'somebody')],
    [entry('digest', 'user')],
    [entry('digest', 'a:b:c')],
    [entry('ip', 'here')],
    [entry('super', '')],
    [entry('nobody', 'knows')],
    [entry('world', 'anyone'), entry('sasl', 'user')],
  ];
  for (const acl of bad) {
    assert.equal(fixupAcl(acl, caller, true).error, ErrorCode.invalidAcl, JSON.stringify(acl));
  }
  assert.equal(fixupAcl([entry('auth', '')], [], true).error, ErrorCode.invalidAcl);
  assert.equal(fixupAcl([entry('digest', 'user:h')], caller, false).error, ErrorCode.invalidAcl);
});

test('what auth stands for is bounded', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ scheme: 'digest', id: `user${i}:hash` }));
  const acl = Array.from({ length: 1000 }, (_, i) => entry('auth', '', i));
  assert.equal(fixupAcl(acl.slice(0, 10), many, true).error, ErrorCode.ok);
  assert.equal(fixupAcl(acl, many, true).error, ErrorCode.invalidAcl);
});
