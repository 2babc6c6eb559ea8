import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { connectedClient, outcome } from './testing/fake-client.ts';
import { frame, turn } from './testing/fake-ports.ts';
import type { ZooKeeper } from './zookeeper.ts';

/** One call of each shape of reply. */
function callAll(zk: ZooKeeper): Promise<unknown>[] {
  const watch = (): void => {};
  return [
    zk.getData('/a', { watch }),
    zk.getChildrenWithStat('/a', { watch }),
    zk.createWithStat('/a', 'x'),
    zk.getAcl('/a'),
    zk.multi([
      { op: 'create', path: '/a' },
      { op: 'delete', path: '/a' },
    ]),
    zk.multiRead([
      { op: 'getData', path: '/a' },
      { op: 'getChildren', path: '/a' },
    ]),
    zk.whoAmI(),
    zk.getEphemerals(),
  ].map(outcome);
}

const xid = fc.oneof(fc.integer({ min: -9, max: 10 }), fc.integer());
const body = fc.array(fc.oneof(fc.integer({ min: -2, max: 3 }), fc.integer()), { maxLength: 60 });
const reply = fc.tuple(xid, fc.integer(), fc.integer(), fc.integer({ min: -130, max: 2 }), body);

test('whatever a server sends, every call settles and the client goes on or ends in good order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(reply, { maxLength: 12 }), fc.boolean(), async (replies, inOrder) => {
      const ends = new Map<object, number>();
      const onCall = (call: object): (() => void) => {
        ends.set(call, 0);
        return () => void ends.set(call, (ends.get(call) ?? 0) + 1);
      };
      const { zk, ports, stream } = await connectedClient({ hooks: { onCall } });
      const calls = callAll(zk);
      await turn();
      replies.forEach(([anyXid, high, low, err, words], i) => {
        const numbers = [inOrder ? i + 1 : anyXid, high, low, err, ...words];
        stream.sendBytes(frame((writer) => numbers.forEach((n) => writer.writeInt(n))));
      });
      await turn();
      if (!stream.isClosed) await stream.fail();
      await Promise.all(calls);
      const { status } = zk.state;
      assert.ok(status === 'disconnected' || status === 'authFailed', status);
      if (status === 'disconnected') {
        await ports.pass(0);
        await ports.stream.welcome();
        assert.equal((zk.state.status as string) === 'connected', true);
      }
      await zk.close({ keepSession: true });
      assert.equal(ports.clock.pending, 0);
      assert.deepEqual([...ends.values()], new Array(calls.length).fill(1), 'each call ends once');
    }),
    { numRuns: 300 },
  );
});

test('bytes that are no frames at all drop the connection, or wait for more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      const { zk, stream } = await connectedClient();
      const calls = callAll(zk);
      await turn();
      stream.sendBytes(bytes);
      await zk.close({ keepSession: true });
      await Promise.all(calls);
      assert.ok(stream.isClosed);
    }),
    { numRuns: 200 },
  );
});

test('an answer to the handshake that is no answer leads to the next server', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 36 }), async (bytes) => {
      const { zk, ports, stream } = await connectedClient({}, 'one:1,two:2');
      await stream.fail();
      await ports.pass(0);
      const second = ports.stream;
      second.open();
      second.sendBytes(frame((writer) => writer.writeBytes(bytes, 0, bytes.length)));
      await turn();
      const expired = zk.state.status === 'expired';
      assert.ok(second.isClosed || zk.state.status === 'connected');
      await ports.pass(10);
      if (!expired && second.isClosed) assert.notEqual(ports.stream, second);
      await zk.close({ keepSession: true });
    }),
    { numRuns: 200 },
  );
});
