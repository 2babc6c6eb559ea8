import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ErrorCode, OpCode, Perms } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  acl,
  auth,
  check,
  create,
  exists,
  getChildren,
  getData,
  multi,
  type Operation,
  onPath,
  readAcls,
  remove,
  setAcl,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

function idOf(user: string, password: string): string {
  const hash = createHash('sha1').update(`${user}:${password}`).digest('base64');
  return `${user}:${hash}`;
}

function known(server: InProcessServer, credentials: string): ScriptedClient {
  const client = ScriptedClient.open(server);
  client.send(...auth('digest', credentials), -4);
  server.settle();
  assert.deepEqual(client.takeSummary(), ['session 10000', '#-4']);
  return client;
}

function getAcl(path: string): Operation {
  return onPath(OpCode.getACL, path);
}

function errors(client: ScriptedClient, operations: readonly Operation[]): number[] {
  return operations.map((operation) => client.call(...operation).err);
}

test('each operation needs its permission', () => {
  const server = new InProcessServer().start();
  const owner = known(server, 'owner:pw');
  const guest = ScriptedClient.open(server);
  const asked: readonly Operation[] = [
    getData('/p'),
    exists('/p'),
    getChildren('/p'),
    onPath(OpCode.getAllChildrenNumber, '/p'),
    getAcl('/p'),
    setData('/p', ''),
    create('/p/new'),
    remove('/p/child'),
    setAcl('/p', acl('world', 'anyone', Perms.all)),
  ];
  const allowedTo = (perms: number): number[] => {
    owner.call(...create('/p'));
    owner.call(...create('/p/child'));
    const acls = [...acl('auth', '', Perms.all), ...acl('world', 'anyone', perms)];
    assert.equal(owner.call(...setAcl('/p', acls)).err, ErrorCode.ok);
    const allowed = errors(guest, asked).map((err) => (err === 0 ? 1 : 0));
    for (const path of ['/p/new', '/p/child', '/p']) owner.call(...remove(path));
    return allowed;
  };
  assert.deepEqual(allowedTo(0), [0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(allowedTo(Perms.read), [1, 1, 1, 1, 1, 0, 0, 0, 0]);
  assert.deepEqual(allowedTo(Perms.write), [0, 0, 0, 0, 0, 1, 0, 0, 0]);
  assert.deepEqual(allowedTo(Perms.create), [0, 0, 0, 0, 0, 0, 1, 0, 0]);
  assert.deepEqual(allowedTo(Perms.delete), [0, 0, 0, 0, 0, 0, 0, 1, 0]);
  assert.deepEqual(allowedTo(Perms.admin), [0, 0, 0, 0, 1, 0, 0, 0, 1]);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('auth stands for what the creator has proved', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  assert.equal(client.call(...create('/a', { acl: acl('auth', '') })).err, ErrorCode.invalidAcl);
  client.send(...auth('digest', 'one:1'), -4);
  client.send(...auth('digest', 'two:2'), -4);
  assert.equal(client.call(...create('/a', { acl: acl('auth', 'ignored', 3) })).err, 0);
  const opened = known(server, 'two:2');
  assert.equal(opened.call(...getData('/a')).err, ErrorCode.ok);
  assert.equal(known(server, 'two:wrong').call(...getData('/a')).err, ErrorCode.noAuth);
  assert.equal(ScriptedClient.open(server).call(...getData('/a')).err, ErrorCode.noAuth);
});

test('digests are masked for who may not administer', () => {
  const server = new InProcessServer().start();
  const owner = known(server, 'owner:pw');
  const acls = [...acl('auth', ''), ...acl('world', 'anyone', Perms.read), ...acl('ip', '1.2.3.4')];
  owner.call(...create('/a', { acl: acls }));
  const idsSeenBy = (client: ScriptedClient): string[] =>
    readAcls(client.call(...getAcl('/a')).body).map(({ id }) => `${id.scheme}:${id.id}`);
  assert.deepEqual(idsSeenBy(owner), [
    `digest:${idOf('owner', 'pw')}`,
    'world:anyone',
    'ip:1.2.3.4',
  ]);
  assert.deepEqual(idsSeenBy(ScriptedClient.open(server)), [
    'digest:owner:x',
    'world:anyone',
    'ip:1.2.3.4',
  ]);
});

test('addresses count, in both families, with and without a prefix', () => {
  const server = new InProcessServer().start();
  const from = (address: string): ScriptedClient => ScriptedClient.open(server, {}, address);
  const local = from('127.0.0.1');
  local.call(...create('/v4', { acl: acl('ip', '10.1.0.0/16') }));
  local.call(...create('/v6', { acl: acl('ip', '2001:db8::/32') }));
  local.call(...create('/one', { acl: acl('ip', '10.1.2.3') }));
  const reads = ['/v4', '/v6', '/one'].map((path) => getData(path));
  assert.deepEqual(errors(from('10.1.2.3'), reads), [0, -102, 0]);
  assert.deepEqual(errors(from('10.1.9.9'), reads), [0, -102, -102]);
  assert.deepEqual(errors(from('10.2.2.3'), reads), [-102, -102, -102]);
  assert.deepEqual(errors(from('2001:db8:1::7'), reads), [-102, 0, -102]);
  assert.deepEqual(errors(from('::ffff:10.1.2.3'), reads), [0, -102, 0]);
  assert.equal(local.call(...create('/bad', { acl: acl('ip', '10.1.0.0/33') })).err, -114);
});

test('super may do everything', () => {
  const digestAuth = { enabled: true, algorithm: 'SHA1', superDigest: idOf('super', 'admin') };
  const server = new InProcessServer({ config: { digestAuth } }).start();
  const owner = known(server, 'owner:pw');
  owner.call(...create('/a', { acl: acl('auth', '') }));
  const admin = known(server, 'super:admin');
  assert.deepEqual(
    errors(admin, [getData('/a'), setAcl('/a', acl('world', 'anyone')), remove('/a')]),
    [0, 0, 0],
  );
  assert.equal(known(server, 'super:wrong').call(...setData('/zookeeper/config', '')).err, -102);
  assert.equal(admin.call(...setData('/zookeeper/config', '')).err, 0);
});

test('without permission a multi fails as its operations do; skipACL lets all in', () => {
  const server = new InProcessServer().start();
  const owner = known(server, 'owner:pw');
  owner.call(...create('/a', { acl: acl('auth', '') }));
  const guest = ScriptedClient.open(server);
  assert.equal(guest.call(...multi([check('/a')])).body.remaining > 0, true);
  const open = new InProcessServer({ config: { skipAcl: true } }).start();
  const keeper = known(open, 'owner:pw');
  keeper.call(...create('/a', { acl: acl('auth', '') }));
  const visitor = ScriptedClient.open(open);
  assert.deepEqual(errors(visitor, [getData('/a'), setData('/a', ''), remove('/a')]), [0, 0, 0]);
});

test('credentials that nobody knows are answered AUTHFAILED, and the connection closed', () => {
  const disabled = { enabled: false, algorithm: 'SHA1', superDigest: null };
  const cases = [
    [new InProcessServer(), 'nobody'],
    [new InProcessServer(), 'world'],
    [new InProcessServer(), 'auth'],
    [new InProcessServer({ config: { digestAuth: disabled } }), 'digest'],
  ] as const;
  for (const [server, scheme] of cases) {
    server.start();
    const client = ScriptedClient.open(server);
    client.take();
    client.send(...auth(scheme, 'user:pw'), -4);
    client.send(...exists('/'));
    server.settle();
    assert.deepEqual(client.takeSummary(), ['#-4!-115'], scheme);
    assert.ok(client.isClosed);
  }
});

test('whoAmI names the identities without their secrets', () => {
  const server = new InProcessServer().start();
  const client = known(server, 'owner:pw');
  const { body } = client.call(OpCode.whoAmI);
  const infos = Array.from({ length: body.readInt() }, () => [
    body.readString(),
    body.readString(),
  ]);
  assert.deepEqual(infos, [
    ['ip', '127.0.0.1'],
    ['digest', 'owner'],
  ]);
});
