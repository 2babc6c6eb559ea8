import assert from 'node:assert/strict';
import test from 'node:test';
import { type ConnectionThrottleConfig, defaultReplicaConfig, type Random } from '@meerkat/engine';
import { ConnectionThrottle, type SessionKind } from './connection-throttle.ts';
import { ManualClock } from './testing/manual-clock.ts';

function setUp(changes: Partial<ConnectionThrottleConfig>, random: Random = { below: () => 0 }) {
  const clock = new ManualClock();
  const config = { ...defaultReplicaConfig.connectionThrottle, ...changes };
  const throttle = new ConnectionThrottle(config, clock, random);
  const letIn = (count: number, kind: SessionKind = 'global'): number => {
    return Array.from({ length: count }, () => throttle.letsIn(kind)).filter(Boolean).length;
  };
  return { clock, throttle, letIn };
}

test('without tokens the throttle is off', () => {
  assert.equal(setUp({}).letIn(1000), 1000);
});

test('the bucket lets in as many as it has tokens, and fills with time', () => {
  const { clock, throttle, letIn } = setUp({ tokens: 10, fillTimeMs: 100, fillCount: 3 });
  assert.equal(letIn(20), 10);
  assert.equal(throttle.deficit, 10);
  clock.advance(100);
  assert.equal(letIn(20), 0, 'a fill time must have passed, not just begun to');
  clock.advance(100);
  assert.equal(letIn(20), 6);
  clock.advance(1_000_000);
  assert.equal(letIn(20), 10);
});

test('with weights, sessions cost by their kind', () => {
  const { letIn } = setUp({ tokens: 10, weightEnabled: true });
  assert.equal(letIn(2, 'global'), 2);
  assert.equal(letIn(1, 'renew'), 1);
  assert.equal(letIn(1, 'renew'), 1);
  assert.equal(letIn(9, 'local'), 0);
});

test('the drop probability grows while the bucket is empty and shrinks when it is full', () => {
  const { clock, throttle, letIn } = setUp(
    { tokens: 1, fillTimeMs: 1_000_000, freezeTimeMs: 10, dropIncrease: 0.5, dropDecrease: 0.25 },
    { below: (bound) => bound * 0.6 },
  );
  assert.equal(letIn(1), 1);
  clock.advance(11);
  assert.equal(letIn(1), 0);
  assert.equal(throttle.dropProbability, 0.5);
  clock.advance(11);
  assert.equal(letIn(1), 0);
  assert.equal(throttle.dropProbability, 1);
  clock.advance(1_000_001);
  assert.equal(letIn(1), 0, 'there is a token, but the dice say no');
  assert.equal(throttle.dropProbability, 0.75);
  clock.advance(11);
  assert.equal(letIn(1), 1);
  assert.equal(throttle.dropProbability, 0.5);
});
