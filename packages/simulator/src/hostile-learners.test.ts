import assert from 'node:assert/strict';
import test from 'node:test';
import { HostileEnsemble } from './testing/hostile-ensemble.ts';

test('a follower that came back to an idle leader stays', () => {
  const ensemble = new HostileEnsemble().untilServing(3);
  ensemble.write('a');
  ensemble.write('b');
  const follower = ensemble.members.find(({ role }) => role === 'following');
  assert.ok(follower !== undefined);
  follower.crash('power');
  ensemble.run(1000);
  follower.start();
  ensemble.untilServing(3);
  ensemble.takeLines();
  ensemble.ticks(30);
  assert.deepEqual(ensemble.takeLines(), []);
});
