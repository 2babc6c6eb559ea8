import assert from 'node:assert/strict';
import { connect, type ZooKeeper, ZooKeeperError } from '@meerkat/client';
import {
  formatQuorumConfig,
  hasConnectedQuorum,
  isReconfigRefusal,
  parseQuorumConfig,
  type QuorumConfig,
  quorumVerifierOf,
  reconfigured,
} from '@meerkat/engine';
import { errorName } from '@meerkat/protocol';
import { JavaMember } from './support/java-member.ts';
import { peerTest } from './support/peers.ts';
import { freePort } from './support/server-under-test.ts';

/*
 * A Java server that is an ensemble of one is asked for reconfigurations, good ones and bad ones; our rules, applied to the
 * configuration that it has at that moment, give the same configuration or the same error code.
 */
const options = { standaloneEnabled: false, multiAddressEnabled: false };

peerTest(
  'a reconfiguration gives what it gives on a Java server',
  ['java', 'zookeeper.jar'],
  async (t) => {
    const self = `127.0.0.1:${await freePort()}:${await freePort()}`;
    const member = await JavaMember.create(1, [
      `server.1=${self}`,
      'standaloneEnabled=false',
      'reconfigEnabled=true',
      'skipACL=yes',
    ]);
    t.after(() => member.kill());
    member.start();
    await member.untilMode('leader');
    const zk = await connect(member.connectString, { sessionTimeoutMs: 10_000 });
    t.after(() => zk.close());
    for (const request of [...changes, ...replacements(self)]) {
      const { data } = await zk.getConfig();
      const answer = answerOf(parseQuorumConfig(textOf(data)), request);
      assert.equal(answer, await answerOfJava(zk, request), JSON.stringify(request));
    }
  },
);

interface Request {
  readonly joining?: string;
  readonly leaving?: string;
  readonly newMembers?: string;
  readonly from?: number;
}

/** Server 1 stays where it is throughout: a Java leader of one that moves or leaves fails. */
const changes: readonly Request[] = [
  { joining: '' },
  { joining: 'server.2=10.0.0.2:1:2:observer;2181' },
  { joining: 'server.3=10.0.0.3:1:2:observer;2181,server.4=h4:1:2:observer;h4:2181' },
  { joining: '5=10.0.0.5:1:2:observer;2181' },
  { joining: 'x.y.6 = 10.0.0.6:1:2:OBSERVER;[::1]:2181 ,', leaving: ' 5, 77, ' },
  { joining: 'server.3=10.0.0.33:1:2:observer;2182', leaving: '3' },
  { joining: 'server.2=10.0.0.22:1:2:observer;2181' },
  { joining: 'server.7=10.0.0.7:1:2:observer;2181', from: 1 },
  { leaving: '-3' },
  { leaving: '+4' },
  { leaving: 'four' },
  { leaving: 'server.4' },
  { leaving: '1,2,3,4,6' },
  { joining: 'server.8=10.0.0.8:1:2' },
  { joining: 'server.8=10.0.0.8:1;2181' },
  { joining: 'server.8=10.0.0.8:1:1;2181' },
  { joining: 'server.8=10.0.0.8:1:2:leader;2181' },
  { joining: 'server.8=10.0.0.8:1:2|10.0.0.9:1:2;2181' },
  { joining: 'server.8' },
  { joining: 'server.8=' },
  { joining: 'server.8=a=b' },
  { joining: 'server.x=10.0.0.8:1:2;2181' },
  { joining: 'server.8=10.0.0.8:1:x;2181' },
  { joining: 'server.8=10.0.0.8:1:2;x' },
  { joining: 'server.8=10.0.0.22:1:3:observer;2182' },
  { joining: 'server.8=10.0.0.22:3:4:observer;10.0.0.22:2' },
  { joining: 'server.8=10.0.0.8:1:2:observer;10.0.0.33:2182' },
  { joining: 'server.8=10.0.0.8:1:2:observer;2181,server.9=10.0.0.8:1:3:observer;2181' },
  { joining: 'server.8=127.0.0.1:1:2:observer;2181,server.9=127.0.0.1:1:3:observer;2181' },
  { joining: 'server.10=10.0.0.10:1:2;2181' },
  { joining: 'server.10=10.0.0.10:1:2;2181,server.11=10.0.0.11:1:2;2181' },
];

function replacements(self: string): readonly Request[] {
  return [
    { newMembers: `server.1=${self},server.2=10.0.0.2:1:2:observer` },
    { newMembers: `server.1=${self}\nserver.2=10.0.0.2:1:2:observer\nversion=77` },
    {
      newMembers: `server.1=${self},server.2=10.0.0.2:1:2:observer,server.3=10.0.0.2:1:2:observer`,
    },
    { newMembers: `server.1=${self},clientPort=2181` },
    { newMembers: `server.1=${self},server.2=10.0.0.2:1:2|10.0.0.3:1:2:observer` },
    { newMembers: `server.1=${self},server.2=10.0.0.2:1:2` },
    { newMembers: `server.1=${self}:observer` },
    { newMembers: '' },
    { newMembers: `server.1=${self},server.2=10.0.0.2:1:2,group.1=1` },
    { newMembers: `server.1=${self},server.2=10.0.0.2:1:2,group.1=1:2,weight.2=0` },
    { joining: 'server.3=10.0.0.3:1:2:observer;2181' },
    { leaving: 'three' },
    { newMembers: `server.1=${self}` },
    { joining: 'server.3=10.0.0.3:1:2:observer;2181' },
  ];
}

/** The members of the new configuration, or the name of the error. */
async function answerOfJava(zk: ZooKeeper, { from, ...change }: Request): Promise<string> {
  try {
    const { data } = await zk.reconfig({ ...change, fromConfig: BigInt(from ?? -1) });
    return membersOf(textOf(data));
  } catch (error) {
    if (error instanceof ZooKeeperError) return errorName(error.code);
    throw error;
  }
}

function answerOf(lastSeen: QuorumConfig, request: Request): string {
  const whole = {
    joiningServers: request.joining ?? null,
    leavingServers: request.leaving ?? null,
    newMembers: request.newMembers ?? null,
    curConfigId: request.from ?? -1,
  };
  const outcome = reconfigured(lastSeen, whole, options);
  if (isReconfigRefusal(outcome)) return errorName(outcome.code);
  if (!hasConnectedQuorum(quorumVerifierOf(outcome), 1, [])) return 'NEWCONFIGNOQUORUM';
  return membersOf(formatQuorumConfig(outcome));
}

/** Without the version, and sorted: after a change, Java goes through a smaller map than after reading a text. */
function membersOf(text: string): string {
  const lines = text.split('\n').filter((line) => !line.startsWith('version='));
  return lines.sort().join('\n');
}

function textOf(data: Uint8Array | null): string {
  return new TextDecoder().decode(data ?? undefined);
}
