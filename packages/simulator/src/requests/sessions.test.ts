import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  create,
  ephemeral,
  exists,
  getChildren,
  multi,
  onPath,
  readStrings,
  remove,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

const ping = [OpCode.ping, () => {}, -2] as const;

test('a new session has an id of the server, a password and a timeout within bounds', () => {
  const server = new InProcessServer().start();
  const short = ScriptedClient.open(server, { timeOut: 1 });
  const long = ScriptedClient.open(server, { timeOut: 10_000_000 });
  const between = ScriptedClient.open(server, { timeOut: 12_345 });
  assert.deepEqual(
    [short, long, between].map((client) => client.session?.timeOut),
    [6000, 60_000, 12_345],
  );
  assert.equal((short.session?.sessionIdHi ?? 0) >>> 24, 1);
  assert.notDeepEqual(short.session?.passwd, long.session?.passwd);
  assert.equal(long.session?.sessionIdLo, (short.session?.sessionIdLo ?? 0) + 1);
  assert.equal(short.session?.readOnly, false);
});

test('a handshake without the read-only field is answered without it', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server, { readOnly: null });
  assert.equal(client.session?.readOnly, null);
});

test('a client that has seen more than this server is refused without an answer', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server, { lastZxidSeen: 100 });
  assert.equal(client.session, null);
  assert.ok(client.isClosed);
  assert.equal(server.notices[0]?.kind, 'handshake');
});

test('a session is renewed with its password, and only with it', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.disconnect();
  server.settle();
  const renewed = ScriptedClient.open(server, { session: client.session });
  assert.deepEqual(renewed.session?.sessionIdLo, client.session?.sessionIdLo);
  const passwd = new Uint8Array(16).fill(7);
  const stranger = ScriptedClient.open(server, { session: client.session, passwd });
  assert.equal(stranger.session?.timeOut, 0);
  assert.equal(stranger.session?.sessionIdLo, 0);
  assert.deepEqual(stranger.session?.passwd, new Uint8Array(16));
  assert.ok(stranger.isClosed);
  assert.ok(!renewed.isClosed, 'a stranger does not close the connection of the session');
});

test('a session on two sockets stays with the newer one', () => {
  const server = new InProcessServer().start();
  const first = ScriptedClient.open(server);
  first.call(...exists('/a', true));
  const second = ScriptedClient.open(server, { session: first.session });
  assert.ok(first.isClosed);
  second.call(...create('/a'));
  assert.deepEqual(second.takeEvents(), [], 'watches go with their connection');
  assert.equal(second.call(...exists('/a')).err, ErrorCode.ok);
});

test('a session that says nothing expires, its ephemerals and its connection with it', () => {
  const server = new InProcessServer().start();
  const other = ScriptedClient.open(server, { timeOut: 60_000 });
  const client = ScriptedClient.open(server, { timeOut: 6000 });
  client.call(...ephemeral('/e'));
  other.call(...exists('/e', true));
  server.advance(5000);
  assert.ok(!client.isClosed);
  client.call(...ping);
  server.advance(5900);
  assert.ok(!client.isClosed, 'a ping gives it its whole time again');
  server.advance(3400);
  assert.ok(client.isClosed);
  assert.deepEqual(
    other.takeEvents().map(({ type, path }) => [type, path]),
    [[2, '/e']],
  );
  const late = ScriptedClient.open(server, { session: client.session });
  assert.equal(late.session?.timeOut, 0);
  assert.equal(server.replica.state.sessions.count, 1);
});

test('sessions expire in whole buckets of a tick', () => {
  const server = new InProcessServer({ config: { tickTimeMs: 3000 } }).start();
  const clients = [0, 500, 1000].map((delayMs) => {
    server.advance(delayMs);
    return ScriptedClient.open(server, { timeOut: 6000 });
  });
  const closedAt = clients.map(() => 0);
  for (let steps = 0; steps < 200; steps++) {
    server.advance(100);
    for (const [i, client] of clients.entries()) {
      if (client.isClosed && closedAt[i] === 0) closedAt[i] = server.clock.monotonicMs();
    }
  }
  assert.equal(new Set(closedAt).size, 1, closedAt.join());
  assert.equal(closedAt[0], 9000, 'six seconds after the last one, and up to the next tick');
});

test('a pause of the server is not held against its clients', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server, { timeOut: 6000 });
  server.standStill(20_000);
  server.advance(3000);
  assert.ok(!client.isClosed);
  assert.equal(client.call(...ping).err, 0);
  server.advance(20_000);
  assert.ok(client.isClosed, 'its own silence is');
});

