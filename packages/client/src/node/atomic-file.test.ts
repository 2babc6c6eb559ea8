import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileStore } from './atomic-file.ts';

test('a file is replaced as a whole, and nothing else is left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'atomic-file-'));
  try {
    const path = join(folder, 'deep', 'config.json');
    const store = fileStore(path);
    assert.equal(await store.read(), null);
    for (const text of ['one', 'and two', '3']) {
      await store.write(Buffer.from(text));
      assert.equal(Buffer.from((await store.read()) ?? []).toString(), text);
    }
    assert.deepEqual(await readdir(join(folder, 'deep')), ['config.json']);
    if (process.platform !== 'win32') assert.equal((await stat(path)).mode & 0o777, 0o600);
    await assert.rejects(fileStore(join(path, 'below')).write(Buffer.from('x')));
    await assert.rejects(fileStore(folder).write(Buffer.from('x')));
    assert.deepEqual(await readdir(folder), ['deep']);
  } finally {
    await rm(folder, { recursive: true });
  }
});
