/**
 * Records what learners and a leader of a Java ensemble say to each other, as fixtures for the unit tests:
 * packages/engine/src/broadcast/testdata/java-3.8.0/*.json. Run by hand, after a build, where the peers are installed:
 * node tests/dist/peers/capture-learner-streams.js
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { connect, type ZooKeeper } from '@meerkat/client';
import { logFileName } from '@meerkat/engine';
import {
  asZxid,
  JuteWriter,
  OpCode,
  writeRequestHeader,
  writeSetDataTxn,
  writeTxnHeader,
} from '@meerkat/protocol';
import { JavaMember } from './support/java-member.ts';
import { LearnerRecorder, type RecordedPacket } from './support/learner-recorder.ts';
import { repositoryRoot } from './support/paths.ts';
import { javaZooKeeperVersion } from './support/peers.ts';
import { RecordingProxy } from './support/recording-proxy.ts';
import { freePort } from './support/server-under-test.ts';
import { RawConnection } from './support/wire.ts';

const target = join(repositoryRoot, 'packages/engine/src/broadcast/testdata/java-3.8.0');
mkdirSync(target, { recursive: true });

const ports = await Promise.all(Array.from({ length: 8 }, freePort));
const leaderPort = ports[4] ?? 0;
const recorder = await LearnerRecorder.start(leaderPort);
const observing = await LearnerRecorder.start(leaderPort);
const follower = await member(1, recorder.port);
const other = await member(2, leaderPort);
const leader = await member(3, leaderPort);
const observer = await member(4, observing.port);
try {
  other.start();
  leader.start();
  await Promise.all([other.untilMode('follower'), leader.untilMode('leader')]);
  const zk = await connect(leader.connectString, { sessionTimeoutMs: 20_000 });
  await captureFollower(zk);
  await captureObserver(zk);
  await captureReconfiguration(zk);
  await zk.close();
} finally {
  for (const each of [follower, other, leader, observer]) await each.kill();
  recorder.close();
  observing.close();
}

async function captureFollower(zk: ZooKeeper): Promise<void> {
  await zk.create('/a', 'first');
  await zk.create('/a/b', 'second', { acl: [{ perms: 1, scheme: 'ip', id: '10.0.0.1' }] });
  await zk.create('/mine', null, { mode: 'ephemeral' });
  recorder.step = 'nothing on disk';
  await startFollower();
  write('snap', 'A follower with nothing on disk gets a snapshot', recorder.take());

  await serve(zk);
  write('serving', 'A follower that serves clients', recorder.take());

  await follower.kill();
  recorder.take();
  recorder.step = 'nothing new';
  await startFollower();
  write('empty-diff', 'A follower that lacks nothing', recorder.take());

  await follower.kill();
  recorder.take();
  recorder.step = 'three transactions behind';
  for (const data of ['x', 'y', 'z']) await zk.setData('/a', data);
  await startFollower();
  write('diff', 'A follower that lacks three transactions', recorder.take());

  await follower.kill();
  recorder.take();
  recorder.step = 'one transaction ahead';
  const { mzxid } = (await zk.getData('/a')).stat;
  addTransaction(Number(mzxid) + 1);
  await startFollower();
  write('trunc', 'A follower with a transaction that nobody else has', recorder.take());
}

/** Everything that goes over the link while clients are served. */
async function serve(zk: ZooKeeper): Promise<void> {
  const proxy = await RecordingProxy.start(portOf(follower));
  recorder.step = 'a client opens a session';
  const client = await connect(`127.0.0.1:${proxy.port}`, { sessionTimeoutMs: 20_000 });
  recorder.step = 'it writes';
  await client.create('/f', 'data');
  await client.setData('/f', 'more');
  recorder.step = 'it fails to write';
  await client.create('/f').catch(() => {});
  recorder.step = 'it writes with one more identity';
  await client.addAuth('digest', 'user:secret');
  await client.create('/f/mine', null, { acl: [{ perms: 31, scheme: 'auth', id: '' }] });
  recorder.step = 'sync';
  await client.sync('/f');
  recorder.step = 'a client of another member writes';
  await zk.setData('/f', 'from elsewhere');
  recorder.step = 'pings with sessions';
  await until(() => recorder.has('learner', 'PING'));
  recorder.step = 'it comes back on a new connection';
  proxy.cut();
  await until(() => recorder.has('leader', 'REVALIDATE'));
  await client.getData('/f');
  recorder.step = 'a client opens and closes a session';
  const closed = await RawConnection.connect(portOf(follower));
  const session = closed.credentials;
  closed.send(closeSessionRequest());
  await closed.nextBytes();
  recorder.step = 'it asks for the session again';
  await (await RawConnection.open(portOf(follower))).handshake({ session }).catch(() => {});
  recorder.step = 'it closes its session';
  await client.close();
  recorder.step = 'nothing';
  await delay(600);
  proxy.close();
}

