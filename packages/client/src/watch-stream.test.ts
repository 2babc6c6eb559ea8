import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, OpCode, WatcherType } from '@meerkat/protocol';
import { connectedClient, outcome } from './testing/fake-client.ts';
import { turn, writeTestStat } from './testing/fake-ports.ts';
import { ModelServer } from './testing/model-server.ts';
import type { WatchNews, WatchStream, WatchStreamMode } from './watch-stream.ts';
import type { ZooKeeper } from './zookeeper.ts';

/** What waits in a stream, in short. */
async function waiting(stream: WatchStream): Promise<string[]> {
  const told: string[] = [];
  while (stream.waiting > 0) {
    const { value } = await stream.next();
    if (value !== undefined) told.push(inShort(value));
  }
  return told;
}

function inShort(news: WatchNews): string {
  return news.type === 'gap' ? `gap: ${news.reason}` : `${news.type} ${news.path}`;
}

/** A promise's value, with the time it takes. */
async function within<T>(server: ModelServer, promise: Promise<T>): Promise<T> {
  await server.pass(0);
  return promise;
}

async function watched(
  mode: WatchStreamMode,
  lagMax?: number,
): Promise<{ server: ModelServer; zk: ZooKeeper; stream: WatchStream }> {
  const server = new ModelServer();
  const zk = await server.client({ reconnectJitterMs: 0 });
  await within(server, zk.create('/a'));
  const options = lagMax === undefined ? { mode } : { mode, lagMax };
  const stream = await within(server, zk.watch('/a', options));
  return { server, zk, stream };
}

test('a recursive stream yields what happens below its path, in order', async () => {
  const { server, zk, stream } = await watched('persistentRecursive');
  const done = Promise.all([zk.create('/a/b'), zk.setData('/a/b', 'x'), zk.delete('/a/b')]);
  await within(server, done);
  assert.deepEqual(await waiting(stream), [
    'nodeCreated /a/b',
    'nodeDataChanged /a/b',
    'nodeDeleted /a/b',
  ]);
});

