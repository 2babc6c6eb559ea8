import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { defaultEnsembleConfig, type EnsembleConfig, votersOf } from '@meerkat/engine';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { type ReadConfiguration, readConfigurationFile } from './read-configuration.ts';

const times = 'dataDir=$DIR\nclientPort=2181\ninitLimit=7\nsyncLimit=3\n';
const three = 'server.1=a:2888:3888\nserver.2=b:2888:3888\nserver.3=[::1]:2888:3888\n';
const myid = { myid: '2\n' };

function read(t: TestContext, text: string, files: Record<string, string> = {}): ReadConfiguration {
  const directory = temporaryDirectory(t);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(directory, name), content.replaceAll('$DIR', directory));
  }
  const path = join(directory, 'zoo.cfg');
  writeFileSync(path, text.replaceAll('$DIR', directory));
  return readConfigurationFile(path);
}

function readEnsemble(
  t: TestContext,
  text: string,
  files: Record<string, string> = myid,
): EnsembleConfig {
  const { ensemble } = read(t, text, files).config.replica;
  assert.ok(ensemble !== null, 'the members make an ensemble');
  return ensemble;
}

function refusal(t: TestContext, text: string, files: Record<string, string> = myid): string {
  try {
    read(t, text, files);
  } catch (error) {
    assert.equal((error as Error).name, 'ConfigurationError');
    return (error as Error).message.replace(/^\/\S*\/(zoo|myid)/, '$1');
  }
  return assert.fail('the configuration was taken');
}

test('three server.N lines and a myid make a member, with defaults for the rest', (t) => {
  const { config, remarks } = read(t, times + three, myid);
  const { ensemble, serverId } = config.replica;
  assert.ok(ensemble !== null);
  assert.equal(serverId, 2);
  const { members, ...rest } = ensemble;
  assert.deepEqual([...members.members.keys()], [1, 2, 3]);
  assert.deepEqual(rest, {
    ...defaultEnsembleConfig,
    myId: 2,
    initLimitTicks: 7,
    syncLimitTicks: 3,
    election: { ...defaultEnsembleConfig.election, helloTimeoutMs: 3 * 3000 },
  });
  assert.deepEqual(remarks, []);
});

test('the keys of an ensemble arrive in their units', (t) => {
  const ensemble = readEnsemble(
    t,
    `${times}${three}tickTime=500
connectToLearnerMasterLimit=4
electionAlg=3
quorumListenOnAllIPs=true
leaderServes=no
cnxTimeout=1000
quorumCnxnTimeoutMs=700
electionPortBindRetry=0
tcpKeepAlive=true
zookeeper.fastleader.minNotificationInterval=20
fastleader.maxNotificationInterval=2000
leader.maxTimeToWaitForEpoch=1200
leaderConnectDelayDuringRetryMs=10
leader.maxConcurrentSnapSyncs=2
leader.maxConcurrentDiffSyncs=3
observer.reconnectDelayMs=5
observer.election.DelayMs=6
multiAddress.enabled=true
commitLogCount=100
snapshotSizeFactor=-1
oraclePath=$DIR/oracle
`,
    { ...myid, oracle: '1' },
  );
  assert.deepEqual(
    { ...ensemble, members: null, oracle: ensemble.oracle?.isGranted() },
    {
      ...defaultEnsembleConfig,
      myId: 2,
      members: null,
      oracle: true,
      initLimitTicks: 7,
      syncLimitTicks: 3,
      connectLimitTicks: 4,
      epochWaitMs: 1200,
      redialDelayMs: 10,
      listenOnAllIps: true,
      election: {
        connectTimeoutMs: 1000,
        helloTimeoutMs: 700,
        finalizeWaitMs: 200,
        notificationIntervalMinMs: 20,
        notificationIntervalMaxMs: 2000,
        listenAttemptsMax: 0,
        multiAddressEnabled: true,
      },
      leaderServes: false,
      commitLogCount: 500,
      snapshotSizeFactor: -1,
      snapSyncsMax: 2,
      diffSyncsMax: 3,
      observerReconnectDelayMs: 5,
      observerElectionDelayMs: 6,
    },
  );
  assert.equal(read(t, `${times}${three}tcpKeepAlive=true`, myid).config.peers.keepAlive, true);
});

test('groups and weights make a hierarchical quorum', (t) => {
  const { members } = readEnsemble(t, `${times}${three}group.1=1:2\ngroup.2=3\nweight.3=0\n`);
  assert.deepEqual(members.groups?.get(3), 2);
  assert.equal(members.weights.get(3), 0);
  assert.match(refusal(t, `${times}${three}group.1=1:2\n`), /server 3: it is in no group/);
});

test('one voter is an ensemble when standaloneEnabled is false', (t) => {
  const one = `${times}server.2=b:2888:3888\nserver.5=c:2888:3888:observer\n`;
  const { members, standaloneEnabled } = readEnsemble(t, `${one}standaloneEnabled=false`);
  assert.deepEqual([votersOf(members), standaloneEnabled], [[2], false]);
  assert.match(refusal(t, one), /observers of a single server; set standaloneEnabled=false/);
});

test('myid says what to change when it does not do', (t) => {
  const text = times + three;
  assert.equal(
    refusal(t, text, {}),
    "myid: Cannot read the id of this server: current value is a file that is not there; write the N of this server's server.N line into it, one of 1, 2, 3",
  );
  assert.match(refusal(t, text, { myid: 'two' }), /current value is two; write one number, one of/);
  assert.match(refusal(t, text, { myid: '' }), /current value is \(empty\)/);
  assert.match(refusal(t, text, { myid: '4' }), /current value is 4, there are lines for 1, 2, 3/);
  const far = 'server.255=d:2888:3888\n';
  assert.match(refusal(t, text + far, { myid: '255' }), /give this server an id from 0 to 254/);
});

