import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { ModelServer } from '../testing/model-server.ts';
import { ReadWriteLock } from './read-write-lock.ts';

test('readers share, a writer is alone, and all are served in order', async () => {
  const server = new ModelServer();
  const locks = await Promise.all(
    [1, 2, 3, 4].map(async () => new ReadWriteLock(await server.client(), '/rw')),
  );
  const [a, b, c, d] = locks as [ReadWriteLock, ReadWriteLock, ReadWriteLock, ReadWriteLock];
  const reading = [await a.read.acquire(), await b.read.acquire()];
  const order: string[] = [];
  const writing = c.write.acquire();
  void writing.then(() => order.push('write'));
  await server.pass(0);
  const behind = d.read.acquire();
  void behind.then(() => order.push('read'));
  await server.pass(0);
  assert.deepEqual(order, []);
  await reading[0]?.release();
  await server.pass(0);
  assert.deepEqual(order, []);
  await reading[1]?.release();
  const write = await writing;
  await server.pass(0);
  assert.deepEqual(order, ['write']);
  await write.release();
  await (await behind).release();
  assert.deepEqual(order, ['write', 'read']);
  assert.deepEqual(server.children('/rw'), []);
});

test('the layout is that of Curator', async () => {
  const server = new ModelServer();
  const lock = new ReadWriteLock(await server.client(), '/rw');
  assert.match((await lock.read.acquire()).path, /^\/rw\/_c_[0-9a-f-]{36}-__READ__0000000000$/);
  assert.equal(await lock.write.tryAcquire(), null);
  const participants = await lock.write.participants();
  assert.equal(participants.length, 1);
});

for (const loss of [null, 'request', 'reply'] as const) {
  test(`a downgrade lets no writer in between${loss === null ? '' : `, the ${loss} lost`}`, async () => {
    const server = new ModelServer();
    const [one, two] = [await server.client(), await server.client()];
    const options = { lostWhen: 'expired' } as const;
    const write = await new ReadWriteLock(one, '/rw', options).write.acquire();
    const other = new ReadWriteLock(two, '/rw');
    let written = false;
    const waiting = other.write.acquire().then((held) => {
      written = true;
      return held;
    });
    await server.pass(0);
    if (loss !== null) server.loseNext(OpCode.multi, loss);
    const downgrading = write.downgrade();
    await server.pass(2000);
    const read = await downgrading;
    assert.equal(write.isHeld, false);
    assert.equal(write.lost.aborted, false);
    assert.equal(read.isHeld, true);
    assert.ok(read.token > write.token);
    await server.pass(0);
    assert.equal(written, false);
    await read.release();
    await (await waiting).release();
    assert.deepEqual(server.children('/rw'), []);
  });
}
