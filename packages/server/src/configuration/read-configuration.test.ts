import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { defaultReplicaConfig } from '@meerkat/engine';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { emptyDraft } from './draft.ts';
import { findKey, keyGroups } from './key-table.ts';
import {
  configurationOfArguments,
  type ReadConfiguration,
  readConfigurationFile,
} from './read-configuration.ts';

const needed = 'dataDir=/var/lib/zookeeper\nclientPort=2181\n';

function read(t: TestContext, text: string, files: Record<string, string> = {}): ReadConfiguration {
  const directory = temporaryDirectory(t);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(directory, name), content);
  const path = join(directory, 'zoo.cfg');
  writeFileSync(path, text.replaceAll('$DIR', directory));
  return readConfigurationFile(path);
}

function refusal(t: TestContext, text: string): string {
  try {
    read(t, text);
  } catch (error) {
    assert.equal((error as Error).name, 'ConfigurationError');
    return (error as Error).message.replace(/^.*zoo\.cfg/, 'zoo.cfg');
  }
  return assert.fail('the configuration was taken');
}

test('the least configuration is ZooKeeper with its defaults', (t) => {
  const { config, remarks } = read(t, needed);
  assert.deepEqual(config.listener, {
    host: null,
    port: 2181,
    backlog: -1,
    maxClientCnxns: 60,
    maxCnxns: 0,
    handshakeMs: 10_000,
    tcpKeepAlive: false,
  });
  assert.deepEqual(config.replica, {
    ...defaultReplicaConfig,
    dataDir: '/var/lib/zookeeper',
    dataLogDir: '/var/lib/zookeeper',
  });
  assert.deepEqual(remarks, []);
});

test('every default that the table names is the default', () => {
  for (const key of keyGroups.flatMap((group) => group.keys)) {
    if (key.default === null) continue;
    const draft = emptyDraft();
    key.apply(draft, key.default);
    assert.deepEqual(draft, emptyDraft(), key.name);
  }
});

test('every key is in the table once', () => {
  const names = keyGroups.flatMap((group) => group.keys).map((key) => key.name);
  assert.deepEqual([...new Set(names)], names);
});

test('settings arrive in their units', (t) => {
  const { replica, listener, words } = read(
    t,
    `${needed}tickTime = 2000
maxSessionTimeout:30000
dataLogDir=/fast/log
snapCount=1
zookeeper.preAllocSize=1024
forceSync=no
fsync.warningthresholdms=20
snapshot.compression.method=gz
autopurge.snapRetainCount=1
autopurge.purgeInterval=24
skipACL=yes
zookeeper.extendedTypesEnabled=TRUE
jute.maxbuffer=0x400000
zookeeper.znode.container.checkIntervalMs=5
connection_throttle_drop_increase=0.5
maxClientCnxns=0
clientPortAddress=127.0.0.1
4lw.commands.whitelist=stat, ruok`,
  ).config;
  assert.equal(replica.tickTimeMs, 2000);
  assert.equal(replica.minSessionTimeoutMs, 4000);
  assert.equal(replica.maxSessionTimeoutMs, 30_000);
  assert.equal(replica.dataLogDir, '/fast/log');
  assert.equal(replica.txnLog.snapCount, 2);
  assert.equal(replica.txnLog.preAllocSizeKb, 1024);
  assert.equal(replica.txnLog.forceSync, false);
  assert.equal(replica.txnLog.fsyncWarningThresholdMs, 20);
  assert.equal(replica.snapshot.compression, 'gzip');
  assert.equal(replica.snapshot.retainCount, 3);
  assert.equal(replica.snapshot.purgeIntervalMs, 24 * 3_600_000);
  assert.equal(replica.skipAcl, true);
  assert.equal(replica.extendedTypesEnabled, true);
  assert.equal(replica.limits.frameBytesMax, 4 * 1024 * 1024);
  assert.equal(replica.limits.extraBytesMax, 4 * 1024 * 1024);
  assert.equal(replica.container.checkIntervalMs, 5);
  assert.equal(replica.connectionThrottle.dropIncrease, 0.5);
  assert.equal(listener.maxClientCnxns, 0);
  assert.equal(listener.host, '127.0.0.1');
  assert.equal(words.whitelist, 'stat, ruok');
});

