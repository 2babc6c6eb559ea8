import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { connect, type ZooKeeper } from '@meerkat/client';
import type { ControlStatus } from './control-verbs.ts';

const launcher = fileURLToPath(new URL('../../bin/meerkat.js', import.meta.url));

const repositoryRoot = fileURLToPath(new URL('../../../../', import.meta.url));

interface Announced {
  readonly connectString: string;
  readonly controlUrl: string;
  readonly pid: number;
}

interface Answer {
  readonly status: number;
  readonly body: ControlStatus & { readonly error?: string };
}

async function start(
  t: TestContext,
  args: readonly string[] = [],
): Promise<{ child: ChildProcess; announced: Announced }> {
  const child = spawn(process.execPath, [launcher, 'test-server', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return { child, announced: await firstLine(child.stdout) };
}

async function firstLine(output: Readable): Promise<Announced> {
  const lines = createInterface({ input: output });
  const [line] = (await once(lines, 'line')) as [string];
  return JSON.parse(line) as Announced;
}

async function post(announced: Announced, path: string, body: unknown = {}): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${announced.controlUrl}${path}`, { method: 'POST', body: text });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function reach(zk: ZooKeeper, wanted: ZooKeeper['state']['status']): Promise<void> {
  for await (const state of zk.states()) if (state.status === wanted) return;
  assert.equal(zk.state.status, wanted);
}

test('the verbs over HTTP', async (t) => {
  const { child, announced } = await start(t, ['--session-timeout', '1000..60000']);
  assert.equal(announced.pid, child.pid);
  const options = { retryDelayMs: 1, reconnectJitterMs: 0 };
  const zk = await connect(announced.connectString, options);
  t.after(() => zk.close());
  await zk.create('/a', 'x', { mode: 'container' });

  const killed = await post(announced, '/kill', { member: 0 });
  assert.equal(killed.body.members[0]?.state, 'killed');
  await reach(zk, 'disconnected');
  const restarted = await post(announced, '/restart');
  assert.deepEqual(
    { status: restarted.status, state: restarted.body.members[0]?.state },
    { status: 200, state: 'running' },
  );
  await reach(zk, 'connected');

  assert.equal((await post(announced, '/pause')).body.members[0]?.state, 'paused');
  const held = zk.create('/b');
  assert.equal((await post(announced, '/resume')).status, 200);
  await held;
  await post(announced, '/partition', { groups: [[0], ['clients']] });
  const crossing = zk.create('/c');
  assert.equal((await post(announced, '/heal')).status, 200);
  await crossing;
  const disconnected = reach(zk, 'disconnected');
  await post(announced, '/disconnect-clients');
  await disconnected;
  await reach(zk, 'connected');
  await zk.create('/a/child');
  await zk.delete('/a/child');
  await post(announced, '/advance-time', { ms: 120_000 });
  assert.equal(await zk.exists('/a'), null);

  const { body } = await post(announced, '/heal');
  const id = `0x${zk.sessionId.toString(16)}`;
  assert.deepEqual(body.sessions, [{ id, timeoutMs: 30_000, member: 0 }]);
  assert.deepEqual((await post(announced, '/expire-session', { session: id })).body.sessions, []);
  await reach(zk, 'expired');
  const again = await connect(announced.connectString, options);
  const decimal = again.sessionId.toString();
  assert.equal((await post(announced, '/expire-session', { session: decimal })).status, 200);
  await reach(again, 'expired');

  const ended = once(child, 'exit');
  assert.equal((await post(announced, '/stop')).status, 200);
  assert.deepEqual(await ended, [0, null]);
});

test('what cannot be is answered with the reason', async (t) => {
  const { announced } = await start(t);
  const cases: [string, unknown, number, RegExp][] = [
    ['/bogus', {}, 404, /Cannot find \/bogus: there are GET \/status, and POST/],
    ['/__proto__', {}, 404, /Cannot find/],
    ['/status', {}, 405, /Cannot POST \/status: it is for GET/],
    ['/kill', '{', 400, /Cannot read the body as JSON/],
    ['/kill', '[]', 400, /it must be a JSON object/],
    ['/kill', { members: 0 }, 400, /has a field members; known are: member/],
    [
      '/kill',
      { member: '0' },
      400,
      /Cannot use member: current value is "0"; it must be the index/,
    ],
    [
      '/kill',
      { member: 7 },
      409,
      /Cannot kill a member: current value is 7; there are members 0 to/,
    ],
    ['/resume', { member: 0, force: true }, 400, /has a field force/],
    ['/advance-time', {}, 400, /Cannot use ms: current value is missing/],
    ['/advance-time', { ms: -1 }, 409, /Cannot advance time: current value is -1/],
    ['/partition', { groups: [0] }, 400, /Cannot use groups: current value is \[0\]/],
    ['/partition', { groups: [[5]] }, 409, /Cannot partition: current value is 5/],
    ['/expire-session', { session: 72_057_594_037_927_936 }, 400, /the session id as text/],
    ['/expire-session', { session: '0x77' }, 409, /Cannot expire session 0x77: .*not know it/],
    ['/kill', `"${'x'.repeat(70_000)}"`, 413, /more than 65536 bytes/],
  ];
  for (const [path, body, status, message] of cases) {
    const answer = await post(announced, path, body);
    assert.equal(answer.status, status, path);
    assert.match(answer.body.error ?? '', message);
  }
  assert.equal((await fetch(`${announced.controlUrl}/kill`)).status, 405);
  for (const headers of [{ Origin: 'http://example.org' }, { Host: 'example.org' }]) {
    const asked = request(`${announced.controlUrl}/status`, { headers });
    asked.end();
    const [response] = (await once(asked, 'response')) as [Readable & { statusCode: number }];
    response.resume();
    assert.equal(response.statusCode, 403);
  }
  assert.equal((await fetch(`${announced.controlUrl}/status`)).status, 200);
});

test('an ensemble over HTTP', async (t) => {
  const { announced } = await start(t, ['--members', '3']);
  const zk = await connect(announced.connectString, { retryDelayMs: 1, reconnectJitterMs: 0 });
  t.after(() => zk.close());
  await zk.create('/a', 'x');
  const { members } = (await post(announced, '/ready')).body;
  const leader = members.find(({ role }) => role === 'leader');
  await post(announced, '/kill', { member: leader?.index });
  const after = (await post(announced, '/ready')).body.members;
  assert.deepEqual(after.map(({ role }) => role ?? '').sort(), ['', 'follower', 'leader']);
  await post(announced, '/restart', { member: leader?.index });
  const again = (await post(announced, '/ready')).body.members;
  assert.equal(again[leader?.index ?? -1]?.role, 'follower');
  await zk.connected();
  assert.notEqual(await zk.exists('/a'), null);
});

test('it ends when its standard input ends', async (t) => {
  const { child } = await start(t);
  const ended = once(child, 'exit');
  child.stdin?.end();
  assert.deepEqual(await ended, [0, null]);
});

for (const [how, command] of [
  ['its parent', [process.execPath, launcher]],
  ['whoever started npx', ['npx', 'meerkat']],
] as const) {
  test(`it ends with ${how}, whatever its standard input is`, async (t) => {
    await endsWithParent(t, command);
  });
}

async function endsWithParent(t: TestContext, command: readonly string[]): Promise<void> {
  const [file, ...args] = [...command, 'test-server'].map((word) => JSON.stringify(word));
  const start = `require('node:child_process').spawn(${file}, [${args.join(', ')}],
    { stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' })`;
  const parent = spawn(process.execPath, ['-e', start], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const output = parent.stdout;
  const { pid } = await firstLine(output);
  assert.notEqual(pid, parent.pid);
  const ended = once(output, 'close');
  parent.kill('SIGKILL');
  // Its output ends with the last process that has it.
  await ended;
}

test('it ends with the process that --parent names', async (t) => {
  const other = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
  t.after(() => other.kill('SIGKILL'));
  const { child } = await start(t, ['--parent', String(other.pid)]);
  const ended = once(child, 'exit');
  other.kill('SIGKILL');
  assert.deepEqual(await ended, [0, null]);
});

test('what it cannot be started with', async () => {
  const cases: [readonly string[], RegExp][] = [
    [['--members', '10'], /Cannot start with option members: current value is 10/],
    [['--members', 'x'], /It must be a whole number/],
    [['--session-timeout', '5'], /It must be two numbers of ms/],
    [['--clock', 'fast'], /Allowed choices are real, manual/],
  ];
  for (const [args, message] of cases) {
    const child = spawn(process.execPath, [launcher, 'test-server', ...args]);
    let said = '';
    child.stderr.on('data', (text) => {
      said += String(text);
    });
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1);
    assert.match(said, message);
  }
});
