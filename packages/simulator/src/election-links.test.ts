import assert from 'node:assert/strict';
import test from 'node:test';
import {
  ElectionLinks,
  electorDefaults,
  encodeInitialMessage,
  type NetworkAddress,
  type PeerListenerEvents,
  type PeerStreamEvents,
  parseQuorumConfig,
  QuorumView,
  quorumVerifierOf,
} from '@meerkat/engine';
import { ManualClock } from './manual-clock.ts';
import { ProcessClock } from './process-clock.ts';
import { SeededRandom } from './seeded-random.ts';
import { PeerFabric, type SimulatedPeerNetwork } from './simulated-peer-network.ts';

const view = new QuorumView(
  quorumVerifierOf(
    parseQuorumConfig(
      'server.1=host1:1:3888\nserver.2=host2:1:3888\nserver.3=nowhere:1:3888|host3:1:3888',
    ),
  ),
);

/** The links of servers on a simulated network, and hosts that say what they like. */
class World {
  readonly clock = new ManualClock();
  readonly fabric: PeerFabric = new PeerFabric(this.clock, new SeededRandom(1), {
    latencyMs: [1, 5],
    systemBytesMax: 100_000,
  });
  /** `server: what it got`, in order. */
  readonly heard: string[] = [];
  readonly notices: string[] = [];

  server(myId: number): { links: ElectionLinks; network: SimulatedPeerNetwork } {
    const clock = new ProcessClock(this.clock);
    const network = this.fabric.networkOf(`host${myId}`, clock);
    const options = { ...electorDefaults, myId, multiAddressEnabled: true };
    const links = new ElectionLinks(
      options,
      view,
      { clock, peers: network },
      {
        onMessage: (sid, bytes, start, end) => {
          this.heard.push(
            `${myId} from ${sid}: ${Buffer.from(bytes.subarray(start, end)).toString()}`,
          );
        },
        onLinkUp: (sid) => this.heard.push(`${myId} up ${sid}`),
        onLinkLost: (sid) => this.heard.push(`${myId} lost ${sid}`),
        onUnreachable: () => undefined,
        onNotice: (notice) => this.notices.push(`${myId}: ${notice.kind}`),
      },
    );
    network.listen(
      { host: network.host, port: 3888 },
      {
        onPeerListening: () => {},
        onPeerListenFailed: () => assert.fail(),
        onPeerAccepted: (_listener, stream, from) => {
          links.accept(stream, from);
          return links;
        },
      },
    );
    return { links, network };
  }

  /** A host that opens a stream to server `sid`, says something, and notes what it hears. */
  stranger(sid: number, ...said: readonly Uint8Array[]): Stranger {
    const network = this.fabric.networkOf('stranger', new ProcessClock(this.clock));
    const stranger = new Stranger(network, { host: `host${sid}`, port: 3888 }, said);
    this.clock.advance(100);
    return stranger;
  }

  settle(): void {
    this.clock.advance(500);
  }

  take(): string[] {
    return this.heard.splice(0);
  }
}

/** A host that is no server. */
class Stranger implements PeerStreamEvents, PeerListenerEvents {
  readonly network: SimulatedPeerNetwork;
  readonly stream: number;
  readonly #said: readonly Uint8Array[];
  isClosed = false;
  dialledBack = 0;
  heard = '';

  constructor(network: SimulatedPeerNetwork, to: NetworkAddress, said: readonly Uint8Array[]) {
    this.network = network;
    this.#said = said;
    network.listen({ host: 'stranger', port: 1 }, this);
    this.stream = network.dial(to, 1000, this);
  }

