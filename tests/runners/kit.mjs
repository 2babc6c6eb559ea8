import { Mutex } from '@meerkat/client/recipes';
import { TestEnsemble } from '@meerkat/testing';

/**
 * What a test of an application does with the test kit, for any runner that has `test` and `expect`.
 *
 * @param {{ test: (name: string, run: () => Promise<void>) => void, expect: (value: unknown) => any }} runner
 */
export function kitTests({ test, expect }) {
  test('a lock is lost when its session expires, and somebody else gets it', async () => {
    const ensemble = await TestEnsemble.start();
    try {
      const [first, second] = [await ensemble.client(), await ensemble.client()];
      const held = await new Mutex(first, '/locks/one').acquire();
      const waiting = new Mutex(second, '/locks/one').acquire();
      await ensemble.expireSession(first);
      const next = await waiting;
      expect(next.token > held.token).toBe(true);
      await ensemble.advanceTime(60_000);
      expect(held.isHeld).toBe(false);
      expect(next.isHeld).toBe(true);
    } finally {
      await ensemble.close();
    }
  });

  test('three members survive the end of one', async () => {
    const ensemble = await TestEnsemble.start({ members: 3 });
    try {
      const zk = await ensemble.client();
      await zk.create('/kept', 'value');
      await ensemble.kill(1);
      const late = await ensemble.client();
      await late.sync('/kept');
      const { data } = await late.getData('/kept');
      expect(Buffer.from(data ?? []).toString()).toBe('value');
    } finally {
      await ensemble.close();
    }
  });
}
