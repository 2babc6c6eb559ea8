import assert from 'node:assert/strict';
import test from 'node:test';
import { NodeClock } from './node-clock.ts';
import { NodeRandom } from './node-random.ts';

test('a timer fires once with its token; a cancelled one does not', async () => {
  const fired: number[] = [];
  await new Promise<void>((resolve) => {
    const clock = new NodeClock();
    const listener = {
      onTimer(token: number): void {
        fired.push(token);
        if (token === 3) resolve();
      },
    };
    const cancelled = clock.startTimer(1, listener, 1);
    clock.startTimer(2, listener, 2);
    clock.startTimer(3, listener, 3);
    clock.cancelTimer(cancelled);
    clock.cancelTimer(cancelled);
    clock.cancelTimer(99);
  });
  assert.deepEqual(fired, [2, 3]);
});

test('NodeClock.monotonicMs() never goes back; wallMs() is whole', () => {
  const clock = new NodeClock();
  const first = clock.monotonicMs();
  assert.ok(clock.monotonicMs() >= first);
  assert.ok(Number.isInteger(clock.wallMs()));
});

test('NodeRandom.below() stays below its bound', () => {
  const random = new NodeRandom();
  for (let i = 0; i < 1000; i++) {
    const n = random.below(7);
    assert.ok(Number.isInteger(n) && n >= 0 && n < 7);
  }
});
