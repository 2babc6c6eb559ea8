import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { asZxid, JuteWriter, makeZxid, type Zxid, zxidMax } from '@meerkat/protocol';
import { adler32 } from '../checksums.ts';
import { type Disk, DiskError } from '../ports.ts';
import { logFileName } from '../storage/file-names.ts';
import { writeLogHeader } from '../storage/log-format.ts';
import { StorageError } from '../storage/storage-error.ts';
import { isUnreadableLog, LogRange } from './log-range.ts';

const golden = new URL('../../src/storage/testdata/java-3.8.0/', import.meta.url);
const directory = '/logs';
const none = -1;

/** Files in memory: what a `LogRange` asks of a disk. */
class Files {
  readonly contents = new Map<string, Uint8Array>();
  filesOpen = 0;

  get disk(): Disk {
    return this as unknown as Disk;
  }
  list(): readonly string[] {
    return [...this.contents.keys()];
  }
  sizeBytes(path: string): number {
    return this.#content(path).length;
  }
  readRange(path: string, position: number, length: number): Uint8Array {
    return this.#content(path).slice(position, position + length);
  }
  openForReading(path: string) {
    let position = 0;
    this.filesOpen++;
    return {
      read: (target: Uint8Array, offset: number, length: number): number => {
        const bytes = this.#content(path).subarray(position, position + Math.min(length, 100));
        target.set(bytes, offset);
        position += bytes.length;
        return bytes.length;
      },
      close: () => {
        this.filesOpen--;
      },
    };
  }
  #content(path: string): Uint8Array {
    const content = this.contents.get(path.slice(directory.length + 1));
    if (content === undefined) throw new DiskError('ENOENT', path, 'open');
    return content;
  }

  /** A log file with these records and zeros behind them. */
  add(zxids: readonly number[], zeroBytes = 0): this {
    const writer = new JuteWriter();
    writeLogHeader(writer);
    for (const zxid of zxids) {
      const body = new JuteWriter();
      body.writeBytes(new Uint8Array(12), 0, 12);
      body.writeLongFromDouble(zxid);
      body.writeBytes(new Uint8Array(12 + dataBytes).fill(7), 0, 12 + dataBytes);
      writer.writeInt(0);
      writer.writeInt(adler32(body.bytes, 0, body.length) | 0);
      writer.writeBuffer(body.written());
      writer.writeByte(0x42);
    }
    writer.writeBytes(new Uint8Array(zeroBytes), 0, zeroBytes);
    this.contents.set(logFileName(asZxid(zxids[0] ?? 0)), writer.toBytes());
    return this;
  }
}

/** Bytes of data in a record of `Files.add`, and of the whole record. */
const dataBytes = 68;
const recordBytes = 12 + 32 + dataBytes + 1;

const inEpoch = (epoch: number, counter: number): Zxid => makeZxid(epoch, counter);

/** What a range gives, in pieces of `maxBytes`. */
function read(range: LogRange, maxBytes = 1000): number[] {
  const zxids: number[] = [];
  for (let more = true; more; ) {
    let bytes = 0;
    more = range.next(maxBytes, (_bytes, start, end, zxid) => {
      assert.ok(bytes < maxBytes);
      bytes += end - start;
      zxids.push(zxid);
    });
  }
  assert.equal(
    range.next(maxBytes, () => assert.fail()),
    false,
  );
  return zxids;
}

