import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { InProcessServer } from '../in-process-server.ts';
import {
  auth,
  create,
  exists,
  getChildren,
  getData,
  multi,
  type Operation,
  onPath,
  readText,
  setData,
} from '../model/operations.ts';
import { ScriptedClient } from '../scripted-client.ts';

/** A disk that takes its time, so that requests meet writes that are not durable. */
function slowServer(): InProcessServer {
  return new InProcessServer({ disk: { latencyMs: 2 } }).start();
}

function open(server: InProcessServer): ScriptedClient {
  const client = ScriptedClient.open(server);
  server.advance(1000);
  client.take();
  return client;
}

const malformedCreate: Operation = [OpCode.create, (writer) => writer.writeInt(1000)];
const malformedRead: Operation = [OpCode.getData, (writer) => writer.writeInt(1000)];

test('reads behind writes of their connection wait for them, and only for them', () => {
  const server = slowServer();
  const client = open(server);
  const other = open(server);
  client.send(...create('/a', { data: '0' }));
  client.send(...getData('/a'));
  client.send(...setData('/a', '1'));
  client.send(...getData('/a'));
  client.send(...setData('/a', '2'));
  client.send(...getData('/a'));
  other.send(...exists('/a'));
  server.settle();
  assert.deepEqual(client.takeSummary(), []);
  assert.deepEqual(other.takeSummary(), ['#1!-101'], 'others do not wait');
  server.advance(1000);
  const replies = client.take().flatMap((each) => (each.kind === 'reply' ? [each.reply] : []));
  assert.deepEqual(
    replies.map((reply) => reply.xid),
    [1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(
    [1, 3, 5].map((i) => readText((replies[i] as (typeof replies)[0]).body)),
    ['0', '1', '2'],
  );
});

test('a read sees no write that was sent after it', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...create('/a', { data: '0' }));
  server.advance(1);
  client.send(...getData('/a'));
  server.advance(1);
  client.send(...setData('/a', '1'));
  server.advance(1000);
  const replies = client.take().flatMap((each) => (each.kind === 'reply' ? [each.reply] : []));
  assert.equal(readText((replies[1] as (typeof replies)[0]).body), '0');
});

test('malformed requests keep their place, and so does what is behind them', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...malformedCreate);
  client.send(...create('/a'));
  client.send(...malformedCreate);
  client.send(...exists('/a'));
  client.send(...malformedRead);
  client.send(...create('/b'));
  client.send(...exists('/b'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#1!-5', '#2', '#3!-5', '#4', '#5!-5', '#6', '#7']);
});

test('all that was sent before a closeSession is answered', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...create('/a'));
  client.send(...exists('/a'));
  client.send(...malformedCreate);
  client.send(...getChildren('/'));
  client.send(OpCode.closeSession);
  client.send(...exists('/a'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#1', '#2', '#3!-5', '#4', '#5']);
  assert.ok(client.isClosed);
});

test('a session that ends right behind its handshake ends in order', () => {
  const server = slowServer();
  const client = new ScriptedClient(server);
  client.sendHandshake();
  client.send(...create('/a'));
  client.send(...exists('/a'));
  client.send(OpCode.closeSession);
  client.send(...create('/b'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['session 10000', '#1', '#2', '#3']);
  const other = open(server);
  assert.equal(other.call(...exists('/b')).err, -101);
});

test('auth packets between pipelined requests count for those behind them', () => {
  const server = slowServer();
  const owner = open(server);
  owner.send(...auth('digest', 'user:secret'), -4);
  owner.send(...create('/a', { acl: [{ perms: 31, id: { scheme: 'auth', id: '' } }] }));
  server.advance(1000);
  assert.deepEqual(owner.takeSummary(), ['#-4', '#1']);
  const client = new ScriptedClient(server);
  client.sendHandshake();
  client.send(...getData('/a'));
  client.send(...auth('digest', 'user:secret'), -4);
  client.send(...getData('/a'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['session 10000', '#1!-102', '#-4', '#2']);
});

test('an unknown operation behind writes is answered in its place, then the connection closed', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...create('/a'));
  client.send(77);
  client.send(...exists('/a'));
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#1', '#2!-6']);
  assert.ok(client.isClosed);
});

test('replies that need no transaction carry the newest zxid that is applied', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...create('/a'));
  client.send(...exists('/a'));
  client.send(...create('/a'));
  client.send(OpCode.ping, undefined, -2);
  server.advance(1000);
  const zxids = client.take().flatMap((each) => (each.kind === 'reply' ? [each.reply] : []));
  assert.deepEqual(
    zxids.map(({ xid, zxid }) => [xid, zxid]),
    [
      [-2, 1],
      [1, 2],
      [2, 2],
      [3, 3],
    ],
  );
});

test('what a session had under way when it lost its connection is seen by the next one', () => {
  const server = slowServer();
  const client = open(server);
  client.send(...create('/a'));
  server.settle();
  client.disconnect();
  const back = new ScriptedClient(server);
  back.sendHandshake({ session: client.session });
  back.send(...exists('/a'));
  server.advance(1000);
  assert.deepEqual(back.takeSummary(), ['session 10000', '#1']);
});

test('one frame in many pieces, and many frames in one', () => {
  const server = slowServer();
  const client = open(server);
  const frames = new ScriptedClient(server);
  server.settle();
  const bytes: Uint8Array[] = [];
  frames.connection.send = (frame) => bytes.push(frame.slice());
  frames.send(...create('/a'));
  frames.send(...exists('/a'));
  frames.send(...multi([create('/b'), create('/c')]));
  frames.send(...onPath(OpCode.sync, '/'));
  for (const byte of Buffer.concat(bytes)) {
    client.sendBytes(Uint8Array.of(byte));
    server.settle();
  }
  server.advance(1000);
  assert.deepEqual(client.takeSummary(), ['#1', '#2', '#3', '#4']);
});
