import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { AtomicInteger, AtomicLong } from './atomic-numbers.ts';
import { AtomicValue, unchanged } from './atomic-value.ts';
import { SharedCount } from './shared-count.ts';
import { SharedValue } from './shared-value.ts';

test('a shared count is seen by all, and replaced by one at a time', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const first = await SharedCount.start(one, '/shared/count', 5);
  const second = await SharedCount.start(two, '/shared/count', 99);
  assert.deepEqual(second.current, { value: 5, version: 0 });
  const seen: number[] = [];
  const following = (async () => {
    for await (const { value } of second.changes()) seen.push(value);
  })();
  assert.equal(await first.trySet(first.current, -7), true);
  assert.deepEqual(first.current, { value: -7, version: 1 });
  assert.equal(await first.trySet({ value: 5, version: 0 }, 8), false);
  await server.pass(0);
  await second.set(9);
  await server.pass(0);
  assert.deepEqual([first.current.value, second.current.value], [9, 9]);
  await second.close();
  await following;
  assert.deepEqual(seen, [5, -7, 9]);
  assert.equal(await outcome(first.set(2 ** 31)), 'BadArgumentsError');
  await first.close();
});

test('a shared value never goes back', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const shared = await SharedValue.start(zk, '/v', 'a');
  await Promise.all(['b', 'c', 'd'].map((value) => shared.set(value)));
  assert.equal(new TextDecoder().decode(shared.current.value), 'd');
  await server.pass(0);
  assert.equal(new TextDecoder().decode(shared.current.value), 'd');
  await shared.close();
});

test('what is not a number is said to be none', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/n', 'no number');
  assert.equal(await outcome(new AtomicLong(zk, '/n').add(1n)), 'DataInconsistencyError');
  assert.equal(await outcome(new AtomicInteger(zk, '/n').get()), 'DataInconsistencyError');
});

test('a counter counts each add exactly once', async () => {
  const server = new ModelServer();
  const clients = await Promise.all([1, 2, 3].map(() => server.client()));
  const adding = clients.flatMap((zk) => {
    const counter = new AtomicLong(zk, '/deep/counter');
    return Array.from({ length: 5 }, () => counter.add(2n));
  });
  const results = (await Promise.all(adding)).map(({ after }) => Number(after));
  assert.deepEqual(
    results.sort((a, b) => a - b),
    Array.from({ length: 15 }, (_, index) => 2 * (index + 1)),
  );
  const integer = new AtomicInteger(clients[0] as NonNullable<(typeof clients)[0]>, '/int');
  assert.deepEqual(await integer.add(0x7fffffff), { before: 0, after: 0x7fffffff });
  assert.equal((await integer.add(1)).after, -0x80000000);
});

for (const opcode of [OpCode.create, OpCode.setData]) {
  test(`a write that was lost on its way is made again, operation ${opcode}`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    const counter = new AtomicLong(zk, '/c');
    if (opcode === OpCode.setData) await counter.set(0n);
    server.loseNext(opcode, 'request');
    const adding = counter.add(1n);
    await server.pass(2000);
    assert.equal((await adding).after, 1n);
    assert.equal(await counter.get(), 1n);
  });

  test(`a write whose answer was lost is not made twice, operation ${opcode}`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    const counter = new AtomicLong(zk, '/c');
    if (opcode === OpCode.setData) await counter.set(0n);
    server.loseNext(opcode, 'reply');
    const adding = counter.add(1n).catch((error) => error as { mayHaveHappened: boolean });
    await server.pass(2000);
    assert.equal('mayHaveHappened' in (await adding), true);
    assert.equal(await counter.get(), 1n);
  });
}

test('compare and set, and an update that leaves all as it is', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const value = new AtomicValue(zk, '/v');
  assert.equal(await value.get(), null);
  assert.equal(await value.compareAndSet('x', 'y'), false);
  assert.equal(await value.compareAndSet(null, 'a'), true);
  assert.equal(await value.compareAndSet('a', 'b'), true);
  const writes = server.handled.get(OpCode.setData);
  await value.update(() => unchanged);
  assert.equal(server.handled.get(OpCode.setData), writes);
  assert.equal(new TextDecoder().decode((await value.get()) ?? undefined), 'b');
});
