import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type ProgramResult, runProgram, track } from './support/child-processes.ts';
import { peerTest, zkCliPath } from './support/peers.ts';
import { type ServerUnderTest, withServer } from './support/server-under-test.ts';

/* ZooKeeper's own command line, as Debian installs it, against the server under test. */

const peers = ['java', 'zookeeper.jar', 'zkCli.sh'] as const;
const extended = { systemProperties: { 'zookeeper.extendedTypesEnabled': 'true' } };

peerTest('zkCli.sh runs one command and exits with its status', peers, () =>
  withServer({}, async (server) => {
    const created = await once(server, 'create', '/once', 'hello');
    assert.equal(created.code, 0, created.stderr);
    assert.match(created.stderr, /^Created \/once$/m);
    const got = await once(server, 'get', '/once');
    assert.equal(got.code, 0, got.stderr);
    assert.match(got.stdout, /^hello$/m);
    const missing = await once(server, 'get', '/absent');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^Node does not exist: \/absent$/m);
    const again = await once(server, 'create', '/once', 'again');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^Node already exists: \/once$/m);
  }),
);

peerTest('zkCli.sh creates, reads, changes and deletes nodes of every kind', peers, () =>
  withServer(extended, async (server) => {
    const { stdout, stderr } = await script(server, [
      'create /cli hello',
      'create -s /cli/s- 1',
      'create -e /cli/e 2',
      'create -e -s /cli/es- 3',
      'create -c /cli/c',
      'create -t 100000 /cli/t x',
      'set -s /cli changed',
      'set -v 7 /cli no',
      'ls -R /cli',
      'ls /cli',
      'stat /cli',
      'getAllChildrenNumber /cli',
      'getEphemerals /cli',
      'get -s /cli/e',
      'delete /cli',
      'delete -v 1 /cli/s-0000000000',
      'delete /cli/s-0000000000',
      'deleteall /cli',
      'ls /',
    ]);
    assert.deepEqual(stderr.match(/^(Created|version No|Node) .*$/gm), [
      'Created /cli',
      'Created /cli/s-0000000000',
      'Created /cli/e',
      'Created /cli/es-0000000002',
      'Created /cli/c',
      'Created /cli/t',
      'version No is not valid : /cli',
      'Node not empty: /cli',
      'version No is not valid : /cli/s-0000000000',
    ]);
    assert.match(
      stdout,
      /^\/cli\n\/cli\/c\n\/cli\/e\n\/cli\/es-0000000002\n\/cli\/s-0000000000\n\/cli\/t$/m,
    );
    assert.match(stdout, /^\[c, e, es-0000000002, s-0000000000, t\]$/m);
    assert.match(
      stdout,
      /^cversion = 5\ndataVersion = 1\naclVersion = 0\nephemeralOwner = 0x0\ndataLength = 7\nnumChildren = 5$/m,
    );
    assert.match(stdout, /^5\n\[\/cli\/e, \/cli\/es-0000000002\]$/m);
    assert.match(stdout, /^2\n(.*\n){8}ephemeralOwner = 0x[1-9a-f][0-9a-f]+$/m);
    assert.match(stdout, /^\[zookeeper\]$/m);
  }),
);

peerTest('zkCli.sh changes and obeys ACLs', peers, () =>
  withServer({}, async (server) => {
    const id = 'someone:tpUq/4Pn5A64fVZyQ0gOJ8ZWqkY=';
    const { stdout, stderr } = await script(server, [
      'create /acl top',
      'addauth digest user:pass',
      'create /acl/mine secret auth::cdrwa',
      'create /acl/other secret digest:other:x1nq8J5GOJVPY6zgzhtTtA9izLc=:cdrwa',
      'get /acl/mine',
      'getAcl -s /acl/mine',
      'get /acl/other',
      `setAcl /acl/mine world:anyone:r,digest:${id}:ra`,
      'getAcl /acl/mine',
      'set /acl/mine x',
      'setAcl /acl/mine nonsense:x:r',
      'whoami',
    ]);
    assert.match(stdout, /^secret$/m);
    assert.match(stdout, /^'digest,'user:.*=$\n: cdrwa$/m);
    // Whoever may not change the ACL does not see the digests in it.
    assert.match(stdout, /^'world,'anyone\n: r\n'digest,'someone:x\n: ra$/m);
    assert.match(stdout, /^ip: 127\.0\.0\.1$/m);
    assert.match(stdout, /^digest: user$/m);
    assert.match(stderr, /^Insufficient permission : \/acl\/other$/m);
    assert.match(stderr, /^Insufficient permission : \/acl\/mine$/m);
    assert.match(stderr, /^Acl is not valid : \/acl\/mine$/m);
  }),
);

