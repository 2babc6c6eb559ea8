import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytes, type Codec, CodecError, json, utf8, ValidationError } from './codecs.ts';
import { BadVersionError, NoNodeError } from './errors.ts';
import type { StandardSchema } from './standard-schema.ts';
import { connectedClient } from './testing/fake-client.ts';
import { turn } from './testing/fake-ports.ts';
import { ModelServer } from './testing/model-server.ts';

interface PortInput {
  readonly port: number;
  readonly host?: string;
}

/** A validator as zod makes them: it fills in a default, and answers later. */
const portSchema: StandardSchema<PortInput, Required<PortInput>> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { port, host = 'localhost' } = value as { port?: unknown; host?: string };
      if (typeof port === 'number') return Promise.resolve({ value: { port, host } });
      const issue = { message: 'expected a number', path: [{ key: 'port' }] };
      return Promise.resolve({ issues: [issue] });
    },
  },
};

async function roundTrip<Value, Input>(codec: Codec<Value, Input>, value: Input): Promise<Value> {
  const stored = await codec.encode(value);
  return codec.decode(typeof stored === 'string' ? Buffer.from(stored) : stored);
}

/** A promise's outcome, with the time it takes. */
async function within<T>(server: ModelServer, promise: Promise<T>): Promise<T> {
  // A refusal is for the caller to hear, once the time has passed.
  promise.catch(() => {});
  await server.pass(0);
  return promise;
}

test('json() and utf8() bring back what they were given', () =>
  fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.string({ unit: 'grapheme' }), async (value, text) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown;
      assert.deepEqual(await roundTrip(json(), value), plain);
      assert.equal(await roundTrip(utf8(), text), text);
    }),
  ));

test('bytes() changes nothing, null included', async () => {
  const data = Uint8Array.of(0, 255);
  assert.equal(await roundTrip(bytes(), data), data);
  assert.equal(await roundTrip(bytes(), null), null);
});

test('typed znodes are created, read, written and found as values', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const ports = zk.typed(json(portSchema));
  assert.equal(await within(server, ports.create('/p', { port: 80 })), '/p');
  const { value, stat } = await within(server, ports.getData('/p'));
  assert.deepEqual(value, { port: 80, host: 'localhost' });
  await within(server, ports.setData('/p', { port: 81, host: 'h' }, { version: stat.version }));
  assert.deepEqual((await within(server, ports.find('/p')))?.value, { port: 81, host: 'h' });
  assert.equal(await within(server, ports.find('/nothing')), null);
  await assert.rejects(within(server, ports.getData('/nothing')), NoNodeError);
  const stale = ports.setData('/p', { port: 82 }, { version: stat.version });
  await assert.rejects(within(server, stale), BadVersionError);
  await within(
    server,
    zk.multi([{ op: 'setData', path: '/p', data: await ports.encode('/p', { port: 9 }) }]),
  );
  const { data } = await within(server, zk.getData('/p'));
  assert.deepEqual(await ports.decode('/p', data), { port: 9, host: 'localhost' });
});

test('update() loses no write of others', async () => {
  const server = new ModelServer();
  const clients = [await server.client(), await server.client(), await server.client()];
  const counters = clients.map((zk) => zk.typed(json<number>()));
  await within(server, (counters[0] as (typeof counters)[0]).create('/n', 0));
  const updates = counters.flatMap((counter) =>
    Array.from({ length: 10 }, () => counter.update('/n', (n) => n + 1)),
  );
  const all = Promise.all(updates);
  await server.pass(100);
  const values = (await all).map(({ value }) => value).sort((a, b) => a - b);
  assert.deepEqual(
    values,
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
});

test('a value that does not fit is refused before anything is sent', async () => {
  const { zk, stream } = await connectedClient();
  const wrong: Promise<unknown>[] = [
    zk.typed(json(portSchema)).create('/p', { port: 'x' } as unknown as PortInput),
    zk.typed(json()).setData('/p', undefined),
    zk.typed(json()).setData('/p', 1n),
    zk.typed(utf8()).setData('/p', '\ud800'),
    zk.typed(utf8()).setData('/p', 7 as unknown as string),
  ];
  for (const call of wrong) {
    await assert.rejects(call, (error) => {
      assert.ok(error instanceof CodecError);
      assert.equal(error.path, '/p');
      assert.equal(error.doing, 'encode');
      assert.match(error.message, /^Cannot encode the data of \/p: current value is /);
      return true;
    });
  }
  await turn();
  assert.equal(stream.unseen, 0);
});

test('data that does not fit is an error that has the path, the bytes and the issues', async () => {
  const server = new ModelServer();
  const zk = await server.client();
  const secret = '{"password":"hunter2"';
  for (const [codec, data, issues] of [
    [json(), secret, 0],
    [json(portSchema), `${secret}}`, 1],
    [json(), null, 0],
    [utf8(), Uint8Array.of(0xff), 0],
  ] as const) {
    await within(server, zk.create('/x', data));
    await assert.rejects(within(server, zk.typed<unknown>(codec).getData('/x')), (error) => {
      assert.ok(error instanceof CodecError);
      assert.equal(error.path, '/x');
      assert.equal(error.doing, 'decode');
      assert.equal(error.issues.length, issues);
      if (issues > 0) assert.ok(error.cause instanceof ValidationError);
      assert.ok(!error.message.includes('hunter2'), 'values stay out of messages');
      const expected = typeof data === 'string' ? Buffer.from(data) : data;
      assert.deepEqual(
        error.data === null ? null : Buffer.from(error.data ?? []),
        expected === null ? null : Buffer.from(expected),
      );
      return true;
    });
    await within(server, zk.delete('/x'));
  }
});
