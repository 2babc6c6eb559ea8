import assert from 'node:assert/strict';
import test from 'node:test';
import { ensembleLimits } from '@meerkat/engine';
import { JuteWriter } from '@meerkat/protocol';
import {
  ackEpoch,
  HostileEnsemble,
  hello,
  longs,
  packet,
  tickTimeMs,
  zxidOf,
} from './testing/hostile-ensemble.ts';
import { assertTurnedAway, ensembleOf, servingAs1 } from './testing/hostile-peers.ts';

const Type = { request: 1, ack: 3, ping: 5, revalidate: 6 } as const;

function until(ensemble: HostileEnsemble, isSo: () => boolean): void {
  for (let ms = 0; ms < 10_000 && !isSo(); ms++) ensemble.run(1);
  assert.equal(isSo(), true, ensemble.lines.join('\n'));
}

test('a follower that came back to an idle leader stays', () => {
  const ensemble = ensembleOf();
  ensemble.write('a');
  ensemble.write('b');
  const follower = ensemble.member(1);
  follower.crash('power');
  ensemble.run(1000);
  follower.start();
  ensemble.untilServing(3);
  ensemble.takeLines();
  ensemble.ticks(30);
  assert.deepEqual(ensemble.takeLines(), []);
});

test('garbage is turned away', () => {
  const ensemble = ensembleOf();
  const garbage = [
    Buffer.from('GET / HTTP/1.1\r\nHost: zoo\r\n\r\n'),
    Buffer.from('stat\nstat\nstat\nstat\nstat\n'),
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    Buffer.concat([hello(1).subarray(0, 16), Buffer.alloc(64, 0x7f)]),
  ];
  for (const bytes of garbage) {
    const peer = ensemble.peer('stranger');
    peer.dial('host3', bytes);
    assertTurnedAway(ensemble, peer, /^3: learner lost of -1: a learner from stranger is let go/);
  }
});

test('who says nothing, or half of it, is let go in time', () => {
  for (const length of [0, 1, 15, 20, hello(1).length - 1]) {
    const ensemble = ensembleOf();
    const peer = ensemble.peer('stranger');
    peer.dial('host3', hello(1).subarray(0, length));
    ensemble.ticks(8);
    assert.equal(peer.isClosed, false);
    ensemble.ticks(5);
    assertTurnedAway(ensemble, peer, /it was not heard of in time/);
  }
});

test('a hello that never ends is let go before it takes much memory or time', () => {
  const ensemble = ensembleOf();
  const peer = ensemble.peer('stranger');
  const endless = packet(11, 0, new Uint8Array(1_000_000));
  peer.dial('host3', endless.subarray(0, 3000));
  assert.equal(peer.isClosed, false);
  peer.say(endless.subarray(3000, 6000));
  assertTurnedAway(ensemble, peer, /bytes of a packet that should be short/);
  const slow = ensemble.peer('stranger');
  slow.dial('host3', endless.subarray(0, 16));
  for (let i = 0; i < 12; i++) {
    ensemble.ticks(1);
    slow.say(Uint8Array.of(1));
  }
  assertTurnedAway(ensemble, slow, /it was not heard of in time/);
});

test('a first packet that is no hello, or one of another protocol, is turned away', () => {
  const ensemble = ensembleOf();
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [packet(Type.request, -1, longs(0, 0)), /instead of FOLLOWERINFO or OBSERVERINFO/],
    [packet(Type.ack, zxidOf(1, 0)), /instead of FOLLOWERINFO/],
    [packet(99, 0), /type 99 instead of FOLLOWERINFO/],
    [packet(11, 0), /older than ZooKeeper 3.4/],
    [packet(11, 0, longs(1)), /older than ZooKeeper 3.4/],
    [hello(1, { version: 0xffff }), /protocol version 65535/],
    [hello(1, { version: -1 }), /protocol version -1/],
  ];
  for (const [bytes, why] of cases) {
    const peer = ensemble.peer('stranger');
    peer.dial('host3', bytes);
    assertTurnedAway(ensemble, peer, why);
  }
});

test('a server with the id of the leader is told which of the two must change', () => {
  const ensemble = ensembleOf();
  const peer = ensemble.peer('stranger');
  peer.dial('host3', hello(3));
  assertTurnedAway(
    ensemble,
    peer,
    /its id is 3, which is mine: give the server on stranger another/,
  );
});

