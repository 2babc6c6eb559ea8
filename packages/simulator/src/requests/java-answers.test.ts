import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFlag, ErrorCode, OpCode, readStat } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import { create, exists, getData, multi, onPath, readMultiResults } from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

/* What the comparison with a Java server found, one small case each. */

test('in a multi the flags of a create decide what it makes', () => {
  const server = new InProcessServer({ config: { extendedTypesEnabled: true } }).start();
  const client = ScriptedClient.open(server);
  const reply = client.call(
    ...multi([
      create('/container', { flags: CreateFlag.container }),
      create('/plain', { type: OpCode.createTTL, flags: CreateFlag.persistent, ttlMs: 1000 }),
      create('/ttl', { type: OpCode.createTTL, flags: CreateFlag.persistentWithTtl, ttlMs: 1000 }),
    ]),
  );
  // A create with a Stat in its result calls itself create2, whatever it was asked as.
  const types = readMultiResults(reply).map(({ type }) => type);
  assert.deepEqual(types, [OpCode.create2, OpCode.create, OpCode.create2]);
  assert.equal(readStat(client.call(...exists('/plain')).body).ephemeralOwnerLo, 0);
});

for (const flags of [-1, 7, CreateFlag.persistentWithTtl]) {
  test(`a multi with a create of flags ${flags} does not decode, and takes a zxid`, () => {
    const server = new InProcessServer({ config: { extendedTypesEnabled: true } }).start();
    const client = ScriptedClient.open(server);
    const before = client.call(...create('/before')).zxid;
    const reply = client.call(...multi([create('/a'), create('/b', { flags })]));
    assert.deepEqual([reply.err, reply.zxid], [ErrorCode.marshallingError, before + 1]);
    assert.equal(client.call(...exists('/a')).err, ErrorCode.noNode);
  });
}

test('a read is decoded whole before anything is looked up', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  const [type] = getData('/none');
  const cut = client.call(type, (writer) => writer.writeString('/none'));
  assert.equal(cut.err, ErrorCode.marshallingError);
});

test('sync answers with the path as Java writes it', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  const plain = client.call(...onPath(OpCode.sync, '/猫鼬'));
  assert.equal(plain.body.readString(), '/猫鼬');
  const beyond = client.call(OpCode.sync, (writer) => writer.writeBuffer(Buffer.from('/😀')));
  // Each half of the pair by itself.
  assert.equal(Buffer.from(beyond.body.readBuffer() ?? []).toString('hex'), '2feda0bdedb880');
});
