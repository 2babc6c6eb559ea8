import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, EventType, OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  create,
  exists,
  getChildren,
  getData,
  onPathWith,
  setData,
  setWatches,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

/*
 * What all clients together may have, and what the server counts of it.
 */

const megabyte = 1024 * 1024;

test('a watch beyond the bound is SYSTEMERROR for its request, and what is set stays', () => {
  const server = new InProcessServer({ limits: { watchesMax: 10 } }).start();
  const client = ScriptedClient.open(server);
  client.call(...create('/a', { data: 'x' }));
  let set = 0;
  while (set < 100 && client.call(...exists(`/w${set}`, true)).err === ErrorCode.noNode) set++;
  assert.equal(set, 9);
  const { systemError } = ErrorCode;
  assert.equal(client.call(...getData('/a', true)).err, systemError);
  assert.equal(client.call(...getChildren('/a', true)).err, systemError);
  assert.equal(client.call(...onPathWith(OpCode.addWatch, '/a', 0)).err, systemError);
  assert.equal(client.call(...onPathWith(OpCode.addWatch, '/a', 1)).err, systemError);
  const lists = { data: ['/a'], exist: ['/none'], child: [], persistent: [], recursive: [] };
  const zxid = server.replica.state.lastProcessedZxid;
  assert.equal(client.call(...setWatches(zxid, lists)).err, systemError);
  assert.equal(server.replica.state.watches.watchCount, 9);
  assert.equal(server.replica.state.watches.refusedCount, 7);
  assert.ok(server.notices.some(({ kind }) => kind === 'watches-full'));
  // Reads without a watch, and the watches that are there, know nothing of it.
  assert.equal(client.call(...getData('/a')).err, ErrorCode.ok);
  assert.equal(client.call(...create('/w0')).err, ErrorCode.ok);
  assert.deepEqual(client.takeEvents(), [
    { type: EventType.nodeCreated, path: '/w0', zxid: server.replica.state.lastProcessedZxid },
  ]);
  // One has fired: there is room again.
  assert.equal(client.call(...getData('/a', true)).err, ErrorCode.ok);
});

test('one client cannot fill the memory with long paths that it watches', () => {
  const watchBytesMax = 8 * megabyte;
  const server = new InProcessServer({ limits: { watchBytesMax } }).start();
  const client = ScriptedClient.open(server);
  for (const length of [100, 10_000, 150_000, 900_000]) {
    const name = 'x'.repeat(length);
    for (let i = 0; i < 300; i++) client.call(...exists(`/${i}${name}`, true));
    assert.ok(server.replica.state.watches.pathBytes <= watchBytesMax);
  }
  assert.ok(server.replica.state.watches.refusedCount > 0);
  client.disconnect();
  server.advance(1000);
  assert.equal(server.replica.state.watches.watchCount, 0);
  assert.ok(server.replica.state.watches.pathBytes < watchBytesMax);
});

test('bytes that wait for the disk are bounded: who writes more is not read from', () => {
  const limits = { pendingBytesMax: megabyte };
  const server = new InProcessServer({ limits, disk: { latencyMs: 50 } }).start();
  const clients = [1, 2, 3, 4].map(() => ScriptedClient.open(server));
  server.advance(5000);
  for (const [i, client] of clients.entries()) client.send(...create(`/${i}`));
  server.advance(5000);
  for (const client of clients) client.take();
  const data = new Uint8Array(100_000);
  let mostPending = 0;
  for (let round = 0; round < 100; round++) {
    for (const [i, client] of clients.entries()) client.send(...setData(`/${i}`, data));
    server.advance(1);
    mostPending = Math.max(mostPending, server.replica.log?.pendingBytes ?? 0);
  }
  assert.ok(mostPending > megabyte, String(mostPending));
  // Each may have a chunk more under way than is allowed, and was read from until then.
  assert.ok(mostPending < 4 * megabyte, String(mostPending));
  server.advance(60_000);
  for (const client of clients) {
    assert.equal(client.take().filter(({ kind }) => kind === 'reply').length, 100);
  }
  assert.equal(server.replica.log?.pendingBytes, 0);
});

test('the digest after every 128th transaction is noted, and again after a restart', () => {
  const server = new InProcessServer().start();
  const client = ScriptedClient.open(server);
  client.call(...create('/a'));
  for (let i = 0; i < 400; i++) client.call(...setData('/a', String(i)));
  const noted = (): number[][] => {
    const entries: number[][] = [];
    server.replica.applier.digests.visit((...entry) => entries.push(entry));
    return entries;
  };
  const before = noted();
  assert.deepEqual(
    before.map(([zxid]) => zxid),
    [128, 256, 384],
  );
  server.kill();
  server.start();
  assert.deepEqual(noted(), before);
});

test('latencies, bytes and recoveries are counted', () => {
  const server = new InProcessServer({ disk: { latencyMs: 5 } }).start();
  const client = new ScriptedClient(server);
  client.sendHandshake();
  server.advance(1000);
  client.send(...create('/a', { data: 'x' }));
  server.advance(1000);
  client.call(...getData('/a', true));
  client.send(...setData('/a', 'y'));
  server.advance(1000);
  const { counters } = server.replica.intake;
  assert.equal(counters.updateLatency.count, 2);
  assert.ok(counters.updateLatency.min >= 50);
  assert.ok(counters.updateLatency.quantile(0.5) >= 50);
  assert.deepEqual([counters.readLatency.count, counters.readLatency.max], [1, 0]);
  assert.equal(counters.latency().count, 3);
  assert.equal(counters.latency().min, 0);
  assert.equal(counters.connectionRequests, 1);
  assert.equal(counters.connectionRevalidations, 0);
  // xid, zxid, err; then the path, data with a Stat, and a Stat.
  assert.equal(counters.responseBytes, 3 * 16 + (4 + 2) + (4 + 1 + 68) + 68);
  // xid, zxid, err; then type, state and path.
  assert.equal(counters.watchBytes, 16 + 4 + 4 + 4 + 2);
  assert.equal(server.replica.log?.syncTime.count, server.replica.log?.groupSizes.count);
  assert.equal(server.replica.log?.groupSizes.sum, 3);
  server.replica.resetCounters();
  assert.equal(counters.latency().count, 0);
  server.kill();
  server.start();
  const { replayedTransactions, databaseTime } = server.replica.intake.counters;
  assert.deepEqual([replayedTransactions.sum, databaseTime.count], [3, 1]);
});
