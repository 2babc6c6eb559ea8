import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { LogOutput } from './log-output.ts';

const bounds = { waitingBytesMax: 1024 * 1024, flushMs: 1 };

test('lines leave in their order, and flush() leaves none behind', async (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const out = new LogOutput({ ...bounds, fd: openSync(path, 'w') });
  out.write('one\n');
  out.write('two\n');
  out.flush();
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
  out.write('three\n');
  await until(() => readFileSync(path, 'utf8') === 'one\ntwo\nthree\n');
});

test('a reader that is gone does not hold up the end of the process', async (t) => {
  const path = pipe(t);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const out = new LogOutput({ ...bounds, fd: openSync(path, 'w') });
  closeSync(reader);
  out.write('nobody reads this\n');
  out.flush();
  out.write('nor this\n');
  out.flush();
});

test('nor does one that is found to be gone in the background', async (t) => {
  const path = pipe(t);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const out = new LogOutput({ ...bounds, fd: openSync(path, 'w') });
  closeSync(reader);
  out.write('nobody reads this\n');
  await new Promise((resolve) => setImmediate(resolve));
  out.write('nor this\n');
  out.flush();
});

test('a reader that stands still does not either, and has whole lines up to where it stood', (t) => {
  const path = pipe(t);
  const end = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const out = new LogOutput({ ...bounds, fd: end });
  for (let n = 0; n < 4096; n++) out.write(`${String(n).padStart(63)}\n`);
  out.flush();
  const read = Buffer.alloc(1024 * 1024);
  const text = read.toString('utf8', 0, readSync(end, read));
  assert.ok(text.startsWith(`${'0'.padStart(63)}\n${'1'.padStart(63)}\n`));
});

test('lines beyond what may wait are dropped', (t) => {
  const path = join(temporaryDirectory(t), 'log');
  const out = new LogOutput({ fd: openSync(path, 'w'), waitingBytesMax: 8, flushMs: 1 });
  for (const line of ['one\n', 'two\n', 'three\n']) out.write(line);
  out.flush();
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
});

function pipe(t: TestContext): string {
  const path = join(temporaryDirectory(t), 'pipe');
  execFileSync('mkfifo', [path]);
  return path;
}

/** Lets events happen until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
