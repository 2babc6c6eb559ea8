import assert from 'node:assert/strict';
import test from 'node:test';
import { ensembleLimits } from '@meerkat/engine';
import { JuteWriter, OpCode } from '@meerkat/protocol';
import {
  ackEpoch,
  HostileEnsemble,
  type HostilePeer,
  hello,
  longs,
  packet,
  tickTimeMs,
  zxidOf,
} from './testing/hostile-ensemble.ts';
import { assertTurnedAway } from './testing/hostile-peers.ts';

const Type = { request: 1, ack: 3, ping: 5, revalidate: 6, sync: 7 } as const;
const observerMasterPort = 2191;
/** Where observers of the first follower come to. */
const port1 = { host: 'host1', port: observerMasterPort };

/** Three members, of which 3 leads and the others await observers. */
function ensembleOf(
  options: { systemBytesMax?: number; observerMasterBytesMax?: number } = {},
): HostileEnsemble {
  const { observerMasterBytesMax = 32 * 1024 * 1024, ...others } = options;
  const ensemble = new HostileEnsemble({
    ...others,
    change: (_id, config) => {
      assert.ok(config.ensemble !== null);
      const own = { observerMasterPort, observerMasterBytesMax };
      return { ...config, ensemble: { ...config.ensemble, ...own } };
    },
  }).untilServing(3);
  assert.equal(ensemble.leader.id, 3);
  ensemble.takeLines();
  ensemble.roles.length = 0;
  return ensemble;
}

/** A peer that observes through member 1, as server `sid`. */
function observing(ensemble: HostileEnsemble, sid = 8, host = 'stranger'): HostilePeer {
  const peer = ensemble.peer(host);
  const ack = packet(Type.ack, zxidOf(1, 0));
  const last = ensemble.member(1).lastProcessedZxid;
  peer.dialPort(port1, hello(sid, { isObserver: true }), ackEpoch(last, 0), ack);
  assert.equal(peer.isClosed, false, ensemble.lines.join('\n'));
  ensemble.takeLines();
  return peer;
}

/** A REQUEST, of nobody's session unless one is named. */
function request(type: number, body: Uint8Array = new Uint8Array(0), session = 0): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeLongFromDouble(session);
  writer.writeInt(1);
  writer.writeInt(type);
  writer.writeBytes(body, 0, body.length);
  return writer.toBytes();
}

test('what the leader would hang up on costs an observer its link, not its follower its own', () => {
  const ensemble = ensembleOf();
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [packet(Type.request, -1, request(99)), /operation with code 99/],
    [packet(Type.request, -1, request(OpCode.getData)), /operation with code 4/],
    [packet(Type.request, -1, longs(5)), /instead of a whole REQUEST/],
    [packet(Type.revalidate, -1, longs(5)), /instead of a whole REVALIDATE/],
    [
      Buffer.concat([
        packet(Type.request, -1, request(OpCode.delete)).subarray(0, -4),
        Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff]),
      ]),
      /it sent what is no packet/,
    ],
  ];
  for (const [bytes, why] of cases) {
    const peer = observing(ensemble);
    peer.say(bytes);
    assertTurnedAway(ensemble, peer, why);
  }
});

test('a write that fails is answered through the follower, and the next ones are served', () => {
  const ensemble = ensembleOf();
  const peer = observing(ensemble);
  const before = ensemble.leader.lastProcessedZxid;
  peer.say(packet(Type.request, -1, request(OpCode.delete)));
  peer.say(packet(Type.request, -1, request(OpCode.check)));
  assert.equal(ensemble.leader.lastProcessedZxid, before + 2);
  assert.deepEqual(peer.packets().slice(-2), ['8 0x100000001', '8 0x100000002']);
  assert.deepEqual(ensemble.takeLines(), []);
});