test('for await hears of changes while it waits, and break takes the watch back', async () => {
  const { server, zk, stream } = await watched('persistent');
  assert.equal(server.watches, 1);
  const heard = (async () => {
    for await (const news of stream) return inShort(news);
    return 'nothing';
  })();
  await within(server, zk.setData('/a', 'x'));
  await server.pass(0);
  assert.equal(await heard, 'nodeDataChanged /a');
  assert.equal(server.watches, 0);
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test('await using takes the watch back', async () => {
  const { server, zk } = await watched('persistent');
  const other = await within(server, zk.watch('/b'));
  assert.equal(other.path, '/b');
  assert.equal(server.watches, 2);
  // What `await using` calls.
  await within(server, other[Symbol.asyncDispose]());
  assert.equal(server.watches, 1);
});

test('return() ends a reader that waits', async () => {
  const { server, stream } = await watched('persistent');
  const first = stream.next();
  const second = stream.next();
  await within(server, stream.return());
  assert.deepEqual(await Promise.all([first, second]), [
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

for (const mode of ['persistent', 'persistentRecursive'] as const) {
  test(`${mode}: a lost connection leaves a gap, ahead of what happens later`, async () => {
    const { server, zk, stream } = await watched(mode);
    await within(server, zk.setData('/a', '1'));
    await server.disconnect(zk);
    await server.disconnect(zk);
    await server.pass(100);
    await within(server, zk.setData('/a', '2'));
    assert.deepEqual(await waiting(stream), [
      'nodeDataChanged /a',
      'gap: reconnected',
      'nodeDataChanged /a',
    ]);
  });
}

test('without re-arming by the client the stream sets its watch again itself', async () => {
  const server = new ModelServer();
  const zk = await server.client({ reconnectJitterMs: 0, rearmWatches: false });
  const stream = await within(server, zk.watch('/a', { mode: 'persistent' }));
  await server.disconnect(zk);
  await server.pass(100);
  await within(server, zk.create('/a'));
  assert.deepEqual(await waiting(stream), ['gap: reconnected', 'nodeCreated /a']);
});

test('data: the one-shot watch is set again before each event is told', async () => {
  const { server, zk, stream } = await watched('data');
  await within(server, zk.setData('/a', '1'));
  await within(server, zk.delete('/a'));
  await within(server, zk.create('/a'));
  assert.deepEqual(await waiting(stream), [
    'nodeDataChanged /a',
    'nodeDeleted /a',
    'nodeCreated /a',
  ]);
  await server.disconnect(zk);
  await server.pass(100);
  assert.deepEqual(await waiting(stream), [], 'the server makes up for what was missed');
  await within(server, stream.close());
  assert.equal(server.watches, 0);
});

test('data: when the watch could not be set again at once there is a gap', async () => {
  const { server, zk, stream } = await watched('data');
  server.loseNext(OpCode.exists, 'request');
  await within(server, zk.setData('/a', '1'));
  await server.pass(100);
  assert.deepEqual(await waiting(stream), ['nodeDataChanged /a', 'gap: reconnected']);
  await within(server, zk.setData('/a', '2'));
  assert.deepEqual(await waiting(stream), ['nodeDataChanged /a']);
});

test('children: the list is followed through the deletion of its znode', async () => {
  const { server, zk, stream } = await watched('children');
  await within(server, zk.create('/a/b'));
  await within(server, zk.delete('/a/b'));
  await within(server, zk.delete('/a'));
  await within(server, zk.create('/a'));
  await within(server, zk.setData('/a', 'not told'));
  await within(server, zk.create('/a/c'));
  assert.deepEqual(await waiting(stream), [
    'nodeChildrenChanged /a',
    'nodeChildrenChanged /a',
    'nodeDeleted /a',
    'nodeCreated /a',
    'nodeChildrenChanged /a',
  ]);
});

test('a reader that lags too far behind gets one gap', async () => {
  const { server, zk, stream } = await watched('persistent', 3);
  for (let i = 0; i < 4; i++) await within(server, zk.setData('/a', String(i)));
  assert.deepEqual(await waiting(stream), ['gap: lagged']);
  await within(server, zk.setData('/a', 'x'));
  assert.deepEqual(await waiting(stream), ['nodeDataChanged /a']);
});

test('close() of the client ends a stream, expiry fails it', async () => {
  const { server, zk, stream } = await watched('persistent');
  const end = stream.next();
  await within(server, zk.close());
  assert.deepEqual(await end, { done: true, value: undefined });
  const other = await watched('persistent');
  await other.server.expire(other.zk);
  await other.server.pass(100);
  assert.equal(await outcome(other.stream.next()), 'SessionExpiredError');
  assert.deepEqual(await other.stream.next(), { done: true, value: undefined });
});

test('a signal ends a stream, and takes its watch back', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const controller = new AbortController();
  const { signal } = controller;
  const stream = await within(server, zk.watch('/a', { mode: 'persistent', signal }));
  const end = stream.next();
  controller.abort(new Error('enough'));
  await server.pass(0);
  assert.deepEqual(await end, { done: true, value: undefined });
  assert.equal(server.watches, 0);
});

test('two streams of one path share a watch; the last takes it back', async () => {
  const { server, zk, stream } = await watched('persistent');
  const other = await within(server, zk.watch('/a', { mode: 'persistent' }));
  await within(server, stream.close());
  await within(server, zk.setData('/a', 'x'));
  assert.deepEqual(await waiting(other), ['nodeDataChanged /a']);
  await within(server, other.close());
  assert.equal(server.watches, 0);
});

test('a stream that is closed while another begins leaves that one its watch', async () => {
  const { server, zk, stream } = await watched('persistent');
  const beginning = zk.watch('/a', { mode: 'persistent' });
  const closing = stream.close();
  const other = await within(server, beginning);
  await closing;
  await within(server, zk.setData('/a', 'x'));
  assert.deepEqual(await waiting(other), ['nodeDataChanged /a']);
});

test('without a connection a stream closes at once', async () => {
  const { server, zk, stream } = await watched('persistent');
  server.isDown = true;
  await server.disconnect(zk);
  await stream.close();
});

test('removeWatches() by anybody ends a stream', async () => {
  const { server, zk, stream } = await watched('persistent');
  await within(server, zk.removeWatches('/a'));
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
});

test('what no stream takes is refused before anything is sent', async () => {
  const { zk, stream } = await connectedClient();
  for (const options of [{ mode: 'all' as 'data' }, { lagMax: 0 }, { timeoutMs: -1 }]) {
    await assert.rejects(zk.watch('/a', options), { message: /^Cannot .+: current value is / });
  }
  assert.equal(await outcome(zk.watch('a/')), 'BadArgumentsError');
  await turn();
  assert.equal(stream.unseen, 0);
});

test('a persistent watch is given back in words that servers before 3.9 know', async () => {
  const { zk, stream } = await connectedClient();
  const watching = zk.watch('/a', { mode: 'persistent' });
  await turn();
  stream.reply(stream.next().xid);
  const closing = (await watching).close();
  await turn();
  const removal = stream.next();
  assert.equal(removal.opcode, OpCode.removeWatches);
  assert.equal(removal.reader.readString(), '/a');
  assert.equal(removal.reader.readInt(), WatcherType.any);
  stream.reply(removal.xid);
  await closing;
});

test('... but not when those took another watch along', async () => {
  const { zk, stream } = await connectedClient();
  const watching = zk.watch('/a', { mode: 'persistent' });
  const existing = zk.exists('/a', { watch: () => {} });
  await turn();
  stream.reply(stream.next().xid);
  stream.reply(stream.next().xid, 0, writeTestStat);
  await existing;
  const closing = (await watching).close();
  await turn();
  const removal = stream.next();
  removal.reader.readString();
  assert.equal(removal.reader.readInt(), WatcherType.persistent);
  stream.reply(removal.xid, ErrorCode.marshallingError);
  await closing;
  await turn();
  assert.equal(stream.unseen, 0);
});
