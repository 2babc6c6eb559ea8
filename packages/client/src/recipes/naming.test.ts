import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { IdSequence } from './id-sequence.ts';
import { NameTree } from './name-tree.ts';
import { SnowflakeIds } from './snowflake-ids.ts';
import { WorkerId } from './worker-id.ts';

const text = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();

test('ids count up, each given once, whatever the size of a block', async () => {
  const server = new ModelServer();
  const clients = await Promise.all([1, 2].map(() => server.client()));
  const sequences = clients.map((zk, index) => {
    return new IdSequence(zk, '/ids/orders', { blockSize: index * 4 + 1 });
  });
  const asked = sequences.flatMap((ids) => Array.from({ length: 10 }, () => ids.next()));
  const given = await Promise.all(asked);
  assert.equal(new Set(given).size, 20);
  for (const ours of [given.slice(0, 10), given.slice(10)]) {
    assert.ok(ours.every((id, index) => index === 0 || id > (ours[index - 1] as bigint)));
  }
  assert.throws(() => new IdSequence(clients[0] as never, '/x', { blockSize: 0 }), /blockSize 0/);
});

test('an id whose write may have happened is left out', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const ids = new IdSequence(zk, '/ids');
  assert.equal(await ids.next(), 1n);
  server.loseNext(OpCode.setData, 'reply');
  const next = ids.next();
  await server.pass(3000);
  assert.equal(await next, 3n);
  server.loseNext(OpCode.setData, 'request');
  const after = ids.next();
  await server.pass(3000);
  assert.equal(await after, 4n);
});

test('each worker has a number of its own, the smallest that is free', async () => {
  const server = new ModelServer();
  const [one, two, three] = await Promise.all([1, 2, 3].map(() => server.client()));
  assert.ok(one && two && three);
  const options = { workersMax: 2 };
  const claims = await Promise.all([one, two].map((zk) => WorkerId.claim(zk, '/w', options)));
  assert.deepEqual(claims.map(({ id }) => `${id}`).sort(), ['0', '1']);
  const late = outcome(WorkerId.claim(three, '/w', { ...options, timeoutMs: 100 }));
  await server.pass(100);
  assert.equal(await late, 'WaitTimeoutError');
  const waiting = WorkerId.claim(three, '/w', options);
  await server.pass(0);
  await server.expire(two);
  const third = await waiting;
  const lost = claims.find(({ id }) => id === third.id);
  assert.ok(lost);
  assert.ok(third.token > lost.token);
  await server.pass(3000);
  assert.equal(lost.lost.aborted, true);
  await lost.release();
  assert.equal(server.children('/w').length, 2);
  await one.multi([claims[0]?.check ?? third.check]);
  await third.release();
  assert.equal(third.isHeld, false);
  assert.equal(server.children('/w').length, 1);
});

test('a number is claimed once though the answer was lost; one that was deleted is lost', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await (await WorkerId.claim(zk, '/w')).release();
  server.loseNext(OpCode.create, 'reply');
  const claiming = WorkerId.claim(zk, '/w');
  await server.pass(3000);
  const worker = await claiming;
  assert.deepEqual(server.children('/w'), ['0000000000']);
  await server.remove(worker.path);
  await server.pass(0);
  assert.equal(worker.lost.aborted, true);
  const next = await WorkerId.claim(zk, '/w');
  await worker.release();
  assert.deepEqual(server.children('/w'), ['0000000000']);
  await next.release();
});

/** The parts of an id. */
function partsOf(id: bigint): { timeMs: number; worker: number; count: number } {
  const epochMs = Date.UTC(2024);
  const timeMs = Number(id >> 22n) + epochMs;
  return { timeMs, worker: Number((id >> 12n) & 1023n), count: Number(id & 4095n) };
}

test('ids that a process makes itself grow, when the clock stands still and when it goes back', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  let clockMs = Date.UTC(2026);
  const ids = await SnowflakeIds.start(zk, '/f', { nowMs: () => clockMs, aheadMs: 10 });
  const writes = server.handled.get(OpCode.setData) ?? 0;
  let last = await ids.next();
  assert.deepEqual(partsOf(last), { timeMs: clockMs, worker: 0, count: 0 });
  for (let made = 0; made < 5000; made++) {
    const id = await ids.next();
    assert.ok(id > last);
    last = id;
  }
  assert.deepEqual(partsOf(last), { timeMs: clockMs + 1, worker: 0, count: 5000 - 4096 });
  assert.equal(server.handled.get(OpCode.setData), writes);
  clockMs -= 1000;
  assert.equal((await ids.next()) - last, 1n);
  clockMs += 5000;
  const later = partsOf(await ids.next());
  assert.deepEqual(later, { timeMs: clockMs, worker: 0, count: 0 });
  assert.equal(server.handled.get(OpCode.setData), writes + 1);
  await ids.close();
});

test('a paused process never makes the ids of the next holder of its number', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  let clockMs = Date.UTC(2026);
  const nowMs = (): number => clockMs;
  // It believes to hold its number for ever: only the server can tell it.
  const paused = await SnowflakeIds.start(one, '/f', { nowMs, aheadMs: 100 });
  const [old] = server.children('/f/workers');
  await server.remove(`/f/workers/${old}`);
  const next = await SnowflakeIds.start(two, '/f', { nowMs: () => clockMs - 1000, aheadMs: 100 });
  assert.equal(next.worker.id, paused.worker.id);
  const theirs = partsOf(await next.next());
  assert.ok(theirs.timeMs >= clockMs + 100);
  clockMs += 10_000;
  assert.equal(await outcome(paused.next()), 'HoldLostError');
  await paused.close();
  await next.close();
});

