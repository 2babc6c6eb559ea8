import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensembleLimits } from '../limits.ts';
import { EndedSessions } from './ended-sessions.ts';

test('sessions that ended are told by all of their id', () => {
  const ended = new EndedSessions();
  ended.add(0x1234567, -5);
  assert.ok(ended.has(0x1234567, -5));
  assert.ok(!ended.has(0x2234567, -5));
  assert.ok(!ended.has(0x1234567, 5));
});

test('the oldest are forgotten first', () => {
  const ended = new EndedSessions();
  for (let id = 0; id <= ensembleLimits.endedSessionsMax; id++) ended.add(1, id);
  assert.ok(!ended.has(1, 0));
  assert.ok(ended.has(1, 1));
  assert.ok(ended.has(1, ensembleLimits.endedSessionsMax));
});
