import assert from 'node:assert/strict';
import {
  type Disk,
  type DiskDone,
  DiskError,
  type Packing,
  type WritableFile,
} from '@meerkat/engine';

/** A disk under test, and how to let its orders end. */
export interface DiskUnderTest {
  readonly disk: Disk;
  /** An empty directory that exists. */
  readonly directory: string;
  /** Whether it packs with snappy. */
  readonly snappy: boolean;
  /** Lets everything end that was ordered. */
  settle(): Promise<void>;
}

/** One rule of the `Disk` port. */
export interface DiskRule {
  readonly name: string;
  readonly check: (subject: DiskUnderTest) => Promise<void>;
}

/**
 * What every `Disk` must do, simulated or real: the engine relies on nothing else. What survives a
 * crash cannot be asked of a real disk, and is not here.
 */
export const diskContract: readonly DiskRule[] = [
  { name: 'what was written can be read', check: readsWhatWasWritten },
  { name: 'a hole reads as zeros', check: readsHolesAsZeros },
  { name: 'no order ends before it was given', check: endsLater },
  { name: 'a file is created once, unless it may be replaced', check: createsOnce },
  { name: 'names are listed in order', check: listsNames },
  { name: 'small files are replaced as a whole', check: replacesSmallFiles },
  { name: 'a file is cut, synced and removed', check: cutsSyncsAndRemoves },
  { name: 'a rename replaces', check: renames },
  { name: 'parts are read from anywhere', check: readsRanges },
  { name: 'failures carry the code of the system', check: failsWithCodes },
  { name: 'gzip packs and unpacks', check: (subject) => packs(subject, 'gzip', [0x1f, 0x8b]) },
  {
    name: 'snappy packs and unpacks',
    check: (subject) => packs(subject, 'snappy', [0x82, 0x53, 0x4e]),
  },
];

async function readsWhatWasWritten(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  const file = disk.create(path, { packing: 'none', replace: false });
  const bytes = pattern(300_000);
  await ended(subject, (done) => file.write(bytes, 10, 200_000, 0, true, done));
  assert.deepEqual(readAll(disk, path, 'none'), bytes.slice(10, 200_000));
  await ended(subject, (done) => file.write(bytes, 0, 10, 5, false, done));
  await ended(subject, (done) => file.write(bytes, 200_000, 300_000, 199_990, false, done));
  await ended(subject, (done) => file.sync(done));
  await ended(subject, (done) => file.close(done));
  const expected = bytes.slice(10, 300_000);
  expected.set(bytes.subarray(0, 10), 5);
  assert.deepEqual(readAll(disk, path, 'none'), expected);
  assert.equal(disk.sizeBytes(path), 299_990);
  assert.ok(disk.modifiedMs(path) > 0);
}

async function readsHolesAsZeros(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  const file = disk.create(path, { packing: 'none', replace: false });
  await ended(subject, (done) => file.write(new Uint8Array([7]), 0, 1, 9999, false, done));
  await ended(subject, (done) => file.write(new Uint8Array([8]), 0, 1, 0, true, done));
  const expected = new Uint8Array(10_000);
  expected[0] = 8;
  expected[9999] = 7;
  assert.deepEqual(readAll(disk, path, 'none'), expected);
  await ended(subject, (done) => file.close(done));
}

async function endsLater(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  const file = disk.create(path, { packing: 'none', replace: false });
  const order = async (give: (done: DiskDone) => void): Promise<void> => {
    let returned = false;
    let early = false;
    await ended(subject, (done) => {
      give((error) => {
        early = !returned;
        done(error);
      });
      returned = true;
    });
    assert.equal(early, false);
  };
  await order((done) => file.write(pattern(10), 0, 10, 0, false, done));
  await order((done) => file.write(pattern(10), 0, 10, 10, true, done));
  await order((done) => file.sync(done));
  await order((done) => file.close(done));
  await order((done) => disk.renameLater(path, `${directory}/other`, done));
  await order((done) => disk.removeLater(`${directory}/other`, done));
}

async function createsOnce(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  await write(subject, path, pattern(100), 'none');
  throwsCode('EEXIST', () => disk.create(path, { packing: 'none', replace: false }));
  assert.deepEqual(readAll(disk, path, 'none'), pattern(100));
  const file = disk.create(path, { packing: 'none', replace: true });
  assert.equal(disk.sizeBytes(path), 0);
  await ended(subject, (done) => file.close(done));
}

async function listsNames(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  assert.deepEqual(disk.list(directory), []);
  assert.deepEqual(disk.list(`${directory}/nowhere`), []);
  disk.makeDirectory(`${directory}/deep/deeper`);
  disk.makeDirectory(`${directory}/deep/deeper`);
  for (const name of ['b', 'a', 'c'])
    await write(subject, `${directory}/${name}`, pattern(1), 'none');
  assert.deepEqual(disk.list(directory), ['a', 'b', 'c', 'deep']);
  assert.deepEqual(disk.list(`${directory}/deep`), ['deeper']);
  assert.ok(disk.sizeBytes(`${directory}/deep`) >= 0);
  assert.equal(disk.sizeBytes(`${directory}/nothing`), -1);
  assert.equal(disk.modifiedMs(`${directory}/nothing`), 0);
}