test('a server with the id of another does not take its place while that one is heard', () => {
  const ensemble = ensembleOf();
  for (let i = 0; i < 3; i++) {
    const peer = ensemble.peer('stranger');
    peer.dial('host3', hello(1, { acceptedEpoch: 1 + i }));
    assertTurnedAway(
      ensemble,
      peer,
      /server 1 is connected from host1 already, and this one comes from stranger: give one of them another id/,
    );
  }
  // Once it is silent for a tick, it may be the same one on another machine.
  ensemble.member(1).crash('power');
  ensemble.fabric.setBlocked('host1', 'host3', true);
  ensemble.ticks(2);
  const heir = ensemble.peer('elsewhere');
  heir.dial('host3', hello(1), ackEpoch(0, 0), packet(Type.ack, zxidOf(1, 0)));
  assert.equal(heir.isClosed, false, ensemble.lines.join('\n'));
});

test('a server that nobody knows may follow, and counts for nothing', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = ensemble.peer('stranger');
  peer.dial('host3', hello(77, { acceptedEpoch: 5 }));
  assert.deepEqual(peer.packets(), ['17 0x100000000']);
  peer.say(ackEpoch(0, 0), packet(Type.ack, zxidOf(1, 0)));
  assert.equal(peer.isClosed, false);
  ensemble.member(2).crash('power');
  ensemble.run(100);
  const before = ensemble.leader.lastProcessedZxid;
  ensemble.write('a');
  peer.say(packet(Type.ack, zxidOf(1, 1)));
  ensemble.run(100);
  assert.equal(ensemble.leader.lastProcessedZxid, before);
});

test('a server of another ensemble, with a later configuration or a far epoch, changes nothing', () => {
  const ensemble = ensembleOf();
  const other = ensemble.peer('stranger');
  other.dial('host3', hello(9, { configVersion: zxidOf(50, 3) }));
  assertTurnedAway(ensemble, other, /a newer configuration, version 3200000003/);
  const future = ensemble.peer('stranger');
  future.dial('host3', hello(9, { acceptedEpoch: 2 ** 21 - 2 }));
  assertTurnedAway(ensemble, future, /promised epoch 2097150, beyond/);
  // A stranger's promise moves no epoch; that it will not take this one is its own affair.
  const stranger = ensemble.peer('stranger');
  stranger.dial('host3', hello(9, { acceptedEpoch: 1000 }));
  assert.deepEqual(stranger.packets(), ['17 0x100000000']);
  ensemble.ticks(12);
  assertTurnedAway(ensemble, stranger, /not heard of in time/);
});

test('a voter of a far epoch is not followed into it while the epoch is looked for', () => {
  const ensemble = new HostileEnsemble({ real: [2, 3] });
  const peer = ensemble.peer('host1');
  const far = ensembleLimits.epochsAheadMax + 2;
  for (let i = 0; i < 20; i++) {
    peer.dialLater({ host: 'host3', port: 2888 });
    ensemble.run(20);
    if (peer.stream.isOpen) peer.say(hello(1, { acceptedEpoch: far }));
  }
  ensemble.untilServing(2);
  assert.equal(ensemble.leader.epoch, 1);
});

test('a later promise in the name of a voter that does not look for a leader ends no epoch', () => {
  for (const real of [
    [1, 2, 3],
    [2, 3],
  ]) {
    const ensemble = ensembleOf(real);
    for (let i = 1; i <= 50; i++) {
      const peer = ensemble.peer('host1');
      peer.dial('host3', hello(1, { acceptedEpoch: 1 + i }));
      assert.equal(peer.isClosed, true);
      ensemble.run(100);
      assert.equal(ensemble.takeLines().length, 1);
    }
    ensemble.ticks(12);
    assert.equal(ensemble.leader.epoch, 1);
    assert.deepEqual(ensemble.roles, []);
  }
});

test('nor does it while that voter comes back', () => {
  const ensemble = ensembleOf();
  const voter = ensemble.member(1);
  const peer = ensemble.peer('stranger');
  for (let i = 0; i < 5; i++) {
    voter.crash('power');
    ensemble.run(100);
    voter.start();
    // All the time until it is there.
    for (let ms = 0; ms < 60_000 && !voter.isServing; ms += 20) {
      peer.dialLater({ host: 'host3', port: 2888 });
      ensemble.run(20);
      if (peer.stream.isOpen) peer.say(hello(1, { acceptedEpoch: 900 }));
    }
    assert.equal(voter.isServing, true);
  }
  assert.equal(ensemble.leader.epoch, 1);
  assert.deepEqual([...new Set(ensemble.roles)], ['1 following']);
});

