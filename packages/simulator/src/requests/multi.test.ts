import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFlag, ErrorCode, OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  acl,
  check,
  create,
  create2,
  ephemeral,
  exists,
  getChildren,
  getData,
  multi,
  type Operation,
  readMultiResults,
  remove,
  sequential,
  setAcl,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

function start(): [InProcessServer, ScriptedClient] {
  const server = new InProcessServer({ config: { extendedTypesEnabled: true } }).start();
  return [server, ScriptedClient.open(server)];
}

function run(client: ScriptedClient, operations: readonly Operation[]): number[] {
  const reply = client.call(...multi(operations));
  assert.equal(reply.err, ErrorCode.ok, 'a failed one is told in its results');
  return readMultiResults(reply).map(({ err }) => err);
}

test('all operations happen at one zxid, each seeing those before it', () => {
  const [server, client] = start();
  const container = { type: OpCode.createContainer, flags: CreateFlag.container };
  const ttl = { type: OpCode.createTTL, flags: CreateFlag.persistentWithTtl, ttlMs: 5000 };
  const reply = client.call(
    ...multi([
      create('/a', { data: '1' }),
      check('/a', 0),
      setData('/a', '22'),
      check('/a', 1),
      create2('/a/b'),
      sequential('/a/s-'),
      ephemeral('/a/e'),
      create('/c', container),
      create('/t', ttl),
      remove('/a/b'),
    ]),
  );
  const results = readMultiResults(reply);
  assert.deepEqual(
    results.map(({ type, err }) => [type, err]),
    [1, 13, 5, 13, 15, 1, 1, 15, 15, 2].map((type) => [type, 0]),
  );
  assert.equal(results[5]?.path, '/a/s-0000000001');
  assert.deepEqual([results[2]?.stat?.version, results[2]?.stat?.dataLength], [1, 2]);
  const stats = results.flatMap(({ stat }) => (stat === undefined ? [] : [stat]));
  assert.ok(stats.every(({ mzxid }) => mzxid === reply.zxid));
  assert.equal(client.call(...exists('/a/b')).err, ErrorCode.noNode);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('one that fails undoes all, and the results say which it was', () => {
  const [server, client] = start();
  client.call(...create('/a'));
  assert.deepEqual(
    run(client, [create('/b'), setData('/a', 'new'), remove('/none'), create('/c'), check('/x')]),
    [0, 0, -101, -2, -2],
  );
  assert.equal(client.call(...exists('/b')).err, ErrorCode.noNode);
  assert.deepEqual(run(client, [check('/a', 0)]), [0]);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('a failed multi leaves no trace in what is pending (ZOOKEEPER-1624)', () => {
  const server = new InProcessServer({ disk: { latencyMs: 1 } }).start();
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  client.send(...create('/p'));
  client.send(...sequential('/p/n-'));
  client.send(...multi([sequential('/p/n-'), sequential('/p/n-'), remove('/p'), create('/q')]));
  client.send(...sequential('/p/n-'));
  client.send(...multi([remove('/p/n-0000000000'), create('/p/n-0000000000'), create('/p')]));
  client.send(...create('/p/n-0000000000'));
  client.send(...multi([remove('/p/n-0000000001'), sequential('/p/n-')]));
  client.send(...getChildren('/p'));
  server.advance(1000);
  const replies = client.take().flatMap((each) => (each.kind === 'reply' ? [each.reply] : []));
  const names = [1, 3].map((i) => replies[i]?.body.readString());
  assert.deepEqual(names, ['/p/n-0000000000', '/p/n-0000000001']);
  assert.equal(replies[5]?.err, ErrorCode.nodeExists);
  const last = replies[6];
  assert.ok(last !== undefined);
  assert.equal(readMultiResults(last)[1]?.path, '/p/n-0000000002');
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('an empty one succeeds and takes a zxid', () => {
  const [, client] = start();
  const reply = client.call(...multi([]));
  assert.deepEqual([reply.err, reply.zxid], [0, 2]);
  assert.deepEqual(readMultiResults(reply), []);
});

test('reads among writes, kinds that a multi has not, and one in another are malformed', () => {
  const [, client] = start();
  const wrong: readonly (readonly Operation[])[] = [
    [create('/a'), getData('/a')],
    [getData('/a'), create('/a')],
    [create('/a'), setAcl('/a', acl('world', 'anyone'))],
    [create('/a'), multi([create('/b')])],
    [create('/a'), [OpCode.deleteContainer, (writer): void => writer.writeString('/a')]],
    [create('/a'), [OpCode.closeSession, (): void => {}]],
  ];
  for (const operations of wrong) {
    assert.equal(client.call(...multi(operations)).err, ErrorCode.marshallingError);
  }
  assert.equal(client.call(...exists('/a')).err, ErrorCode.noNode);
  assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
});

test('a multi cut anywhere is malformed and changes nothing', () => {
  const [server, client] = start();
  const [, write] = multi([create('/a'), setData('/a', 'x'), remove('/a')]);
  let length = 0;
  for (let cut = 0; cut === 0 || cut < length; cut++) {
    const reply = client.call(OpCode.multi, (writer) => {
      const before = writer.length;
      write(writer);
      length = writer.length - before;
      writer.length = before + cut;
    });
    assert.equal(reply.err, ErrorCode.marshallingError, `cut at ${cut}`);
  }
  assert.equal(client.call(...create('/a')).err, ErrorCode.ok);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('permissions are those at each step', () => {
  const [, client] = start();
  client.call(...create('/closed', { acl: acl('world', 'anyone', 1) }));
  assert.deepEqual(run(client, [check('/closed'), setData('/closed', '')]), [0, -102]);
  const sealed = acl('world', 'anyone', 0);
  assert.deepEqual(run(client, [create('/x', { acl: sealed }), create('/x/y')]), [0, -102]);
});

test('multiRead answers each by itself and sets no watch', () => {
  const [, client] = start();
  client.call(...create('/a', { data: 'of a' }));
  client.call(...create('/a/b', { acl: acl('world', 'anyone', 2) }));
  const reads = [getData('/a', true), getChildren('/a', true), getData('/none'), getData('/a/b')];
  const reply = client.call(...multi(reads, OpCode.multiRead));
  assert.equal(reply.err, ErrorCode.ok);
  const results = readMultiResults(reply);
  assert.deepEqual(
    results.map(({ type, err }) => [type, err]),
    [
      [4, 0],
      [8, 0],
      [-1, -101],
      [-1, -102],
    ],
  );
  assert.equal(results[0]?.data, 'of a');
  assert.deepEqual(results[1]?.children, ['b']);
  client.call(...setData('/a', ''));
  client.call(...create('/a/c'));
  assert.deepEqual(client.takeEvents(), []);
  assert.equal(
    client.call(...multi([exists('/a')], OpCode.multiRead)).err,
    ErrorCode.marshallingError,
  );
});
