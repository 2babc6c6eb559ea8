import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { connectedClient, outcome } from './testing/fake-client.ts';
import { turn } from './testing/fake-ports.ts';
import { ModelServer } from './testing/model-server.ts';

const own = /^_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-job-\d{10}$/;
const options = { mode: 'ephemeralSequential', protection: true } as const;

for (const loss of ['request', 'reply'] as const) {
  test(`create() with protection makes one znode when its ${loss} is lost, again and again`, async () => {
    const server = new ModelServer();
    const zk = await server.client({ reconnectJitterMs: 0 });
    const parent = zk.create('/jobs');
    await server.pass(0);
    await parent;
    server.loseNext(OpCode.create, loss);
    server.loseNext(OpCode.getChildren, 'reply');
    server.loseNext(OpCode.sync, 'request');
    const creating = zk.create('/jobs/job-', 'x', options);
    await server.pass(5000);
    const path = await creating;
    const names = server.children('/jobs');
    assert.equal(names.length, 1);
    assert.match(names[0] ?? '', own);
    assert.equal(path, `/jobs/${names[0]}`);
  });
}

test('an answer of the server is the end, and the time for all attempts together', async () => {
  const server = new ModelServer();
  const zk = await server.client({ reconnectJitterMs: 0 });
  const orphan = outcome(zk.create('/nowhere/job-', 'x', options));
  await server.pass(0);
  assert.equal(await orphan, 'NoNodeError');
  server.isDown = true;
  await server.disconnect(zk);
  const late = outcome(zk.create('/job-', 'x', { ...options, timeoutMs: 3000 }));
  const controller = new AbortController();
  const givenUp = outcome(zk.create('/job-', 'x', { ...options, signal: controller.signal }));
  await server.pass(2999);
  controller.abort(new TypeError('enough'));
  assert.equal(await givenUp, 'TypeError');
  await server.pass(1);
  assert.equal(await late, 'RequestTimeoutError');
  const ended = outcome(zk.create('/job-', 'x', options));
  await server.pass(20_000);
  assert.equal(await ended, 'SessionExpiredError');
});

test('what cannot be created is refused before anything is sent', async () => {
  const { zk, stream } = await connectedClient();
  const aborted = AbortSignal.abort(new TypeError('enough'));
  for (const [call, name] of [
    [zk.create('/a/', 'x', { protection: true }), 'BadArgumentsError'],
    [zk.create('/a', 'x', { protection: true, acl: [] }), 'InvalidAclError'],
    [zk.create('/a', 7 as unknown as string, { protection: true }), 'BadArgumentsError'],
    [zk.create('/a', 'x', { protection: true, timeoutMs: 0 }), 'BadArgumentsError'],
    [zk.create('/a', 'x', { protection: true, signal: aborted }), 'TypeError'],
    [zk.createWithStat('/a', 'x', { protection: true }), 'BadArgumentsError'],
    [zk.multi(undefined as unknown as []), 'BadArgumentsError'],
    [zk.multiRead({} as unknown as []), 'BadArgumentsError'],
    [zk.addWatch('/a', null as unknown as () => void), 'BadArgumentsError'],
  ] as const) {
    assert.equal(await outcome(call), name);
  }
  await turn();
  assert.equal(stream.unseen, 0);
});
