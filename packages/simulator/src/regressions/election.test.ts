import assert from 'node:assert/strict';
import test from 'node:test';
import { formatQuorumConfig } from '@meerkat/engine';
import type { EnsembleMember } from '../ensemble/ensemble-member.ts';
import { memberLine } from '../ensemble/ensemble-settings.ts';
import { ElectionPeer, frame, greeting, notification } from './election-peer.ts';
import { ScriptedEnsemble } from './scripted-ensemble.ts';

/** Protocol versions of a greeting: one address, several. */
const [oneAddress, severalAddresses] = [-65536, -65535];

test('ZOOKEEPER-2164: members that call themselves 0.0.0.0 find each other, whoever comes back', () => {
  const ensemble = new ScriptedEnsemble();
  for (const member of ensemble.members) {
    writeMembers(member, (id, line) => (id === member.id ? atAnyAddress(line) : line));
  }
  // Each is refused by those that come after it, and is to dial them back when they have said where they are.
  for (const member of ensemble.members.toReversed()) {
    ensemble.start(member);
    ensemble.runFor(2000);
  }
  ensemble.untilServing();
  const client = ensemble.client(1);
  for (let i = 0; i < 4; i++) {
    const leader = ensemble.theLeader();
    ensemble.crash(leader, 'power');
    ensemble.untilServing(ensemble.theOthers(leader));
    ensemble.runFor(1000);
    ensemble.untilConnected(client);
    ensemble.write(client, `without-${leader.id}-${i}`);
    ensemble.begin([leader]);
  }
  ensemble.finish();
});

test('ZOOKEEPER-3720: without multiAddress a member greets as Java 3.5 does, and understands who greets otherwise', () => {
  const ensemble = new ScriptedEnsemble({ voters: 5 });
  const [first, second, third, ...java] = ensemble.members as Five;
  for (const member of ensemble.members) {
    writeMembers(member, (id, line) => {
      return id === first.id ? line.replace(':participant', '|backup:2888:3888:participant') : line;
    });
  }
  // Java 3.5 closes a stream whose first number it does not know: neither of these two would hear the first one.
  const peers = java.map(({ host }) => new ElectionPeer(ensemble, host));
  ensemble.begin([first, second, third]);
  for (const [i, peer] of peers.entries()) {
    const greetings = [first, second, third].map(({ id, host }) => {
      return Buffer.from(greeting(oneAddress, id, `${host}:3888`)).toString('latin1');
    });
    for (const said of greetings) assert.ok(peer.heard.toString('latin1').includes(said), said);
    const version = i === 0 ? oneAddress : severalAddresses;
    const addresses = i === 0 ? 'host4:3888' : 'host5:3888|backup:3888';
    const { length } = peer.heard;
    peer.say(first.host, greeting(version, 4 + i, addresses), notification({ leader: 4 + i }));
    const answer = peer.heard.subarray(length);
    // What a looking member gets from one that is not: its state, and whom it takes for the leader.
    assert.equal(Number(answer.readBigInt64BE(8)), ensemble.theLeader().id, 'it is answered');
  }
  for (const peer of peers) peer.end();
  ensemble.finish();
});

test('ZOOKEEPER-3769: notifications that are none are left out, and whoever sent them is heard afterwards', () => {
  const ensemble = new ScriptedEnsemble();
  const [first, second, third] = ensemble.members as Three;
  const peer = new ElectionPeer(ensemble, third.host);
  ensemble.start(first);
  ensemble.runFor(1000);
  const good = notification();
  const bad = [
    frame(good.subarray(4, 9)),
    frame(good.subarray(4, 4 + 30)),
    frame(good.subarray(4, 4 + 42)),
    notification({ state: 17 }),
    notification({ configBytes: -1 }),
    notification({ configBytes: 2 ** 31 - 1 }),
    notification({ config: Buffer.from([0xc3, 0x28, 0xff]) }),
    notification({ config: Buffer.from('server.1=\nversion=zz') }),
  ];
  for (const bytes of bad) peer.say(first.host, greeting(oneAddress, 3, 'host3:3888'), bytes);
  assert.ok(first.isUp && first.role === 'looking');
  peer.end();
  // Two are enough only when both are heard; and then it is the one whose place was taken.
  ensemble.begin([third]);
  assert.deepEqual([first.role, third.role], ['following', 'leading']);
  ensemble.begin([second]);
  ensemble.finish();
});

test('ZOOKEEPER-4787: names in notifications and greetings are UTF-8, counted in bytes', () => {
  const ensemble = new ScriptedEnsemble();
  const [first, second, third] = ensemble.members as Three;
  const name = 'zürich-東京';
  for (const member of ensemble.members) {
    writeMembers(member, (id, line) => {
      return id === first.id
        ? line.replace(':participant', `|${name}:2888:3888:participant`)
        : line;
    });
    const { ensemble: settings } = member.config;
    assert.ok(settings !== null);
    const election = { ...settings.election, multiAddressEnabled: true };
    member.config = { ...member.config, ensemble: { ...settings, election } };
  }
  const peer = new ElectionPeer(ensemble, third.host);
  ensemble.begin([first, second]);
  const greeted = greeting(severalAddresses, first.id, `${first.host}:3888|${name}:3888`);
  assert.ok(peer.heard.includes(Buffer.from(greeted)), 'a greeting');
  assert.ok(first.members !== null);
  const config = Buffer.from(formatQuorumConfig(first.members));
  peer.say(first.host, greeting(severalAddresses, 3, 'host3:3888'), notification({ config }));
  const at = peer.heard.indexOf('server.1=');
  const length = peer.heard.readInt32BE(at - 4);
  const text = peer.heard.toString('utf8', at, at + length);
  assert.match(text, /^server\.1=.*zürich-東京:2888:3888/, 'a notification');
  assert.match(text, /version=0$/);
  peer.end();
  ensemble.begin([third]);
  const others = ensemble.trace.lines.filter((line) => line.includes('configuration'));
  assert.deepEqual(others, [], 'nobody takes it for another configuration');
  ensemble.finish();
});

type Three = readonly [EnsembleMember, EnsembleMember, EnsembleMember];
type Five = readonly [EnsembleMember, EnsembleMember, EnsembleMember, ...EnsembleMember[]];

/** Writes the file of a member: all lines, each as `change` has it. */
function writeMembers(member: EnsembleMember, change: (id: number, line: string) => string): void {
  const ids = [...(member.members?.members.keys() ?? [])];
  const lines = ids.map((id) => `server.${id}=${change(id, memberLine(id, 'participant'))}`);
  member.files.write(member.disk, `${lines.join('\n')}\n`);
}

function atAnyAddress(line: string): string {
  return line.replace(/^host\d+/, '0.0.0.0');
}
