import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { JuteError } from '../jute/jute-error.ts';
import { JuteReader } from '../jute/jute-reader.ts';
import { JuteWriter } from '../jute/jute-writer.ts';
import { codecOf, recordArbitrary } from '../testing/record-arbitraries.ts';
import { generateRecords } from './generator.ts';
import { schema } from './schema.ts';

test('generated.ts is what the generator makes of the schema', () => {
  const file = new URL('../../src/records/generated.ts', import.meta.url);
  const isFresh = readFileSync(file, 'utf8') === generateRecords();
  assert.ok(isFresh, 'generated.ts is stale: run `npm run generate`');
});

for (const name of Object.keys(schema)) {
  test(`${name}: what is written reads back, and truncated anywhere it is refused`, () => {
    const { read, write } = codecOf(name);
    fc.assert(
      fc.property(recordArbitrary(name), (value) => {
        const writer = new JuteWriter(1);
        write(writer, value);
        const bytes = writer.toBytes();

        const reader = new JuteReader(bytes);
        const decoded = read(reader);
        assert.deepEqual(decoded, value);
        assert.equal(reader.remaining, 0);

        const again = new JuteWriter(1);
        write(again, decoded);
        assert.deepEqual(again.toBytes(), bytes);

        const framed = new Uint8Array(bytes.length + 6).fill(0xff);
        framed.set(bytes, 3);
        assert.deepEqual(read(new JuteReader(framed, 3, 3 + bytes.length)), value);

        for (let end = 0; end < bytes.length; end++) {
          assert.throws(() => read(new JuteReader(bytes, 0, end)), JuteError, `cut at ${end}`);
        }
      }),
      { numRuns: 50 },
    );
  });
}

test('any bytes at all either decode or give a JuteError', () => {
  const names = Object.keys(schema);
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.uint8Array({ maxLength: 200 }), (name, bytes) => {
      try {
        codecOf(name).read(new JuteReader(bytes));
      } catch (error) {
        assert.ok(error instanceof JuteError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});
