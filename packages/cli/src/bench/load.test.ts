import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JuteWriter, OpCode } from '@meerkat/protocol';
import { ScriptedServer } from '../testing/scripted-server.ts';
import { type BenchOptions, parseMix } from './bench-options.ts';
import { type LoadResult, runLoad } from './load.ts';

/** Runs a load until the server has seen `requests` of it. */
async function load(
  server: ScriptedServer,
  mix: string,
  requests: number,
  changes: Partial<BenchOptions> = {},
): Promise<LoadResult> {
  const stop = new AbortController();
  const watch = setInterval(() => {
    if (server.requests >= requests) stop.abort();
  }, 1);
  try {
    return await runLoad(
      {
        hosts: [{ host: '127.0.0.1', port: server.port }],
        mix: parseMix(mix),
        connections: 3,
        depth: 4,
        payloadBytes: 10,
        keys: 20,
        durationMs: 60_000,
        warmUpMs: 0,
        root: '/bench/deep',
        multiOperations: 2,
        sessionTimeoutMs: 30_000,
        keep: false,
        ...changes,
      },
      { signal: stop.signal },
    );
  } finally {
    clearInterval(watch);
    await server.stop();
  }
}

test('prepares, measures, and removes what it made', async () => {
  const counts = new Map<number, number>();
  const server = await ScriptedServer.start(({ type }) => {
    counts.set(type, (counts.get(type) ?? 0) + 1);
    return { err: 0 };
  });
  const result = await load(server, 'get', 500);
  assert.ok(result.operations >= 100, `${result.operations} operations`);
  assert.equal(result.errorCount, 0);
  assert.equal(result.connectionsLost, 0);
  assert.equal(server.sessions, 3);
  assert.equal(counts.get(OpCode.create), 22);
  assert.equal(counts.get(OpCode.delete), 21);
  assert.equal(counts.get(OpCode.closeSession), 3);
  const { percentiles, max } = result.latencyUs;
  assert.ok((percentiles['50'] as number) <= (percentiles['99.99'] as number));
  assert.ok((percentiles['99.99'] as number) <= max);
});

test('replies may come in pieces of any size', async () => {
  const record = (writer: JuteWriter) => writer.writeBuffer(new Uint8Array(300));
  const server = await ScriptedServer.start(() => ({ err: 0, record }));
  server.pieceBytes = 3;
  const result = await load(server, 'get', 200);
  assert.ok(result.operations > 0);
  assert.equal(result.connectionsLost, 0);
});

test('errors are counted by name, those of transactions too', async () => {
  const failed = (writer: JuteWriter) => {
    for (const code of [0, -101, -2]) {
      writer.writeInt(-1);
      writer.writeBoolean(false);
      writer.writeInt(code);
      writer.writeInt(code);
    }
  };
  const server = await ScriptedServer.start(({ type }) => {
    if (type === OpCode.multi) return { err: 0, record: failed };
    return { err: type === OpCode.setData ? -103 : 0 };
  });
  const result = await load(server, 'multi,set', 500);
  assert.deepEqual(Object.keys(result.errors).sort(), ['BADVERSION', 'NONODE']);
  assert.equal(result.errorCount, result.operations);
});

test('a connection that the server ends is counted and replaced', async () => {
  const server = await ScriptedServer.start(({ number }) => (number === 50 ? 'close' : { err: 0 }));
  const result = await load(server, 'get', 300);
  assert.equal(result.connectionsLost, 1);
  assert.ok(result.requestsLost <= 4);
  assert.match(result.lastLoss, /closed the connection/);
});

test('a server that is not there, and one that refuses the session', async () => {
  const gone = await ScriptedServer.start();
  const hosts = [{ host: '127.0.0.1', port: gone.port }];
  await gone.stop();
  await assert.rejects(
    load(await ScriptedServer.start(), 'get', 1, { hosts }),
    /Cannot talk to 127\.0\.0\.1:\d+: .*ECONNREFUSED/,
  );
  const refusing = await ScriptedServer.start();
  refusing.sessionTimeoutMs = 0;
  await assert.rejects(load(refusing, 'get', 1), /refused the session/);
});

test('znodes that cannot be made end the run', async () => {
  const server = await ScriptedServer.start(() => ({ err: -102 }));
  await assert.rejects(load(server, 'get', 1), /Cannot prepare znodes under \/bench\/deep.*NOAUTH/);
});
