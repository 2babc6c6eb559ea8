import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DigestHistory, isNotedInHistory } from './digest-history.ts';

function entries(history: DigestHistory): number[][] {
  const shown: number[][] = [];
  history.visit((zxid, hi, lo) => shown.push([zxid, hi, lo]));
  return shown;
}

test('every 128th zxid is noted, in any epoch', () => {
  const epoch = 7 * 2 ** 32;
  for (const counter of [0, 1, 127, 128, 129, 256, 2 ** 31 + 128, 2 ** 32 - 128]) {
    assert.equal(isNotedInHistory(epoch + counter), counter % 128 === 0, String(counter));
  }
});

test('the newest 1024 entries are kept, oldest first', () => {
  const history = new DigestHistory();
  assert.deepEqual(entries(history), []);
  for (let i = 1; i <= 1030; i++) history.add(i * 128, i, -i);
  assert.equal(history.count, 1024);
  const shown = entries(history);
  assert.deepEqual(shown[0], [7 * 128, 7, -7]);
  assert.deepEqual(shown.at(-1), [1030 * 128, 1030, -1030]);
  history.clear();
  assert.deepEqual(entries(history), []);
});