test('a voter that has promised a later epoch is brought back by one', () => {
  const ensemble = ensembleOf();
  ensemble.write('a');
  const voter = ensemble.member(1);
  voter.crash('power');
  voter.disk.place(`${voter.config.dataDir}/version-2/acceptedEpoch`, Buffer.from('7'));
  voter.start();
  ensemble.untilServing(3);
  assert.equal(ensemble.leader.epoch, 8);
  const claims = ensemble.takeLines().filter((line) => /has promised epoch 7, later/.test(line));
  assert.equal(claims.length, 2);
});

test('a hello that is refused takes nobody out of the quorum that comes together', () => {
  const ensemble = new HostileEnsemble({ real: [2, 3] });
  until(ensemble, () => /^3: .*learners are awaited/m.test(ensemble.lines.join('\n')));
  // Its answers take long: while it is brought to the history, others say that they are it, or the leader.
  ensemble.fabric.setSlow('host2', 'host3', 300);
  until(ensemble, () => /server 2 at/.test(ensemble.lines.join('\n')));
  for (const sid of [2, 3]) ensemble.peer('stranger').dial('host3', hello(sid));
  assert.equal(ensemble.member(3).isServing, false);
  ensemble.untilServing(2);
  ensemble.write('a');
  ensemble.run(400);
  assert.equal(ensemble.leader.lastProcessedZxid, zxidOf(1, 1));
});

test('who does not vote promises an epoch only when a quorum has', () => {
  const ensemble = new HostileEnsemble({ real: [2, 3] });
  until(ensemble, () => /^3: .*learners are awaited/m.test(ensemble.lines.join('\n')));
  ensemble.fabric.setSlow('host2', 'host3', 300);
  const observer = ensemble.peer('stranger');
  observer.dial('host3', hello(9, { isObserver: true }));
  until(ensemble, () => ensemble.member(2).replica?.member?.epochs.acceptedEpoch === 1);
  // The promise is on its way: it might never arrive.
  ensemble.run(100);
  assert.deepEqual(observer.packets(), []);
  ensemble.run(400);
  assert.deepEqual(observer.packets(), ['17 0x100000000']);
});

test('what is no ACKEPOCH, or ACK of this NEWLEADER, is turned away', () => {
  const cases: readonly (readonly [readonly Uint8Array[], RegExp])[] = [
    [[packet(Type.ack, 0)], /instead of ACKEPOCH/],
    [[packet(18, 0)], /instead of ACKEPOCH with an epoch/],
    [[packet(18, 0, new Uint8Array(3))], /instead of ACKEPOCH with an epoch/],
    [[hello(1)], /type 11 instead of ACKEPOCH/],
    [[ackEpoch(0, 0), packet(Type.request, -1, longs(0, 0))], /instead of an ACK of NEWLEADER/],
    [[ackEpoch(0, 0), packet(Type.ack, zxidOf(2, 0))], /instead of an ACK of NEWLEADER/],
    [[ackEpoch(0, 0), packet(Type.ack, zxidOf(1, 1))], /instead of an ACK of NEWLEADER/],
  ];
  for (const [said, why] of cases) {
    const ensemble = ensembleOf([2, 3]);
    const peer = ensemble.peer('host1');
    peer.dial('host3', hello(1), ...said);
    const lines = ensemble.takeLines().filter((line) => !line.includes('syncing'));
    ensemble.lines.push(...lines);
    assertTurnedAway(ensemble, peer, why);
  }
});

test('who acknowledges what was never proposed is let go, and nothing is committed by it', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  ensemble.write('a');
  const { lastProcessedZxid } = ensemble.leader;
  peer.say(packet(Type.ack, lastProcessedZxid));
  assert.equal(peer.isClosed, false);
  peer.say(packet(Type.ack, lastProcessedZxid + 1));
  assertTurnedAway(ensemble, peer, /acknowledges 0x100000002, which was never proposed/);
});

test('a REQUEST that is malformed fails or ends its learner, and the next ones are served', () => {
  const head = (type: number): Uint8Array => {
    const writer = new JuteWriter(16);
    writer.writeLong(0, 0);
    writer.writeInt(7);
    writer.writeInt(type);
    return writer.toBytes();
  };
  // Writes: each a transaction that fails. Anything else: no learner sends it.
  const writes = [1, 2, 5, 7, 13, 14, 15, 16, 19, 20, 21, -10];
  const bodies = [
    new Uint8Array(0),
    new Uint8Array(3),
    Buffer.alloc(40, 0xff),
    Buffer.alloc(40, 0x7f),
    Buffer.alloc(40),
  ];
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  for (const type of writes) {
    for (const body of bodies) {
      const before = ensemble.leader.lastProcessedZxid;
      peer.say(packet(Type.request, -1, Buffer.concat([head(type), body])));
      assert.equal(ensemble.leader.lastProcessedZxid, before + 1, `type ${type}`);
      peer.say(packet(Type.ack, before + 1));
    }
  }
  assert.equal(peer.isClosed, false);
  assert.deepEqual(ensemble.takeLines(), []);
  for (const type of [0, 3, 4, 8, 11, 12, 100, 101, 106, -1, 2 ** 31 - 1]) {
    const other = type === 0 ? peer : servingAs1(ensemble);
    other.say(packet(Type.request, -1, head(type)));
    assertTurnedAway(ensemble, other, new RegExp(`forwards an operation with code ${type}$`));
  }
});

