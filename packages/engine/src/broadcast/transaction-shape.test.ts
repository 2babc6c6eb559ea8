import assert from 'node:assert/strict';
import test from 'node:test';
import { JuteError, JuteWriter, OpCode } from '@meerkat/protocol';
import fc from 'fast-check';
import { TransactionShape } from './transaction-shape.ts';

type Write = (writer: JuteWriter) => void;

const acl: Write = (writer) => {
  writer.writeInt(2);
  for (const scheme of ['world', 'digest']) {
    writer.writeInt(31);
    writer.writeString(scheme);
    writer.writeString('a:b');
  }
};
const strings =
  (...texts: readonly string[]): Write =>
  (writer) => {
    for (const text of texts) writer.writeString(text);
  };
const ints =
  (...values: readonly number[]): Write =>
  (writer) => {
    for (const value of values) writer.writeInt(value);
  };

/** One of each kind: type and record. */
const records: readonly (readonly [OpCode, readonly Write[]])[] = [
  [OpCode.create, [strings('/a', 'data'), acl, (writer) => writer.writeBoolean(true)]],
  [OpCode.create2, [strings('/a', 'data'), acl, (writer) => writer.writeBoolean(true), ints(5)]],
  [OpCode.createContainer, [strings('/a', 'data'), acl, ints(5)]],
  [OpCode.createTTL, [strings('/a', 'data'), acl, ints(5, 0, 99)]],
  [OpCode.delete, [strings('/a')]],
  [OpCode.setData, [strings('/a', 'data'), ints(1)]],
  [OpCode.reconfig, [strings('/a', 'data'), ints(1)]],
  [OpCode.setACL, [strings('/a'), acl, ints(1)]],
  [OpCode.check, [strings('/a'), ints(1)]],
  [OpCode.error, [ints(-101)]],
  [OpCode.createSession, [ints(30_000)]],
  [OpCode.closeSession, [ints(2), strings('/a', '/b')]],
];

function transaction(type: OpCode, writes: readonly Write[]): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeBytes(new Uint8Array(28), 0, 28);
  writer.writeInt(type);
  for (const write of writes) write(writer);
  return writer.toBytes();
}

function isReadable(bytes: Uint8Array, end: number = bytes.length): boolean {
  try {
    new TransactionShape().check(bytes, 0, end);
    return true;
  } catch (error) {
    assert.ok(error instanceof JuteError, String(error));
    return false;
  }
}

const parts = (writer: JuteWriter): void => {
  writer.writeInt(records.length);
  for (const [type, writes] of records) {
    const record = transaction(type, writes).subarray(32);
    writer.writeInt(type);
    writer.writeInt(record.length);
    writer.writeBytes(record, 0, record.length);
  }
};

test('every kind of transaction is taken whole, with a digest behind it or without', () => {
  for (const [type, writes] of [...records, [OpCode.multi, [parts]] as const]) {
    assert.ok(isReadable(transaction(type, writes)), `type ${type}`);
    assert.ok(isReadable(transaction(type, [...writes, ints(2, 7, 7)])), `type ${type}`);
  }
  assert.ok(isReadable(transaction(OpCode.closeSession, [])));
  assert.ok(isReadable(transaction(OpCode.closeSession, [ints(2, 7, 7)])));
});

test('no transaction is taken of which an end is missing', () => {
  for (const [type, writes] of [...records, [OpCode.multi, [parts]] as const]) {
    const bytes = transaction(type, writes);
    // A closeSession without any paths is one too.
    const first = type === OpCode.closeSession ? 33 : 32;
    // Before ZooKeeper 3.4 a create had no version of its parent.
    const last = bytes.length - (type === OpCode.create2 ? 4 : 0);
    for (let end = first; end < last; end++) {
      if (type === OpCode.closeSession && end === 44) continue;
      assert.equal(isReadable(bytes, end), false, `type ${type} cut at ${end}`);
    }
  }
});

test('a type that is not known is not taken, on its own or as a part', () => {
  for (const type of [0, 3, 99, -2] as OpCode[]) {
    assert.equal(isReadable(transaction(type, [ints(0, 0, 0, 0)])), false);
    assert.equal(isReadable(transaction(OpCode.multi, [ints(1, type, 4, 0)])), false);
  }
});

test('whatever the bytes are, they are a transaction or a JuteError', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...records.map(([type]) => type), OpCode.multi),
      fc.uint8Array({ maxLength: 80 }),
      (type, rest) => {
        isReadable(transaction(type, [(writer) => writer.writeBytes(rest, 0, rest.length)]));
      },
    ),
    { numRuns: 2000 },
  );
});
