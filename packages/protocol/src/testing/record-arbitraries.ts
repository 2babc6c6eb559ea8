import fc from 'fast-check';
import type { JuteReader } from '../jute/jute-reader.ts';
import type { JuteWriter } from '../jute/jute-writer.ts';
import * as generated from '../records/generated.ts';
import { schema } from '../records/schema.ts';

/** A generated codec, seen without its type. */
export interface RecordCodec {
  readonly read: (reader: JuteReader) => unknown;
  readonly write: (writer: JuteWriter, value: unknown) => void;
}

/** The generated codec of a record of the schema. */
export function codecOf(name: string): RecordCodec {
  const functions = generated as unknown as Record<string, unknown>;
  const read = functions[`read${name}`];
  const write = functions[`write${name}`];
  if (typeof read !== 'function' || typeof write !== 'function') {
    throw new Error(`Cannot find the codec of a record: current name is ${name}`);
  }
  return { read, write } as RecordCodec;
}

/** Any value of a record of the schema. */
export function recordArbitrary(name: string): fc.Arbitrary<unknown> {
  const fields = schema[name];
  if (fields === undefined) throw new Error(`Cannot find a record: current name is ${name}`);
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  for (const [field, type] of Object.entries(fields)) {
    if (type === 'long') {
      model[`${field}Hi`] = int;
      model[`${field}Lo`] = int;
    } else {
      model[field] = fieldArbitrary(type);
    }
  }
  // Records are plain objects; fc's own would have no prototype.
  return fc.record(model, { noNullPrototype: true });
}

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const safeLong = fc.oneof(int, fc.maxSafeInteger());
/** Text that Java's encoder and decoder agree on: no surrogates. */
const text = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0xd7ff }).map((unit) => String.fromCharCode(unit)),
    fc.integer({ min: 0xe000, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    fc.constantFrom('/', 'a', 'b'),
  ),
  maxLength: 12,
});

const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  byte: fc.integer({ min: -128, max: 127 }),
  int,
  boolean: fc.boolean(),
  zxid: safeLong,
  time: safeLong,
  loose: safeLong,
  buffer: fc.option(fc.uint8Array({ maxLength: 20 })),
  ustring: text,
  'ustring?': fc.option(text),
};

function fieldArbitrary(type: string): fc.Arbitrary<unknown> {
  if (type.endsWith('[]')) {
    return fc.option(fc.array(fieldArbitrary(type.slice(0, -2)), { maxLength: 4 }));
  }
  return scalars[type] ?? recordArbitrary(type);
}
