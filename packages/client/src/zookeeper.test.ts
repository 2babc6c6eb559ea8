import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JuteReader, type JuteWriter, OpCode, Perms } from '@meerkat/protocol';
import { BadArgumentsError, BadVersionError, InvalidAclError, NoWatcherError } from './errors.ts';
import { connectedClient, fakeClient, outcome } from './testing/fake-client.ts';
import { turn, writeTestStat } from './testing/fake-ports.ts';
import type { ZooKeeper } from './zookeeper.ts';

const acl = [{ perms: Perms.read, scheme: 'ip', id: '10.0.0.1' }];

function readAcl(reader: JuteReader): unknown[] {
  const entries: unknown[] = [];
  for (let i = reader.readVectorCount(12); i > 0; i--) {
    entries.push(reader.readInt(), reader.readString(), reader.readString());
  }
  return entries;
}

function readCreate(reader: JuteReader): unknown[] {
  const path = reader.readString();
  const data = reader.readBuffer();
  return [
    path,
    data === null ? null : Buffer.from(data).toString(),
    readAcl(reader),
    reader.readInt(),
  ];
}

const open = [31, 'world', 'anyone'];
const pathAndFlag = (reader: JuteReader): unknown[] => [reader.readString(), reader.readBoolean()];
const pathAndInt = (reader: JuteReader): unknown[] => [reader.readString(), reader.readInt()];
const path = (reader: JuteReader): unknown[] => [reader.readString()];
const nothing = (): unknown[] => [];

interface WireCase {
  readonly name: string;
  readonly call: (zk: ZooKeeper) => Promise<unknown>;
  readonly opcode: number;
  readonly read: (reader: JuteReader) => unknown[];
  readonly request: unknown[];
  readonly reply?: (writer: JuteWriter) => void;
  readonly check: (result: never) => void;
}

const isStat = (stat: { czxid: bigint; pzxid: bigint }): void => {
  assert.equal(stat.czxid, 101n);
  assert.equal(stat.pzxid, 0x1_0000_0009n);
};

