import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import type { StreamHandler } from '../ports.ts';
import { nodePorts } from './node-ports.ts';

interface Heard extends StreamHandler {
  readonly opened: Promise<void>;
  readonly closed: Promise<Error | null>;
  bytes: number;
}

function hear(): Heard {
  let onOpen = (): void => {};
  let onClosed = (_cause: Error | null): void => {};
  const opened = new Promise<void>((resolve) => {
    onOpen = resolve;
  });
  const closed = new Promise<Error | null>((resolve) => {
    onClosed = resolve;
  });
  const heard: Heard = { opened, closed, onOpen, onClosed, onDrained() {}, onBytes, bytes: 0 };
  return heard;

  function onBytes(bytes: Uint8Array): void {
    assert.equal(bytes.constructor, Uint8Array);
    heard.bytes += bytes.length;
  }
}

async function serve(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; close: () => void }> {
  const server = createServer(onSocket);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('a stream carries bytes both ways and says when the server ends it', async () => {
  const { port, close } = await serve((socket) => {
    socket.once('data', (bytes) => socket.end(bytes));
  });
  const heard = hear();
  const stream = nodePorts.transport.dial({ host: 'localhost', port }, heard);
  await heard.opened;
  assert.equal(stream.write(Uint8Array.of(1, 2, 3)), true);
  assert.equal(await heard.closed, null);
  assert.equal(heard.bytes, 3);
  close();
});

test('what is written before close() still arrives, and the handler hears no more', async () => {
  let received = 0;
  let allReceived = (): void => {};
  const ended = new Promise<void>((resolve) => {
    allReceived = resolve;
  });
  const { port, close } = await serve((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.on('close', () => allReceived());
  });
  const heard = hear();
  let heardOfEnd = false;
  void heard.closed.then(() => {
    heardOfEnd = true;
  });
  const stream = nodePorts.transport.dial({ host: '127.0.0.1', port }, heard);
  await heard.opened;
  stream.write(new Uint8Array(5_000_000));
  stream.close();
  await ended;
  assert.equal(received, 5_000_000);
  assert.equal(heardOfEnd, false);
  close();
});

test('a server that is not there is told with the reason', async () => {
  const { port, close } = await serve(() => {});
  close();
  const heard = hear();
  nodePorts.transport.dial({ host: '127.0.0.1', port }, heard);
  assert.equal(((await heard.closed) as NodeJS.ErrnoException).code, 'ECONNREFUSED');
});

test('a name is resolved anew at each dial', async () => {
  const { port, close } = await serve((socket) => socket.end());
  const { lookup } = dns;
  let count = 0;
  const counting = (...args: Parameters<typeof lookup>): void => {
    count += 1;
    lookup(...args);
  };
  dns.lookup = counting as typeof lookup;
  try {
    for (let dials = 1; dials <= 3; dials++) {
      const heard = hear();
      nodePorts.transport.dial({ host: 'localhost', port }, heard);
      assert.equal(await heard.closed, null);
      assert.equal(count, dials);
    }
  } finally {
    dns.lookup = lookup;
    close();
  }
});

test('the end of a turn comes after the promises of the turn', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setImmediate(() => {
      nodePorts.clock.endOfTurn(() => {
        order.push('end');
        resolve();
      });
      void Promise.resolve()
        .then(() => order.push('promise'))
        .then(() => order.push('what follows'));
      order.push('turn');
    });
  });
  assert.deepEqual(order, ['turn', 'promise', 'what follows', 'end']);
});
