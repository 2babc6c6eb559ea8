import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode } from '@meerkat/protocol';
import { ShellScript } from '../../testing/shell-script.ts';

/** Runs lines in a fresh shell; returns stdout and stderr of the last one. */
async function last(...lines: readonly string[]): Promise<{ out: string; err: string }> {
  const script = await ShellScript.start();
  await script.run(...lines.slice(0, -1));
  const { out, err } = await script.run(lines.at(-1) as string);
  return { out, err };
}

/** Lines, and what the last of them writes to stdout and stderr. */
type Case = readonly [readonly string[], string, string];

const makeT = ['create /t v1', 'create /t/b 2', 'create /t/a 1'];
const notGiven = (name: string) => `${name} path\n`;

const cases: readonly Case[] = [
  [['create /t'], '', 'Created /t\n'],
  [['create -s /t/'], '', 'Node does not exist: /t/\n'],
  [['create -se /s'], '', 'Created /s0000000000\n'],
  [['create /t', 'create /t'], '', 'Node already exists: /t\n'],
  [['create -e /e', 'create /e/x'], '', 'Ephemerals cannot have children: /e/x\n'],
  [['create'], '', 'create [-s] [-e] [-c] [-t ttl] path [data] [acl]\n'],
  [['create t'], '', 'Path must start with / character\n'],
  [['create -t 0 /t'], '', 'ttl must be positive and cannot be larger than: 1099511627775\n'],
  [['create -t x /t'], '', '-t argument must be a long value\n'],
  [['create -t 5 -e /t'], '', 'TTLs cannot be used with Ephemeral znodes\n'],
  [['create -t 5 -c /t'], '', 'TTLs cannot be used with Container znodes\n'],
  [
    ['create -c -s /t'],
    '',
    '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.\n',
  ],
  [['create /t', 'get /t'], 'null\n', ''],
  [['create /t héé', 'get /t'], 'héé\n', ''],
  [['create /t héé', 'get -b /t'], 'aMOpw6k=\n', ''],
  [['set -b /zookeeper aGk=', 'get /zookeeper'], 'hi\n', ''],
  [['set -b /zookeeper a'], '', 'Cannot decode the data: it is not in base64 format\n'],
  [['set -v 4 /zookeeper x'], '', 'version No is not valid : /zookeeper\n'],
  [['set -v x /zookeeper x'], '', 'Cannot use -v: current value is "x", and it must be a number\n'],
  [
    ['set /t'],
    '',
    'set path data [-s] [-v version] [-b]\n -b         Supply data in base64 format\n' +
      ' -s         Print znode stats additionally\n -v <arg>   Set with an expected version\n\n',
  ],
  [
    ['get /zookeeper true'],
    '\n',
    "'get path [watch]' has been deprecated. Please use 'get [-s] [-w] path' instead.\n",
  ],
  [[...makeT, 'ls /t'], '[a, b]\n', ''],
  [[...makeT, 'ls -R /'], treeOf('/', '/t', '/zookeeper'), ''],
  [['ls'], '', 'ls [-s] [-w] [-R] path\n'],
  [['stat /nope'], '', 'Node does not exist: /nope\n'],
  [['stat'], '', 'stat [-w] path\n'],
  [[...makeT, 'delete /t'], '', 'Node not empty: /t\n'],
  [
    [...makeT, 'delete /t/a 0'],
    '',
    "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' instead.\n",
  ],
  [[...makeT, 'deleteall /t', 'ls /'], '[zookeeper]\n', ''],
  [[...makeT, 'create /t/a/b', 'create /t/a/b/c', 'deleteall /t', 'ls /'], '[zookeeper]\n', ''],
  [['deleteall /nope'], '', 'Node does not exist: /nope\n'],
  [['deleteall'], '', 'deleteall path [-b batch size]\n'],
  [['getAcl /'], "'world,'anyone\n: cdrwa\n", ''],
  [['create /t v digest:u:p=:cr,auth::w', 'getAcl /t'], "'digest,'u:p=\n: cr\n'auth,'\n: w\n", ''],
  [
    ['setAcl / foo,world:anyone:rz'],
    '',
    'foo does not have the form scheme:id:perm\nUnknown perm type: z\n',
  ],
  [['setAcl /'], '', 'setAcl [-s] [-v version] [-R] path acl\n'],
  [[...makeT, 'setAcl -R /t world:anyone:r', 'getAcl /t/a'], "'world,'anyone\n: r\n", ''],
  [['addauth'], '', 'addauth scheme auth\n'],
  [['whoami'], 'Auth scheme: User\nip: 127.0.0.1\n', ''],
  [['sync /'], 'Sync is OK\n', ''],
  [['sync'], '', notGiven('sync')],
  [['create -e /e', 'getEphemerals'], '[/e]\n', ''],
  [['getEphemerals /x'], '[]\n', ''],
  [[...makeT, 'getAllChildrenNumber /t'], '2\n', ''],
  [['getAllChildrenNumber'], '', notGiven('getAllChildrenNumber')],
  [['removewatches'], '', 'removewatches path [-c|-d|-a] [-l]\n'],
  [['reconfig -file x -add y'], '', mixing()],
  [['version x'], '', 'version \n'],
];

for (const [lines, out, err] of cases) {
  test(lines.join(' | '), async () => assert.deepEqual(await last(...lines), { out, err }));
}

test('a Stat', async () => {
  const { out } = await last('create -e /t v1', 'stat /t');
  assert.match(out, /^cZxid = 0x1\nctime = \w{3} \w{3} \d\d .*\nmZxid = 0x2a\nmtime = /);
  assert.match(
    out,
    /pZxid = 0x1\ncversion = 0\ndataVersion = 0\naclVersion = 0\nephemeralOwner = 0x10000000000\ndataLength = 2\nnumChildren = 0\n$/,
  );
});