const cases: readonly WireCase[] = [
  {
    name: 'create()',
    call: (zk) => zk.create('/a', 'é'),
    opcode: OpCode.create,
    read: readCreate,
    request: ['/app/a', 'é', open, 0],
    reply: (writer) => writer.writeString('/app/a'),
    check: (result: string) => assert.equal(result, '/a'),
  },
  {
    name: 'create() of an ephemeral sequential znode without data',
    call: (zk) => zk.create('/a/', undefined, { mode: 'ephemeralSequential', acl }),
    opcode: OpCode.create,
    read: readCreate,
    request: ['/app/a/', '', [1, 'ip', '10.0.0.1'], 3],
    reply: (writer) => writer.writeString('/app/a/0000000000'),
    check: (result: string) => assert.equal(result, '/a/0000000000'),
  },
  {
    name: 'createWithStat() of null',
    call: (zk) => zk.createWithStat('/a', null),
    opcode: OpCode.create2,
    read: readCreate,
    request: ['/app/a', null, open, 0],
    reply: (writer) => {
      writer.writeString('/app/a');
      writeTestStat(writer);
    },
    check: (result: { path: string; stat: never }) => {
      assert.equal(result.path, '/a');
      isStat(result.stat);
    },
  },
  {
    name: 'create() of a container',
    call: (zk) => zk.create('/a', '', { mode: 'container' }),
    opcode: OpCode.createContainer,
    read: readCreate,
    request: ['/app/a', '', open, 4],
    reply: (writer) => {
      writer.writeString('/app/a');
      writeTestStat(writer);
    },
    check: (result: string) => assert.equal(result, '/a'),
  },
  {
    name: 'create() of a znode with a TTL',
    call: (zk) => zk.create('/a', '', { mode: 'persistentWithTtl', ttlMs: 2 ** 33 + 1 }),
    opcode: OpCode.createTTL,
    read: (reader) => [...readCreate(reader), reader.readLongAsDouble()],
    request: ['/app/a', '', open, 5, 2 ** 33 + 1],
    reply: (writer) => {
      writer.writeString('/app/a');
      writeTestStat(writer);
    },
    check: (result: string) => assert.equal(result, '/a'),
  },
  {
    name: 'delete()',
    call: (zk) => zk.delete('/a', { version: 4 }),
    opcode: OpCode.delete,
    read: pathAndInt,
    request: ['/app/a', 4],
    check: (result: undefined) => assert.equal(result, undefined),
  },
  {
    name: 'exists()',
    call: (zk) => zk.exists('/'),
    opcode: OpCode.exists,
    read: pathAndFlag,
    request: ['/app', false],
    reply: writeTestStat,
    check: isStat,
  },
  {
    name: 'getData() with a watch',
    call: (zk) => zk.getData('/a', { watch: () => {} }),
    opcode: OpCode.getData,
    read: pathAndFlag,
    request: ['/app/a', true],
    reply: (writer) => {
      writer.writeBuffer(Uint8Array.of(1, 2));
      writeTestStat(writer);
    },
    check: (result: { data: Uint8Array; stat: never }) => {
      assert.deepEqual([...result.data], [1, 2]);
      isStat(result.stat);
    },
  },
  {
    name: 'setData()',
    call: (zk) => zk.setData('/a', Uint8Array.of(65)),
    opcode: OpCode.setData,
    read: (reader) => [reader.readString(), reader.readBuffer()?.[0], reader.readInt()],
    request: ['/app/a', 65, -1],
    reply: writeTestStat,
    check: isStat,
  },
  {
    name: 'getAcl()',
    call: (zk) => zk.getAcl('/a'),
    opcode: OpCode.getACL,
    read: path,
    request: ['/app/a'],
    reply: (writer) => {
      writer.writeInt(1);
      writer.writeInt(5);
      writer.writeString('digest');
      writer.writeString('u:x');
      writeTestStat(writer);
    },
    check: (result: { acl: unknown; stat: never }) => {
      assert.deepEqual(result.acl, [{ perms: 5, scheme: 'digest', id: 'u:x' }]);
      isStat(result.stat);
    },
  },
  {
    name: 'setAcl()',
    call: (zk) => zk.setAcl('/a', acl, { version: 2 }),
    opcode: OpCode.setACL,
    read: (reader) => [reader.readString(), readAcl(reader), reader.readInt()],
    request: ['/app/a', [1, 'ip', '10.0.0.1'], 2],
    reply: writeTestStat,
    check: isStat,
  },
  {
    name: 'getChildrenWithStat()',
    call: (zk) => zk.getChildrenWithStat('/a'),
    opcode: OpCode.getChildren2,
    read: pathAndFlag,
    request: ['/app/a', false],
    reply: (writer) => {
      writer.writeInt(2);
      writer.writeString('x');
      writer.writeString('y');
      writeTestStat(writer);
    },
    check: (result: { children: string[]; stat: never }) => {
      assert.deepEqual(result.children, ['x', 'y']);
      isStat(result.stat);
    },
  },
  {
    name: 'getAllChildrenNumber()',
    call: (zk) => zk.getAllChildrenNumber('/a'),
    opcode: OpCode.getAllChildrenNumber,
    read: path,
    request: ['/app/a'],
    reply: (writer) => writer.writeInt(12),
    check: (result: number) => assert.equal(result, 12),
  },
  {
    name: 'getEphemerals()',
    call: (zk) => zk.getEphemerals(),
    opcode: OpCode.getEphemerals,
    read: path,
    request: ['/app'],
    reply: (writer) => {
      writer.writeInt(1);
      writer.writeString('/app/e');
    },
    check: (result: string[]) => assert.deepEqual(result, ['/e']),
  },
  {
    name: 'sync()',
    call: (zk) => zk.sync('/a'),
    opcode: OpCode.sync,
    read: path,
    request: ['/app/a'],
    reply: (writer) => writer.writeString('/app/a'),
    check: (result: undefined) => assert.equal(result, undefined),
  },
  {
    name: 'addWatch()',
    call: (zk) => zk.addWatch('/a', () => {}),
    opcode: OpCode.addWatch,
    read: pathAndInt,
    request: ['/app/a', 1],
    reply: (writer) => writer.writeInt(0),
    check: (result: undefined) => assert.equal(result, undefined),
  },
  {
    name: 'checkWatches()',
    call: (zk) => zk.checkWatches('/a', { type: 'data' }),
    opcode: OpCode.checkWatches,
    read: pathAndInt,
    request: ['/app/a', 2],
    check: (result: boolean) => assert.equal(result, true),
  },
  {
    name: 'whoAmI()',
    call: (zk) => zk.whoAmI(),
    opcode: OpCode.whoAmI,
    read: nothing,
    request: [],
    reply: (writer) => {
      writer.writeInt(1);
      writer.writeString('digest');
      writer.writeString('u');
    },
    check: (result: unknown[]) => assert.deepEqual(result, [{ scheme: 'digest', user: 'u' }]),
  },
  {
    name: 'getConfig(), which the chroot does not concern',
    call: (zk) => zk.getConfig(),
    opcode: OpCode.getData,
    read: pathAndFlag,
    request: ['/zookeeper/config', false],
    reply: (writer) => {
      writer.writeBuffer(null);
      writeTestStat(writer);
    },
    check: (result: { data: null }) => assert.equal(result.data, null),
  },
  {
    name: 'reconfig()',
    call: (zk) =>
      zk.reconfig({ joining: ['server.2=a', 'server.3=b'], leaving: '1', fromConfig: 2n ** 33n }),
    opcode: OpCode.reconfig,
    read: (reader) => [
      reader.readNullableString(),
      reader.readNullableString(),
      reader.readNullableString(),
      reader.readLongAsDouble(),
    ],
    request: ['server.2=a,server.3=b', '1', null, 2 ** 33],
    reply: (writer) => {
      writer.writeBuffer(Uint8Array.of(1));
      writeTestStat(writer);
    },
    check: (result: { data: Uint8Array }) => assert.equal(result.data.length, 1),
  },
];

