import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outcome } from '../testing/fake-client.ts';
import { orAborted } from './waiting.ts';

test('what fails after the signal has aborted disturbs nobody', async (t) => {
  const unhandled = t.mock.fn();
  process.on('unhandledRejection', unhandled);
  const failing = Promise.reject(new RangeError('too late'));
  const signal = AbortSignal.abort(new TypeError('given up'));
  assert.equal(await outcome(orAborted(failing, signal)), 'TypeError');
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', unhandled);
  assert.equal(unhandled.mock.callCount(), 0);
});
