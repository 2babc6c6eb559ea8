import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpCode } from '@meerkat/protocol';
import { outcome } from '../testing/fake-client.ts';
import { ModelServer } from '../testing/model-server.ts';
import { ZooKeeper } from '../zookeeper.ts';
import { ConfigCenter } from './config-center.ts';
import type { FallbackStore } from './config-fallback.ts';
import type { StandardResult, StandardSchema } from './standard-schema.ts';

/** A validator as libraries offer it; it answers later when asked to. */
function schemaOf<T>(what: string, isGood: (value: unknown) => boolean): StandardSchema<T> {
  const validate = (value: unknown): StandardResult<T> =>
    isGood(value)
      ? { value: value as T }
      : { issues: [{ message: `not ${what}`, path: ['a', { key: 1 }] }] };
  const isSlow = what === 'a text';
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => (isSlow ? Promise.resolve(validate(value)) : validate(value)),
    },
  };
}

const keys = {
  limit: { schema: schemaOf<number>('a number', (value) => typeof value === 'number'), default: 1 },
  greeting: { schema: schemaOf<string>('a text', (value) => typeof value === 'string') },
};

/** A fallback in memory. */
function store(text?: string): FallbackStore & { text: string | undefined; isBroken: boolean } {
  const kept = {
    text,
    isBroken: false,
    read: async () => (kept.text === undefined ? null : new TextEncoder().encode(kept.text)),
    write: async (bytes: Uint8Array) => {
      if (kept.isBroken) throw new Error('no space');
      kept.text = new TextDecoder().decode(bytes);
    },
  };
  return kept;
}

test('values are typed, follow the service, and are told in order', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  await other.create('/config');
  await other.create('/config/greeting', '"hello"');
  const config = await ConfigCenter.start(zk, '/config', { keys });
  const limit: number = config.values.limit;
  assert.equal(limit, 1);
  assert.deepEqual(config.current.versions, { limit: null, greeting: 0 });
  const told: string[] = [];
  const greetings: string[] = [];
  const stop = config.onChange(({ values }) => told.push(`${values.greeting}${values.limit}`));
  const following = (async () => {
    for await (const greeting of config.changesOf('greeting')) greetings.push(greeting);
  })();
  const written = await config.set({ limit: 2, greeting: 'hi' }, { comment: 'both' });
  assert.deepEqual(written, { limit: 0, greeting: 1 });
  await server.pass(0);
  assert.deepEqual(config.current.values, { limit: 2, greeting: 'hi' });
  assert.equal(config.isInStep, true);
  const before = config.values;
  await server.disconnect(zk);
  assert.equal(config.isInStep, false);
  await other.setData('/config/limit', '3');
  await server.pass(3000);
  assert.equal(config.values.limit, 3);
  assert.equal(before.limit, 2);
  stop();
  await server.remove('/config/limit/0000000000');
  await server.remove('/config/limit');
  await server.pass(0);
  assert.equal(config.values.limit, 1);
  await config.close();
  await following;
  assert.deepEqual(told, ['hi2', 'hi3']);
  assert.deepEqual(greetings, ['hello', 'hi']);
});

test('what a schema refuses is never used, and never stored', async () => {
  const server = new ModelServer();
  const [zk, other] = [await server.client(), await server.client()];
  await other.create('/c');
  assert.equal(await outcome(ConfigCenter.start(zk, '/c', { keys })), 'DataInconsistencyError');
  await other.create('/c/greeting', '"hello"');
  await other.create('/c/limit', '7');
  const config = await ConfigCenter.start(zk, '/c', { keys });
  await assert.rejects(config.set({ limit: 'x' as unknown as number }), /a\.1: not a number/);
  await assert.rejects(
    config.set({ other: 1 } as unknown as { limit: 1 }),
    /the keys limit, greeting/,
  );
  for (const wrong of ['"x"', 'x', '']) {
    await other.setData('/c/limit', wrong);
    await server.pass(0);
    assert.equal(config.values.limit, 7);
    assert.deepEqual([...config.current.problems.keys()], ['limit']);
    assert.equal(config.current.versions.limit, 0);
  }
  await server.remove('/c/greeting');
  await server.pass(0);
  assert.equal(config.values.greeting, 'hello');
  assert.match(config.current.problems.get('greeting')?.message ?? '', /there is none/);
  await config.set({ limit: 8, greeting: 'again' });
  await server.pass(0);
  assert.deepEqual(config.current.values, { limit: 8, greeting: 'again' });
  assert.equal(config.current.problems.size, 0);
  await config.close();
});

