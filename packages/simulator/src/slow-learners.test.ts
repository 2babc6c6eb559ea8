import assert from 'node:assert/strict';
import test from 'node:test';
import { JuteWriter } from '@meerkat/protocol';
import { ackEpoch, HostileEnsemble, hello, packet, zxidOf } from './testing/hostile-ensemble.ts';
import { assertTurnedAway, ensembleOf, servingAs1 } from './testing/hostile-peers.ts';

const Type = { request: 1, ping: 5 } as const;

test('a learner that never reads is let go, and the others are served meanwhile', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  peer.network.setReading(peer.stream.id, false);
  for (let i = 0; i < 50; i++) ensemble.write(`a${i}`);
  assert.equal(ensemble.leader.lastProcessedZxid, zxidOf(1, 50));
  ensemble.ticks(8);
  peer.network.setReading(peer.stream.id, true);
  ensemble.run(100);
  assertTurnedAway(ensemble, peer, /it was not heard of in time|leaves proposals unanswered/);
});

test('a learner that answers pings and no proposals is let go', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  ensemble.write('a');
  for (let i = 0; i < 10; i++) {
    ensemble.ticks(1);
    if (!peer.isClosed) peer.say(packet(Type.ping, 0, new Uint8Array(0)));
  }
  assertTurnedAway(ensemble, peer, /leaves proposals unanswered/);
});

test('a learner that does not take its snapshot is let go', () => {
  const ensemble = new HostileEnsemble({ real: [2, 3], systemBytesMax: 10 }).untilServing(2);
  ensemble.takeLines();
  ensemble.roles.length = 0;
  const peer = ensemble.peer('host1');
  peer.dial('host3', hello(1));
  peer.network.setReading(peer.stream.id, false);
  peer.say(ackEpoch(-1, 0));
  ensemble.ticks(12);
  peer.network.setReading(peer.stream.id, true);
  ensemble.run(100);
  const lines = ensemble.takeLines().filter((line) => !/syncing|stream ended/.test(line));
  ensemble.lines.push(...lines);
  assertTurnedAway(ensemble, peer, /it was not heard of in time/);
});

test('a learner that takes a long snapshot slowly is not let go while it takes it', () => {
  const ensemble = new HostileEnsemble({ real: [2, 3], systemBytesMax: 10 }).untilServing(2);
  const writer = servingAs1(ensemble);
  for (let i = 0; i < 8; i++)
    writer.say(packet(Type.request, -1, createRequest(`/n${i}`, 500_000)));
  ensemble.run(1000);
  assert.equal(ensemble.leader.lastProcessedZxid, zxidOf(1, 8));
  writer.network.close(writer.stream.id);
  ensemble.run(100);
  ensemble.takeLines();
  const peer = ensemble.peer('stranger');
  peer.dial('host3', hello(77));
  peer.network.setReading(peer.stream.id, false);
  peer.say(ackEpoch(-1, 0));
  let ticks = 0;
  for (; ensemble.leader.replica?.member?.learners.some(({ sid }) => sid === 77); ticks += 8) {
    ensemble.ticks(8);
    peer.network.setReading(peer.stream.id, true);
    ensemble.run(1);
    peer.network.setReading(peer.stream.id, false);
    if (Buffer.concat(peer.stream.heard).includes('BenWasHere')) break;
  }
  // Longer than initLimit, which is 10.
  assert.ok(ticks > 11, `${ticks}`);
  assert.equal(ensemble.takeLines().filter((line) => line.includes('let go')).length, 0);
  assert.ok(Buffer.concat(peer.stream.heard).length > 4_000_000);
});

/** A REQUEST of nobody's session: create, open to all. */
function createRequest(path: string, dataBytes: number): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeLong(0, 0);
  writer.writeInt(7);
  writer.writeInt(1);
  writer.writeString(path);
  writer.writeBuffer(new Uint8Array(dataBytes));
  writer.writeInt(1);
  writer.writeInt(31);
  writer.writeString('world');
  writer.writeString('anyone');
  writer.writeInt(0);
  return writer.toBytes();
}
