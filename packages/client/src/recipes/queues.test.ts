import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { decodeItems, encodeItems } from './queue-items.ts';
import { SimpleQueue } from './simple-queue.ts';
import { DelayQueue, PriorityQueue, type Work, WorkQueue } from './work-queue.ts';

const texts = (work: Work | null): string =>
  (work?.items ?? []).map((item) => Buffer.from(item).toString()).join();

test('a simple queue: in order, each once, to whoever waits', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const queue = new SimpleQueue(one, '/q/simple');
  assert.equal(await queue.tryTake(), null);
  const waiting = new SimpleQueue(two, '/q/simple').take();
  await server.pass(0);
  await queue.put('0');
  assert.equal(Buffer.from(await waiting).toString(), '0');
  for (let index = 1; index <= 20; index++) await queue.put(`${index}`);
  assert.equal(Buffer.from((await queue.peek()) ?? []).toString(), '1');
  const taking = [one, two].map(async (zk) => {
    const own = new SimpleQueue(zk, '/q/simple');
    const taken: number[] = [];
    for (let item = await own.tryTake(); item !== null; item = await own.tryTake()) {
      taken.push(Number(Buffer.from(item).toString()));
    }
    return taken;
  });
  const taken = await Promise.all(taking);
  for (const own of taken)
    assert.deepEqual(
      own,
      [...own].sort((a, b) => a - b),
    );
  assert.deepEqual(
    taken.flat().sort((a, b) => a - b),
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  const late = outcome(queue.take({ timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await late, 'WaitTimeoutError');
  await server.pass(0);
  assert.equal(server.watches, 0);
});

test('items: several in a znode, and bytes that are none', () => {
  const bytes = encodeItems(['a', '', new Uint8Array([1, 2])]);
  assert.deepEqual(Array.from(bytes.subarray(0, 10)), [0, 1, 0, 1, 1, 0, 0, 0, 1, 97]);
  assert.deepEqual(
    decodeItems(bytes, '/p').map(({ length }) => length),
    [1, 0, 2],
  );
  for (let length = 0; length < bytes.length; length++) {
    assert.throws(() => decodeItems(bytes.slice(0, length), '/p'), /Cannot read the items of \/p/);
  }
  bytes[0] = 9;
  assert.throws(() => decodeItems(bytes, '/p'), /version/);
});

test('locked work stays until it is done, and goes to another when its worker dies', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const options = { lockPath: '/locks' };
  const first = new WorkQueue(one, '/q', options);
  const second = new WorkQueue(two, '/q', options);
  await first.put('a', 'b');
  const work = await first.take();
  assert.equal(texts(work), 'a,b');
  assert.equal(await second.tryTake(), null);
  assert.equal(await first.tryTake(), null);
  const waiting = second.take();
  await server.pass(0);
  assert.equal(server.children('/q').length, 1);
  await server.expire(one);
  const again = await waiting;
  assert.equal(texts(again), 'a,b');
  assert.ok(work.token !== null && again.token !== null && again.token > work.token);
  assert.equal(work.lost.aborted, true);
  await again.giveBack();
  assert.equal(again.lost.aborted, false);
  const last = await second.take();
  await last.done();
  await last.giveBack();
  assert.deepEqual([server.children('/q'), server.children('/locks')], [[], []]);
});

for (const loss of ['request', 'reply'] as const) {
  test(`a lost ${loss} of a mark is made up for`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    const queue = new WorkQueue(zk, '/q', { lockPath: '/locks' });
    await queue.put('a');
    await zk.create('/locks');
    server.loseNext(OpCode.create2, loss);
    const taking = queue.take();
    await server.pass(2000);
    await (await taking).done();
    assert.deepEqual([server.children('/q'), server.children('/locks')], [[], []]);
  });
}

test('work is not done when the session ended before it was certain', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const locks = { lockPath: '/q/locks' };
  const queue = new WorkQueue(zk, '/q/work', locks);
  await queue.put('once');
  const work = await queue.take();
  await server.expire(zk);
  const ending = outcome(work.done());
  await server.pass(5000);
  assert.equal(await ending, 'SessionExpiredError');
  const next = await new WorkQueue(await server.client(), '/q/work', locks).take();
  assert.equal(texts(next), 'once');
  await next.done();
});

test('work given back twice, for an answer was lost, is not taken from the next worker', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const locks = { lockPath: '/q/locks' };
  await new WorkQueue(one, '/q/work', locks).put('once');
  const work = await new WorkQueue(one, '/q/work', locks).take();
  const taking = new WorkQueue(two, '/q/work', locks).take();
  await server.pass(0);
  server.loseNext(OpCode.delete, 'reply');
  const giving = work.giveBack();
  await server.pass(5000);
  await giving;
  const next = await taking;
  assert.equal(server.children('/q/locks').length, 1);
  await next.done();
  assert.deepEqual([...server.children('/q/locks'), ...server.children('/q/work')], []);
});

test('a loop over work gives back what was not done', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const queue = new WorkQueue(zk, '/q', { lockPath: '/locks' });
  await queue.put('a');
  const controller = new AbortController();
  let rounds = 0;
  for await (const work of queue.work({ signal: controller.signal })) {
    if (++rounds < 3) continue;
    await work.done();
    controller.abort();
  }
  assert.equal(rounds, 3);
  assert.deepEqual([server.children('/q'), server.children('/locks')], [[], []]);
});

test('priorities: the smallest first, negative ones before', async () => {
  const server = new ModelServer();
  const queue = new PriorityQueue(await server.client(), '/q');
  for (const priority of [5, -1, 0, 2 ** 31 - 1, -(2 ** 31), 5])
    await queue.put(priority, `${priority}`);
  const order: string[] = [];
  for (let work = await queue.tryTake(); work !== null; work = await queue.tryTake())
    order.push(texts(work));
  assert.deepEqual(order, ['-2147483648', '-1', '0', '5', '5', '2147483647']);
  assert.equal(await outcome(queue.put(0.5, 'x')), 'BadArgumentsError');
});

test('delays: nothing before its time', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const nowMs = (): number => 1_700_000_000_000 + server.clock.nowMs();
  const queue = new DelayQueue(zk, '/q', { nowMs });
  await queue.put({ delayMs: 500 }, 'later');
  await queue.put({ delayMs: 100 }, 'sooner');
  assert.equal(await queue.tryTake(), null);
  const order: string[] = [];
  const taking = (async () => {
    for (let index = 0; index < 2; index++) order.push(texts(await queue.take()));
  })();
  await server.pass(99);
  assert.deepEqual(order, []);
  await server.pass(1);
  assert.deepEqual(order, ['sooner']);
  await server.pass(400);
  await taking;
  assert.deepEqual(order, ['sooner', 'later']);
  assert.match(server.children('/q').join(), /^$/);
});
