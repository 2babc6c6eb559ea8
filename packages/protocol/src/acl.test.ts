import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  creatorAllAcl,
  creatorAllAclBytes,
  formatAcl,
  formatPerms,
  openAclUnsafe,
  openAclUnsafeBytes,
  parseAcls,
  readAclUnsafe,
  readAclUnsafeBytes,
} from './acl.ts';

test('the well-known ACLs and their bytes', () => {
  assert.deepEqual(openAclUnsafe.map(formatAcl), ['world:anyone:cdrwa']);
  assert.deepEqual(creatorAllAcl.map(formatAcl), ['auth::cdrwa']);
  assert.deepEqual(readAclUnsafe.map(formatAcl), ['world:anyone:r']);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const anyone = '00000005776f726c6400000006616e796f6e65';
  assert.equal(hex(openAclUnsafeBytes), `000000010000001f${anyone}`);
  assert.equal(hex(creatorAllAclBytes), '000000010000001f000000046175746800000000');
  assert.equal(hex(readAclUnsafeBytes), `0000000100000001${anyone}`);
});

test('scheme:id:perms and back; ids have colons', () => {
  const text = 'world:anyone:cdrwa,digest:user:hash=:rw,ip:::1/128:a,x509:CN=a:';
  const { acls, problems } = parseAcls(text);
  assert.deepEqual(problems, []);
  assert.equal(acls.map(formatAcl).join(','), text);
  assert.deepEqual(acls[1], { perms: 3, id: { scheme: 'digest', id: 'user:hash=' } });
  assert.deepEqual(acls[2], { perms: 16, id: { scheme: 'ip', id: '::1/128' } });
});

test('what zkCli does not understand is left out and named', () => {
  assert.deepEqual(parseAcls('world,world:anyone:rx,a:b').problems, [
    'world does not have the form scheme:id:perm',
    'Unknown perm type: x',
    'a:b does not have the form scheme:id:perm',
  ]);
  assert.deepEqual(parseAcls('world,world:anyone:rx').acls.map(formatAcl), ['world:anyone:r']);
  assert.deepEqual(parseAcls('world:anyone:r,,').acls.length, 1);
  assert.deepEqual(parseAcls('').problems, [' does not have the form scheme:id:perm']);
});

test('permissions as letters', () => {
  assert.equal(formatPerms(0), '');
  assert.equal(formatPerms(31), 'cdrwa');
  assert.equal(formatPerms(1 | 16), 'ra');
  assert.equal(formatPerms(64), '');
});