peerTest('zkCli.sh sets, lists and removes quotas', peers, () =>
  withServer({ systemProperties: { 'zookeeper.enforceQuota': 'true' } }, async (server) => {
    const { stdout, stderr } = await script(server, [
      'create /quota 12345',
      'setquota -n 3 /quota',
      'create /quota/a 123',
      'listquota /quota',
      'setquota -N 3 /quota',
      'create /quota/b 1',
      'create /quota/c 1',
      'setquota -B 20 /quota',
      'set /quota/a 12345678901234567890',
      'listquota /quota',
      'delquota /quota',
      'create /quota/c 1',
      'deleteall /quota',
    ]);
    assert.match(
      stdout,
      /^Output quota for \/quota count=3,bytes=-1=;byteHardLimit=-1;countHardLimit=-1$/m,
    );
    assert.match(stdout, /^Output stat for \/quota count=2,bytes=8$/m);
    assert.match(stdout, /^Output stat for \/quota count=3,bytes=9$/m);
    assert.equal(stderr.match(/Quota has exceeded : \/quota/g)?.length, 2, stderr);
    assert.match(stderr, /^Created \/quota\/c$/m);
  }),
);

peerTest('zkCli.sh shows watches as they fire', peers, () =>
  withServer({}, async (server) => {
    const cli = new Interactive(server);
    await cli.do('create /w 1', /Created \/w\n/);
    await cli.do('get -w /w', /^1$/m);
    await cli.do('set /w 2', /type:NodeDataChanged path:\/w\n/);
    await cli.do('ls -w /w', /^\[\]$/m);
    await cli.do('create /w/a', /type:NodeChildrenChanged path:\/w\n/);
    await cli.do('stat -w /none', /Node does not exist: \/none/);
    await cli.do('create /none', /type:NodeCreated path:\/none\n/);
    await cli.do('addWatch /w', /^$/);
    await cli.do('create /w/a/b', /type:NodeCreated path:\/w\/a\/b\n/);
    await cli.do('delete /w/a/b', /type:NodeDeleted path:\/w\/a\/b\n/);
    await cli.do('removewatches /w', /type:PersistentWatchRemoved path:\/w\n/);
    await cli.do('sync /w', /Sync is OK/);
    await cli.do('config', /^$/m);
    assert.equal(await cli.quit(), 0);
  }),
);

function once(server: ServerUnderTest, ...command: readonly string[]): Promise<ProgramResult> {
  return runProgram(zkCliPath, ['-server', server.connectString, ...command]);
}

/** Runs commands one after the other in one session. */
async function script(
  server: ServerUnderTest,
  commands: readonly string[],
): Promise<ProgramResult> {
  const input = `${commands.join('\n')}\nquit\n`;
  const result = await runProgram(zkCliPath, ['-server', server.connectString], { input });
  assert.equal(result.code, 0, result.stderr);
  return result;
}

/** A zkCli.sh that is talked to line by line; its stdout and stderr are read as one text. */
class Interactive {
  #text = '';
  #wake: (() => void) | undefined;
  #child;
  #ended: Promise<number | null>;

  constructor(server: ServerUnderTest) {
    this.#child = track(spawn(zkCliPath, ['-server', server.connectString], { stdio: 'pipe' }));
    const append = (chunk: Buffer): void => {
      this.#text += chunk.toString('utf8');
      this.#wake?.();
    };
    this.#child.stdout.on('data', append);
    this.#child.stderr.on('data', append);
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    void this.#ended.then(() => this.#wake?.());
  }

  /** Sends a command and waits until what is printed from then on matches. */
  async do(command: string, expected: RegExp): Promise<void> {
    this.#text = '';
    this.#child.stdin.write(`${command}\n`);
    while (!expected.test(this.#text)) {
      if (this.#child.exitCode !== null) throw new Error(`zkCli.sh ended: ${this.#text}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  quit(): Promise<number | null> {
    this.#child.stdin.end('quit\n');
    return this.#ended;
  }
}
