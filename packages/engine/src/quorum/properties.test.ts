import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readProperties } from './properties.ts';

function pairs(text: string): [string, string][] {
  return readProperties(text).map(({ key, value }) => [key, value]);
}

test('readProperties() takes =, : and blanks between key and value', () => {
  assert.deepEqual(pairs('a=1\nb:2\nc 3\nd = 4\ne\t:\t5\nf\ng=\n=h'), [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
    ['d', '4'],
    ['e', '5'],
    ['f', ''],
    ['g', ''],
    ['', 'h'],
  ]);
});

test('readProperties() splits at the first separator only', () => {
  assert.deepEqual(pairs('server.1=a:2888:3888;2181\nx = = y\nx  :: y'), [
    ['server.1', 'a:2888:3888;2181'],
    ['x', '= y'],
    ['x', ': y'],
  ]);
});

test('readProperties() skips comments and blank lines, and counts lines', () => {
  const text = '# one\r\n\r\n  ! two\ra=1\n\n#b=\\\nb=2 # no comment\n';
  assert.deepEqual(readProperties(text), [
    { key: 'a', value: '1', line: 4 },
    { key: 'b', value: '2 # no comment', line: 7 },
  ]);
});

test('readProperties() joins continued lines, an even number of backslashes does not continue', () => {
  assert.deepEqual(pairs('a=1,\\\n   2,\\\n\t#3\nb=x\\\\\nc=3\\'), [
    ['a', '1,2,#3'],
    ['b', 'x\\'],
    ['c', '3'],
  ]);
  assert.deepEqual(pairs('a=1\\\n\nb=2'), [
    ['a', '1'],
    ['b', '2'],
  ]);
});

test('readProperties() knows the escapes of Java', () => {
  assert.deepEqual(pairs('a\\ b\\=c=\\t\\n\\r\\f\\u00e9\\z\\\\\\:'), [
    ['a b=c', '\t\n\r\fé' + 'z\\:'],
  ]);
  assert.throws(() => readProperties('a=1\nb=\\u12g4'), { name: 'PropertiesSyntaxError', line: 2 });
});

test('what is escaped as Java stores it comes back, whatever it is', () => {
  const escape = (text: string, isKey: boolean): string => {
    const escaped = text.replace(/[\\=:#! \t\n\r\f]|[^ -~]/g, (c) =>
      /[\\=:#! ]/.test(c) ? `\\${c}` : `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    return isKey ? escaped : escaped.replace(/\\ (?=.*\S)/g, '\\ ');
  };
  const text = fc
    .string({ unit: 'binary', maxLength: 12 })
    .map((s) => s.replace(/[\ud800-\udfff]/g, ''));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 6 }), (expected) => {
      const entries = expected.filter(([key]) => key !== '');
      const file = entries.map(([k, v]) => `${escape(k, true)} = ${escape(v, false)}`).join('\n');
      assert.deepEqual(pairs(file), entries);
    }),
    { numRuns: 300 },
  );
});

test('readProperties() takes any text or says which line it cannot read', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\\', '\n', '\r', '=', ':', ' ', '#', 'u') }),
      (text) => {
        try {
          for (const { line } of readProperties(text)) assert.ok(line >= 1);
        } catch (error) {
          assert.equal((error as Error).name, 'PropertiesSyntaxError');
        }
      },
    ),
    { numRuns: 500 },
  );
});
