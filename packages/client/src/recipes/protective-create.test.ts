import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { type Loss, ModelServer } from '../testing/model-server.ts';
import { createProtected, protectivePrefix, uuid } from './protective-create.ts';

const name = /^_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-job-\d{10}$/;

test('creates one znode with a name of its own, and missing parents', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const path = await createProtected(zk, '/a/b/job-', 'x');
  assert.match(path.slice('/a/b/'.length), name);
  assert.deepEqual(server.children('/a/b'), [path.slice('/a/b/'.length)]);
});

test('names never repeat', async () => {
  const server = new ModelServer();
  const [one, two] = [await server.client(), await server.client()];
  const made = [one, two, one, two].map((zk) => uuid(zk));
  assert.equal(new Set(made).size, 4);
  assert.match(protectivePrefix(one), /^_c_[0-9a-f-]{36}-$/);
});

for (const loss of ['request', 'reply'] satisfies Loss[]) {
  test(`a lost ${loss} still makes exactly one`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    await zk.create('/a');
    server.loseNext(OpCode.create, loss);
    server.loseNext(OpCode.create, loss);
    const creating = createProtected(zk, '/a/job-');
    for (let round = 0; round < 4; round++) await server.pass(2000);
    const path = await creating;
    assert.deepEqual(server.children('/a'), [path.slice('/a/'.length)]);
  });
}

test('a create that is given up leaves nothing behind, even if it happens later', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/a');
  const controller = new AbortController();
  const creating = createProtected(zk, '/a/job-', '', { signal: controller.signal });
  controller.abort(new RangeError('enough'));
  assert.equal(await outcome(creating), 'RangeError');
  await server.pass(0);
  assert.deepEqual(server.children('/a'), []);
  assert.equal(server.handled.get(OpCode.create), 2);
});

test('an answer of the server is not tried again', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/e', '', { mode: 'ephemeral' });
  assert.equal(await outcome(createProtected(zk, '/e/job-')), 'NoChildrenForEphemeralsError');
});

test('a server without containers gets persistent parents', async () => {
  const server = new ModelServer();
  server.unknown.add(OpCode.createContainer);
  const zk = await server.client();
  await createProtected(zk, '/a/b/job-');
  assert.equal(server.children('/a/b').length, 1);
});
