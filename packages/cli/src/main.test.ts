import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type JuteWriter, OpCode } from '@meerkat/protocol';
import { packageVersion } from './package-version.ts';
import { ScriptedServer } from './testing/scripted-server.ts';

const launcher = fileURLToPath(new URL('../bin/meerkat.js', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command as a process of its own. */
function meerkat(args: readonly string[], input = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [launcher, ...args]);
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

/** A server on which every znode has one child, `a`. */
async function withServer(use: (address: string) => Promise<void>): Promise<void> {
  const record = (writer: JuteWriter): void => {
    writer.writeInt(1);
    writer.writeString('a');
    writer.writeBytes(new Uint8Array(68), 0, 68);
  };
  const server = await ScriptedServer.start(({ type }) => {
    return type === OpCode.getChildren2 ? { err: 0, record } : { err: 0 };
  });
  try {
    await use(`127.0.0.1:${server.port}`);
  } finally {
    await server.stop();
  }
}

test('version, help, and a command that is none', async () => {
  assert.equal((await meerkat(['--version'])).out, `${packageVersion()}\n`);
  const help = await meerkat(['--help']);
  assert.equal(help.code, 0);
  for (const name of ['server', 'shell', 'bench', 'test-server'])
    assert.match(help.out, new RegExp(`\n  ${name} `));
  assert.match((await meerkat(['server', '--help'])).out, /<zoo\.cfg>/);
  assert.match((await meerkat(['shell', '--help'])).out, /-server <host:port/);
  assert.match((await meerkat(['bench', '--help'])).out, /--connections <count>/);
  const unknown = await meerkat(['bogus']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /unknown command 'bogus'/);
});

test('a server that cannot start ends with the code of its reason', async () => {
  const { code, err } = await meerkat(['server', '/no/such/zoo.cfg']);
  assert.equal(code, 2);
  assert.match(err, /Cannot read the configuration/);
  assert.equal((await meerkat(['server', '--log-level', 'error', '/no/such/zoo.cfg'])).code, 2);
});

test('one command of the shell', async () => {
  await withServer(async (address) => {
    const { code, out, err } = await meerkat(['shell', '-server', address, 'ls', '/']);
    assert.deepEqual({ code, err }, { code: 0, err: '' });
    assert.match(
      out,
      /^Connecting to .*\n\nWATCHER::\n\nWatchedEvent state:SyncConnected .*\n\[a\]\n$/,
    );
    const unknown = await meerkat(['shell', '--server', address, 'bogus']);
    assert.equal(unknown.code, 127);
  });
});

test('a script, whose last line need not end', async () => {
  await withServer(async (address) => {
    const { code, out } = await meerkat(['shell', '-server', address], 'ls /\r\n\nbogus\nls /x');
    assert.equal(code, 0);
    assert.equal(out.split('[a]\n').length, 3);
    assert.equal((await meerkat(['shell', '-server', address], 'bogus\nquit\n')).code, 127);
  });
});

test('what the shell cannot be started with', async () => {
  const { code, err } = await meerkat(['shell', '-server', 'host:port', 'ls', '/']);
  assert.equal(code, 1);
  assert.match(err, /Cannot use a connect string: current value is "host:port"/);
  assert.equal((await meerkat(['shell', '-bogus'])).code, 2);
});

test('bench prints JSON', async () => {
  await withServer(async (address) => {
    const args = [
      '--server',
      address,
      '--json',
      '--duration',
      '0.2',
      '--warm-up',
      '0',
      '--keys',
      '5',
    ];
    const { code, out } = await meerkat([
      'bench',
      ...args,
      '--mix',
      'children',
      '--connections',
      '2',
    ]);
    assert.equal(code, 0);
    const result = JSON.parse(out) as { operations: number; mix: string };
    assert.equal(result.mix, 'children');
    assert.ok(result.operations > 0);
  });
  const refused = await meerkat(['bench', '--server', '127.0.0.1:1', '--duration', '0.1']);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /^Cannot talk to 127\.0\.0\.1:1: /);
});