for (const { name, call, opcode, read, request, reply, check } of cases) {
  test(`${name} on the wire`, async () => {
    const { zk, stream } = await connectedClient({}, 'one:1/app');
    const result = call(zk);
    await turn();
    const seen = stream.next();
    assert.equal(seen.opcode, opcode);
    assert.deepEqual(read(seen.reader), request);
    assert.equal(seen.reader.remaining, 0);
    stream.reply(seen.xid, 0, reply);
    check((await result) as never);
  });
}

function writeHeader(writer: JuteWriter, type: number, done = false, err = 0): void {
  writer.writeInt(type);
  writer.writeBoolean(done);
  writer.writeInt(err);
}

test('multi() on the wire', async () => {
  const { zk, stream } = await connectedClient({}, 'one:1/app');
  const result = zk.multi([
    { op: 'create', path: '/a', data: 'x' },
    { op: 'setData', path: '/b', data: null, version: 3 },
    { op: 'check', path: '/c' },
    { op: 'delete', path: '/d' },
  ]);
  await turn();
  const { xid, opcode, reader } = stream.next();
  assert.equal(opcode, OpCode.multi);
  const header = (): unknown[] => [reader.readInt(), reader.readBoolean(), reader.readInt()];
  assert.deepEqual(header(), [OpCode.create, false, -1]);
  assert.deepEqual(readCreate(reader), ['/app/a', 'x', open, 0]);
  assert.deepEqual(header(), [OpCode.setData, false, -1]);
  assert.deepEqual(
    [reader.readString(), reader.readBuffer(), reader.readInt()],
    ['/app/b', null, 3],
  );
  assert.deepEqual(header(), [OpCode.check, false, -1]);
  assert.deepEqual(pathAndInt(reader), ['/app/c', -1]);
  assert.deepEqual(header(), [OpCode.delete, false, -1]);
  assert.deepEqual(pathAndInt(reader), ['/app/d', -1]);
  assert.deepEqual(header(), [-1, true, -1]);
  assert.equal(reader.remaining, 0);
  stream.reply(xid, 0, (writer) => {
    writeHeader(writer, OpCode.create);
    writer.writeString('/app/a');
    writeHeader(writer, OpCode.setData);
    writeTestStat(writer);
    writeHeader(writer, OpCode.check);
    writeHeader(writer, OpCode.delete);
    writeHeader(writer, -1, true, -1);
  });
  const [created, changed, checked, deleted] = await result;
  assert.deepEqual(created, { op: 'create', path: '/a', stat: null });
  assert.ok(changed?.op === 'setData' && changed.stat.version === 3);
  assert.deepEqual([checked, deleted], [{ op: 'check' }, { op: 'delete' }]);
});