test('a write that reserves time after the number has passed on is refused by the server', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  let clockMs = Date.UTC(2026);
  const ids = await SnowflakeIds.start(zk, '/f', { nowMs: () => clockMs, aheadMs: 100 });
  const reserved = '/f/reserved/0000000000';
  const handle = server.handle.bind(server);
  server.handle = (opcode, ...rest) => {
    // Between the check of `lost` and the arrival of the write, somebody else gets the number and reserves time.
    if (opcode === OpCode.setData && server.tree.nodes.has(ids.worker.path)) {
      server.tree.delete(ids.worker.path, -1, []);
      server.tree.setData(reserved, Buffer.from(`${clockMs + 5000}`), -1, []);
    }
    return handle(opcode, ...rest);
  };
  clockMs += 1000;
  await assert.rejects(ids.next(), /a number that another process has/);
  await zk.close();
});

for (const loss of ['request', 'reply'] as const) {
  test(`time is reserved though a ${loss} was lost`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    let clockMs = Date.UTC(2026);
    server.loseNext(OpCode.setData, loss);
    const starting = SnowflakeIds.start(zk, '/f', { nowMs: () => clockMs, aheadMs: 100 });
    await server.pass(3000);
    const ids = await starting;
    const first = await ids.next();
    server.loseNext(OpCode.setData, loss);
    clockMs += 1000;
    const making = ids.next();
    await server.pass(3000);
    assert.ok((await making) > first);
    await zk.close();
    assert.equal(await outcome(ids.next()), 'HoldLostError');
  });
}

test('a name has one holder, and names below it', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const [names, others] = [new NameTree(one, '/names'), new NameTree(two, '/names')];
  const city = await names.bind('eu/berlin', 'the city', { lasts: 'always' });
  const racing = [names, others].map((tree, index) => tree.bind('eu/berlin/printer', `${index}`));
  const settled = await Promise.allSettled(racing);
  assert.deepEqual(settled.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  const found = await others.resolve('eu/berlin/printer');
  assert.ok(found !== null && found.token > city.token && found.sessionId !== 0n);
  assert.deepEqual(await names.list(), ['eu']);
  assert.deepEqual(await names.list('eu/berlin'), ['printer']);
  assert.deepEqual(await names.list('no/where'), []);
  assert.equal(text((await others.resolveNearest('eu/berlin/door/7'))?.value), 'the city');
  assert.equal(await others.resolveNearest('us/boston'), null);
  await city.unbind();
  await city.unbind();
  assert.equal(await others.resolve('eu/berlin'), null);
  assert.deepEqual(await names.list('eu/berlin'), ['printer']);
  for (const wrong of ['', 'a//b', '/a', 'a/', 'a/=', '..']) {
    assert.throws(() => names.bind(wrong, ''), /Cannot use the name/);
  }
});

test('a name is bound once though the answer was lost, and free when the session ends', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  await new NameTree(one, '/names').bind('warm', '');
  server.loseNext(OpCode.create, 'reply');
  const binding = new NameTree(one, '/names').bind('a', 'mine');
  await server.pass(3000);
  assert.equal(text((await binding).value), 'mine');
  const others = new NameTree(two, '/names');
  assert.equal(await outcome(others.bind('a', 'theirs')), 'NameTakenError');
  await server.expire(one);
  await server.pass(3000);
  const next = await others.bind('a', 'theirs');
  assert.ok(next.token > (await binding).token);
  await (await binding).unbind();
  assert.equal(text((await others.resolve('a'))?.value), 'theirs');
});

test('a number whose claim was given up is free again', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/w');
  server.loseNext(OpCode.create, 'reply');
  const claimed = outcome(WorkerId.claim(zk, '/w', { timeoutMs: 10 }));
  await server.pass(3000);
  assert.equal(await claimed, 'WaitTimeoutError');
  assert.deepEqual(server.children('/w'), []);
});

test('a number given back twice, for a lost answer, is not taken from its next holder', async () => {
  const server = new ModelServer();
  const [one, two] = await Promise.all([1, 2].map(() => server.client()));
  assert.ok(one && two);
  const first = await WorkerId.claim(one, '/w', { workersMax: 1 });
  const waiting = WorkerId.claim(two, '/w', { workersMax: 1 });
  server.loseNext(OpCode.delete, 'reply');
  const released = first.release();
  const second = await waiting;
  await server.pass(3000);
  await released;
  assert.equal(second.isHeld, true);
  assert.deepEqual(server.children('/w'), ['0000000000']);
});

test('a name whose binding was given up is free again, and one unbound twice stays with its next holder', async () => {
  const server = new ModelServer();
  const [one, two] = await Promise.all([1, 2].map(() => server.client()));
  assert.ok(one && two);
  const [mine, theirs] = [new NameTree(one, '/names'), new NameTree(two, '/names')];
  await (await mine.bind('a', '0')).unbind();
  server.loseNext(OpCode.create, 'reply');
  const given = outcome(mine.bind('a', '1', { timeoutMs: 10 }));
  await server.pass(3000);
  assert.equal(await given, 'WaitTimeoutError');
  assert.equal(await mine.resolve('a'), null);
  const binding = await mine.bind('a', '1');
  server.loseNext(OpCode.delete, 'reply');
  const unbound = binding.unbind();
  await theirs.bind('a', '2');
  await server.pass(3000);
  await unbound;
  assert.equal(text((await mine.resolve('a'))?.value), '2');
});

test('ids are made by a clock that tells parts of milliseconds', async () => {
  const server = new ModelServer();
  const ids = await SnowflakeIds.start(await server.client(), '/ids', {
    nowMs: () => Date.UTC(2025) + 0.5,
  });
  assert.ok((await ids.next()) > 0n);
});
