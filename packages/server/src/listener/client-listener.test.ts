import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import test, { type TestContext } from 'node:test';
import { emptyDraft } from '../configuration/draft.ts';
import type { ClientPortConfig } from '../configuration/server-config.ts';
import { silentLog } from '../logging/log.ts';
import { type ClientEvents, type ClientInfo, NodeNetwork } from '../ports/node-network.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { Turn } from '../turn.ts';
import { ClientListener } from './client-listener.ts';

const word = Buffer.from('ruok').readInt32BE(0);
const wordWithArgument = Buffer.from('stmk').readInt32BE(0);

/** What a replica would be told, as text; whoever waits for the next event is woken. */
class Recorder implements ClientEvents {
  readonly events: string[] = [];
  #wake: () => void = () => {};
  onBytes: (connection: number, text: string) => void = () => {};

  onClientOpened(connection: number, info: ClientInfo): void {
    this.#note(`opened ${connection} ${info.address}`);
  }

  onClientBytes(connection: number, bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString('latin1');
    this.#note(`bytes ${connection} ${JSON.stringify(text)}`);
    this.onBytes(connection, text);
  }

  onClientClosed(connection: number): void {
    this.#note(`closed ${connection}`);
  }

  onTurnEnd(): void {
    this.#note('turn end');
  }

  async until(event: string): Promise<void> {
    while (!this.events.includes(event)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #note(event: string): void {
    this.events.push(event);
    this.#wake();
  }
}

interface Bench {
  recorder: Recorder;
  network: NodeNetwork;
  listener: ClientListener;
  clock: ManualClock;
  client: () => Promise<Socket>;
}

async function setUp(t: TestContext, changes: Partial<ClientPortConfig> = {}): Promise<Bench> {
  const recorder = new Recorder();
  const clock = new ManualClock();
  const network: NodeNetwork = new NodeNetwork({
    clock,
    turn: new Turn(() => recorder.onTurnEnd()),
    events: recorder,
    words: {
      isWord: (code) => code === word || code === wordWithArgument,
      argumentBytes: (code) => (code === wordWithArgument ? 8 : 0),
      onWord: (_connection, code, argument) => (code === word ? 'imok' : `mask ${argument}`),
    },
    handshakeMs: 10_000,
    onGone: (connection) => listener.onGone(connection),
    onHandshakeMissed: (connection) => listener.onHandshakeMissed(connection),
  });
  const config = { ...emptyDraft().server.listener, host: '127.0.0.1', ...changes };
  const listener = new ClientListener(config, network, silentLog);
  const port = await listener.listen();
  const clients: Socket[] = [];
  t.after(() => {
    listener.close();
    network.destroyAll();
    for (const client of clients) client.destroy();
  });
  const client = async (): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => {});
    clients.push(socket);
    await once(socket, 'connect');
    return socket;
  };
  return { recorder, network, listener, clock, client };
}

async function answerOf(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece)).resume();
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(pieces).toString('latin1');
}

/** A handshake of `length` bytes after its length. */
function handshake(length: number): Buffer {
  const bytes = Buffer.alloc(4 + length, 'h');
  bytes.writeInt32BE(length);
  return bytes;
}

const greeting = JSON.stringify(handshake(3).toString('latin1'));

test('a client is opened with its first four bytes and seen to its end', async (t) => {
  const { recorder, client } = await setUp(t);
  const socket = await client();
  socket.write(handshake(3));
  await recorder.until(`bytes 1 ${greeting}`);
  await recorder.until('turn end');
  socket.write('more');
  await recorder.until('bytes 1 "more"');
  socket.destroy();
  await recorder.until('closed 1');
  const told = recorder.events.filter((event) => event !== 'turn end');
  assert.deepEqual(told, [
    'opened 1 127.0.0.1',
    `bytes 1 ${greeting}`,
    'bytes 1 "more"',
    'closed 1',
  ]);
});

test('a handshake byte by byte arrives the same', async (t) => {
  const { recorder, clock, client } = await setUp(t);
  const socket = await client();
  socket.setNoDelay(true);
  let sent = 0;
  const sendNext = (): void => {
    if (sent < 7) socket.write(handshake(3).subarray(sent, ++sent));
  };
  sendNext();
  const seen = (): string =>
    recorder.events
      .filter((event) => event.startsWith('bytes 1 '))
      .map((event) => JSON.parse(event.slice(8)) as string)
      .join('');
  while (seen() !== handshake(3).toString('latin1')) {
    await new Promise((resolve) => setImmediate(resolve));
    sendNext();
  }
  assert.equal(recorder.events[0], 'opened 1 127.0.0.1');
  clock.advance(20_000);
  assert.equal(socket.closed, false);
});

