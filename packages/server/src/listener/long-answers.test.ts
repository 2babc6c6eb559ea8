import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import test from 'node:test';
import { ClientConnection } from './client-connection.ts';
import { LongAnswers } from './long-answers.ts';

interface Peer {
  readonly socket: PassThrough;
  readonly connection: ClientConnection;
}

function makePeer(id: number): Peer {
  const socket = new PassThrough();
  const taken = socket as unknown as ConstructorParameters<typeof ClientConnection>[1];
  const peer = { address: '127.0.0.1', port: id, secure: false };
  return { socket, connection: new ClientConnection(id, taken, peer) };
}

function makeAnswers(): LongAnswers {
  return new LongAnswers({
    onPiece: () => {},
    onEnd: ({ socket }) => (socket as unknown as PassThrough).end(),
  });
}

function* numbers(count: number, onAsked: (i: number) => void): Iterable<string> {
  for (let i = 0; i < count; i++) {
    onAsked(i);
    yield `${i}\n`;
  }
}

async function read(socket: PassThrough): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test('a long answer arrives whole, and several go on side by side', async () => {
  const answers = makeAnswers();
  const peers = [1, 2, 3].map(makePeer);
  const all = peers.map(({ socket }) => read(socket));
  for (const { connection } of peers)
    answers.send(
      connection,
      numbers(50_000, () => {}),
    );
  const expected = Array.from({ length: 50_000 }, (_, i) => `${i}\n`).join('');
  for (const text of await Promise.all(all)) assert.equal(text, expected);
});

test('lines are asked for only as fast as they are read', async () => {
  const answers = makeAnswers();
  const { socket, connection } = makePeer(1);
  let asked = 0;
  answers.send(
    connection,
    numbers(1_000_000, () => asked++),
  );
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.ok(asked > 0 && asked < 50_000, String(asked));
  socket.destroy();
  await new Promise(setImmediate);
  const before = asked;
  await new Promise(setImmediate);
  assert.equal(asked, before);
});

test('an answer of no lines ends', async () => {
  const { socket, connection } = makePeer(1);
  makeAnswers().send(connection, []);
  assert.equal(await read(socket), '');
});