test('modes and lifetimes reach the client', async () => {
  const script = await ShellScript.start();
  await script.run('create -t 5 /a', 'create -s -t 6 /b', 'create -c /c', 'create -e -s /d');
  assert.deepEqual(script.client.calls, [
    'create persistentWithTtl ttlMs=5',
    'create persistentSequentialWithTtl ttlMs=6',
    'create container ttlMs=undefined',
    'create ephemeralSequential ttlMs=undefined',
  ]);
});

test('subtrees go in batches; a failed one is reported', async () => {
  const script = await ShellScript.start();
  await script.run(...makeT, 'deleteall /t -b 2');
  assert.deepEqual(script.client.calls.slice(-2), ['multi of 2', 'multi of 1']);
  await script.run('create /x');
  const { multi } = script.client;
  script.client.multi = async (operations) => {
    script.client.nextFailure = ErrorCode.noAuth;
    return multi(operations);
  };
  script.take();
  const { err } = await script.run('deleteall /x');
  assert.equal(err, 'Failed to delete some node(s) in the subtree!\n');
});

test('watches', async () => {
  const script = await ShellScript.start();
  await script.run('addWatch /t', 'addWatch -m persistent /t', 'removewatches /t -d -l');
  assert.deepEqual(script.client.calls, [
    'addWatch /t persistentRecursive',
    'addWatch /t persistent',
    'removeWatches /t data local=true',
  ]);
  script.client.nextFailure = ErrorCode.noWatcher;
  const { err } = await script.run('removewatches /t');
  assert.equal(err, 'KeeperErrorCode = No such watcher for /t\n');
  assert.match((await script.run('addWatch -m x /t')).err, /^addWatch \[-m mode\] path # optional/);
});

test('configuration', async () => {
  const script = await ShellScript.start();
  await script.client.setData(
    '/zookeeper/config',
    'server.1=a:1:2:participant;2181\nserver.2=b:1:2;c:2182\nserver.3=d:1:2\nversion=10',
  );
  assert.equal((await script.run('config -c')).out, '10 0.0.0.0:2181,c:2182\n');
  const { out } = await script.run('reconfig -v a -add SERVER.4=x:1:2;3 -remove 1');
  assert.equal(out, 'Committed new configuration:\nversion=5\n');
  assert.deepEqual(script.client.calls, [
    'reconfig {"joining":"server.4=x:1:2;3","leaving":"1","fromConfig":"10"}',
  ]);
  script.client.nextFailure = ErrorCode.reconfigInProgress;
  assert.match(
    (await script.run('reconfig -remove 1')).err,
    /^Another reconfiguration is in progress/,
  );
});

test('quotas', async () => {
  const script = await ShellScript.start();
  await script.run(...makeT);
  assert.deepEqual(await script.run('setquota -n 5 /t'), { out: '', err: '', exitCode: 0 });
  await script.run('setquota -B 9 /t');
  assert.deepEqual(await script.run('listquota /t'), {
    out:
      'Output quota for /t count=5,bytes=-1=;byteHardLimit=9;countHardLimit=-1\n' +
      'Output stat for /t count=0,bytes=0\n',
    err: 'absolute path is /zookeeper/quota/t/zookeeper_limits\n',
    exitCode: 0,
  });
  assert.equal(
    (await script.run('setquota -n 1 /t/a')).err,
    '/t/a has a parent /t which has a quota\n',
  );
  assert.equal((await script.run('delquota -n /t')).exitCode, 0);
  assert.match((await script.run('listquota /t')).out, /count=-1,bytes=-1=;byteHardLimit=9/);
  await script.run('delquota /t');
  assert.equal(script.client.paths.includes('/zookeeper/quota/t'), false);
  assert.equal((await script.run('delquota /t')).out, 'Quota does not exist for /t\n');
  assert.match((await script.run('listquota /t')).err, /quota for \/t does not exist\.\n$/);
  await script.run('setquota -b 1 /t/a');
  assert.equal(
    (await script.run('setquota -n 1 /t')).err,
    '/t has a child /t/a which has a quota\n',
  );
});

test('quotas that cannot be', async () => {
  const script = await ShellScript.start();
  for (const [line, message] of [
    ['setquota -n 0 /zookeeper', 'the num quota must be greater than zero'],
    ['setquota -b -5 /zookeeper', 'the bytes quota must be greater than or equal to zero'],
    ['setquota -n x /zookeeper', 'NumberFormatException happens when parsing the option value'],
    ['setquota -n 1 /nope', '/nope does not exist.'],
    ['setquota -n 1 /zookeeper/quota/x', 'cannot set a quota under the path: /zookeeper/quota'],
  ] as const) {
    assert.equal((await script.run(line)).err, `${message}\n`);
  }
  assert.match((await script.run('setquota /zookeeper')).err, /MissingOptionException/);
  await script.run('create /t', 'setquota -n 9 /t');
  await script.client.setData('/zookeeper/quota/t/zookeeper_stats', 'count=7,bytes=1');
  const { out } = await script.run('setquota -n 3 /t');
  assert.equal(out, '[Warning]: the count quota you create is less than the existing count:7\n');
});

function treeOf(...roots: readonly string[]): string {
  const below: Readonly<Record<string, readonly string[]>> = {
    '/t': ['/t/a', '/t/b'],
    '/zookeeper': ['/zookeeper/config', '/zookeeper/quota'],
  };
  return [...roots, ...roots.flatMap((root) => below[root] ?? [])]
    .map((path) => `${path}\n`)
    .join('');
}

function mixing(): string {
  return (
    "Can't use -file or -members together with -add or -remove (mixing incremental" +
    ' and non-incremental modes is not allowed)\n'
  );
}
