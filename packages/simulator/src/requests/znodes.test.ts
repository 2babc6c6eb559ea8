import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateFlag, ErrorCode, OpCode, readStat, type Stat } from '@meerkat/protocol';
import { InProcessServer, type InProcessServerOptions } from '../in-process-server.ts';
import {
  acl,
  create,
  create2,
  ephemeral,
  exists,
  getChildren2,
  getData,
  type Operation,
  onPath,
  readStrings,
  readText,
  remove,
  sequential,
  setAcl,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

function start(options: InProcessServerOptions = {}): [InProcessServer, ScriptedClient] {
  const server = new InProcessServer(options).start();
  return [server, ScriptedClient.open(server, { timeOut: 60_000 })];
}

function errors(client: ScriptedClient, operations: readonly Operation[]): number[] {
  return operations.map((operation) => client.call(...operation).err);
}

function statOf(client: ScriptedClient, path: string): Stat {
  const reply = client.call(...exists(path));
  assert.equal(reply.err, 0, path);
  return readStat(reply.body);
}

test('a created znode has the Stat of its transaction, its parent pzxid and cversion', () => {
  const [server, client] = start();
  const timeMs = server.clock.wallMs();
  const reply = client.call(...create2('/a', { data: 'four' }));
  assert.equal(reply.body.readString(), '/a');
  const stat = readStat(reply.body);
  assert.deepEqual(stat, {
    czxid: 2,
    mzxid: 2,
    ctime: timeMs,
    mtime: timeMs,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwnerHi: 0,
    ephemeralOwnerLo: 0,
    dataLength: 4,
    numChildren: 0,
    pzxid: 2,
  });
  client.call(...create('/a/b'));
  client.call(...create('/a/c'));
  client.call(...remove('/a/b'));
  const { cversion, numChildren, pzxid, mzxid, version } = statOf(client, '/a');
  assert.deepEqual([cversion, numChildren, pzxid, mzxid, version], [3, 1, 5, 2, 0]);
});

test('setData and setACL count in versions of their own', () => {
  const [server, client] = start();
  client.call(...create('/a'));
  server.advance(50);
  client.call(...setData('/a', 'x'));
  client.call(...setData('/a', 'x', 1));
  client.call(...setAcl('/a', acl('world', 'anyone'), 0));
  const { version, aversion, mzxid, czxid, mtime, ctime } = statOf(client, '/a');
  assert.deepEqual([version, aversion, mzxid, czxid, mtime - ctime], [2, 1, 4, 2, 50]);
  assert.deepEqual(
    errors(client, [
      setData('/a', '', 1),
      setData('/a', '', 2),
      setAcl('/a', acl('world', 'anyone'), 0),
      setAcl('/a', acl('world', 'anyone'), 1),
      remove('/a', 2),
      remove('/a', 3),
    ]),
    [-103, 0, -103, 0, -103, 0],
  );
});

test('no data and empty data differ', () => {
  const [, client] = start();
  client.call(...create('/null', { data: null }));
  client.call(...create('/empty', { data: '' }));
  assert.equal(readText(client.call(...getData('/null')).body), null);
  assert.equal(readText(client.call(...getData('/empty')).body), '');
  client.call(...setData('/empty', null));
  assert.equal(readText(client.call(...getData('/empty')).body), null);
});

test('create refuses in the order of ZooKeeper', () => {
  const [, client] = start();
  client.call(...create('/closed', { acl: acl('world', 'anyone', 1) }));
  client.call(...ephemeral('/e'));
  const badAcl = acl('nobody', 'knows');
  assert.deepEqual(
    errors(client, [
      create('none', { flags: 9, acl: badAcl }),
      create('none', { acl: badAcl }),
      create('/none/x', { acl: badAcl }),
      create('/none/x', { acl: [] }),
      create('/none/x', { acl: null }),
      create('/none/x'),
      create('/closed//'),
      create('/closed/x'),
      create('/e//'),
      create('/e'),
      create('/e/x'),
      create('/'),
      create('/a/'),
      create(''),
      create('/.'),
      create('/a\u0000b'),
      create('/a\u0001b'),
      create('/\ud83d\ude00'),
    ]),
    [-8, -8, -114, -114, -114, -101, -101, -102, -101, -110, -108, -110, -101, -8, -8, -8, -8, -8],
  );
});

test('delete refuses in the order of ZooKeeper', () => {
  const [, client] = start();
  client.call(...create('/closed'));
  client.call(...create('/closed/x'));
  client.call(...setAcl('/closed', acl('world', 'anyone', 4)));
  client.call(...create('/p'));
  client.call(...create('/p/c'));
  assert.deepEqual(
    errors(client, [
      remove('p'),
      remove('/'),
      remove('/zookeeper'),
      remove('/zookeeper/quota'),
      remove('/zookeeper/config'),
      remove('/none/x'),
      remove('/closed/x', 7),
      remove('/closed/none'),
      remove('/none'),
      remove('/p', 7),
      remove('/p'),
      remove('/p/c'),
      remove('/p'),
    ]),
    [-8, -8, -8, -8, -8, -101, -102, -102, -101, -103, -111, 0, 0],
  );
});

test('setData and setACL refuse in the order of ZooKeeper', () => {
  const [, client] = start();
  client.call(...create('/closed', { acl: acl('world', 'anyone', 1) }));
  assert.deepEqual(
    errors(client, [
      setData('', ''),
      setData('/a/', ''),
      setData('/none', '', 7),
      setData('/closed', '', 7),
      setAcl('/a/', acl('nobody', 'knows')),
      setAcl('/none', acl('nobody', 'knows')),
      setAcl('/none', acl('world', 'anyone'), 7),
      setAcl('/closed', acl('world', 'anyone'), 7),
    ]),
    [-8, -8, -101, -102, -8, -114, -101, -102],
  );
});

test('sequential names count the children ever created, pending ones too', () => {
  const [, client] = start();
  client.call(...create('/s'));
  const names: string[] = [];
  const name = (operation: Operation): void => {
    names.push(client.call(...operation).body.readString());
  };
  name(sequential('/s/n-'));
  client.call(...create('/s/plain'));
  client.call(...remove('/s/plain'));
  name(sequential('/s/n-', { flags: CreateFlag.ephemeralSequential }));
  name(sequential('/s/'));
  assert.deepEqual(names, ['/s/n-0000000000', '/s/n-0000000002', '/s/0000000003']);
  const first = client.send(...sequential('/s/n-'));
  client.send(...sequential('/s/n-'));
  const last = client.call(...sequential('/s/n-'));
  assert.equal(last.xid, first + 2);
  assert.equal(last.body.readString(), '/s/n-0000000006');
});

test('an ephemeral tells its owner, containers and TTL znodes do not', () => {
  const [, client] = start({ config: { extendedTypesEnabled: true } });
  client.call(...ephemeral('/e'));
  const owner = statOf(client, '/e');
  assert.equal(owner.ephemeralOwnerHi, client.session?.sessionIdHi);
  assert.equal(owner.ephemeralOwnerLo, client.session?.sessionIdLo);
  const flags = CreateFlag.persistentWithTtl;
  client.call(...create('/c', { type: OpCode.createContainer, flags: CreateFlag.container }));
  client.call(...create('/t', { type: OpCode.createTTL, flags, ttlMs: 1000 }));
  for (const path of ['/c', '/t']) {
    const { ephemeralOwnerHi, ephemeralOwnerLo } = statOf(client, path);
    assert.deepEqual([ephemeralOwnerHi, ephemeralOwnerLo], [0, 0]);
  }
});

test('a container goes once it has lost its last child, or was never used for long', () => {
  const config = {
    container: { checkIntervalMs: 10_000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 35_000 },
  };
  const [server, client] = start({ config });
  const container = { type: OpCode.createContainer, flags: CreateFlag.container };
  const keep = (): number => client.call(OpCode.ping, undefined, -2).err;
  client.call(...create('/used', container));
  client.call(...create('/unused', container));
  client.call(...create('/full', container));
  client.call(...create('/full/x'));
  client.call(...create('/used/x'));
  client.call(...remove('/used/x'));
  client.call(...exists('/used', true));
  server.advance(11_000);
  assert.deepEqual(errors(client, [exists('/used'), exists('/unused')]), [-101, 0]);
  assert.deepEqual(
    client.takeEvents().map(({ type, path }) => [type, path]),
    [[2, '/used']],
  );
  keep();
  server.advance(31_000);
  assert.deepEqual(errors(client, [exists('/unused'), exists('/full')]), [-101, 0]);
});

test('a TTL znode goes when it has no children and was not changed for its time', () => {
  const config = {
    extendedTypesEnabled: true,
    container: { checkIntervalMs: 1000, maxPerMinute: 10_000, maxNeverUsedIntervalMs: 0 },
  };
  const [server, client] = start({ config });
  const ttl = (ttlMs: number): Parameters<typeof create>[1] => ({
    type: OpCode.createTTL,
    flags: CreateFlag.persistentWithTtl,
    ttlMs,
  });
  client.call(...create('/short', ttl(5000)));
  client.call(...create('/touched', ttl(5000)));
  client.call(...create('/parent', ttl(5000)));
  client.call(...create('/parent/x'));
  server.advance(4000);
  client.call(...setData('/touched', 'again'));
  server.advance(3000);
  assert.deepEqual(
    errors(client, [exists('/short'), exists('/touched'), exists('/parent')]),
    [-101, 0, 0],
  );
  server.advance(4000);
  assert.deepEqual(errors(client, [exists('/touched'), remove('/parent/x')]), [-101, 0]);
  server.advance(2000);
  assert.equal(client.call(...exists('/parent')).err, ErrorCode.noNode);
});

test('TTL znodes need extended types, a mode with a TTL and a TTL', () => {
  const flags = CreateFlag.persistentWithTtl;
  const ttl = { type: OpCode.createTTL, flags };
  const [, plain] = start();
  assert.deepEqual(
    errors(plain, [create('/t', { ...ttl, ttlMs: 1 }), create('/t', { flags })]),
    [-6, -6],
  );
  const [, client] = start({ config: { extendedTypesEnabled: true } });
  assert.deepEqual(
    errors(client, [
      create('/t', { flags }),
      create('/t', { ...ttl, ttlMs: 0 }),
      create('/t', { ...ttl, ttlMs: -1 }),
      create('/t', { ...ttl, ttlMs: 2 ** 40 }),
      create('/t', { ...ttl, flags: CreateFlag.persistent, ttlMs: 5 }),
      create('/t', { ...ttl, ttlMs: 2 ** 40 - 1 }),
      create('/s-', { ...ttl, flags: CreateFlag.persistentSequentialWithTtl, ttlMs: 5 }),
    ]),
    [-8, -8, -8, -8, -8, 0, 0],
  );
});

test('children, their number at all depths, and what a new server has', () => {
  const [, client] = start();
  for (const path of ['/a', '/a/b', '/a/b/c', '/a/d', '/ab']) client.call(...create(path));
  const reply = client.call(...getChildren2('/a'));
  assert.deepEqual(readStrings(reply.body), ['b', 'd']);
  assert.equal(readStat(reply.body).numChildren, 2);
  const number = (path: string): number =>
    client.call(...onPath(OpCode.getAllChildrenNumber, path)).body.readInt();
  assert.deepEqual([number('/a'), number('/a/b'), number('/ab'), number('/')], [3, 1, 0, 8]);
  assert.deepEqual(readStrings(client.call(...getChildren2('/zookeeper')).body), [
    'config',
    'quota',
  ]);
});

test('a failed write takes a zxid, a read takes none', () => {
  const [server, client] = start();
  const zxids = [create('/a'), create('/a'), exists('/none'), remove('/none'), create('/b')].map(
    (operation) => client.call(...operation).zxid,
  );
  assert.deepEqual(zxids, [2, 3, 3, 4, 5]);
  assert.equal(server.replica.state.lastProcessedZxid, 5);
});

test('sync gives the path back, reconfig is not for one server alone', () => {
  const [, client] = start();
  assert.equal(client.call(...onPath(OpCode.sync, '/none')).body.readString(), '/none');
  const reconfig: Operation = [
    OpCode.reconfig,
    (writer) => {
      for (let strings = 0; strings < 3; strings++) writer.writeString(null);
      writer.writeLong(-1, -1);
    },
  ];
  assert.equal(client.call(...reconfig).err, ErrorCode.reconfigDisabled);
  const [, other] = start({ config: { reconfigEnabled: true } });
  assert.equal(other.call(...reconfig).err, ErrorCode.unimplemented);
});

test('a hard quota refuses, a soft one only counts', () => {
  const [server, client] = start({ config: { enforceQuota: true } });
  const limit = (path: string, data: string): void => {
    let at = '/zookeeper/quota';
    for (const name of path.split('/').slice(1)) {
      at += `/${name}`;
      client.call(...create(at));
    }
    client.call(...create(`${at}/zookeeper_limits`, { data }));
    client.call(...create(`${at}/zookeeper_stats`, { data: 'count=0,bytes=0' }));
  };
  for (const path of ['/hard', '/soft', '/free']) client.call(...create(path, { data: '' }));
  limit('/hard', 'count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=3');
  limit('/soft', 'count=1,bytes=5');
  assert.deepEqual(
    errors(client, [
      create('/hard/a', { data: '12345' }),
      create('/hard/b', { data: '123456' }),
      create('/hard/b', { data: '12345' }),
      create('/hard/c', { data: '' }),
      setData('/hard/a', '123456'),
      setData('/hard/a', '1'),
      setData('/hard/b', '123456789'),
      remove('/hard/a'),
      create('/hard/c', { data: '' }),
      create('/soft/a', { data: '123456' }),
      create('/free/a', { data: '123456789012' }),
    ]),
    [0, -125, 0, -125, -125, 0, 0, 0, 0, 0, 0],
  );
  const stats = client.call(...getData('/zookeeper/quota/hard/zookeeper_stats'));
  assert.match(readText(stats.body) ?? '', /^count=3,bytes=9/);
  const reported = server.notices.filter(({ kind }) => kind === 'soft-quota');
  assert.deepEqual(reported, [{ kind: 'soft-quota', detail: '/soft' }]);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('without enforceQuota a hard quota is not looked at', () => {
  const [, client] = start();
  const hard = 'count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1';
  client.call(...create('/q'));
  client.call(...create('/zookeeper/quota/q'));
  client.call(...create('/zookeeper/quota/q/zookeeper_limits', { data: hard }));
  client.call(...create('/zookeeper/quota/q/zookeeper_stats', { data: 'count=0,bytes=0' }));
  assert.deepEqual(errors(client, [create('/q/a'), create('/q/b')]), [0, 0]);
});
