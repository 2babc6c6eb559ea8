import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { emptyDraft } from './configuration/draft.ts';
import { silentLog } from './logging/log.ts';
import { type RunningServer, startServer } from './start-server.ts';
import { temporaryDirectory } from './testing/temporary-directory.ts';

function configIn(directory: string) {
  const { server } = emptyDraft();
  server.listener.host = '127.0.0.1';
  server.words.whitelist = '*';
  server.replica.dataDir = join(directory, 'data');
  server.replica.dataLogDir = join(directory, 'log');
  server.replica.txnLog.preAllocSizeKb = 64;
  return server;
}

async function start(t: TestContext, directory: string): Promise<RunningServer> {
  const server = await startServer(configIn(directory), silentLog);
  t.after(() => server.stop());
  return server;
}

/** All that comes back for some bytes until the server closes. */
async function answerTo(port: number, bytes: Uint8Array): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1' });
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  socket.on('error', () => {});
  socket.write(bytes);
  await once(socket, 'close');
  return Buffer.concat(pieces);
}

function frame(payload: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(payload.length);
  return Buffer.concat([length, payload]);
}

/** A handshake for a new session, then closeSession. */
function shortVisit(): Buffer {
  const handshake = Buffer.alloc(4 + 8 + 4 + 8 + 4 + 16 + 1);
  handshake.writeInt32BE(10_000, 12);
  handshake.writeInt32BE(16, 24);
  const close = Buffer.alloc(8);
  close.writeInt32BE(1, 0);
  close.writeInt32BE(-11, 4);
  return Buffer.concat([frame(handshake), frame(close)]);
}

test('a server serves words and sessions, stops, and starts again with its data', async (t) => {
  const directory = temporaryDirectory(t);
  const first = await start(t, directory);
  assert.equal(String(await answerTo(first.port, Buffer.from('ruok'))), 'imok');
  const answer = await answerTo(first.port, shortVisit());
  assert.equal(answer.readInt32BE(0), 37, 'a handshake answer with the read-only field');
  assert.equal(answer.readInt32BE(8), 10_000, 'the timeout that was asked for');
  assert.match(
    String(await answerTo(first.port, Buffer.from('srvr'))),
    /Zxid: 0x2\nMode: standalone/,
  );
  await assert.rejects(startServer(configIn(directory), silentLog), {
    name: 'DirectoryLockedError',
  });
  await first.stop();
  await first.stop();

  const second = await start(t, directory);
  assert.match(String(await answerTo(second.port, Buffer.from('srvr'))), /Zxid: 0x2\n/);
});

test('a port that is taken gives the directories back', async (t) => {
  const directory = temporaryDirectory(t);
  const { port } = await start(t, join(directory, 'a'));
  const config = configIn(join(directory, 'b'));
  config.listener.port = port;
  await assert.rejects(startServer(config, silentLog), { code: 'EADDRINUSE' });
  await start(t, join(directory, 'b'));
});

test('garbage closes its connection, the server stays', async (t) => {
  const { port } = await start(t, temporaryDirectory(t));
  for (const garbage of [
    'GET / HTTP/1.1\r\n\r\n',
    '\xff\xff\xff\xff',
    '\x00\x00\x00\x01z',
    '\x7f\xff\xff\xff',
  ]) {
    assert.equal((await answerTo(port, Buffer.from(garbage, 'latin1'))).length, 0, garbage);
  }
  assert.equal(String(await answerTo(port, Buffer.from('isro'))), 'rw');
});

test('an unknown hash is refused by name', async (t) => {
  const config = configIn(temporaryDirectory(t));
  config.replica.digestAuth.algorithm = 'SHA-9';
  await assert.rejects(startServer(config, silentLog), {
    name: 'ConfigurationError',
    message: /is SHA-9/,
  });
});

/** Runs `meerkat server` as a process. */
function run(args: readonly string[]): {
  output: () => string;
  until: (text: string) => Promise<void>;
  end: (signal: NodeJS.Signals) => void;
  exit: Promise<number | null>;
} {
  const entry = new URL('./run-server.js', import.meta.url).href;
  const program = `const { runServer } = await import(${JSON.stringify(entry)}); process.exit(await runServer(process.argv.slice(1)));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', ...args]);
  let output = '';
  let wake = (): void => {};
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      output += String(text);
      wake();
    });
  }
  const exit = once(child, 'close').then(([code]) => {
    wake();
    return code as number | null;
  });
  return {
    output: () => output,
    async until(text) {
      while (!output.includes(text)) {
        assert.equal(child.exitCode, null, output);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    end: (signal) => child.kill(signal),
    exit,
  };
}

test('the process says where it listens and ends with 0 on SIGTERM and SIGINT', async (t) => {
  const directory = temporaryDirectory(t);
  const config = join(directory, 'zoo.cfg');
  writeFileSync(config, `clientPort=0\nclientPortAddress=127.0.0.1\ndataDir=${directory}/data\n`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const server = run([config]);
    await server.until('Next: npx meerkat shell -server 127.0.0.1:');
    server.end(signal);
    assert.equal(await server.exit, 0, server.output());
    assert.match(server.output(), /"msg":"stopped"/);
    assert.equal(existsSync(join(directory, 'data', 'meerkat.lock')), false);
  }
});

test('the process ends with 2 for its configuration, 3 for its data, 1 for its port', async (t) => {
  const directory = temporaryDirectory(t);
  const withoutPort = join(directory, 'zoo.cfg');
  writeFileSync(withoutPort, `dataDir=${directory}/data\n`);
  const outcomes = await Promise.all(
    [[], ['/nowhere.cfg'], [withoutPort], ['0', '/proc/none/data']].map(async (args) => {
      const server = run(args);
      const code = await server.exit;
      return [code, server.output()] as const;
    }),
  );
  assert.deepEqual(
    outcomes.map(([code]) => code),
    [2, 2, 2, 3],
  );
  assert.match(outcomes[2]?.[1] ?? '', /zoo\.cfg: Cannot start without clientPort/);
  const { port } = await start(t, directory);
  const taken = run([String(port), join(directory, 'other')]);
  assert.equal(await taken.exit, 1);
  assert.match(taken.output(), /Cannot listen on port \d+: another program does/);
  const aFile = run(['0', join(withoutPort, 'data')]);
  assert.equal(await aFile.exit, 3);
  assert.match(aFile.output(), /Cannot make the directory .*data: the system says ENOTDIR; a file/);
  const locked = run(['0', join(directory, 'data')]);
  assert.equal(await locked.exit, 3);
  assert.match(locked.output(), /the server with process id \d+ uses it/);
});
