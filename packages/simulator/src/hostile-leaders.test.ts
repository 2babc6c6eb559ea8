import assert from 'node:assert/strict';
import test from 'node:test';
import { ensembleLimits } from '@meerkat/engine';
import { JuteWriter } from '@meerkat/protocol';
import {
  createTxn,
  HostileEnsemble,
  HostilePeer,
  leaderInfo,
  packet,
  tickTimeMs,
  zxidOf,
} from './testing/hostile-ensemble.ts';

const Type = {
  proposal: 2,
  commit: 4,
  ping: 5,
  revalidate: 6,
  sync: 7,
  inform: 8,
  commitAndActivate: 9,
  newLeader: 10,
  upToDate: 12,
  diff: 13,
  trunc: 14,
  snap: 15,
} as const;

/**
 * Three members, of which 3 is elected, but where it awaits its learners there is somebody else: 1 and 2 follow that
 * one, and hear `greeting` and what comes after.
 */
function replacedLeader(...greeting: readonly Uint8Array[]): {
  ensemble: HostileEnsemble;
  peer: HostilePeer;
  listener: number;
} {
  const ensemble = new HostileEnsemble({ real: [] });
  const peer = new HostilePeer(ensemble, 'host3');
  peer.greeting = Buffer.concat(greeting);
  const listener = peer.listen();
  ensemble.run(10);
  for (const id of [1, 2, 3]) ensemble.member(id).start();
  for (let i = 0; i < 100 && peer.streams.length === 0; i++) ensemble.run(50);
  ensemble.run(100);
  assert.ok(peer.streams.length > 0, ensemble.lines.join('\n'));
  return { ensemble, peer, listener };
}

/** The members have given up whom they followed, with one line each time; and with a real leader all is well. */
function assertLeft(
  { ensemble, peer, listener }: ReturnType<typeof replacedLeader>,
  why: RegExp,
): void {
  const said = ensemble.takeLines().filter((line) => /^[12]: looking/.test(line));
  assert.ok(said.length > 0, 'nobody said a word');
  for (const line of said) assert.match(line, why);
  const first = peer.streams[0];
  assert.equal(first?.isClosed, true);
  assert.deepEqual(ensemble.ended, []);
  peer.network.stopListening(listener);
  ensemble.untilServing(3);
  ensemble.write('still');
  ensemble.ticks(12);
  const roles = ensemble.members.map(({ role }) => role).sort();
  assert.deepEqual(roles, ['following', 'following', 'leading']);
  const zxids = new Set(ensemble.members.map(({ lastProcessedZxid }) => lastProcessedZxid));
  assert.equal(zxids.size, 1);
}

/** What a leader of epoch 1 says until its learner has to acknowledge NEWLEADER. */
const begun = [leaderInfo(1), packet(Type.diff, 0)];
const newLeader = packet(Type.newLeader, zxidOf(1, 0), Buffer.from('version=0'));
const serving = [...begun, newLeader, packet(Type.upToDate, -1)];

function proposal(zxid: number, inside = zxid, path = `/n${zxid}`): Uint8Array {
  return packet(Type.proposal, zxid, createTxn(inside, path));
}

test('a leader that sends garbage is left', () => {
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian\r\n\r\n'), /packet of type|no packet/],
    [Buffer.alloc(64, 0xff), /no packet|type -1/],
    [Buffer.alloc(64), /packet of type 0 while this member was registering/],
    [packet(Type.ping, 0), /packet of type 5 while this member was registering/],
    [packet(Type.upToDate, -1), /packet of type 12 while this member was registering/],
  ];
  for (const [bytes, why] of cases) assertLeft(replacedLeader(bytes), why);
});

test('a leader that says nothing, or half of it, is left in time', () => {
  for (const greeting of [new Uint8Array(0), leaderInfo(1).subarray(0, 13), leaderInfo(1)]) {
    const world = replacedLeader(greeting);
    world.ensemble.ticks(11);
    assertLeft(world, /was not heard of for 10 ticks/);
  }
});