test('a four-letter word is answered and the connection closed, the replica sees nothing of it', async (t) => {
  const { recorder, network, client } = await setUp(t);
  const whole = await client();
  whole.write('ruok\n');
  assert.equal(await answerOf(whole), 'imok');
  const pieces = await client();
  pieces.setNoDelay(true);
  for (const piece of ['r', 'uo', 'k']) {
    pieces.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await answerOf(pieces), 'imok');
  const halfClosed = await client();
  halfClosed.end('ruok');
  assert.equal(await answerOf(halfClosed), 'imok');
  const masked = await client();
  masked.write(Buffer.from('stmk\xff\xff\xff\xff\xff\xff\xff\xfe', 'latin1'));
  assert.equal(await answerOf(masked), 'mask -2');
  assert.deepEqual(recorder.events, []);
  while (network.connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
});

test('who does not say hello in time is closed, by one timer for all', async (t) => {
  const { recorder, network, listener, clock, client } = await setUp(t);
  const silent = await client();
  const trickling = await client();
  trickling.write(handshake(3).subarray(0, 5));
  const known = await client();
  known.write(handshake(3));
  await recorder.until(`bytes 3 ${greeting}`);
  while (network.connections.size < 3) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.armed, 1);
  const bothClosed = Promise.all([answerOf(silent), answerOf(trickling)]);
  clock.advance(10_000);
  assert.deepEqual(await bothClosed, ['', '']);
  assert.equal(listener.counters.handshakesMissed, 2);
  await recorder.until('closed 2');
  assert.equal(network.connections.size, 1);
});

test('send() says whether the bytes may be reused, close() comes after them', async (t) => {
  const { recorder, network, client } = await setUp(t);
  const socket = await client();
  socket.pause();
  socket.write(handshake(0));
  await recorder.until(`bytes 1 "\\u0000\\u0000\\u0000\\u0000"`);
  assert.equal(network.send(1, Buffer.from('<hello>'), 1, 6), true);
  assert.equal(network.unsentBytes(1), 0);
  const large = new Uint8Array(16 * 1024 * 1024);
  assert.equal(network.send(1, large, 0, large.length), false);
  assert.ok(network.unsentBytes(1) > 0);
  assert.equal(network.send(99, large, 0, 1), true, 'a connection that is gone keeps nothing');
  network.close(1);
  assert.equal(network.send(1, large, 0, 5), true, 'nothing is sent after close()');
  const answer = await answerOf(socket);
  assert.equal(answer.length, 5 + large.length);
  assert.ok(answer.startsWith('hello'));
  await recorder.until('closed 1');
});

test('a connection that does not take its last bytes is cut, destroy() cuts at once', async (t) => {
  const { recorder, network, clock, client } = await setUp(t);
  const large = new Uint8Array(16 * 1024 * 1024);
  for (const id of [1, 2]) {
    const socket = await client();
    socket.pause();
    socket.write(handshake(3));
    await recorder.until(`bytes ${id} ${greeting}`);
    network.send(id, large, 0, large.length);
  }
  network.close(1);
  clock.advance(5000);
  await recorder.until('closed 1');
  network.destroy(2);
  network.destroy(2);
  await recorder.until('closed 2');
});

test('setReading(false) stops what arrives until it is true again', async (t) => {
  const { recorder, network, client } = await setUp(t);
  const socket = await client();
  recorder.onBytes = (connection, text) => {
    if (text.includes('pause')) network.setReading(connection, false);
  };
  socket.write(handshake(3));
  await recorder.until(`bytes 1 ${greeting}`);
  socket.write('pause');
  await recorder.until('bytes 1 "pause"');
  await new Promise<void>((resolve) => socket.write('later', () => resolve()));
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!recorder.events.includes('bytes 1 "later"'));
  network.setReading(1, true);
  await recorder.until('bytes 1 "later"');
});

test('maxClientCnxns and maxCnxns turn away at the door, and let in again who comes later', async (t) => {
  for (const limit of [{ maxClientCnxns: 2 }, { maxClientCnxns: 0, maxCnxns: 2 }]) {
    const { network, listener, client } = await setUp(t, limit);
    const first = await client();
    await client();
    const third = await client();
    assert.equal(await answerOf(third), '');
    assert.equal(network.connections.size, 2);
    assert.equal(listener.counters.tooManyOfAddress + listener.counters.tooManyInAll, 1);
    first.destroy();
    while (network.connections.size > 1) await new Promise((resolve) => setImmediate(resolve));
    await client();
    while (network.connections.size < 2) await new Promise((resolve) => setImmediate(resolve));
  }
});

test('listen() rejects with the reason when the port is taken', async (t) => {
  const { network } = await setUp(t);
  const config = { ...emptyDraft().server.listener, host: '127.0.0.1' };
  const first = new ClientListener(config, network, silentLog);
  const port = await first.listen();
  t.after(() => first.close());
  const second = new ClientListener({ ...config, port }, network, silentLog);
  await assert.rejects(second.listen(), { code: 'EADDRINUSE' });
});
