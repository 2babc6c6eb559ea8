import assert from 'node:assert/strict';
import { type ProgramResult, runProgram } from './support/child-processes.ts';
import { meerkatPath } from './support/paths.ts';
import { peerTest, zkCliPath } from './support/peers.ts';
import { type ServerUnderTest, withServer } from './support/server-under-test.ts';

/*
 * `meerkat shell` beside ZooKeeper's own command line: the same commands print the same text and end with the same
 * status. Each runs on a server of its own that has seen nothing else, so that even the zxids are equal.
 */

const peers = ['java', 'zookeeper.jar', 'zkCli.sh'] as const;
const systemProperties = {
  'zookeeper.extendedTypesEnabled': 'true',
  'zookeeper.enforceQuota': 'true',
};

const commands = [
  'create /a hello',
  'create /a again',
  'create /a/b',
  'create /none/b x',
  'create -s /a/s- 1',
  'create -e /a/e 2',
  'create -e -s /a/es- 3',
  'create -e /a/e/child',
  'create -c /a/c',
  'create -t 100000 /a/t x',
  'create -c -e /a/ce',
  'create -t nonsense /a/tt x',
  'create relative x',
  'create /a/ x',
  'create /a/猫鼬 "two words"',
  "create /a/quoted 'it is'",
  'get /a',
  'get -s /a',
  'get /a/b',
  'get /a/猫鼬',
  'get /a/quoted',
  'get /none',
  'get',
  'get /a /b',
  'set /a changed',
  'set -s /a again',
  'set -v 7 /a no',
  'set -v 2 /a yes',
  'set /none x',
  'set /a',
  'stat /a',
  'stat /none',
  'ls /',
  'ls -s /a',
  'ls -R /a',
  'ls /none',
  'ls relative',
  'getAllChildrenNumber /a',
  'getAllChildrenNumber /none',
  'getEphemerals',
  'getEphemerals /a',
  'getEphemerals /b',
  'whoami',
  'create /acl top',
  'addauth digest user:pass',
  'whoami',
  'create /acl/mine secret auth::cdrwa',
  'create /acl/other secret digest:other:x1nq8J5GOJVPY6zgzhtTtA9izLc=:cdrwa',
  'create /acl/bad x nonsense:x:r',
  'getAcl /acl/mine',
  'getAcl -s /acl/mine',
  'getAcl /none',
  'get /acl/other',
  'getAcl /acl/other',
  'set /acl/other x',
  'setAcl /acl/mine world:anyone:r,ip:127.0.0.1:rwa',
  'getAcl /acl/mine',
  'setAcl -v 5 /acl/mine world:anyone:r',
  'setAcl -s /acl/mine world:anyone:cdrwa',
  'setAcl -R /acl world:anyone:cdrwa',
  'setAcl /acl/mine nonsense:x:r',
  'setAcl /acl/mine',
  'setAcl /none world:anyone:r',
  'create /quota 12345',
  'listquota /quota',
  'setquota -n 3 /quota',
  'create /quota/a 123',
  'listquota /quota',
  'setquota -N 3 /quota',
  'create /quota/b 1',
  'create /quota/c 1',
  'setquota -b 100 /quota',
  'setquota -B 20 /quota',
  'set /quota/a 12345678901234567890',
  'setquota -n 1 /quota/a',
  'setquota /quota',
  'setquota -n x /quota',
  'listquota /quota',
  'delquota -n /quota',
  'listquota /quota',
  'delquota -N /quota',
  'delquota -b /quota',
  'delquota -B /quota',
  'delquota /quota',
  'delquota /none',
  'sync /a',
  'sync',
  'config',
  'config -s',
  'config -c',
  'reconfig -remove 1',
  'reconfig -add server.2=host:1:2;3',
  'get -w /a',
  'get -s -w /a/b',
  'stat -w /a/b',
  'ls -w /a',
  'addWatch /acl',
  'addWatch -m PERSISTENT /quota',
  'addWatch -m NONSENSE /quota',
  'removewatches /acl',
  'removewatches /acl',
  'removewatches /a -d',
  'removewatches /a/b -c',
  'removewatches /none -a',
  'removewatches',
  'printwatches',
  'printwatches off',
  'printwatches',
  'printwatches on',
  'history',
  'redo 4',
  'redo 10000',
  'delete /a',
  'delete -v 3 /a/b',
  'delete -v 0 /a/b',
  'delete /a/b',
  'delete',
  'create /a/deep',
  'create /a/deep/deeper',
  'create /a/deep/deeper/still',
  'ls -R /a',
  'deleteall /a',
  'deleteall /a',
  'deleteall /quota -b 2',
  'deleteall /acl',
  'ls /',
  'nonsense',
  'nonsense with words',
  '',
  '   ls    /   ',
  'create -x /unknown-option',
  'get -z /zookeeper/quota',
  'close',
  'ls /',
  'close',
] as const;