test('a leader of an epoch before the one that was promised is left, one of an epoch beyond all is too', () => {
  const world = replacedLeader(leaderInfo(7), packet(Type.ping, 0));
  world.ensemble.takeLines();
  // Both have promised 7 and come back: it is an older one now.
  world.peer.greeting = leaderInfo(6);
  world.ensemble.run(3 * tickTimeMs);
  assertLeft(world, /epoch 6 is less than 7, which was promised|type 5 while/);
  const beyond = replacedLeader(leaderInfo(ensembleLimits.epochMax));
  beyond.ensemble.run(1000);
  assertLeft(beyond, /epoch 2097150 is beyond/);
});

test('an epoch that was promised once is not promised to the next leader of it', () => {
  const world = replacedLeader(leaderInfo(7));
  const { ensemble, peer } = world;
  const [first] = peer.streams;
  assert.ok(first !== undefined);
  assert.deepEqual(peer.packets(first), ['11 0x0', '18 0x0']);
  peer.network.close(first.id);
  ensemble.run(2 * tickTimeMs);
  const again = peer.streams.findLast((each) => each !== first && each.heard.length > 0);
  assert.ok(again !== undefined);
  assert.deepEqual(peer.packets(again), ['11 0x700000000', '18 0x0']);
  // Its currentEpoch is -1: a leader does not count that.
  const heard = Buffer.concat(again.heard);
  assert.equal(heard.readInt32BE(heard.length - 8), -1);
  for (const { id } of peer.streams) peer.network.close(id);
  ensemble.run(100);
  assertLeft(world, /closed by the peer/);
});

test('what a leader must not say is not taken, whatever came before', () => {
  const cases: readonly (readonly [readonly Uint8Array[], RegExp])[] = [
    // COMMIT of what was never proposed, before it serves and after.
    [
      [...begun, packet(Type.commit, zxidOf(1, 1))],
      /commits 0x100000001 while nothing is proposed/,
    ],
    [[...serving, packet(Type.commit, zxidOf(1, 1))], /commits 0x100000001 while nothing/],
    [
      [...serving, proposal(zxidOf(1, 1)), packet(Type.commit, zxidOf(1, 2))],
      /commits 0x100000002 while 0x100000001 is proposed first/,
    ],
    // Holes, steps back, and two transactions with one number.
    [[...begun, proposal(zxidOf(1, 2))], /after 0x0 comes 0x100000002/],
    [[...serving, proposal(zxidOf(1, 1)), proposal(zxidOf(1, 3))], /0x100000001 comes 0x100000003/],
    [[...serving, proposal(zxidOf(1, 1)), proposal(zxidOf(1, 1))], /0x100000001 comes 0x100000001/],
    [[...serving, packet(Type.inform, zxidOf(1, 5), createTxn(zxidOf(1, 5), '/a'))], /leaves out/],
    // A transaction that says another number than its packet; one that is none.
    [[...begun, proposal(zxidOf(1, 1), zxidOf(1, 2))], /type 2 while this member was syncing/],
    [[...serving, proposal(zxidOf(1, 1), zxidOf(1, 2))], /type 2 while this member was serving/],
    [[...serving, packet(Type.proposal, zxidOf(1, 1))], /type 2 while this member was serving/],
    [[...serving, packet(Type.proposal, 0, new Uint8Array(31))], /type 2 while/],
    // Out of turn.
    [[leaderInfo(1), newLeader], /type 10 while this member was promised/],
    [[leaderInfo(1), leaderInfo(2)], /type 17 while this member was promised/],
    [[...begun, packet(Type.upToDate, -1)], /UPTODATE out of turn/],
    [[...serving, packet(Type.upToDate, -1)], /UPTODATE out of turn/],
    [[...serving, newLeader], /type 10 while this member was serving/],
    [[...begun, packet(Type.newLeader, zxidOf(2, 0))], /type 10 while this member was syncing/],
    [[...serving, packet(Type.snap, 0)], /type 15 while this member was serving/],
    [[...serving, packet(Type.trunc, 0)], /type 14 while this member was serving/],
    [[...serving, packet(Type.sync, 0)], /type 7 while this member was serving/],
    [[...serving, packet(Type.commitAndActivate, zxidOf(1, 1))], /type 9 while/],
    [[...serving, packet(Type.revalidate, -1, new Uint8Array(8))], /type 6 while/],
    [[...serving, packet(77, 0)], /type 77 while/],
    // Cuts and snapshots that cannot be.
    [[leaderInfo(1), packet(Type.trunc, zxidOf(1, 9))], /TRUNC to 4294967305, which is not behind/],
    [[leaderInfo(1), packet(Type.trunc, -5)], /TRUNC to/],
    [[leaderInfo(1), packet(Type.snap, -2)], /SNAP at/],
  ];
  for (const [greeting, why] of cases) {
    const world = replacedLeader(...greeting);
    world.ensemble.run(1000);
    assertLeft(world, why);
  }
});

