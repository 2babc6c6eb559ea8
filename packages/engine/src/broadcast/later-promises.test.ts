import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LaterPromises } from './later-promises.ts';

test('a claim is believed when it was made three times and the voter looked for a leader in between', () => {
  const promises = new LaterPromises(1000);
  assert.equal(promises.claim(1, 0), false);
  promises.onVoterLooking(1);
  promises.onVoterLooking(1);
  assert.equal(promises.claim(1, 100), false);
  promises.onVoterLooking(1);
  assert.equal(promises.claim(1, 200), true);
});

test('however often it is said without that, it is not', () => {
  const promises = new LaterPromises(1000);
  promises.onVoterLooking(1);
  for (let ms = 0; ms < 100; ms++) {
    assert.equal(promises.claim(1, ms), false);
    promises.onVoterLooking(2);
  }
});

test('a voter that joins, or is silent for long, has claimed nothing', () => {
  const promises = new LaterPromises(1000);
  for (let ms = 0; ms < 10_000; ms += 100) {
    assert.equal(promises.claim(1, ms), false);
    promises.onVoterLooking(1);
    promises.onJoined(1);
  }
  for (let ms = 20_000; ms < 30_000; ms += 1001) {
    assert.equal(promises.claim(1, ms), false);
    promises.onVoterLooking(1);
  }
});