peerTest('meerkat shell prints what zkCli.sh prints', peers, async () => {
  const input = `${commands.join('\n')}\nquit\n`;
  const [reference, subject] = await Promise.all([
    onServerOfItsOwn((server) => zkCli(server, [], input)),
    onServerOfItsOwn((server) => shell(server, [], input)),
  ]);
  assert.equal(subject.code, reference.code);
  assert.deepEqual(masked(subject.stdout).text, masked(reference.stdout).text, 'stdout');
  assert.deepEqual(masked(subject.stdout).events, masked(reference.stdout).events, 'events');
  assert.deepEqual(masked(subject.stderr).text, masked(reference.stderr).text, 'stderr');
});

/** Commands given as arguments, one after the other on the same two servers. */
const oneShots: readonly (readonly string[])[] = [
  ['create', '/once', 'two words'],
  ['get', '/once'],
  ['create', '/once', 'again'],
  ['ls', '/'],
  ['get', '/none'],
  ['get'],
  ['nonsense'],
  ['delete', '/once'],
];

peerTest('one command at a time, with the same status', peers, async () => {
  await withServer({ systemProperties }, (one) =>
    withServer({ systemProperties }, async (other) => {
      for (const command of oneShots) {
        const [reference, subject] = await Promise.all([
          zkCli(one, command),
          shell(other, command),
        ]);
        const name = command.join(' ');
        assert.deepEqual(masked(subject.stdout), masked(reference.stdout), `stdout of ${name}`);
        assert.deepEqual(masked(subject.stderr), masked(reference.stderr), `stderr of ${name}`);
        assert.equal(subject.code, reference.code, `exit code of ${name}`);
      }
    }),
  );
});

function onServerOfItsOwn(
  run: (server: ServerUnderTest) => Promise<ProgramResult>,
): Promise<ProgramResult> {
  return withServer({ systemProperties }, run);
}

function zkCli(
  server: ServerUnderTest,
  command: readonly string[],
  input?: string,
): Promise<ProgramResult> {
  const args = ['-server', server.connectString, ...command];
  // Text beyond ASCII is read in the locale's encoding.
  const env = { LC_ALL: 'C.UTF-8' };
  return runProgram(zkCliPath, args, input === undefined ? { env } : { env, input });
}

function shell(
  server: ServerUnderTest,
  command: readonly string[],
  input?: string,
): Promise<ProgramResult> {
  const args = [meerkatPath, 'shell', '-server', server.connectString, ...command];
  return runProgram(process.execPath, args, input === undefined ? {} : { input });
}

/** What was printed, without what differs from run to run; events, which come when they like, apart. */
function masked(output: string): { text: readonly string[]; events: readonly string[] } {
  const lines = output
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '' && line !== 'WATCHER::')
    .filter((line) => !tolerated.some((pattern) => pattern.test(line)))
    .map((line) =>
      line
        .replace(/^Connecting to .*/, 'Connecting')
        .replace(/^([cm]time = ).*/, '$1(time)')
        .replace(/^(ephemeralOwner = 0x)[1-9a-f].*/, '$1(session)'),
    );
  const isEvent = (line: string): boolean => line.startsWith('WatchedEvent ');
  return {
    text: lines.filter((line) => !isEvent(line)),
    // 3.9 says at which zxid it happened.
    events: lines.filter(isEvent).map((line) => line.replace(/ zxid: -?\d+$/, '')),
  };
}

/** Lines that only one of them prints. */
const tolerated = [
  // Of the Java program, not of the command.
  /^SLF4J: /,
  /^JLine support is /,
  // How get and set are used, and the command exit: 3.9 has more to say than 3.8.
  /^\t?(get|set) .*\[-s\]/,
  /^ -[bswvx] /,
  /^\texit$/,
  // Java may have ended before it is printed.
  /^WatchedEvent state:Closed /,
];
