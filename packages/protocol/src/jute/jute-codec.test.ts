import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JuteError } from './jute-error.ts';
import { JuteReader } from './jute-reader.ts';
import { JuteWriter } from './jute-writer.ts';
import { decodeUtf8, utf8 } from './utf8.ts';

function hexOf(write: (writer: JuteWriter) => void): string {
  const writer = new JuteWriter(1);
  write(writer);
  return Buffer.from(writer.toBytes()).toString('hex');
}

function readerOf(hex: string): JuteReader {
  return new JuteReader(Uint8Array.from(Buffer.from(hex, 'hex')));
}

test('Jute types: big-endian, -1 for null', () => {
  assert.equal(
    hexOf((w) => w.writeByte(-2)),
    'fe',
  );
  assert.equal(
    hexOf((w) => w.writeBoolean(true)),
    '01',
  );
  assert.equal(
    hexOf((w) => w.writeInt(-2)),
    'fffffffe',
  );
  assert.equal(
    hexOf((w) => w.writeLong(1, -1)),
    '00000001ffffffff',
  );
  assert.equal(
    hexOf((w) => w.writeBuffer(null)),
    'ffffffff',
  );
  assert.equal(
    hexOf((w) => w.writeBuffer(new Uint8Array(0))),
    '00000000',
  );
  assert.equal(
    hexOf((w) => w.writeString(null)),
    'ffffffff',
  );
  assert.equal(
    hexOf((w) => w.writeString('ü')),
    '00000002c3bc',
  );
});

test('boolean: any nonzero byte is true', () => {
  assert.equal(readerOf('02').readBoolean(), true);
  assert.equal(readerOf('ff').readBoolean(), true);
  assert.equal(readerOf('00').readBoolean(), false);
});

test('64 bits as a double: exact within 2^53, refused beyond by readSafeLong, rounded by the other', () => {
  const cases: [number, string][] = [
    [0, '0000000000000000'],
    [-1, 'ffffffffffffffff'],
    [2 ** 32, '0000000100000000'],
    [2 ** 32 - 1, '00000000ffffffff'],
    [-(2 ** 32), 'ffffffff00000000'],
    [-(2 ** 32) - 1, 'fffffffeffffffff'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
  ];
  for (const [value, hex] of cases) {
    assert.equal(
      hexOf((w) => w.writeLongFromDouble(value)),
      hex,
    );
    assert.equal(readerOf(hex).readSafeLong(), value);
  }
  for (const hex of ['0020000000000000', 'ffe0000000000000', '7fffffffffffffff']) {
    assert.throws(() => readerOf(hex).readSafeLong(), JuteError);
  }
  assert.equal(readerOf('7fffffffffffffff').readLongAsDouble(), 2 ** 63);
  assert.equal(readerOf('8000000000000000').readLongAsDouble(), -(2 ** 63));
});

test('64 bits as a double agree with BigInt', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const writer = new JuteWriter(8);
      writer.writeLongFromDouble(value);
      assert.equal(writer.view.getBigInt64(0), BigInt(value));
      assert.equal(new JuteReader(writer.toBytes()).readSafeLong(), value);
    }),
  );
});

test('hostile lengths and counts are refused before anything is allocated', () => {
  for (const length of ['fffffffe', '80000000', '7fffffff', '00000002']) {
    assert.throws(() => readerOf(`${length}00`).readBuffer(), JuteError, length);
    assert.throws(() => readerOf(`${length}00`).readString(), JuteError, length);
    assert.throws(() => readerOf(`${length}00`).readVectorCount(1), JuteError, length);
  }
  assert.equal(readerOf('ffffffff').readVectorCount(4), -1);
  assert.equal(readerOf('0000000100000000').readVectorCount(4), 1);
  assert.throws(() => readerOf('0000000200000000').readVectorCount(4), JuteError);
  assert.throws(() => readerOf('ffffffff').readString(), JuteError);
});

test('a reader stops at its end, not at that of the array', () => {
  const reader = new JuteReader(Uint8Array.of(9, 0, 0, 0, 1, 9, 9), 1, 4);
  assert.throws(() => reader.readInt(), JuteError);
  assert.equal(reader.reset(reader.bytes, 1, 5).readInt(), 1);
  assert.equal(reader.remaining, 0);
});

test('a buffer is a view of the bytes being read, wherever those lie', () => {
  const whole = Uint8Array.of(7, 7, 0, 0, 0, 2, 5, 6, 7);
  const part = whole.subarray(2);
  const buffer = new JuteReader(part).readBuffer();
  assert.deepEqual(buffer, Uint8Array.of(5, 6));
  whole[6] = 8;
  assert.equal(buffer?.[0], 8);
});

test('strings: CESU-8 out, as Java writes characters beyond the basic plane', () => {
  assert.equal(decodeUtf8(new TextEncoder().encode('猫😀'), 0, 7), '猫😀');
  assert.equal(Buffer.from(utf8('😀')).toString('hex'), 'eda0bdedb880');
  const withMark = Uint8Array.of(0xef, 0xbb, 0xbf, 0x61);
  assert.equal(decodeUtf8(withMark, 0, 4), '\ufeffa');
});

test('strings of every length read back', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '猫'), maxLength: 200 });
  fc.assert(
    fc.property(text, (value) => {
      const writer = new JuteWriter(1);
      writer.writeString(value);
      assert.equal(new JuteReader(writer.toBytes()).readString(), value);
    }),
  );
});

test('a writer grows, keeps what was written, and is used again', () => {
  const writer = new JuteWriter(1);
  for (let round = 0; round < 2; round++) {
    writer.clear();
    const frame = writer.beginFrame();
    for (let i = 0; i < 300; i++) writer.writeInt(i);
    writer.writeBytes(Uint8Array.of(1, 2, 3, 4), 1, 3);
    writer.writeBytes(new Uint8Array(100).fill(5), 10, 90);
    writer.endFrame(frame);
    const reader = new JuteReader(writer.written());
    assert.equal(reader.readInt(), 1282);
    for (let i = 0; i < 300; i++) assert.equal(reader.readInt(), i);
    assert.equal(reader.readByte(), 2);
    assert.equal(reader.readByte(), 3);
    assert.equal(reader.remaining, 80);
  }
});