test('autopurge.purgeInterval takes hours or a unit', (t) => {
  const interval = (value: string): number => {
    return read(t, `${needed}autopurge.purgeInterval=${value}`).config.replica.snapshot
      .purgeIntervalMs;
  };
  assert.equal(interval('1'), 3_600_000);
  assert.equal(interval('90s'), 90_000);
  assert.equal(interval('5M'), 300_000);
  assert.equal(interval('2d'), 172_800_000);
  assert.equal(interval('7ms'), 7);
  assert.equal(interval('-1'), 0);
});

test('the sum of both buffer limits stays within an int, the second is at least 1024', (t) => {
  const limits = (text: string): unknown => {
    const { frameBytesMax, extraBytesMax } = read(t, needed + text).config.replica.limits;
    return [frameBytesMax, extraBytesMax];
  };
  assert.deepEqual(limits('jute.maxbuffer=2147483647'), [2147483647, 0]);
  assert.deepEqual(limits('jute.maxbuffer=10'), [10, 1024]);
  assert.deepEqual(limits('jute.maxbuffer.extrasize=5000'), [0xfffff, 5000]);
});

test('a refusal names file, line, key, value and what to do', (t) => {
  assert.equal(
    refusal(t, `# comment\n${needed}tickTime=2 s`),
    'zoo.cfg:4: Cannot set tickTime: current value is 2 s; it must be a whole number from 1 to 2147483647',
  );
  assert.match(
    refusal(t, `${needed}extendedTypesEnabled=yes`),
    /:3: .*is yes; it must be true or false/,
  );
  assert.match(
    refusal(t, `${needed}clientPort=70000`),
    /it must be a whole number from 0 to 65535/,
  );
  assert.match(
    refusal(t, `${needed}snapshot.compression.method=zip`),
    /one of \(empty\), gz, snappy/,
  );
  assert.match(refusal(t, `${needed}maxClientCnxns=`), /current value is \(empty\)/);
  assert.match(refusal(t, 'clientPort=2181'), /without dataDir; add a line like/);
  assert.match(refusal(t, 'dataDir=/data'), /without clientPort; add the line clientPort=2181/);
  assert.match(refusal(t, `${needed}minSessionTimeout=99999`), /minSessionTimeout above max/);
  assert.match(refusal(t, `${needed}a=\\u12`), /^zoo.cfg:3: Cannot read an escape/);
  assert.throws(() => readConfigurationFile('/nowhere/zoo.cfg'), {
    message:
      '/nowhere/zoo.cfg: Cannot read the configuration: the system says ENOENT; give the path of a zoo.cfg',
  });
});

test('keys that guard security and are not built yet refuse the start, unless they ask for nothing', (t) => {
  for (const line of [
    'secureClientPort=2281',
    'ssl.keyStore.location=/k.jks',
    'zookeeper.ssl.quorum.keyStore.location=/k.jks',
    'sslQuorum=true',
    'client.portUnification=true',
    'quorum.auth.enableSasl=true',
    'enforce.auth.enabled=true',
    'sessionRequireClientSASLAuth=true',
    'ensembleAuthName=one',
    'authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
    'authProvider.sasl=com.example.Own',
  ]) {
    assert.match(refusal(t, needed + line), /take the key out if/, line);
  }
  const harmless = `sslQuorum=false\nportUnification=FALSE\nquorum.auth.enableSasl=false
authProvider.1=org.apache.zookeeper.server.auth.DigestAuthenticationProvider\n`;
  assert.deepEqual(read(t, needed + harmless).remarks, []);
});

