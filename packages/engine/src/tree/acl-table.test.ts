import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, JuteError, JuteReader, JuteWriter, writeAcl } from '@meerkat/protocol';
import { AclTable, openAcl, openAclBytes, openAclId, unknownAclId } from './acl-table.ts';

const ipAcl: readonly Acl[] = [{ perms: 3, id: { scheme: 'ip', id: '10.0.0.1' } }];
const digestAcl: readonly Acl[] = [{ perms: 31, id: { scheme: 'digest', id: 'user:猫' } }];

function toWire(acls: readonly Acl[]): Uint8Array {
  const writer = new JuteWriter();
  writer.writeInt(acls.length);
  for (const acl of acls) writeAcl(writer, acl);
  return writer.toBytes();
}

test('the open ACL is -1 and in no table, null as well (ZB 4, ACL cache)', () => {
  const table = new AclTable();
  assert.equal(table.convertAcls(null), openAclId);
  assert.equal(
    table.convertAcls([{ perms: 31, id: { scheme: 'world', id: 'anyone' } }]),
    openAclId,
  );
  assert.equal(table.fromWire(openAclBytes, 0, openAclBytes.length), openAclId);
  assert.deepEqual(toWire(openAcl), openAclBytes);
  assert.equal(table.get(openAclId), openAcl);
  assert.equal(table.size, 0);
  const nullVector = new Uint8Array([255, 255, 255, 255]);
  assert.equal(table.fromWire(nullVector, 0, 4), openAclId);
});

test('equal lists have one number while they are used, another one later', () => {
  const table = new AclTable();
  const id = table.convertAcls(ipAcl);
  const wire = toWire(ipAcl);
  assert.equal(table.fromWire(wire, 0, wire.length), id);
  assert.deepEqual(table.get(id), ipAcl);
  const other = table.convertAcls(digestAcl);
  assert.notEqual(other, id);
  table.removeUsage(id);
  assert(table.has(id));
  table.removeUsage(id);
  assert(!table.has(id));
  assert.notEqual(table.convertAcls(ipAcl), id);
  assert.deepEqual(table.get(other), digestAcl);
});

test('a table is read back with its numbers, unused lists go (ReferenceCountedACLCache)', () => {
  const table = new AclTable();
  const first = table.convertAcls(ipAcl);
  const second = table.convertAcls(digestAcl);
  const writer = new JuteWriter();
  table.serialize(writer);
  const loaded = new AclTable();
  loaded.deserialize(new JuteReader(writer.toBytes()));
  assert.deepEqual(loaded.get(first), ipAcl);
  assert.deepEqual(loaded.get(second), digestAcl);
  loaded.addUsage(second);
  loaded.addUsage(unknownAclId);
  loaded.purgeUnused();
  assert(!loaded.has(first) && loaded.has(second));
  const third = loaded.convertAcls([{ perms: 1, id: { scheme: 'ip', id: '::1' } }]);
  assert(third > second, 'numbers go on from the largest');
});

test('a number without a list lets nobody in', () => {
  const table = new AclTable();
  const [entry] = table.get(unknownAclId);
  assert.equal(entry?.perms, 0);
  table.removeUsage(unknownAclId);
  assert(!table.has(unknownAclId));
});

test('what is no ACL vector is refused', () => {
  const table = new AclTable();
  const wire = toWire(ipAcl);
  for (let end = 0; end < wire.length; end++) {
    assert.throws(() => table.fromWire(wire, 0, end), JuteError);
  }
  const longer = new Uint8Array([...wire, 0]);
  assert.throws(() => table.fromWire(longer, 0, longer.length), JuteError);
  assert.equal(table.size, 0);
  const hostile = new Uint8Array([0x7f, 255, 255, 255, 0, 0, 0, 0]);
  assert.throws(() => table.deserialize(new JuteReader(hostile)), JuteError);
});