test('versions are kept, bounded, and can be rolled back to', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const config = await ConfigCenter.start(zk, '/deep/c', {
    keys: { limit: keys.limit },
    historyMax: 3,
  });
  assert.deepEqual(await config.history('limit'), []);
  await config.set({ limit: 10 });
  await config.set({ limit: 11 }, { comment: 'more' });
  await zk.setData('/deep/c/limit', '12');
  await config.set({ limit: 13 }, { versions: { limit: 2 } });
  assert.deepEqual(server.children('/deep/c/limit'), ['0000000001', '0000000002', '0000000003']);
  const kept = await config.history('limit');
  const shown = kept.map(({ version, stored, comment }) => [version, stored, comment]);
  assert.deepEqual(shown, [
    [3, 13, null],
    [2, 12, null],
    [1, 11, 'more'],
  ]);
  const stale = config.set({ limit: 14 }, { versions: { limit: 2 } });
  assert.equal(await outcome(stale), 'BadVersionError');
  assert.equal(
    await outcome(config.set({ limit: 14 }, { versions: { limit: null } })),
    'BadVersionError',
  );
  assert.equal(await config.rollBack('limit', 1), 4);
  await server.pass(0);
  assert.equal(config.values.limit, 11);
  assert.equal((await config.history('limit'))[0]?.comment, 'rolled back to version 1');
  await assert.rejects(config.rollBack('limit', 1), /the kept versions 4, 3, 2/);
  await config.close();
});

for (const loss of ['request', 'reply'] as const) {
  test(`a write is made once, though its ${loss} was lost`, async () => {
    const server = new ModelServer();
    const zk = await server.client();
    const config = await ConfigCenter.start(zk, '/c', { keys: { limit: keys.limit } });
    await config.set({ limit: 1 });
    server.loseNext(OpCode.multi, loss);
    const setting = config.set({ limit: 2 });
    await server.pass(3000);
    assert.deepEqual(await setting, { limit: 1 });
    assert.equal((await config.history('limit')).length, 2);
    await config.close();
  });
}

test('writers at the same time all get their version', async () => {
  const server = new ModelServer();
  const clients = await Promise.all([1, 2, 3].map(() => server.client()));
  const configs = await Promise.all(
    clients.map((zk) => ConfigCenter.start(zk, '/c', { keys: { limit: keys.limit } })),
  );
  const writing = configs.flatMap((config) => [1, 2].map((limit) => config.set({ limit })));
  const versions = (await Promise.all(writing)).map(({ limit }) => `${limit}`);
  assert.equal(versions.sort().join(), '0,1,2,3,4,5');
  await Promise.all(configs.map((config) => config.close()));
});

test('without the service the last good values are used, until it is there', async () => {
  const server = new ModelServer();
  const first = await server.client();
  const fallback = store();
  await first.create('/c');
  await first.create('/c/greeting', '"hello"');
  const before = await ConfigCenter.start(first, '/c', { keys, fallback });
  await before.set({ limit: 5 });
  await server.pass(0);
  await first.setData('/c/limit', '"spoiled"');
  await server.pass(0);
  await before.close();
  assert.match(fallback.text ?? '', /"limit":\{"version":0,"value":5\}/);

  server.isDown = true;
  const zk = new ZooKeeper('one:1', { sessionTimeoutMs: 9000 }, server.ports());
  const starting = ConfigCenter.start(zk, '/c', { keys, fallback, fallbackAfterMs: 1000 });
  await server.pass(1000);
  const config = await starting;
  assert.equal(config.current.source, 'file');
  assert.deepEqual(config.values, { limit: 5, greeting: 'hello' });
  server.isDown = false;
  await first.setData('/c/limit', '6').catch(() => {});
  await server.pass(5000);
  assert.equal(config.current.source, 'service');
  await first.setData('/c/limit', '6');
  await server.pass(0);
  assert.equal(config.values.limit, 6);
  await config.close();
  assert.match(fallback.text ?? '', /"value":6/);
  await zk.close();
});

test('a fallback that cannot be used is left aside, and said', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  await zk.create('/c');
  await zk.create('/c/greeting', '"hello"');
  for (const text of ['no JSON', '{"path":"/other","values":{"greeting":{"value":"x"}}}', '{}']) {
    const fallback = store(text);
    fallback.isBroken = true;
    const config = await ConfigCenter.start(zk, '/c', { keys, fallback });
    assert.equal(config.values.greeting, 'hello');
    await config.close();
    assert.match(config.fallbackProblem?.message ?? '', /no space/);
  }
  server.isDown = true;
  const away = new ZooKeeper('one:1', { sessionTimeoutMs: 9000 }, server.ports());
  const spoiled = '{"path":"/c","values":{"greeting":{"value":7,"version":1},"x":{"value":1}}}';
  const starting = outcome(
    ConfigCenter.start(away, '/c', { keys, fallback: store(spoiled), timeoutMs: 5000 }),
  );
  await server.pass(5000);
  assert.equal(await starting, 'WaitTimeoutError');
  await away.close();
});

test('the end of the session is the end of following, and the values stay', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const config = await ConfigCenter.start(zk, '/c', { keys: { limit: keys.limit } });
  const following = outcome(
    (async () => {
      for await (const _ of config.changes());
    })(),
  );
  await server.expire(zk);
  await server.pass(3000);
  assert.equal(await following, 'SessionExpiredError');
  assert.equal(config.failed.aborted, true);
  assert.equal(config.values.limit, 1);
  await config.close();
});