function rangeOf(files: Files, after: number, through = zxidMax): LogRange {
  return new LogRange(files.disk, directory, asZxid(after), asZxid(through));
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

test('gives what is after the learner’s last transaction, up to the wanted one, over several files', () => {
  const files = new Files().add(numbers(1, 20)).add(numbers(21, 40), 500).add(numbers(41, 60));
  for (let after = 0; after <= 60; after++) {
    for (const through of [after, 20, 40, 59, 60, zxidMax]) {
      if (through < after) continue;
      for (const maxBytes of [1, 300, 100_000]) {
        const range = rangeOf(files, after, through);
        assert.ok(range.isJoined);
        const last = Math.min(through, 60);
        assert.deepEqual(read(range, maxBytes), numbers(after + 1, last));
        assert.equal(range.lastZxid, last);
        range.close();
        assert.equal(files.filesOpen, 0);
      }
    }
  }
});

test('a learner that needs more than there is, or has what is not ours, is not joined', () => {
  const files = new Files()
    .add(numbers(inEpoch(2, 3), inEpoch(2, 9)))
    .add(numbers(inEpoch(4, 1), inEpoch(4, 5)));
  const cases: [after: Zxid, isJoined: boolean, before: number][] = [
    [asZxid(0), false, none],
    [inEpoch(1, 7), false, none],
    [inEpoch(2, 0), false, none],
    [inEpoch(2, 1), false, none],
    [inEpoch(2, 2), true, none],
    [inEpoch(2, 3), true, inEpoch(2, 3)],
    [inEpoch(2, 9), true, inEpoch(2, 9)],
    [inEpoch(2, 10), false, inEpoch(2, 9)],
    // The learner has followed a leader of epoch 3 that never proposed anything.
    [inEpoch(3, 0), true, inEpoch(2, 9)],
    [inEpoch(3, 1), false, inEpoch(2, 9)],
    [inEpoch(4, 0), true, none],
    [inEpoch(4, 5), true, inEpoch(4, 5)],
    [inEpoch(4, 6), false, inEpoch(4, 5)],
    [inEpoch(5, 0), true, inEpoch(4, 5)],
    [inEpoch(5, 1), false, inEpoch(4, 5)],
  ];
  for (const [after, isJoined, before] of cases) {
    const range = rangeOf(files, after);
    assert.equal(range.isJoined, isJoined, `${after.toString(16)}`);
    assert.equal(range.beforeZxid, before, `${after.toString(16)}`);
    if (!isJoined) assert.throws(() => range.next(1, () => assert.fail()), /do not join/);
    else if (after <= inEpoch(2, 9)) {
      const rest = numbers(after + 1, inEpoch(2, 9));
      assert.deepEqual(read(range), [...rest, ...numbers(inEpoch(4, 1), inEpoch(4, 5))]);
    } else
      assert.deepEqual(read(range), numbers(Math.max(after, inEpoch(4, 0)) + 1, inEpoch(4, 5)));
    range.close();
  }
  assert.equal(files.filesOpen, 0);
  assert.equal(rangeOf(new Files(), 5).isJoined, false);
  assert.equal(rangeOf(new Files(), 0).isJoined, false);
});

test('a hole is named, and nothing behind it is given (ZOOKEEPER-2418)', () => {
  const between = new Files().add(numbers(1, 10)).add(numbers(12, 20));
  const given: number[] = [];
  const range = rangeOf(between, 3);
  assert.ok(range.isJoined);
  assert.throws(
    () => range.next(100_000, (_bytes, _start, _end, zxid) => given.push(zxid)),
    (error) =>
      error instanceof StorageError && error.kind === 'logGap' && /0xa to 0xc/.test(error.message),
  );
  assert.deepEqual(given, numbers(4, 10));
  range.close();
  // The hole is right behind what the learner has, or an epoch does not begin with its first transaction.
  assert.equal(rangeOf(between, 10).isJoined, false);
  const epoch = new Files().add([1, 2, inEpoch(1, 2)]);
  assert.equal(rangeOf(epoch, 2).isJoined, false);
  assert.throws(() => read(rangeOf(epoch, 1)), StorageError);
  // An older file that ends too early leaves a hole as well.
  const torn = new Files().add(numbers(1, 10)).add(numbers(11, 20));
  const [name, content] = [...torn.contents][0] ?? ['', new Uint8Array(0)];
  torn.contents.set(name, content.subarray(0, content.length - 5));
  assert.throws(() => read(rangeOf(torn, 3)), StorageError);
});

test('what is in memory has to follow the logs', () => {
  const files = new Files().add(numbers(1, 10));
  for (const [next, joins] of [
    [11, true],
    [12, false],
    [inEpoch(1, 1), true],
    [inEpoch(1, 2), false],
  ] as const) {
    const range = rangeOf(files, 5, next - 1);
    assert.deepEqual(read(range), numbers(6, 10));
    if (joins) range.checkJoins(asZxid(next));
    else assert.throws(() => range.checkJoins(asZxid(next)), isUnreadableLog);
    range.close();
  }
});

test('records that were logged twice are given once', () => {
  const files = new Files().add(numbers(1, 10)).add(numbers(8, 15)).add(numbers(16, 18));
  assert.deepEqual(read(rangeOf(files, 2)), numbers(3, 18));
  assert.deepEqual(read(rangeOf(files, 9)), numbers(10, 18));
});

test('a record that comes too late, and was not given, is missing', () => {
  const epoch = 2 ** 32;
  const files = new Files().add([1, 2, epoch + 1, 4, 5, epoch + 1, epoch + 2]);
  const range = rangeOf(files, 1);
  assert.ok(range.isJoined);
  assert.throws(() => read(range), StorageError);
});

test('the newest file ends where it has not been written yet', () => {
  const whole = new Files().add(numbers(1, 10)).contents.get('log.1') ?? new Uint8Array(0);
  for (let length = 0; length <= whole.length; length += 7) {
    for (const zeroBytes of [0, 5, 5000]) {
      const files = new Files();
      const content = new Uint8Array(length + zeroBytes);
      content.set(whole.subarray(0, length));
      files.contents.set('log.1', content);
      const range = rangeOf(files, 0);
      const count = Math.max(0, Math.floor((length - 16) / recordBytes));
      assert.equal(range.isJoined, count > 0);
      if (count > 0) assert.deepEqual(read(range), numbers(1, count));
      range.close();
    }
  }
});

test('the search goes in steps, and what was written meanwhile is not needed', () => {
  const files = new Files().add(numbers(1, 1000));
  const range = rangeOf(files, 900, 950);
  let steps = 1;
  while (!range.find(1000)) steps++;
  assert.ok(steps > 80 && steps < 150, `${steps}`);
  files.add(numbers(1, 2000));
  assert.deepEqual(read(range), numbers(901, 950));
  range.close();
});

test('the size is that of the records, whatever zeros follow them', () => {
  const files = new Files().add(numbers(1, 500), 3_000_000).add(numbers(501, 600), 1_000_000);
  for (const after of [0, 100, 499, 500, 550]) {
    const expected = (600 - after) * recordBytes;
    const { sizeBytes } = rangeOf(files, after);
    assert.ok(Math.abs(sizeBytes - expected) <= 2 * 4096, `${after}: ${sizeBytes} ${expected}`);
  }
  assert.equal(rangeOf(files, 600).sizeBytes, 0);
  assert.equal(rangeOf(new Files(), 600).sizeBytes, 0);
});

test('a file that is no log is named; one that a purge has removed is missed', () => {
  const foreign = new Files().add(numbers(1, 10));
  foreign.contents.set('log.b', new Uint8Array(100).fill(1));
  assert.throws(
    () => read(rangeOf(foreign, 3)),
    (error) => error instanceof StorageError && error.kind === 'logHeaderDamaged',
  );
  const purged = new Files().add(numbers(1, 10)).add(numbers(11, 20));
  const range = rangeOf(purged, 3);
  assert.ok(range.isJoined);
  purged.contents.delete('log.b');
  assert.throws(() => range.next(100_000, () => undefined), DiskError);
  range.close();
});

test('the logs of a Java server, from any transaction on', () => {
  const files = new Files();
  const rolled = new URL('rolled/version-2/', golden);
  for (const name of readdirSync(rolled)) {
    files.contents.set(name, readFileSync(new URL(name, rolled)));
  }
  for (let after = 0; after <= 0x3f; after++) {
    const range = rangeOf(files, after);
    assert.ok(range.isJoined);
    assert.deepEqual(read(range), numbers(after + 1, 0x3f));
    range.close();
  }
  assert.equal(files.filesOpen, 0);
});
