import assert from 'node:assert/strict';
import test from 'node:test';
import { HeardSessions } from './heard-sessions.ts';
import { ModelHistory } from './model-history.ts';
import { SessionChecker } from './session-checker.ts';
import { SessionRecord } from './session-record.ts';

/** What the checker says of a session of 4000 ms, with ticks of 2000 ms, that ends at `endMs`, once all is calm. */
function judge(answeredMs: readonly number[], endMs: number): void {
  const clock = { monotonicMs: () => endMs };
  const checker = new SessionChecker(new ModelHistory(), clock, new HeardSessions([], 2000), 2000);
  checker.calmSinceMs = 0;
  const record = new SessionRecord('');
  record.name = '0x1';
  record.timeoutMs = 4000;
  checker.watch(record);
  for (const ms of answeredMs) record.answered(ms);
  checker.onEnded('0x1', 0x100000001, endMs);
}

test('a client that is back after its whole time may be let go before its leader hears of that: seed 340', () => {
  judge([100_163, 102_261, 107_842], 108_124);
});

test('nobody is let go who is heard three times in a session timeout', () => {
  assert.throws(
    () => judge([100_000, 101_333, 102_666, 104_000], 104_100),
    /nobody expires who is heard/,
  );
});

test('nobody is let go within a session timeout of what the leader must have heard', () => {
  assert.throws(() => judge([100_000], 103_800), /nobody expires who is heard/);
  assert.throws(() => judge([90_000, 100_000], 102_500), /nobody expires who is heard/);
  judge([100_000], 104_000);
});

test('what was heard before stays known, however much is answered after it', () => {
  const burst = Array.from({ length: 5000 }, (_, i) => 103_000 + i / 10);
  assert.throws(() => judge([100_500, ...burst], 103_600), /nobody expires who is heard/);
});
