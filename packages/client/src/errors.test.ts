import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, errorTable } from '@meerkat/protocol';
import * as errors from './errors.ts';

test('every code of the table has its class, and every class its code', () => {
  const codes = errorTable.map((row) => row.code).filter((code) => code !== ErrorCode.ok);
  assert.deepEqual(new Set(errors.errorClasses.keys()), new Set(codes));
  for (const [code, known] of errors.errorClasses) {
    const error = new known();
    assert.equal(error.code, code);
    assert.equal(error.name, known.name);
    assert.ok(error instanceof errors.ZooKeeperError);
    assert.equal((errors as Record<string, unknown>)[known.name], known);
  }
});

test('class names follow the names of the codes', () => {
  for (const [name, code] of Object.entries(ErrorCode)) {
    const known = errors.errorClasses.get(code)?.name ?? '';
    if (code !== ErrorCode.ok)
      assert.equal(
        known.replace(/Error$/, '').toLowerCase(),
        name.replace(/Error$/, '').toLowerCase(),
      );
  }
});

test('errorOf() makes the class of the code, with path, message and cause', () => {
  const cause = new Error('why');
  const error = errors.errorOf(ErrorCode.noNode, { doing: 'delete', path: '/a', cause });
  assert.ok(error instanceof errors.NoNodeError);
  assert.equal(error.path, '/a');
  assert.equal(error.cause, cause);
  assert.equal(error.message, 'Cannot delete /a: NONODE, the znode does not exist');
  assert.equal(error.mayHaveHappened, false);
  assert.equal(new errors.ConnectionLossError().mayHaveHappened, true);
});

test('errorOf() keeps a code that the table does not know', () => {
  const error = errors.errorOf(-999, { doing: 'delete', path: '/a' });
  assert.equal(error.code, -999);
  assert.equal(error.message, 'Cannot delete /a: code -999');
});
