import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import type { EnsembleMember } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { Load } from './support/load-client.ts';
import { peerTest } from './support/peers.ts';
import { assertSameTrees } from './support/trees.ts';

/*
 * Anything may connect to the ports for followers and for elections. Whatever it says, its connection is closed, the
 * log says so, and no member loses its leader.
 */
const long = (high: number, low: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeInt32BE(high, 0);
  bytes.writeUInt32BE(low, 4);
  return bytes;
};
const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

/** FOLLOWERINFO of a server that has promised an epoch. */
function followerInfo(sid: number, acceptedEpoch: number, configVersion = 0): Buffer {
  const info = Buffer.concat([long(0, sid), int(0x10000), long(0, configVersion)]);
  return Buffer.concat([int(11), long(acceptedEpoch, 0), int(info.length), info, int(-1)]);
}

/** What a member says first on a link for elections. */
function hello(sid: Buffer, address: string): Buffer {
  const text = Buffer.from(address);
  return Buffer.concat([long(-1, 0xffff0000), sid, int(text.length), text]);
}

/** A vote for `leader` in a far round and epoch, by a server that is looking. */
function vote(leader: number, state = 0): Buffer {
  const config = Buffer.from('server.1=nowhere:1:2:participant\nversion=0');
  const body = Buffer.concat([
    int(state),
    long(0, leader),
    long(0x7fff_ffff, 0xffff_ffff),
    long(0, 1_000_000),
    long(0x7fff_ffff, 0xffff_ffff),
    int(2),
    int(config.length),
    config,
  ]);
  return Buffer.concat([int(body.length), body]);
}

const said: Readonly<Record<string, { readonly quorum?: Buffer; readonly election?: Buffer }>> = {
  'web requests': {
    quorum: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    election: Buffer.from('GET /\r\n'),
  },
  'random bytes': { quorum: randomBytes(4096), election: randomBytes(4096) },
  'lengths without end': {
    quorum: Buffer.concat([int(11), long(0, 0), int(0x7fffffff)]),
    election: Buffer.concat([long(-1, 0xffff0000), long(0, 9), int(0x7fffffff)]),
  },
  'negative lengths': {
    quorum: Buffer.concat([int(11), long(0, 0), int(-2)]),
    election: Buffer.concat([long(-1, 0xffff0000), long(0, 9), int(-5)]),
  },
  'half a hello': {
    quorum: followerInfo(2, 1).subarray(0, 9),
    election: hello(long(0, 2), 'x').subarray(0, 11),
  },
  'somebody of another ensemble': {
    quorum: followerInfo(77, 1),
    election: Buffer.concat([hello(long(0, 77), '127.0.0.1:1'), vote(77)]),
  },
  'a far future epoch': { quorum: followerInfo(78, 0x7fff_fff0) },
  'a newer configuration': { quorum: followerInfo(79, 1, 0x7fff_ffff) },
  'an old leader that says it leads': {
    election: Buffer.concat([hello(long(0, 80), '127.0.0.1:1'), vote(80, 2)]),
  },
  'a proposal out of nowhere': {
    quorum: Buffer.concat([int(2), long(1, 1), int(8), randomBytes(8), int(-1)]),
  },
  'the own id of the member': {
    quorum: followerInfo(3, 1),
    election: hello(long(0, 3), '127.0.0.1:1'),
  },
};

peerTest('strangers at the ports of the members disturb nobody', [], async (t: TestContext) => {
  const ensemble = await Ensemble.of(t, { voters: ['meerkat', 'meerkat', 'meerkat'] });
  await ensemble.start(3);
  const epoch = await epochOf(ensemble.member(3));
  const load = await Load.begin(ensemble.connectString, 3);
  load.run();
  for (const [what, { quorum, election }] of Object.entries(said)) {
    for (const member of ensemble.members) {
      const [quorumPort = 0, electionPort = 0] = portsOf(member);
      const strangers = [
        // Only the leader awaits followers.
        ...(quorum === undefined || member.id !== 3 ? [] : [tell(quorumPort, quorum)]),
        ...(election === undefined ? [] : [tell(electionPort, election)]),
      ];
      await Promise.all(strangers);
    }
    await load.untilProgress(2).catch((error: unknown) => {
      throw new Error(`after ${what}: ${String(error)}\n${ensemble.logTails()}`);
    });
  }
  const modes = await Promise.all(ensemble.members.map((member) => member.mode()));
  assert.deepEqual(modes, ['follower', 'follower', 'leader']);
  assert.equal(await epochOf(ensemble.member(3)), epoch, 'the leader is the same one');
  assert.equal(load.losses, 0, 'no connection of a client was lost');
  for (const member of ensemble.members) {
    assert.match(member.log, /WARN/, `${member.name} says that there was something`);
    assert.doesNotMatch(member.log, /FATAL|looks for a leader: /, `${member.name} goes on`);
  }
  await load.pauseAndCheck(ensemble.connectString);
  await load.close();
  await assertSameTrees(ensemble);
});

/** Says something, and waits until the other side closes or the patience of a hello is over. */
function tell(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.resume();
    socket.setTimeout(500, () => socket.destroy());
    socket.on('error', () => {});
    socket.once('close', () => resolve());
  });
}

function portsOf(member: EnsembleMember): number[] {
  const line = member.place.lines.find((text) => text.startsWith(`server.${member.id}=`)) ?? '';
  return (line.split(':').slice(1, 3) ?? []).map(Number);
}

async function epochOf(member: EnsembleMember): Promise<number> {
  return Math.floor((await member.zxid()) / 2 ** 32);
}