test('a failed multi() is the error of the operation that failed', async () => {
  const { zk, stream } = await connectedClient();
  const result = zk.multi([
    { op: 'delete', path: '/a' },
    { op: 'check', path: '/b', version: 2 },
    { op: 'delete', path: '/c' },
  ]);
  await turn();
  stream.reply(stream.next().xid, 0, (writer) => {
    for (const code of [0, -103, -2]) {
      writeHeader(writer, -1, false, code);
      writer.writeInt(code);
    }
    writeHeader(writer, -1, true, -1);
  });
  await assert.rejects(result, (error) => {
    assert.ok(error instanceof BadVersionError);
    assert.equal(error.path, '/b');
    assert.deepEqual(error.multi, { index: 1, codes: [0, -103, -2] });
    return true;
  });
});

test('multiRead() gives each read its own result or error', async () => {
  const { zk, stream } = await connectedClient();
  const result = zk.multiRead([
    { op: 'getData', path: '/a' },
    { op: 'getChildren', path: '/b' },
    { op: 'getData', path: '/c' },
  ]);
  await turn();
  const { xid, opcode } = stream.next();
  assert.equal(opcode, OpCode.multiRead);
  stream.reply(xid, 0, (writer) => {
    writeHeader(writer, OpCode.getData);
    writer.writeBuffer(Uint8Array.of(9));
    writeTestStat(writer);
    writeHeader(writer, OpCode.getChildren);
    writer.writeInt(1);
    writer.writeString('x');
    writeHeader(writer, -1, false, -101);
    writer.writeInt(-101);
    writeHeader(writer, -1, true, -1);
  });
  const [data, children, missing] = await result;
  assert.ok(data?.op === 'getData' && data.data?.[0] === 9);
  assert.deepEqual(children, { op: 'getChildren', children: ['x'] });
  assert.ok(missing?.op === 'error' && missing.error.path === '/c');
});

test('results of a multi that are too few or too many drop the connection', async () => {
  for (const count of [0, 2]) {
    const { zk, stream } = await connectedClient();
    const result = outcome(zk.multi([{ op: 'delete', path: '/a' }]));
    await turn();
    stream.reply(stream.next().xid, 0, (writer) => {
      for (let i = 0; i < count; i++) writeHeader(writer, OpCode.delete);
      writeHeader(writer, -1, true, -1);
    });
    assert.equal(await result, 'ConnectionLossError');
    assert.ok(stream.isClosed);
  }
});

test('ping() measures; without a connection it fails at once', async () => {
  const { zk, ports, stream } = await connectedClient();
  const ping = zk.ping();
  await ports.pass(3);
  assert.equal(stream.next().xid, -2);
  stream.reply(-2);
  assert.equal(await ping, 3);
  assert.equal(await outcome(fakeClient().zk.ping()), 'ConnectionLossError');
});

