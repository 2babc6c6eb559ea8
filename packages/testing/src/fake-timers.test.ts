import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestEnsemble } from './index.ts';

/** Puts a fake in the place of a function, as Jest and Vitest do. Returns what takes it back. */
function fake(object: object, name: string, instead: () => unknown): () => void {
  const real: unknown = Reflect.get(object, name);
  Reflect.set(object, name, instead);
  return () => void Reflect.set(object, name, real);
}

test('fake timers of a test runner do not stop an ensemble', async () => {
  const never = (): never => assert.fail('a fake was called');
  const ensemble = await TestEnsemble.start();
  const undo = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'].map((name) =>
    fake(globalThis, name, never),
  );
  undo.push(fake(process, 'nextTick', never));
  undo.push(fake(performance, 'now', () => 0));
  undo.push(fake(Date, 'now', () => 0));
  try {
    const zk = await ensemble.client();
    await zk.create('/a', '', { mode: 'ephemeral' });
    await ensemble.advanceTime(60_000);
    await ensemble.kill();
    await ensemble.restart();
    await zk.connected();
    await ensemble.expireSession(zk);
    assert.equal(zk.state.status, 'expired');
  } finally {
    for (const takeBack of undo) takeBack();
    await ensemble.close();
  }
});
