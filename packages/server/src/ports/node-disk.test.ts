import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DiskError, Packing, WritableFile } from '@meerkat/engine';
import { temporaryDirectory } from '../testing/temporary-directory.ts';
import { NodeDisk } from './node-disk.ts';

function setUp(t: TestContext): { disk: NodeDisk; directory: string } {
  return { disk: new NodeDisk(), directory: temporaryDirectory(t) };
}

function write(file: WritableFile, text: string, position: number, sync: boolean): Promise<void> {
  const bytes = Buffer.from(`<${text}>`);
  return new Promise((resolve, reject) => {
    file.write(bytes, 1, bytes.length - 1, position, sync, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function ended(order: (done: (error: DiskError | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    order((error) => (error === null ? resolve() : reject(error)));
  });
}

function readAll(disk: NodeDisk, path: string, packing: Packing): Buffer {
  const file = disk.openForReading(path, packing);
  const pieces: Buffer[] = [];
  const piece = Buffer.alloc(1000);
  for (;;) {
    const count = file.read(piece, 10, 900);
    if (count === 0) break;
    pieces.push(Buffer.from(piece.subarray(10, 10 + count)));
  }
  file.close();
  return Buffer.concat(pieces);
}

test('NodeDisk says of what is missing: no names, size -1, changed 0, no bytes', (t) => {
  const { disk, directory } = setUp(t);
  const path = join(directory, 'absent');
  assert.deepEqual(disk.list(path), []);
  assert.equal(disk.sizeBytes(path), -1);
  assert.equal(disk.modifiedMs(path), 0);
  assert.equal(disk.readSmallFile(path), null);
  assert.throws(() => disk.openForReading(path, 'none'), { name: 'DiskError', code: 'ENOENT' });
  assert.throws(() => disk.remove(path), { name: 'DiskError', code: 'ENOENT' });
  assert.ok(disk.freeBytes(directory) > 0);
  assert.equal(disk.freeBytes(path), Number.POSITIVE_INFINITY);
});

test('NodeDisk replaces, lists sorted, truncates and removes', async (t) => {
  const { disk, directory } = setUp(t);
  const inner = join(directory, 'a', 'version-2');
  disk.makeDirectory(inner);
  for (const name of ['b', 'a', 'B']) disk.replaceSmallFile(join(inner, name), Buffer.from(name));
  assert.deepEqual(disk.list(inner), ['B', 'a', 'b']);
  disk.replaceSmallFile(join(inner, 'a'), Buffer.from('once more'));
  assert.equal(String(disk.readSmallFile(join(inner, 'a'))), 'once more');
  disk.truncate(join(inner, 'a'), 4);
  assert.equal(disk.sizeBytes(join(inner, 'a')), 4);
  assert.ok(disk.modifiedMs(join(inner, 'a')) > 0);
  disk.remove(join(inner, 'a'));
  await ended((done) => disk.removeLater(join(inner, 'b'), done));
  assert.deepEqual(disk.list(inner), ['B']);
  await assert.rejects(
    ended((done) => disk.removeLater(join(inner, 'b'), done)),
    { code: 'ENOENT' },
  );
});

test('a file takes writes at positions, durable or not, in any mixture', async (t) => {
  const { disk, directory } = setUp(t);
  const path = join(directory, 'log.1');
  const file = disk.create(path, { packing: 'none', replace: false });
  await write(file, 'head', 0, true);
  await write(file, 'pad', 100, false);
  await write(file, 'body', 4, true);
  await write(file, 'more', 8, true);
  await write(file, '', 12, true);
  await ended((done) => file.sync(done));
  await ended((done) => file.close(done));
  const bytes = readFileSync(path);
  assert.equal(bytes.subarray(0, 12).toString(), 'headbodymore');
  assert.equal(bytes.length, 103);
  assert.throws(() => disk.create(path, { packing: 'none', replace: false }), { code: 'EEXIST' });
  await ended((done) => disk.create(path, { packing: 'none', replace: true }).close(done));
  assert.equal(statSync(path).size, 0);
});

test('a file asserts that one order is under way at a time', async (t) => {
  const { disk, directory } = setUp(t);
  const file = disk.create(join(directory, 'log.1'), { packing: 'none', replace: false });
  const first = write(file, 'a', 0, true);
  assert.throws(() => file.sync(() => {}), { name: 'InvariantError' });
  await first;
  await ended((done) => file.close(done));
});

for (const packing of ['gzip', 'snappy'] as const) {
  test(`a ${packing} file comes back as it was written`, async (t) => {
    const { disk, directory } = setUp(t);
    const path = join(directory, 'snapshot.1');
    const file = disk.create(path, { packing, replace: false });
    const text = 'a znode among others; '.repeat(5000);
    await write(file, text, 0, false);
    await write(file, 'the end', 0, true);
    await ended((done) => file.close(done));
    assert.ok(statSync(path).size < text.length / 4);
    assert.equal(readAll(disk, path, packing).toString(), `${text}the end`);
    if (packing === 'gzip') assert.equal(gunzipSync(readFileSync(path)).length, text.length + 7);

    const packed = readFileSync(path);
    writeFileSync(path, packed.subarray(0, packed.length - 9));
    assert.throws(() => readAll(disk, path, packing), { name: 'DiskError' });
  });
}

test('a gzip file that Java wrote in two members reads as one', (t) => {
  const { disk, directory } = setUp(t);
  const path = join(directory, 'snapshot.2');
  writeFileSync(path, Buffer.concat([gzipSync('one'), gzipSync('two')]));
  assert.equal(readAll(disk, path, 'gzip').toString(), 'onetwo');
});
