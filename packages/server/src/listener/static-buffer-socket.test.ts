import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { ClientConnection } from './client-connection.ts';
import { adoptSocket, connectionOf, startReading } from './static-buffer-socket.ts';

/** A socket that was accepted and has not read, and its peer. */
async function acceptOne(t: TestContext): Promise<{ accepted: Socket; peer: Socket }> {
  const server = createServer({ pauseOnConnect: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const peer = connect(address.port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    server.close();
    peer.destroy();
    accepted.destroy();
  });
  return { accepted, peer };
}

async function readsAndEnds(socket: Socket, peer: Socket): Promise<void> {
  const connection = new ClientConnection(1, socket, { address: '', port: 0, secure: false });
  assert.throws(() => connectionOf(socket), { name: 'InvariantError' });
  let text = '';
  const allRead = new Promise<void>((resolve) => {
    startReading(connection, (from, bytes, end) => {
      assert.equal(from, connection);
      text += Buffer.from(bytes.subarray(0, end)).toString();
      if (text.length === 9) resolve();
    });
  });
  assert.equal(connectionOf(socket), connection);
  peer.write('some');
  peer.write('bytes');
  await allRead;
  assert.equal(text, 'somebytes');
  const closed = once(socket, 'close');
  peer.end();
  await closed;
}

test('an accepted socket moves to one that reads into the shared buffer', async (t) => {
  const { accepted, peer } = await acceptOne(t);
  const socket = adoptSocket(accepted);
  t.after(() => socket.destroy());
  assert.notEqual(socket, accepted);
  await readsAndEnds(socket, peer);
});

test('where node does not play along, the accepted socket serves as it is', async (t) => {
  const { accepted, peer } = await acceptOne(t);
  const { _handle: handle } = accepted as unknown as { _handle: object };
  Object.defineProperty(handle, 'useUserBuffer', { value: undefined });
  assert.equal(adoptSocket(accepted), accepted);
  await readsAndEnds(accepted, peer);
});
