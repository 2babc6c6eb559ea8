import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { connectedClient, outcome } from './testing/fake-client.ts';
import { type FakeStream, turn } from './testing/fake-ports.ts';

/** The opcodes of the requests that have arrived. */
function opcodes(stream: FakeStream): number[] {
  return Array.from({ length: stream.unseen }, () => stream.next().opcode);
}

const options = { retryReads: true, reconnectJitterMs: 0 };

test('reads are sent again over the next connection, in order; writes fail', async () => {
  const { zk, ports, stream } = await connectedClient({ ...options, inFlightRequestsMax: 4 });
  const first = zk.getData('/a');
  const write = outcome(zk.setData('/b', 'x'));
  const second = zk.getChildren('/c');
  const third = zk.exists('/d');
  const fourth = zk.exists('/e');
  const lateWrite = outcome(zk.delete('/f'));
  await turn();
  assert.equal(stream.unseen, 4, 'the last two wait');
  await stream.fail();
  assert.equal(await write, 'ConnectionLossError');
  assert.equal(await lateWrite, 'ConnectionLossError');
  const later = zk.exists('/g');
  await ports.pass(0);
  await ports.stream.welcome();
  for (const [opcode, path] of [
    [OpCode.getData, '/a'],
    [OpCode.getChildren, '/c'],
    [OpCode.exists, '/d'],
    [OpCode.exists, '/e'],
  ] as const) {
    const seen = ports.stream.next();
    assert.deepEqual([seen.opcode, seen.reader.readString()], [opcode, path]);
    if (opcode === OpCode.exists) ports.stream.reply(seen.xid, -101);
    else ports.stream.reply(seen.xid, -102);
  }
  assert.equal(await outcome(first), 'NoAuthError');
  assert.equal(await outcome(second), 'NoAuthError');
  assert.deepEqual(await Promise.all([third, fourth]), [null, null]);
  await turn();
  ports.stream.reply(ports.stream.next().xid, -101);
  assert.equal(await later, null);
});

test('a read that was given up is not sent again', async () => {
  const { zk, ports, stream } = await connectedClient(options);
  const controller = new AbortController();
  const givenUp = outcome(zk.exists('/a', { signal: controller.signal }));
  await turn();
  controller.abort(new TypeError('enough'));
  await stream.fail();
  await ports.pass(0);
  await ports.stream.welcome();
  assert.equal(await givenUp, 'TypeError');
  assert.deepEqual(opcodes(ports.stream), []);
});

test('reads fail once every server was tried in vain, and at the end', async () => {
  const { zk, ports, stream } = await connectedClient(options);
  const read = outcome(zk.exists('/a'));
  await turn();
  await stream.fail();
  await ports.pass(0);
  await ports.stream.fail();
  assert.equal(await read, 'ConnectionLossError');
  const atEnd = outcome(zk.exists('/a'));
  await zk.close();
  assert.equal(await atEnd, 'SessionExpiredError');
});

test('without the option reads fail as writes do', async () => {
  const { zk, stream } = await connectedClient();
  const read = outcome(zk.exists('/a'));
  await turn();
  await stream.fail();
  assert.equal(await read, 'ConnectionLossError');
});
