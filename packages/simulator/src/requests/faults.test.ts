import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultReplicaConfig } from '@meerkat/engine';
import { ErrorCode, OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  create,
  ephemeral,
  exists,
  getChildren,
  getData,
  readStrings,
  readText,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

test('after a failed sync nothing is acknowledged, and what was before is there', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.call(...create('/kept'));
  client.take();
  server.disk.fault = ({ kind }) => (kind === 'sync' ? 'EIO' : null);
  client.send(...create('/lost'));
  client.send(...create('/lost/too'));
  server.advance(1000);
  client.send(...create('/later'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), []);
  assert.ok(server.logFailed);
  assert.equal(ScriptedClient.open(server).session, null, 'no new session either');
  server.crash();
  server.start();
  const back = ScriptedClient.open(server);
  assert.equal(back.call(...exists('/kept')).err, ErrorCode.ok);
});

test('a full disk ends the log, and not the reads', () => {
  const server = new InProcessServer({ disk: { capacityBytes: 200_000 } }).start();
  const client = ScriptedClient.open(server, { timeOut: 60_000 });
  let made = 0;
  for (; made < 1000 && !server.logFailed; made++) {
    client.send(...create(`/n${made}`, { data: 'd'.repeat(1000) }));
    server.settle();
  }
  assert.ok(server.logFailed);
  const reader = client.send(...exists('/n0'));
  server.settle();
  const replies = client.take().flatMap((each) => (each.kind === 'reply' ? [each.reply] : []));
  const written = replies.filter(({ xid }) => xid !== reader).length;
  server.kill();
  server.disk.fault = () => null;
  server.start();
  const { state } = server.replica;
  assert.ok(state.tree.nodeCount - 5 >= written);
  assert.ok(written > 50);
});

test('a snapshot that fails leaves the server serving', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  server.disk.fault = ({ path }) => (path.includes('snapshot') ? 'ENOSPC' : null);
  client.call(...create('/a'));
  assert.ok(server.replica.beginSnapshot());
  server.advance(1000);
  assert.ok(server.notices.some(({ kind }) => kind === 'snapshot-failed'));
  assert.equal(client.call(...setData('/a', 'x')).err, ErrorCode.ok);
  server.disk.fault = () => null;
  assert.ok(server.replica.beginSnapshot());
  server.advance(1000);
  assert.ok(server.notices.some(({ kind }) => kind === 'snapshot'));
});

test('a server that is stopped has answered what it took, and goes on from there', () => {
  const server = new InProcessServer({ disk: { latencyMs: 3 } }).start();
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  client.send(...create('/a', { data: 'last' }));
  client.send(...ephemeral('/e'));
  server.settle();
  server.stop();
  assert.ok(client.isClosed);
  server.start();
  const back = ScriptedClient.open(server, { session: client.session });
  assert.equal(readText(back.call(...getData('/a')).body), 'last');
  assert.deepEqual(readStrings(back.call(...getChildren('/')).body), ['a', 'e', 'zookeeper']);
});

test('many sessions that expire together do so in slices', () => {
  const server = new InProcessServer().start();
  const clients = Array.from({ length: 1000 }, () => ScriptedClient.open(server, { timeOut: 1 }));
  for (const [i, client] of clients.entries()) client.send(...ephemeral(`/e${i}`));
  server.settle();
  const alive = ScriptedClient.open(server, { timeOut: 60_000 });
  server.advance(20_000);
  assert.ok(clients.every((client) => client.isClosed));
  assert.equal(server.replica.intake.counters.sessionsExpired, 1000);
  assert.deepEqual(readStrings(alive.call(...getChildren('/')).body), ['zookeeper']);
  assert.equal(server.replica.applier.digestMismatches, 0);
});

test('the request throttle lets so many into the pipeline, in order, and drops none', () => {
  const requestThrottle = { ...defaultReplicaConfig.requestThrottle, maxRequests: 3 };
  const server = new InProcessServer({ disk: { latencyMs: 1 }, config: { requestThrottle } });
  server.start();
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  const expected: string[] = [];
  client.send(...create('/a'));
  for (let i = 1; i < 20; i++) client.send(...setData('/a', String(i)));
  client.send(...getData('/a'));
  for (let i = 1; i <= 21; i++) expected.push(`#${i}`);
  server.settle();
  assert.ok(server.replica.intake.inProcess <= 3);
  server.advance(5000);
  assert.deepEqual(client.takeSummary(), expected);
});

test('a request that waited too long in the throttle is refused in its turn', () => {
  const requestThrottle = {
    ...defaultReplicaConfig.requestThrottle,
    maxRequests: 1,
    throttledOpWaitTimeMs: 15,
  };
  const server = new InProcessServer({ disk: { latencyMs: 1 }, config: { requestThrottle } });
  server.start();
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  for (let i = 0; i < 6; i++) client.send(...create(`/n${i}`));
  client.send(OpCode.closeSession);
  server.advance(5000);
  const summary = client.takeSummary();
  assert.equal(summary.length, 7);
  assert.equal(summary[0], '#1');
  assert.ok(summary.includes('#4!-127'), summary.join());
  assert.equal(summary[6], '#7');
  assert.ok(client.isClosed);
});

test('a large request beyond what they may take together closes its connection', () => {
  const server = new InProcessServer({
    disk: { latencyMs: 1 },
    config: { largeRequestThresholdBytes: 1000, largeRequestBytesMax: 5000 },
  }).start();
  const client = ScriptedClient.open(server);
  const other = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  client.send(...create('/a', { data: 'd'.repeat(3000) }));
  other.send(...create('/b', { data: 'd'.repeat(3000) }));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#1']);
  assert.ok(other.isClosed);
  client.send(...create('/b', { data: 'd'.repeat(3000) }));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#2'], 'there is room again');
});