test('a transaction that cannot be read ends the learner before it is in its log', () => {
  const txn = createTxn(zxidOf(1, 1), '/a');
  for (const length of [32, 36, 40, 60]) {
    const zxid = zxidOf(1, 1);
    const world = replacedLeader(
      ...serving,
      packet(Type.proposal, zxid, txn.subarray(0, length)),
      packet(Type.commit, zxid),
    );
    world.ensemble.run(1000);
    // Nothing of it is in a log, so nothing of it comes back.
    for (const id of [1, 2]) {
      world.ensemble.member(id).crash('kill');
      world.ensemble.member(id).start();
    }
    assertLeft(world, /no packet|cannot be read/);
  }
});

test('a member that cannot listen where its server line says tells which line that is', () => {
  const { ensemble } = replacedLeader(leaderInfo(1));
  const said = ensemble.takeLines().filter((line) => line.startsWith('3: looking, '));
  assert.match(
    said[0] ?? '',
    /Cannot await learners on host3:2888: the system says EADDRINUSE. Is this the address of server 3/,
  );
});

test('a snapshot that is none leaves the member with what it had', () => {
  const snapshots = [Buffer.alloc(100, 0xff), Buffer.alloc(1000), Buffer.from('x'.repeat(500))];
  for (const bytes of snapshots) {
    const world = replacedLeader(leaderInfo(1), packet(Type.snap, zxidOf(1, 0)), bytes);
    world.ensemble.ticks(12);
    assertLeft(world, /what is no packet|was not heard of/);
  }
});

test('a snapshot that never ends is given up after a time', () => {
  const world = replacedLeader(leaderInfo(1), packet(Type.snap, zxidOf(1, 0)), snapshotHead());
  const { ensemble, peer } = world;
  const first = peer.streams[0];
  assert.ok(first !== undefined);
  for (let i = 0; !first.isClosed; i++) {
    assert.ok(i < 1000, 'it goes on for ever');
    const node = snapshotNode(`/n${i}`);
    peer.network.send(first.id, node, 0, node.length);
    ensemble.run(10_000);
  }
  const said = ensemble.takeLines().filter((line) => /^[12]: looking/.test(line));
  assert.ok(
    said.some((line) => line.includes('its snapshot does not end')),
    said.join('\n'),
  );
});

test('a leader that proposes and never commits, or pings for ever, has members that go on waiting', () => {
  const world = replacedLeader(...serving);
  const { ensemble, peer } = world;
  const first = peer.streams[0];
  assert.ok(first !== undefined);
  for (let i = 1; i <= 100; i++) {
    const bytes = Buffer.concat([proposal(zxidOf(1, i)), packet(Type.ping, zxidOf(1, i))]);
    peer.network.send(first.id, bytes, 0, bytes.length);
    ensemble.run(100);
  }
  assert.equal(first.isClosed, false);
  // Each proposal is acknowledged, each ping answered with a buffer.
  const heard = peer.packets(first);
  assert.equal(heard.filter((each) => each.startsWith('5 ')).length, 100);
  assert.equal(heard.filter((each) => each.startsWith('3 ')).length, 102);
});

/** Sessions, and a table of ACLs with one that all may do everything. */
function snapshotHead(): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeInt(0);
  writer.writeInt(1);
  writer.writeLong(0, 1);
  writer.writeInt(1);
  writer.writeInt(31);
  writer.writeString('world');
  writer.writeString('anyone');
  writer.writeBytes(snapshotNode(''), 0, snapshotNode('').length);
  return writer.toBytes();
}

function snapshotNode(path: string): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeString(path);
  writer.writeInt(-1);
  writer.writeLong(0, 1);
  writer.writeBytes(new Uint8Array(60), 0, 60);
  return writer.toBytes();
}