  onPeerOpened(stream: number): void {
    for (const bytes of this.#said) this.network.send(stream, bytes, 0, bytes.length);
  }

  onPeerBytes(_stream: number, bytes: Uint8Array, start: number, end: number): void {
    this.heard += Buffer.from(bytes.subarray(start, end)).toString('latin1');
  }

  onPeerClosed(stream: number): void {
    if (stream === this.stream) this.isClosed = true;
  }

  onPeerAccepted(): PeerStreamEvents {
    this.dialledBack += 1;
    return this;
  }

  onPeerDrained(): void {}
  onPeerListening(): void {}
  onPeerListenFailed(): void {}
}

function frame(text: string): Uint8Array {
  const bytes = Buffer.alloc(4 + text.length);
  bytes.writeInt32BE(text.length);
  bytes.write(text, 4);
  return bytes;
}

function hello(sid: number): Uint8Array {
  return encodeInitialMessage(sid, [{ host: 'stranger', port: 1 }], false);
}

test('of two servers the one with the larger id keeps the stream that it dialled', () => {
  for (const dialler of [1, 2]) {
    const world = new World();
    const one = world.server(1);
    const two = world.server(2);
    (dialler === 1 ? one : two).links.connect(dialler === 1 ? 2 : 1);
    world.settle();
    assert.deepEqual(world.take().sort(), ['1 up 2', '2 up 1']);
    assert.equal(world.fabric.streamCount, 1);
    one.links.send(2, frame('a'));
    two.links.send(1, frame('b'));
    world.settle();
    assert.deepEqual(world.take().sort(), ['1 from 2: b', '2 from 1: a']);
  }
});

test('both dial at once, and one link is left', () => {
  const world = new World();
  const one = world.server(1);
  const two = world.server(2);
  one.links.send(2, frame('a'));
  two.links.send(1, frame('b'));
  world.settle();
  assert.equal(world.fabric.streamCount, 1);
  assert.ok(world.heard.includes('1 from 2: b') && world.heard.includes('2 from 1: a'));
});

test('the newest message waits, and the last is sent again when the link is a new one', () => {
  const world = new World();
  const one = world.server(1);
  one.links.send(2, frame('old'));
  one.links.send(2, frame('new'));
  assert.equal(one.links.haveDelivered(), false);
  world.settle();
  const two = world.server(2);
  world.clock.advance(3000);
  assert.deepEqual(world.take().sort(), ['1 up 2', '2 from 1: new', '2 up 1']);
  assert.equal(one.links.haveDelivered(), true);
  world.fabric.cutAny();
  world.clock.advance(2000);
  assert.deepEqual(world.take().sort(), ['1 lost 2', '2 lost 1']);
  two.links.connect(1);
  world.settle();
  assert.deepEqual(world.take().sort(), ['1 up 2', '2 from 1: new', '2 up 1']);
  one.links.forgetMessages();
  world.fabric.cutAny();
  world.clock.advance(2000);
  two.links.connect(1);
  world.settle();
  assert.ok(!world.take().includes('2 from 1: new'));
});

test('a server has several addresses, and the next is tried when one does not answer', () => {
  const world = new World();
  world.server(3);
  const one = world.server(1);
  one.links.send(3, frame('hello'));
  world.settle();
  assert.ok(world.take().includes('3 from 1: hello'));
});

test('garbage, half a message and a message too long get a closed stream and a word in the log', () => {
  const world = new World();
  world.server(1);
  const garbage = world.stranger(1, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  assert.ok(garbage.isClosed);
  assert.deepEqual(world.notices.splice(0), ['1: refused stream']);
  const half = world.stranger(1, hello(2).subarray(0, 15));
  assert.ok(!half.isClosed);
  world.clock.advance(electorDefaults.helloTimeoutMs);
  world.settle();
  assert.ok(half.isClosed);
  assert.deepEqual(world.notices.splice(0), ['1: refused stream']);
  for (const length of [0, -1, 512 * 1024 + 1]) {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(length);
    const stranger = world.stranger(1, hello(2), frame('fine'), bytes, frame('never'));
    assert.ok(stranger.isClosed);
    assert.deepEqual(world.take(), ['1 up 2', '1 from 2: fine', '1 lost 2']);
    assert.deepEqual(world.notices.splice(0), ['1: refused stream']);
  }
});

test('who has our own id is told apart, and not listened to', () => {
  const world = new World();
  world.server(2);
  const twin = world.stranger(2, hello(2), frame('me'));
  assert.ok(twin.isClosed);
  assert.deepEqual(world.notices, ['2: own id']);
  assert.deepEqual(world.take(), []);
});

test('a stranger with the id of a member does not break the link with it', () => {
  const world = new World();
  const one = world.server(1);
  const two = world.server(2);
  two.links.connect(1);
  world.settle();
  world.take();
  const impostor = world.stranger(2, hello(1), frame('lies'));
  world.settle();
  assert.ok(impostor.isClosed);
  assert.equal(impostor.dialledBack, 0);
  one.links.send(2, frame('truth'));
  world.settle();
  assert.deepEqual(
    world.take().filter((line) => line.includes('from')),
    ['2 from 1: truth'],
  );
});

test('servers outside the configuration are dialled back where they say, or heard when their id is larger', () => {
  const world = new World();
  const two = world.server(2);
  const smaller = world.stranger(2, hello(0));
  world.settle();
  assert.equal(smaller.dialledBack, 1);
  assert.match(smaller.heard, /host2:3888/);
  smaller.network.crash();
  world.stranger(2, hello(9), frame('joining'));
  assert.ok(world.take().includes('2 from 9: joining'));
  two.links.send(9, frame('welcome'));
  world.settle();
  assert.equal(two.links.isLinked(9), true);
});

test('an observer without an id gets a negative one and is answered on its own stream', () => {
  const world = new World();
  const one = world.server(1);
  const nobody = Buffer.from('7fffffffffffffff', 'hex');
  const observer = world.stranger(1, nobody, frame('who leads?'));
  assert.deepEqual(world.take(), ['1 up -1', '1 from -1: who leads?']);
  one.links.send(-1, frame('3'));
  world.settle();
  assert.match(observer.heard, /3$/);
});

test('strangers are many, and there is an end to them', () => {
  const world = new World();
  world.server(1);
  const silent = Array.from({ length: 150 }, () => world.stranger(1));
  assert.equal(silent.filter(({ isClosed }) => isClosed).length, 50);
  const named = Array.from({ length: 150 }, (_, i) => world.stranger(1, hello(1000 + i)));
  assert.equal(named.filter(({ isClosed }) => isClosed).length, 50);
});