test('a session that would make znodes of another kind is not begun', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  const writer = new JuteWriter(32);
  writer.writeLong(-1, -1);
  writer.writeInt(0);
  writer.writeInt(-10);
  writer.writeInt(30_000);
  peer.say(packet(Type.request, -1, writer.toBytes()));
  assertTurnedAway(ensemble, peer, /session whose znodes would be of an extended type/);
});

test('what is too short, or has ids that are none, ends its learner', () => {
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [packet(Type.request, -1), /instead of a whole REQUEST/],
    [packet(Type.request, -1, new Uint8Array(15)), /instead of a whole REQUEST/],
    [packet(Type.revalidate, -1), /instead of a whole REVALIDATE/],
    [packet(Type.revalidate, -1, new Uint8Array(11)), /instead of a whole REVALIDATE/],
    [packet(Type.ping, -1, new Uint8Array(1)), /instead of a whole PING/],
    [packet(Type.ping, -1, new Uint8Array(25)), /instead of a whole PING/],
    [Buffer.concat([packet(Type.ping, -1).subarray(0, 16), Buffer.alloc(4, 0x7f)]), /no packet/],
  ];
  for (const [bytes, why] of cases) {
    const ensemble = ensembleOf([2, 3]);
    const peer = servingAs1(ensemble);
    peer.say(bytes);
    assertTurnedAway(ensemble, peer, why);
  }
});

test('pings and questions about sessions that nobody knows are answered and change nothing', () => {
  const ensemble = ensembleOf([2, 3]);
  const peer = servingAs1(ensemble);
  // A snapshot was in what it heard.
  peer.stream.heard.length = 0;
  const flood: Uint8Array[] = [];
  for (let i = 0; i < 5000; i++) {
    const question = new JuteWriter(12);
    question.writeLong(i, i);
    question.writeInt(i % 2 === 0 ? -1 : 2 ** 31 - 1);
    flood.push(packet(Type.revalidate, -1, question.toBytes()));
    flood.push(packet(Type.ping, -1, question.toBytes()));
  }
  peer.say(Buffer.concat(flood));
  ensemble.run(100);
  assert.equal(peer.isClosed, false);
  assert.equal(peer.packets().filter((each) => each === '6 -1').length, 5000);
  assert.equal([...(ensemble.leader.replica?.state.sessions.all() ?? [])].length, 0);
});

test('a thousand streams that say nothing crowd nobody out', () => {
  const ensemble = ensembleOf();
  const crowd = ensemble.peer('stranger');
  for (let i = 0; i < 1200; i++) crowd.dialLater({ host: 'host3', port: 2888 });
  ensemble.run(200);
  const open = crowd.streams.filter(({ isClosed }) => !isClosed).length;
  assert.equal(open, ensembleLimits.namelessLearnersMax);
  ensemble.member(1).crash('kill');
  ensemble.run(100);
  ensemble.member(1).start();
  ensemble.untilServing(3);
  assert.equal(ensemble.leader.id, 3);
  assert.deepEqual(ensemble.roles, ['1 following']);
  ensemble.write('a');
  ensemble.ticks(12);
  assert.equal(crowd.streams.filter(({ isClosed }) => !isClosed).length, 0);
});

test('streams that end in the middle of a word, and come again, leave nothing behind', () => {
  const ensemble = ensembleOf([2, 3]);
  const whole = Buffer.concat([
    hello(1),
    ackEpoch(0, 0),
    packet(Type.ack, zxidOf(1, 0)),
    packet(Type.ping, 0, new Uint8Array(12)),
  ]);
  for (let length = 0; length <= whole.length; length += 3) {
    const peer = ensemble.peer('host1');
    peer.dial('host3', whole.subarray(0, length));
    peer.network.close(peer.stream.id);
    ensemble.run(50);
  }
  ensemble.run(tickTimeMs);
  assert.equal(ensemble.leader.replica?.member?.learners.length, 1);
  assert.deepEqual(ensemble.roles, []);
});