async function replacesSmallFiles(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/currentEpoch`;
  assert.equal(disk.readSmallFile(path), null);
  disk.replaceSmallFile(path, pattern(100));
  disk.replaceSmallFile(path, pattern(5));
  assert.deepEqual(new Uint8Array(disk.readSmallFile(path) ?? []), pattern(5));
  assert.deepEqual(disk.list(directory), ['currentEpoch']);
  await subject.settle();
}

async function cutsSyncsAndRemoves(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  await write(subject, path, pattern(5000), 'none');
  disk.truncate(path, 1234);
  assert.equal(disk.sizeBytes(path), 1234);
  disk.syncFile(path);
  assert.deepEqual(readAll(disk, path, 'none'), pattern(1234));
  disk.remove(path);
  assert.deepEqual(disk.list(directory), []);
  await write(subject, path, pattern(1), 'none');
  await ended(subject, (done) => disk.removeLater(path, done));
  assert.equal(disk.sizeBytes(path), -1);
}

async function renames(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  await write(subject, `${directory}/old`, pattern(10), 'none');
  await write(subject, `${directory}/new`, pattern(20), 'none');
  await ended(subject, (done) => disk.renameLater(`${directory}/new`, `${directory}/old`, done));
  assert.deepEqual(disk.list(directory), ['old']);
  assert.deepEqual(readAll(disk, `${directory}/old`, 'none'), pattern(20));
}

async function readsRanges(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  await write(subject, path, pattern(1000), 'none');
  assert.deepEqual(new Uint8Array(disk.readRange(path, 100, 50)), pattern(1000).slice(100, 150));
  assert.deepEqual(new Uint8Array(disk.readRange(path, 990, 50)), pattern(1000).slice(990));
  assert.equal(disk.readRange(path, 1000, 50).length, 0);
}

async function failsWithCodes(subject: DiskUnderTest): Promise<void> {
  const { disk, directory } = subject;
  const missing = `${directory}/missing`;
  throwsCode('ENOENT', () => disk.openForReading(missing, 'none'));
  throwsCode('ENOENT', () => disk.remove(missing));
  throwsCode('ENOENT', () => disk.truncate(missing, 0));
  throwsCode('ENOENT', () => disk.syncFile(missing));
  throwsCode('ENOENT', () => disk.readRange(missing, 0, 1));
  throwsCode('ENOENT', () => {
    disk.create(`${missing}/file`, { packing: 'none', replace: false });
  });
  assert.equal((await failure(subject, (done) => disk.removeLater(missing, done))).code, 'ENOENT');
  const renamed = await failure(subject, (done) => disk.renameLater(missing, `${missing}2`, done));
  assert.equal(renamed.code, 'ENOENT');
  await write(subject, `${directory}/plain`, pattern(1000), 'none');
  assert.throws(() => readAll(disk, `${directory}/plain`, 'gzip'), DiskError);
}

async function packs(subject: DiskUnderTest, packing: Packing, mark: number[]): Promise<void> {
  if (packing === 'snappy' && !subject.snappy) return;
  const { disk, directory } = subject;
  const path = `${directory}/file`;
  const bytes = pattern(700_000);
  const file = disk.create(path, { packing, replace: false });
  for (let at = 0; at < bytes.length; at += 100_000) {
    const sync = at === 300_000;
    await ended(subject, (done) => file.write(bytes, at, at + 100_000, 0, sync, done));
  }
  await ended(subject, (done) => file.sync(done));
  await ended(subject, (done) => file.close(done));
  assert.deepEqual([...disk.readRange(path, 0, mark.length)], mark);
  assert.ok(disk.sizeBytes(path) < bytes.length);
  assert.deepEqual(readAll(disk, path, packing), bytes);
  disk.truncate(path, disk.sizeBytes(path) - 100);
  assert.throws(() => readAll(disk, path, packing), DiskError);
}

async function write(
  subject: DiskUnderTest,
  path: string,
  bytes: Uint8Array,
  packing: Packing,
): Promise<void> {
  const file: WritableFile = subject.disk.create(path, { packing, replace: false });
  await ended(subject, (done) => file.write(bytes, 0, bytes.length, 0, true, done));
  await ended(subject, (done) => file.close(done));
}

function readAll(disk: Disk, path: string, packing: Packing): Uint8Array {
  const file = disk.openForReading(path, packing);
  try {
    const target = new Uint8Array(2_000_000);
    let length = 0;
    for (;;) {
      const count = file.read(target, length, Math.min(70_000, target.length - length));
      if (count === 0) return target.slice(0, length);
      length += count;
    }
  } finally {
    file.close();
  }
}

async function ended(subject: DiskUnderTest, order: (done: DiskDone) => void): Promise<void> {
  const error = await outcome(subject, order);
  if (error !== null) throw error;
}

async function failure(
  subject: DiskUnderTest,
  order: (done: DiskDone) => void,
): Promise<DiskError> {
  const error = await outcome(subject, order);
  assert.ok(error instanceof DiskError);
  return error;
}

async function outcome(
  subject: DiskUnderTest,
  order: (done: DiskDone) => void,
): Promise<DiskError | null> {
  let count = 0;
  const result = new Promise<DiskError | null>((resolve) => {
    order((error) => {
      count++;
      resolve(error);
    });
  });
  await subject.settle();
  const error = await result;
  assert.equal(count, 1, 'an order ends once');
  return error;
}

function throwsCode(code: string, run: () => void): void {
  assert.throws(run, (error) => error instanceof DiskError && error.code === code);
}

/** Bytes that repeat enough to be packed, and not so much that a shift would go unnoticed. */
function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + Math.floor(i / 1000)) & 0xff);
}
