import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { DataDirectoryLock } from './data-directory-lock.ts';
import { temporaryDirectory } from './testing/temporary-directory.ts';

const lockModule = new URL('./data-directory-lock.js', import.meta.url).href;

/** Another process that takes the lock and says whether it got it; it holds it until its input ends. */
function otherProcess(directory: string): {
  answer: Promise<string>;
  end: (signal?: NodeJS.Signals) => Promise<void>;
} {
  const program = `
    const { DataDirectoryLock } = await import(${JSON.stringify(lockModule)});
    try {
      await DataDirectoryLock.acquire(${JSON.stringify(directory)});
      process.stdout.write('taken\\n');
    } catch (error) {
      process.stdout.write(error.name + '\\n');
    }
    process.stdin.resume();
    process.stdin.on('end', () => process.exit(0));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answer = new Promise<string>((resolve) => {
    child.stdout.once('data', (text: Buffer) => resolve(text.toString().trim()));
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    answer,
    end(signal) {
      if (signal === undefined) child.stdin.end();
      else child.kill(signal);
      return gone;
    },
  };
}

test('a directory is held until it is given back', async (t) => {
  const directory = temporaryDirectory(t);
  const lock = await DataDirectoryLock.acquire(directory);
  await assert.rejects(DataDirectoryLock.acquire(directory), {
    name: 'DirectoryLockedError',
    message: `Cannot use the data directory ${directory}: the server with process id ${process.pid} uses it; stop that one, or give this one another dataDir`,
  });
  lock.release();
  lock.release();
  assert.equal(existsSync(join(directory, 'meerkat.lock')), false);
  (await DataDirectoryLock.acquire(directory)).release();
});

test('another process is kept out, and one that was killed leaves nothing behind', async (t) => {
  const directory = temporaryDirectory(t);
  const first = otherProcess(directory);
  assert.equal(await first.answer, 'taken');
  await assert.rejects(DataDirectoryLock.acquire(directory), { name: 'DirectoryLockedError' });
  await first.end('SIGKILL');
  assert.ok(existsSync(join(directory, 'meerkat.lock')));
  (await DataDirectoryLock.acquire(directory)).release();
});

test('of processes that race, over a stale file, one wins', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'meerkat.lock'), '{"pid":1,"started":"1","boot":"another"}');
  const racers = [1, 2, 3].map(() => otherProcess(directory));
  const answers = await Promise.all(racers.map(({ answer }) => answer));
  assert.deepEqual(answers.sort(), ['DirectoryLockedError', 'DirectoryLockedError', 'taken']);
  await Promise.all(racers.map((racer) => racer.end()));
});

test('a file is stale when its process started at another time, or wrote nonsense', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'meerkat.lock');
  (await DataDirectoryLock.acquire(directory)).release();
  for (const text of [`{"pid":${process.pid},"started":"1","boot":""}`, '{"pid":', 'null', '{}']) {
    writeFileSync(path, text);
    const lock = await DataDirectoryLock.acquire(directory);
    assert.match(readFileSync(path, 'utf8'), new RegExp(`"pid":${process.pid},`));
    lock.release();
  }
});