test('syncs and questions about sessions without end cost an observer its link', () => {
  for (const bytes of [
    packet(Type.request, -1, request(OpCode.sync, new Uint8Array(4))),
    packet(Type.revalidate, -1, longs(5, null)),
  ]) {
    const ensemble = ensembleOf();
    const peer = observing(ensemble);
    const other = observing(ensemble, 9, 'other');
    const count = ensembleLimits.forwardedQuestionsMax + 1;
    peer.say(Buffer.concat(Array.from({ length: count }, () => bytes)));
    assert.equal(other.isClosed, false);
    other.network.close(other.stream.id);
    ensemble.run(100);
    const lines = ensemble.takeLines();
    assert.ok(lines.pop()?.includes('observer 9'));
    ensemble.lines.push(...lines);
    assertTurnedAway(ensemble, peer, /questions are under way/);
    // What was asked before is answered to nobody, and the next one is asked for itself.
    const next = observing(ensemble, 10);
    next.say(bytes);
    assert.equal(next.packets().filter((each) => /^[67] /.test(each)).length, 1);
  }
});

test('a thousand streams that say nothing crowd no observer out', () => {
  const ensemble = ensembleOf();
  const crowd = ensemble.peer('crowd');
  for (let i = 0; i < 1200; i++) crowd.dialLater(port1);
  ensemble.run(200);
  const open = crowd.streams.filter(({ isClosed }) => !isClosed).length;
  assert.equal(open, ensembleLimits.namelessLearnersMax);
  const peer = observing(ensemble);
  ensemble.ticks(16);
  assert.equal(crowd.streams.filter(({ isClosed }) => !isClosed).length, 0);
  assert.ok(peer.packets().length > 0);
  assert.deepEqual(ensemble.roles, []);
});

test('observers that have taken their snapshot leave room for the next ones', () => {
  const ensemble = ensembleOf();
  for (const address of [port1, { host: 'host3', port: 2888 }]) {
    const peers = Array.from({ length: 15 }, (_, i) => {
      const peer = ensemble.peer(`${address.host}-${i}`);
      const ack = packet(Type.ack, zxidOf(1, 0));
      peer.dialPort(address, hello(20 + i, { isObserver: true }), ackEpoch(-1, 0), ack);
      return peer;
    });
    assert.deepEqual(
      peers.map(({ isClosed }) => isClosed),
      peers.map(() => false),
    );
    ensemble.write('to-all');
    for (const peer of peers) peer.network.close(peer.stream.id);
    ensemble.run(100);
  }
});

test('no more of them than may take a snapshot at once are let in, until one has it', () => {
  const ensemble = ensembleOf();
  const taking = Array.from({ length: 10 }, (_, i) => {
    const peer = ensemble.peer(`taking-${i}`);
    peer.dialPort(port1, hello(20 + i, { isObserver: true }), ackEpoch(-1, 0));
    return peer;
  });
  ensemble.takeLines();
  const late = ensemble.peer('late');
  late.dialPort(port1, hello(30, { isObserver: true }), ackEpoch(-1, 0));
  assert.equal(late.isClosed, true);
  assert.match(ensemble.takeLines().join('\n'), /too many observers are being synchronised/);
  taking[0]?.say(packet(Type.ack, zxidOf(1, 0)));
  late.dialPort(port1, hello(30, { isObserver: true }), ackEpoch(-1, 0));
  assert.equal(late.isClosed, false);
});

test('two observers with one id are told which of them must change, and the first one stays', () => {
  const ensemble = ensembleOf();
  const first = observing(ensemble, 8, 'here');
  for (let i = 0; i < 3; i++) {
    first.say(packet(Type.ping, 0, new Uint8Array(0)));
    const second = ensemble.peer('there');
    second.dialPort(port1, hello(8, { isObserver: true }));
    assert.equal(second.isClosed, true);
    assert.match(ensemble.takeLines().join('\n'), /server 8 is connected from here already/);
    assert.equal(first.isClosed, false);
  }
  const own = ensemble.peer('there');
  own.dialPort(port1, hello(1, { isObserver: true }));
  assert.equal(own.isClosed, true);
  assert.match(ensemble.takeLines().join('\n'), /its id is 1, which is mine/);
});