test('what no server takes is refused before anything is sent', async () => {
  const { zk, stream } = await connectedClient({ requestBytesMax: 200 });
  const bad = undefined as never;
  const calls: Promise<unknown>[] = [
    zk.create('a'),
    zk.create('/a/'),
    zk.create('/a', 7 as never),
    zk.create('/a', '', { mode: 'nonsense' as never }),
    zk.create('/a', '', { ttlMs: 5 }),
    zk.create('/a', '', { mode: 'persistentWithTtl' }),
    zk.create('/a', '', { mode: 'persistentWithTtl', ttlMs: 2 ** 41 }),
    zk.create('/a', 'x'.repeat(200)),
    zk.delete(bad),
    zk.delete('/a', { version: 1.5 }),
    zk.setData('/a', bad),
    zk.setData('/a', '', { version: 2 ** 31 }),
    zk.getData('/a', { watch: 'me' as never }),
    zk.getData('/a', { timeoutMs: 0 }),
    zk.addWatch('/a', () => {}, { mode: 'toString' as never }),
    zk.removeWatches('/a', { type: 'nonsense' as never }),
    zk.multi([{ op: 'delete', path: 'a' }]),
    zk.multi([{ op: 'getData', path: '/a' } as never]),
    zk.multiRead([{ op: 'delete', path: '/a' } as never]),
    zk.reconfig({}),
    zk.reconfig({ joining: 'a', newMembers: 'b' }),
    zk.addAuth('', 'x'),
    zk.addAuth('digest', 5 as never),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof BadArgumentsError, String(error));
      assert.match(error.message, /^Cannot .*: current value is /);
      return true;
    });
  }
  for (const wrong of [
    [],
    [{ perms: 0, scheme: 'world', id: 'anyone' }],
    [{ perms: 1, scheme: '', id: '' }],
  ]) {
    await assert.rejects(zk.create('/a', '', { acl: wrong }), InvalidAclError);
    await assert.rejects(zk.setAcl('/a', wrong), InvalidAclError);
  }
  await turn();
  assert.equal(stream.unseen, 0);
  assert.equal(zk.state.status, 'connected');
});

test('options that make no sense are refused', () => {
  for (const options of [
    { sessionTimeoutMs: 0 },
    { sessionTimeoutMs: Number.NaN },
    { replyBytesMax: -1 },
    { retryDelayMs: -1 },
    { requestTimeoutMs: 0.5 },
    { auth: [{ scheme: '', auth: '' }] },
    { session: { id: 5 as never, password: new Uint8Array(16) } },
    { session: { id: 2n ** 64n, password: new Uint8Array(16) } },
  ]) {
    assert.throws(
      () => fakeClient(options),
      (error) => {
        assert.ok(error instanceof BadArgumentsError);
        assert.match(error.message, /^Cannot .*: current value is /);
        return true;
      },
    );
  }
});

test('removeWatches() leaves the server’s watch while another watcher needs it', async () => {
  const { zk, stream } = await connectedClient();
  const told: string[] = [];
  const one = (event: { type: string }): void => void told.push(`one ${event.type}`);
  const two = (event: { type: string }): void => void told.push(`two ${event.type}`);
  const set = [zk.exists('/a', { watch: one }), zk.exists('/a', { watch: two })];
  await turn();
  for (let i = 0; i < 2; i++) stream.reply(stream.next().xid, -101);
  await Promise.all(set);
  const first = zk.removeWatches('/a', { type: 'data', watcher: one });
  await turn();
  const check = stream.next();
  assert.equal(check.opcode, OpCode.checkWatches);
  assert.deepEqual(pathAndInt(check.reader), ['/a', 2]);
  stream.reply(check.xid);
  await first;
  await assert.rejects(zk.removeWatches('/a', { watcher: one }), NoWatcherError);
  const second = zk.removeWatches('/a');
  await turn();
  const remove = stream.next();
  assert.equal(remove.opcode, OpCode.removeWatches);
  assert.deepEqual(pathAndInt(remove.reader), ['/a', 3]);
  stream.reply(remove.xid);
  await second;
  await turn();
  assert.deepEqual(told, ['one dataWatchRemoved', 'two dataWatchRemoved']);
});

test('checkWatches() says whether the server has the watch', async () => {
  const { zk, stream } = await connectedClient();
  const check = zk.checkWatches('/a');
  await turn();
  stream.reply(stream.next().xid, -121);
  assert.equal(await check, false);
});

test('await using closes the client', async () => {
  const { zk, stream } = await connectedClient();
  const disposed = zk[Symbol.asyncDispose]();
  assert.equal(disposed, zk.close());
  await turn();
  stream.reply(stream.next().xid);
  await disposed;
  assert.equal(zk.state.status, 'closed');
});
