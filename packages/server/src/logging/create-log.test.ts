import assert from 'node:assert/strict';
import test from 'node:test';
import { createLog } from './create-log.ts';
import { prettyLine } from './pretty-line.ts';

test('a JSON line carries level, time, message and fields', () => {
  const lines: string[] = [];
  const log = createLog({ format: 'json', level: 'info', write: (line) => lines.push(line) });
  log.debug('not written');
  log.info('listening', { port: 2181 });
  const { time, ...rest } = JSON.parse(lines.join('')) as { time: number };
  assert.ok(time > 1_700_000_000_000);
  assert.deepEqual(rest, { level: 30, port: 2181, msg: 'listening' });
});

test('a pretty line reads from left to right', () => {
  const at = new Date(2026, 10, 20, 9, 5, 3, 42).getTime();
  const json = JSON.stringify({ level: 40, time: at, a: 'b c', n: 1, msg: 'take care' });
  assert.equal(prettyLine(json), '09:05:03.042 WARN  take care a="b c" n=1\n');
});

test('remark() writes the first of a kind and counts the rest of the minute', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const log = createLog({
    format: 'json',
    level: 'warn',
    write: (line) => lines.push(line),
    monotonicMs: () => nowMs,
  });
  for (let i = 0; i < 1000; i++) log.remark('garbage', 'a client sent garbage', { i });
  log.remark('other', 'something else');
  nowMs = 60_000;
  log.remark('garbage', 'a client sent garbage');
  const messages = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    messages.map(({ msg, i, alsoSinceLast }) => [msg, i, alsoSinceLast]),
    [
      ['a client sent garbage', 0, undefined],
      ['something else', undefined, undefined],
      ['a client sent garbage', undefined, 999],
    ],
  );
});