async function captureObserver(zk: ZooKeeper): Promise<void> {
  observing.step = 'nothing on disk';
  await startObserver();
  observing.step = 'a client of another member writes';
  await zk.setData('/a', 'for the observer');
  await until(() => observing.has('leader', 'INFORM'));
  observing.step = 'a client of the observer writes';
  const client = await connect(observer.connectString, { sessionTimeoutMs: 20_000 });
  await client.setData('/a', 'by the observer');
  await client.sync('/a');
  await client.close();
  write('observer', 'An observer gets a snapshot, and serves', observing.take());
  await observer.kill();
  observing.take();
  observing.step = 'two transactions behind';
  for (const data of ['v', 'w']) await zk.setData('/a', data);
  await startObserver();
  write('observer-diff', 'An observer that lacks two transactions', observing.take());
}

async function captureReconfiguration(zk: ZooKeeper): Promise<void> {
  recorder.take();
  observing.take();
  recorder.step = 'a reconfiguration';
  observing.step = recorder.step;
  await zk.reconfig({ joining: 'server.5=10.0.0.5:2888:3888:observer;2181' });
  await until(() => recorder.has('leader', 'COMMITANDACTIVATE'));
  await until(() => observing.has('leader', 'INFORMANDACTIVATE'));
  write('reconfiguration', 'A follower when a member is added', recorder.take());
  write('observer-reconfiguration', 'An observer when a member is added', observing.take());
}

/**
 * All members know the same ensemble, but a learner under observation finds the leader at its recorder. Without a version
 * the leader would give its own configuration one, and the learner would take that over.
 */
function member(id: number, portOfLeader: number): Promise<JavaMember> {
  const lines = [1, 2, 3, 4].map((each, index) => {
    const quorumPort = each === 3 ? portOfLeader : ports[2 * index];
    const role = each === 4 ? 'observer' : 'participant';
    return `server.${each}=127.0.0.1:${quorumPort}:${ports[2 * index + 1]}:${role}`;
  });
  return JavaMember.create(id, [...lines, 'version=1', 'reconfigEnabled=true', 'skipACL=yes']);
}

async function startFollower(): Promise<void> {
  follower.start();
  await follower.untilMode('follower');
  await until(() => recorder.has('leader', 'UPTODATE'));
  await until(() => recorder.has('learner', 'PING'));
}

async function startObserver(): Promise<void> {
  observer.start();
  await observer.untilMode('observer');
  await until(() => observing.has('learner', 'PING'));
}

function portOf({ connectString }: JavaMember): number {
  return Number(connectString.slice(connectString.indexOf(':') + 1));
}

function closeSessionRequest(): Uint8Array {
  const writer = new JuteWriter();
  writeRequestHeader(writer, { xid: 1, type: OpCode.closeSession });
  return writer.toBytes();
}

/** A log file with one transaction, as a leader leaves behind that could not replicate it. */
function addTransaction(zxid: number): void {
  const body = new JuteWriter();
  const header = { clientIdHi: 0, clientIdLo: 1, cxid: 1, zxid: asZxid(zxid), time: Date.now() };
  writeTxnHeader(body, { ...header, type: OpCode.setData });
  writeSetDataTxn(body, { path: '/a', data: Uint8Array.of(1), version: 99 });
  const file = new JuteWriter();
  file.writeInt(0x5a4b4c47);
  file.writeInt(2);
  file.writeLong(0, 0);
  file.writeInt(0);
  file.writeInt(adler32(body.written()));
  file.writeBuffer(body.written());
  file.writeByte(0x42);
  writeFileSync(join(follower.version2Directory, logFileName(asZxid(zxid))), file.written());
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return (b << 16) | a;
}

function write(name: string, description: string, packets: readonly RecordedPacket[]): void {
  const lines = withoutRepeatedPings(packets).map((packet) => `    ${JSON.stringify(packet)}`);
  const text = `{
  "description": ${JSON.stringify(description)},
  "members": ${JSON.stringify(javaZooKeeperVersion().split('\n').at(-1))},
  "packets": [
${lines.join(',\n')}
  ]
}
`;
  writeFileSync(join(target, `${name}.json`), text);
  process.stdout.write(`${name}.json: ${lines.length} packets\n`);
}

/** Of the pings of a step without sessions, one in each direction tells the whole story. */
function withoutRepeatedPings(packets: readonly RecordedPacket[]): readonly RecordedPacket[] {
  const seen = new Set<string>();
  return packets.filter(({ step, from, kind, hex }) => {
    if (kind !== 'PING') return true;
    const key = `${step} ${from} ${hex}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!isTrue()) {
    if (performance.now() > deadlineMs) throw new Error('What should be recorded never passed');
    await delay(20);
  }
}
