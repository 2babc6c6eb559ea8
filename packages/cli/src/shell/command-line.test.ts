import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeOptions, type OptionTable, parseCommandLine } from './command-line.ts';

const table: OptionTable = {
  options: [
    { name: 's', description: 'stat' },
    { name: 'e', description: 'ephemeral' },
    { name: 'v', takesValue: true, description: 'version' },
    { name: 'file', takesValue: true, description: 'a file' },
  ],
};

function parse(line: string, by: OptionTable = table): unknown {
  const { args, options } = parseCommandLine(by, line.split(' '));
  return { args: args.join(' '), ...Object.fromEntries(options) };
}

test('options stand anywhere', () => {
  assert.deepEqual(parse('x -s a -v 5 b'), { args: 'x a b', s: '', v: '5' });
  assert.deepEqual(parse('x a -s'), { args: 'x a', s: '' });
});

test('short ones combine, values may follow at once', () => {
  assert.deepEqual(parse('x -se a'), { args: 'x a', s: '', e: '' });
  assert.deepEqual(parse('x -v5 a'), { args: 'x a', v: '5' });
  assert.deepEqual(parse('x -v=5 a'), { args: 'x a', v: '5' });
  assert.deepEqual(parse('x -sv 5 a'), { args: 'x a', s: '', v: '5' });
  assert.deepEqual(parse('x -file f a'), { args: 'x a', file: 'f' });
});

test('a negative number is a value, an option is none', () => {
  assert.deepEqual(parse('x -v -1 a'), { args: 'x a', v: '-1' });
  assert.throws(
    () => parse('x -v -s a'),
    /MissingArgumentException: Missing argument for option: v/,
  );
  assert.throws(() => parse('x a -v'), /Missing argument for option: v/);
});

test('a hyphen alone and what follows two are arguments', () => {
  assert.deepEqual(parse('x - -- -s'), { args: 'x - -s' });
});

test('the first value counts', () => assert.deepEqual(parse('x -v 1 -v 2'), { args: 'x', v: '1' }));

for (const word of ['-z', '-sz', '--s', '-5', '-s=1', '-file=x']) {
  test(`${word} is not recognised`, () => {
    assert.throws(() => parse(`x ${word}`), {
      message: `org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: ${word}`,
    });
  });
}

test('options of a group exclude each other, and one may be demanded', () => {
  const group: OptionTable = { ...table, isExclusive: true, isRequired: true };
  assert.throws(
    () => parse('x -s -e', group),
    /AlreadySelectedException: The option 'e' was specified but .* selected: 's'/,
  );
  assert.throws(
    () => parse('x', group),
    /MissingOptionException: Missing required option: \[-s stat, /,
  );
});

test('the table of options', () => {
  assert.equal(
    describeOptions(table),
    ' -e            ephemeral\n -file <arg>   a file\n -s            stat\n -v <arg>      version\n',
  );
});
