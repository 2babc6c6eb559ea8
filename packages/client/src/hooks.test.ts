import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, EventType } from '@meerkat/protocol';
import { NoNodeError } from './errors.ts';
import type { ClientHooks } from './hooks.ts';
import { openTelemetryHooks } from './opentelemetry.ts';
import { connectedClient, fakeClient, outcome } from './testing/fake-client.ts';
import { turn } from './testing/fake-ports.ts';

/** Hooks that write down what they hear. */
function recording(): { hooks: ClientHooks; told: unknown[] } {
  const told: unknown[] = [];
  const hooks: ClientHooks = {
    onCall({ operation, path }) {
      told.push(`${operation} ${path}`);
      return ({ durationMs, error, wasSent }) =>
        told.push([operation, durationMs, error === null ? 'ok' : (error as Error).name, wasSent]);
    },
    onDial: ({ server, durationMs, error }) =>
      told.push(['dial', server, durationMs, error === null ? 'ok' : error.message]),
    onState: ({ status }) => told.push(status),
    onWatchEvent: ({ type, path, watchers }) => told.push([type, path, watchers]),
  };
  return { hooks, told };
}

test('hooks hear of dials, states, calls and watch events, each once', async () => {
  const { hooks, told } = recording();
  const { zk, ports } = fakeClient({ hooks, reconnectJitterMs: 0 }, 'one:1/app');
  await ports.pass(5);
  await ports.pass(20);
  const { stream } = ports;
  await stream.welcome();
  assert.deepEqual(told.splice(0), [['dial', 'one:1', 25, 'ok'], 'connected']);
  const call = zk.getData('/a', { watch: () => {} });
  assert.deepEqual(told.splice(0), ['getData /a'], 'in the turn of the caller');
  await ports.pass(30);
  stream.reply(stream.next().xid, ErrorCode.noNode);
  await assert.rejects(call, NoNodeError);
  assert.deepEqual(told.splice(0), [['getData', 30, 'NoNodeError', true]]);
  stream.notify(EventType.nodeCreated, '/app/b');
  assert.deepEqual(told.splice(0), [['nodeCreated', '/b', 0]]);
  const ping = zk.ping();
  await turn();
  stream.reply(-2);
  await ping;
  assert.deepEqual(told.splice(0), ['ping ', ['ping', 0, 'ok', true]]);
  const lost = outcome(zk.exists('/c'));
  await turn();
  await stream.fail(new Error('reset'));
  assert.equal(await lost, 'ConnectionLossError');
  const end = ['exists', 0, 'ConnectionLossError', true];
  assert.deepEqual(told.splice(0), ['exists /c', 'disconnected', end]);
  await ports.pass(0);
  await ports.stream.fail(new Error('refused'));
  assert.deepEqual(told.splice(0), [['dial', 'one:1', 0, 'refused']]);
  const given = new AbortController();
  const unsent = outcome(zk.setData('/d', 'x', { signal: given.signal }));
  given.abort(new Error('enough'));
  assert.equal(await unsent, 'Error');
  assert.deepEqual(told.splice(0), ['setData /d', ['setData', 0, 'Error', false]]);
  await zk.close();
  assert.deepEqual(told.splice(0), ['closed']);
});

test('what is refused before it is sent is not told', async () => {
  const { hooks, told } = recording();
  const { zk } = await connectedClient({ hooks });
  told.splice(0);
  assert.equal(await outcome(zk.getData('a/')), 'BadArgumentsError');
  assert.deepEqual(told, []);
});

test('hooks that throw disturb no call, and are heard of', async () => {
  const errors: unknown[] = [];
  const fail = (): never => {
    throw new Error('hook');
  };
  const hooks = { onCall: () => fail, onDial: fail, onState: fail, onWatchEvent: fail };
  const onListenerError = (error: unknown): void => void errors.push(error);
  const { zk, stream } = await connectedClient({ hooks, onListenerError });
  assert.equal(errors.length, 2);
  const calls = [zk.exists('/a'), zk.exists('/b')];
  await turn();
  for (let i = 0; i < 2; i++) stream.reply(stream.next().xid, ErrorCode.noNode);
  assert.deepEqual(await Promise.all(calls), [null, null]);
  stream.notify(EventType.nodeCreated, '/a');
  assert.equal(errors.length, 5);
});

test('hooks that are no functions are refused', () => {
  const hooks = { onCall: 'log' } as unknown as ClientHooks;
  assert.throws(() => fakeClient({ hooks }), { message: /^Cannot use option hooks\.onCall: / });
});

test('openTelemetryHooks() makes a span per call and counts the rest', async () => {
  const told: unknown[] = [];
  const tell =
    (what: string) =>
    (...args: unknown[]): number =>
      told.push([what, ...args]);
  const span = {
    setAttribute: tell('attribute'),
    setStatus: tell('status'),
    recordException: (error: Error): void => void told.push(['exception', error.name]),
    end: (): void => void told.push(['end']),
  };
  const tracer = {
    startSpan(...args: unknown[]) {
      told.push(['span', ...args]);
      return span;
    },
  };
  const meter = {
    createHistogram: (name: string) => ({ record: tell(name) }),
    createCounter: (name: string) => ({ add: tell(name) }),
  };
  const { zk, stream } = await connectedClient({ hooks: openTelemetryHooks({ tracer, meter }) });
  const zookeeper = { 'db.system.name': 'zookeeper' };
  const dial = { ...zookeeper, 'server.address': 'one:1' };
  assert.deepEqual(told.splice(0), [['zookeeper.client.dials', 1, dial]]);
  const calls = [outcome(zk.exists('/a')), outcome(zk.delete('/b'))];
  const exists = { ...zookeeper, 'db.operation.name': 'exists' };
  const remove = { ...zookeeper, 'db.operation.name': 'delete' };
  assert.deepEqual(told.splice(0), [
    ['span', 'exists', { kind: 2, attributes: { ...exists, 'zookeeper.path': '/a' } }],
    ['span', 'delete', { kind: 2, attributes: { ...remove, 'zookeeper.path': '/b' } }],
  ]);
  await turn();
  for (let i = 0; i < 2; i++) stream.reply(stream.next().xid, ErrorCode.noNode);
  await Promise.all(calls);
  const message = 'Cannot delete /b: NONODE, the znode does not exist';
  assert.deepEqual(told.splice(0), [
    ['db.client.operation.duration', 0, exists],
    ['end'],
    ['db.client.operation.duration', 0, { ...remove, 'error.type': 'NoNodeError' }],
    ['attribute', 'error.type', 'NoNodeError'],
    ['attribute', 'zookeeper.request.sent', true],
    ['status', { code: 2, message }],
    ['exception', 'NoNodeError'],
    ['end'],
  ]);
  stream.notify(EventType.nodeCreated, '/a');
  const event = { ...zookeeper, 'zookeeper.event.type': 'nodeCreated' };
  assert.deepEqual(told.splice(0), [['zookeeper.client.watch_events', 1, event]]);
});
