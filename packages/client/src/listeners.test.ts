import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dispatcher } from './listeners.ts';
import { connectedClient } from './testing/fake-client.ts';
import { turn } from './testing/fake-ports.ts';

test('a listener that throws is heard of, and stops none of the others', async () => {
  const errors: unknown[] = [];
  const told: string[] = [];
  const dispatcher = new Dispatcher((error) => void errors.push((error as Error).message));
  const throws = (value: string): never => {
    throw new Error(`one of ${value}`);
  };
  const hears = (value: string): void => void told.push(value);
  dispatcher.dispatch([throws, hears, throws, hears], 'a');
  dispatcher.dispatch([throws, hears], 'b');
  await turn();
  assert.deepEqual(told, ['a', 'a', 'b']);
  assert.deepEqual(errors, ['one of a', 'one of a', 'one of b']);
});

test('a state listener that throws keeps nobody from the state, nor the client from going on', async () => {
  const errors: unknown[] = [];
  const onListenerError = (error: unknown): void => void errors.push(error);
  const { zk, ports, stream, states } = await connectedClient({
    onListenerError,
    reconnectJitterMs: 0,
  });
  zk.onState(() => {
    throw new Error('of a listener');
  });
  const later: string[] = [];
  zk.onState(({ status }) => void later.push(status));
  await stream.fail();
  await ports.pass(0);
  await ports.stream.welcome();
  assert.deepEqual(later, ['disconnected', 'connected']);
  assert.deepEqual(states, ['connected', 'disconnected', 'connected']);
  assert.equal(errors.length, 2);
});