test('unknown keys and keys without effect are remarked on, in a line each', (t) => {
  const { remarks } = read(
    t,
    `${needed}snapcount=1\nnio.numWorkerThreads=4\nadmin.enableServer=false\nenableEagerACLCheck=false\nzookeeper.maxResponseCacheSize=1\nfoo=1`,
  );
  assert.deepEqual(remarks, [
    {
      level: 'warn',
      message: 'unknown keys in the configuration, spelled wrongly perhaps: snapcount, foo',
    },
    {
      level: 'warn',
      message:
        'keys without effect yet (docs/configuration.md says why): admin.enableServer, enableEagerACLCheck',
    },
    {
      level: 'info',
      message:
        'keys without effect here (docs/configuration.md says why): nio.numWorkerThreads, zookeeper.maxResponseCacheSize',
    },
  ]);
});

test('one server.N is a standalone server and may name the client port', (t) => {
  const one = 'server.1=zoo1:2888:3888;127.0.0.1:2182\n';
  const { config } = read(t, `dataDir=$DIR\n${one}`);
  assert.deepEqual([config.listener.host, config.listener.port], ['127.0.0.1', 2182]);
  assert.equal(config.replica.ensemble, null);
  assert.equal(config.replica.serverId, 1);
  assert.equal(read(t, needed + one).config.listener.port, 2181);
  assert.equal(read(t, `dataDir=$DIR\n${one}`, { myid: '1\n' }).config.listener.port, 2182);
  assert.throws(() => read(t, `dataDir=$DIR\n${one}`, { myid: '2\n' }), /without clientPort/);
  const dynamic = { 'zoo.cfg.dynamic': 'server.1=zoo1:2888:3888:participant;2183' };
  const viaFile = read(t, 'dataDir=$DIR\ndynamicConfigFile=$DIR/zoo.cfg.dynamic', dynamic);
  assert.equal(viaFile.config.listener.port, 2183);

  assert.match(refusal(t, `${needed}standaloneEnabled=false`), /no server\.N lines/);
  assert.match(refusal(t, `${needed}server.1=zoo1`), /write server\.1=host:2888:3888/);
  assert.match(refusal(t, `${needed}server.1=zoo1:1:2;x`), /Cannot read the client address/);
  assert.match(refusal(t, `${needed}server.1=a:1:2:observer`), /observers without participants/);
  assert.match(refusal(t, `${needed}${one}dynamicConfigFile=/x`), /members stand in that file/);
});

test('arguments are port, directory, tick time and connections per address, without a limit by default', () => {
  const { config } = configurationOfArguments(['2182', '/data', '500']);
  assert.equal(config.file, null);
  assert.deepEqual([config.listener.port, config.listener.maxClientCnxns], [2182, 0]);
  assert.deepEqual(
    [config.replica.dataLogDir, config.replica.maxSessionTimeoutMs],
    ['/data', 10_000],
  );
  const four = configurationOfArguments(['2182', '/data', '500', '7']);
  assert.equal(four.config.listener.maxClientCnxns, 7);
  assert.throws(() => configurationOfArguments(['x', '/data']), {
    message:
      'arguments: Cannot set clientPort: current value is x; it must be a whole number from 0 to 65535',
  });
  assert.throws(() => configurationOfArguments(['1', '2', '3', '4', '5']), /with 5 arguments/);
});

test('findKey() takes a key with or without its prefix, and the longest match', () => {
  assert.equal(findKey('zookeeper.snapCount')?.name, 'snapCount');
  assert.equal(findKey('ssl.quorum.crl')?.name, 'ssl.quorum.*');
  assert.equal(findKey('ssl.crl')?.name, 'ssl.*');
  assert.equal(findKey('metricsProvider.httpPort')?.name, 'metricsProvider.*');
  assert.equal(findKey('ssl.'), null);
  assert.equal(findKey('toString'), null);
});