test('closeSession is answered, then the connection closed, and the ephemerals are gone', () => {
  const server = new InProcessServer().start();
  const other = ScriptedClient.open(server);
  const client = ScriptedClient.open(server);
  client.take();
  client.call(...create('/p'));
  client.call(...ephemeral('/p/e1'));
  // Pending ones count: created, created and deleted, deleted, in one chunk with the end.
  client.send(...ephemeral('/p/e2'));
  client.send(...ephemeral('/p/e3'));
  client.send(...remove('/p/e3'));
  client.send(...multi([ephemeral('/p/e4'), remove('/p/e1'), ephemeral('/p/e1')]));
  client.send(OpCode.closeSession);
  client.send(...create('/p/late'));
  server.settle();
  assert.deepEqual(client.takeSummary(), ['#3', '#4', '#5', '#6', '#7']);
  assert.ok(client.isClosed);
  assert.deepEqual(readStrings(other.call(...getChildren('/p')).body), []);
  assert.equal(server.replica.state.tree.sessionsWithEphemeralsCount, 0);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('a closeSession deletes ephemerals below names that are not ASCII', () => {
  const server = new InProcessServer().start();
  const other = ScriptedClient.open(server);
  const client = ScriptedClient.open(server);
  client.call(...create('/猫'));
  client.call(...ephemeral('/猫/é'));
  client.send(...ephemeral('/猫/尾'));
  client.send(OpCode.closeSession);
  other.send(...create('/猫/é'));
  other.send(...remove('/猫'));
  server.settle();
  other.call(...create('/after'));
  assert.equal(server.replica.applier.digestMismatches, 0);
  assert.deepEqual(readStrings(other.call(...getChildren('/')).body), ['after', 'zookeeper', '猫']);
});

test('a closeSession leaves a znode alone that somebody else has created in its place', () => {
  const server = new InProcessServer({ disk: { latencyMs: 1 } }).start();
  const other = ScriptedClient.open(server);
  const client = ScriptedClient.open(server);
  server.advance(1000);
  // The creation is applied, the deletion behind it not yet, when /a is created again.
  client.send(...ephemeral('/a'));
  server.settle();
  client.send(...remove('/a'));
  server.advance(15);
  other.send(...create('/a'));
  server.settle();
  client.send(OpCode.closeSession);
  server.advance(1000);
  assert.deepEqual(other.takeSummary(), ['session 10000', '#1']);
  assert.equal(other.call(...exists('/a')).err, ErrorCode.ok);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('requests pipelined right behind the ConnectRequest wait for the session', () => {
  const server = new InProcessServer({ disk: { latencyMs: 5 } }).start();
  const client = new ScriptedClient(server);
  client.sendHandshake();
  client.send(...create('/a'));
  client.send(...exists('/a'));
  client.send(...ephemeral('/a/e'));
  client.send(...getChildren('/a'));
  client.send(...ping);
  client.send(...remove('/a/e'));
  server.settle();
  assert.deepEqual(client.take(), []);
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['session 10000', '#1', '#2', '#3', '#4', '#-2', '#5']);
});

test('getEphemerals names those of the caller below a prefix', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  const other = ScriptedClient.open(server);
  client.call(...create('/a'));
  client.call(...ephemeral('/a/1'));
  client.call(...ephemeral('/b1'));
  other.call(...ephemeral('/a/2'));
  const ephemerals = (prefix: string): string[] =>
    readStrings(client.call(...onPath(OpCode.getEphemerals, prefix)).body);
  assert.deepEqual(ephemerals('/'), ['/a/1', '/b1']);
  assert.deepEqual(ephemerals(''), ['/a/1', '/b1']);
  assert.deepEqual(ephemerals('/a'), ['/a/1']);
  assert.deepEqual(ephemerals('/c'), []);
});

test('sessions and their ephemerals survive a crash, and are given their whole time again', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server, { timeOut: 6000 });
  client.call(...ephemeral('/e'));
  server.crash();
  assert.ok(client.isClosed);
  server.advance(60_000);
  server.start();
  server.advance(5000);
  const back = ScriptedClient.open(server, { session: client.session });
  assert.equal(back.session?.timeOut, 10_000);
  assert.equal(back.call(...exists('/e')).err, ErrorCode.ok);
});

test('ids are not given twice, also after a restart', () => {
  const server = new InProcessServer().start();
  const seen = new Set<number>();
  for (let life = 0; life < 3; life++) {
    for (let i = 0; i < 5; i++) seen.add(ScriptedClient.open(server).session?.sessionIdLo ?? 0);
    server.kill();
    server.advance(1);
    server.start();
  }
  assert.equal(seen.size, 15);
});