test('an observer that comes again takes its own place', () => {
  const ensemble = ensembleOf();
  const first = observing(ensemble, 8, 'here');
  const again = observing(ensemble, 8, 'here');
  assert.equal(first.isClosed, true);
  ensemble.write('a');
  assert.equal(again.packets().filter((each) => each.startsWith('8 ')).length, 1);
});

test('an observer that takes a long snapshot slowly is not let go while it takes it', () => {
  const ensemble = ensembleOf({ systemBytesMax: 10 });
  const writer = observing(ensemble);
  for (let i = 0; i < 8; i++) {
    const body = new JuteWriter(64);
    body.writeString(`/n${i}`);
    body.writeBuffer(new Uint8Array(500_000));
    body.writeInt(1);
    body.writeInt(31);
    body.writeString('world');
    body.writeString('anyone');
    body.writeInt(0);
    writer.say(packet(Type.request, -1, request(OpCode.create, body.toBytes())));
  }
  ensemble.run(2000);
  writer.network.close(writer.stream.id);
  ensemble.run(100);
  ensemble.takeLines();
  assert.equal(ensemble.member(1).lastProcessedZxid, zxidOf(1, 8));
  const peer = ensemble.peer('slow');
  peer.dialPort(port1, hello(77, { isObserver: true }));
  peer.network.setReading(peer.stream.id, false);
  peer.say(ackEpoch(-1, 0));
  let ticks = 0;
  for (; ticks < 1000 && !peer.isClosed; ticks += 8) {
    ensemble.ticks(8);
    peer.network.setReading(peer.stream.id, true);
    ensemble.run(1);
    peer.network.setReading(peer.stream.id, false);
    if (Buffer.concat(peer.stream.heard).includes('BenWasHere')) break;
  }
  // Longer than initLimit and syncLimit together, which are 15.
  assert.ok(ticks > 16, `${ticks}`);
  assert.deepEqual(
    ensemble.takeLines().filter((line) => line.includes('let go')),
    [],
  );
  assert.ok(Buffer.concat(peer.stream.heard).length > 4_000_000);
});

test('an observer that never reads is let go, and the others are told meanwhile', () => {
  const ensemble = ensembleOf();
  const peer = observing(ensemble);
  const other = observing(ensemble, 9, 'other');
  peer.network.setReading(peer.stream.id, false);
  for (let i = 0; i < 20; i++) ensemble.write(`a${i}`);
  assert.equal(other.packets().filter((each) => each.startsWith('8 ')).length, 20);
  for (let i = 0; i < 8; i++) {
    ensemble.run(tickTimeMs);
    other.say(packet(Type.ping, 0, new Uint8Array(0)));
  }
  peer.network.setReading(peer.stream.id, true);
  ensemble.run(100);
  assert.equal(peer.isClosed, true);
  assert.equal(other.isClosed, false);
  assert.deepEqual(ensemble.roles, []);
});

test('an observer for which more waits than may is let go at once, and the others are told all', () => {
  const ensemble = ensembleOf({ systemBytesMax: 100, observerMasterBytesMax: 2000 });
  const peer = observing(ensemble);
  const other = observing(ensemble, 9, 'other');
  peer.network.setReading(peer.stream.id, false);
  let count = 0;
  const isLetGo = (): boolean => ensemble.lines.some((line) => line.includes('does not keep up'));
  for (; count < 200 && !isLetGo(); count++) ensemble.write(`a${count}`);
  assert.deepEqual(ensemble.takeLines(), [
    '1: learner lost of 8: observer 8 is let go: it does not keep up',
  ]);
  // An INFORM of a failed write has some fifty bytes.
  assert.ok(count > 20 && count < 100, `${count}`);
  ensemble.write('after');
  assert.equal(other.packets().filter((each) => each.startsWith('8 ')).length, count + 1);
  assert.deepEqual(ensemble.roles, []);
});