test('what an ensemble needs and is not there is named', (t) => {
  const bare = `dataDir=$DIR\nclientPort=2181\n${three}`;
  assert.match(refusal(t, bare), /^zoo\.cfg: .*without initLimit; add a line like initLimit=10/);
  assert.match(refusal(t, `${bare}initLimit=5`), /without syncLimit; add a line like syncLimit=5/);
  assert.match(refusal(t, `${bare}initLimit=0`), /Cannot set initLimit: current value is 0/);
  assert.match(refusal(t, `${times}${three}electionAlg=0`), /is 0; it must be one of 3/);
});

test('lines that contradict each other are named', (t) => {
  const line = 'server.2=b:2888:3888;127.0.0.1:2191\n';
  const others = 'server.1=a:2888:3888\nserver.3=c:2888:3888\n';
  assert.match(
    refusal(t, times + line + others),
    /two addresses: the file says 0\.0\.0\.0:2181, server\.2 says 127\.0\.0\.1:2191/,
  );
  const without = times.replace('clientPort=2181\n', '') + line + others;
  const { listener } = read(t, without, myid).config;
  assert.deepEqual([listener.host, listener.port], ['127.0.0.1', 2191]);
  assert.match(
    refusal(t, `${times}${others}server.2=a:2888:3889\n`),
    /server\.1 and server\.2 are both at a:2888/,
  );
  assert.match(
    refusal(t, `${times}${others}server.2=b:2888:3888\nserver.2=d:2888:3888\n`),
    /^zoo\.cfg:8: Cannot have two members server\.2: current values are b:2888:3888 in line 7 and d:2888:3888; give one/,
  );
  assert.match(
    refusal(t, `${times}${others}server.2=b:2888:3888;2181;2281\n`),
    /Cannot serve TLS at port 2281, as server\.2 says/,
  );
});

test('members may stand in a dynamic file, with the version in its name', (t) => {
  const text = `${times}dynamicConfigFile=$DIR/zoo.cfg.dynamic.1000000a2\nreconfigEnabled=true\n`;
  const name = 'zoo.cfg.dynamic.1000000a2';
  const next = 'server.2=b:2888:3888:participant;0.0.0.0:2181\nversion=1000000b1';
  const files = { ...myid, [name]: three, 'zoo.cfg.dynamic.next': next };
  const { members, proposedMembers, dynamicFile } = readEnsemble(t, text, files);
  assert.equal(members.version, 0x1_0000_00a2);
  assert.equal(proposedMembers?.version, 0x1_0000_00b1);
  assert.match(dynamicFile ?? '', /zoo\.cfg\.dynamic$/);
  const disabled = readEnsemble(t, text.replace('reconfigEnabled=true', ''), files);
  assert.deepEqual([disabled.proposedMembers, disabled.dynamicFile], [null, null]);

  const refused = (content: string): string => refusal(t, text, { ...myid, [name]: content });
  assert.match(refused(`${three}version=5`), /:4: Cannot take a version from here/);
  // Alone, a member whose list was lost would serve what its ensemble has long changed.
  assert.match(
    refused(''),
    /Cannot find the members in this file: current value is \(empty\); write them, or take dynam/,
  );
  assert.match(refused('group.1=1:2\n'), /current value is no server\.N line; write them/);
  assert.match(
    refusal(t, text, myid),
    /a2: Cannot read the configuration: the system says ENOENT; it is the dynamicConfigFile of .*zoo\.cfg: correct/,
  );
  assert.match(refused(`${three}tickTime=5`), /Cannot take tickTime from here: only server\.N/);
});

test('a member that is being added starts by what was proposed: it may be needed for that', (t) => {
  const text = `${times}dynamicConfigFile=$DIR/zoo.cfg.dynamic.1000000a2\nreconfigEnabled=true\n`;
  const others = three.replace(/^server\.2=.*$/m, 'server.4=d:2888:3888;2181');
  const next = `${others}server.2=b:2888:3888:participant;0.0.0.0:2181\nversion=1000000b1`;
  const files = { ...myid, 'zoo.cfg.dynamic.1000000a2': others, 'zoo.cfg.dynamic.next': next };
  const ensemble = readEnsemble(t, text, files);
  assert.equal(ensemble.myId, 2);
  assert.equal(ensemble.members.members.has(2), false);
  assert.match(
    refusal(t, text, { ...files, 'zoo.cfg.dynamic.next': others }),
    /add a line server\.2=/,
  );
});

test('what is odd and harmless is remarked on', (t) => {
  const remarks = (text: string): readonly string[] => {
    return read(t, times + text, myid).remarks.map(({ level, message }) => `${level} ${message}`);
  };
  assert.match(
    remarks(`${three}server.4=d:2888:3888\n`)[0] ?? '',
    /4 servers vote; one less would tolerate as many failures/,
  );
  assert.match(remarks('server.1=a:1:2\nserver.2=b:1:2\n')[0] ?? '', /with 2 voting; three/);
  assert.match(
    remarks(`${three}${three}`)[0] ?? '',
    /server\.1 stands twice in .*zoo\.cfg; the last one counts/,
  );
  assert.deepEqual(remarks(`${three}peerType=observer\n`), [
    'warn peerType=observer does not agree with server.2, a participant; the line counts',
  ]);
});
