import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import test from 'node:test';
import type { NetworkAddress, PeerListenerEvents, PeerStreamEvents } from '@meerkat/engine';
import { NodePeerNetwork } from './node-peer-network.ts';

/** One process: its network, and what it was told, as events to wait for. */
class Process extends EventEmitter implements PeerListenerEvents, PeerStreamEvents {
  readonly network = new NodePeerNetwork();
  received = '';
  receivedBytes = 0;
  chunks = 0;
  isOrdering = false;

  /** Gives an order; nothing may call back from within it. */
  order<T>(action: (network: NodePeerNetwork) => T): T {
    this.isOrdering = true;
    const result = action(this.network);
    this.isOrdering = false;
    return result;
  }

  onPeerListening(listener: number, port: number): void {
    this.#tell('listening', listener, port);
  }

  onPeerListenFailed(listener: number, reason: string): void {
    this.#tell('failed', listener, reason);
  }

  onPeerAccepted(_listener: number, stream: number, from: NetworkAddress): PeerStreamEvents {
    this.#tell('accepted', stream, from);
    return this;
  }

  onPeerOpened(stream: number): void {
    this.#tell('opened', stream);
  }

  onPeerBytes(stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.chunks += 1;
    this.receivedBytes += end - start;
    if (this.receivedBytes < 1000)
      this.received += Buffer.from(bytes.subarray(start, end)).toString();
    this.#tell('bytes', stream);
  }

  onPeerDrained(stream: number): void {
    this.#tell('drained', stream);
  }

  onPeerClosed(stream: number, reason: string): void {
    this.#tell('closed', stream, reason);
  }

  #tell(event: string, ...what: readonly unknown[]): void {
    assert.equal(this.isOrdering, false, `${event} from within an order`);
    this.emit(event, ...what);
  }
}

/** Two processes with a stream from one to the other. */
async function connected(): Promise<{
  dialler: Process;
  acceptor: Process;
  out: number;
  in_: number;
  address: NetworkAddress;
}> {
  const acceptor = new Process();
  acceptor.order((network) => network.listen({ host: '127.0.0.1', port: 0 }, acceptor));
  const [, port] = (await once(acceptor, 'listening')) as [number, number];
  const address = { host: 'localhost', port };
  const dialler = new Process();
  const accepted = once(acceptor, 'accepted');
  const out = dialler.order((network) => network.dial({ host: '127.0.0.1', port }, 5000, dialler));
  await once(dialler, 'opened');
  const [in_, from] = (await accepted) as [number, NetworkAddress];
  assert.equal(from.host, '127.0.0.1');
  return { dialler, acceptor, out, in_, address };
}

test('what one sends the other gets, a single write as a single chunk', async () => {
  const { dialler, acceptor, out, in_ } = await connected();
  const bytes = Buffer.from('..hello..');
  const got = once(acceptor, 'bytes');
  assert.equal(
    dialler.order((network) => network.send(out, bytes, 2, 7)),
    true,
  );
  await got;
  assert.equal(acceptor.received, 'hello');
  assert.equal(acceptor.chunks, 1);
  const back = once(dialler, 'bytes');
  acceptor.order((network) => network.send(in_, bytes, 2, 4));
  await back;
  assert.equal(dialler.received, 'he');
  const closed = [once(dialler, 'closed'), once(acceptor, 'closed')];
  dialler.order((network) => network.close(out));
  await Promise.all(closed);
  acceptor.network.destroyAll();
});

test('close() lets what was sent leave, and a closed stream says no more', async () => {
  const { dialler, acceptor, out } = await connected();
  const big = new Uint8Array(8 * 1024 * 1024);
  assert.equal(
    dialler.order((network) => network.send(out, big, 0, big.length)),
    false,
  );
  assert.ok(dialler.network.unsentBytes(out) > 0);
  dialler.on('drained', () => assert.fail('told of a stream that is over'));
  dialler.order((network) => network.close(out));
  await once(acceptor, 'closed');
  assert.equal(acceptor.receivedBytes, big.length);
  assert.equal(dialler.network.send(out, big, 0, 1), true);
  acceptor.network.destroyAll();
});

test('a peer that does not read holds up what is sent; then it is told that all has left', async () => {
  const { dialler, acceptor, out, in_ } = await connected();
  acceptor.order((network) => network.setReading(in_, false));
  const big = new Uint8Array(8 * 1024 * 1024);
  dialler.order((network) => network.send(out, big, 0, big.length));
  acceptor.order((network) => network.setReading(in_, true));
  await once(dialler, 'drained');
  assert.equal(dialler.network.unsentBytes(out), 0);
  const closed = once(acceptor, 'closed');
  dialler.order((network) => network.destroy(out));
  await closed;
  acceptor.network.destroyAll();
});

test('who cannot be reached, and where nobody can listen, is told in the words of the system', async () => {
  const { dialler, acceptor, out, address } = await connected();
  const other = new Process();
  other.order((network) => network.listen({ host: '127.0.0.1', port: address.port }, other));
  const [, taken] = (await once(other, 'failed')) as [number, string];
  assert.equal(taken, 'EADDRINUSE');
  dialler.order((network) => network.destroy(out));
  await once(dialler, 'closed');
  acceptor.network.destroyAll();
  const dead = dialler.order((network) => {
    return network.dial({ host: '127.0.0.1', port: address.port }, 5000, dialler);
  });
  const [stream, refused] = (await once(dialler, 'closed')) as [number, string];
  assert.equal(stream, dead);
  assert.equal(refused, 'ECONNREFUSED');
  const late = dialler.order((network) =>
    network.dial({ host: '127.0.0.1', port: 9 }, 5000, dialler),
  );
  dialler.order((network) => network.destroy(late));
  const [gone] = (await once(dialler, 'closed')) as [number, string];
  assert.equal(gone, late);
});
