import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@meerkat/protocol';
import fc from 'fast-check';
import { ChangeRecord } from './change-record.ts';
import { PathRecords } from './path-records.ts';

function recordOf(path: string): ChangeRecord {
  const bytes = utf8(`..${path}`);
  const record = new ChangeRecord();
  record.setPath(bytes, 2, bytes.length);
  return record;
}

function find(records: PathRecords, path: string): ChangeRecord | null {
  const bytes = utf8(path);
  return records.get(bytes, 0, bytes.length);
}

test('a record is found by the bytes of its path until it is taken out', () => {
  const records = new PathRecords(7);
  const record = recordOf('/é/a');
  assert.equal(records.set(record), null);
  assert.equal(find(records, '/é/a'), record);
  assert.equal(find(records, '/é/b'), null);
  records.delete(record);
  assert.equal(find(records, '/é/a'), null);
  assert.equal(records.size, 0);
});

test('a record takes the place of the one with its path, which can come back', () => {
  const records = new PathRecords(7);
  const first = recordOf('/a');
  const second = recordOf('/a');
  records.set(first);
  assert.equal(records.set(second), first);
  records.delete(first);
  assert.equal(find(records, '/a'), second, 'what has lost its place takes nobody else out');
  records.delete(second);
  records.set(first);
  assert.equal(find(records, '/a'), first);
});

test('a record that names another path keeps nothing of the one before', () => {
  const record = recordOf('/a-long-one');
  const bytes = utf8('/a');
  record.setPath(bytes, 0, bytes.length);
  assert.equal(record.hasPath(bytes, 0, bytes.length), true);
  assert.equal(record.hasPath(utf8('/a-long-one'), 0, 11), false);
});

test('records are a map by path, however sets and deletes follow each other', () => {
  const step = fc.record({ path: fc.constantFrom('/a', '/b', '/a/b', '/c'), put: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), fc.integer(), (steps, seed) => {
      const records = new PathRecords(seed);
      const model = new Map<string, ChangeRecord>();
      for (const { path, put } of steps) {
        const known = model.get(path);
        if (put) {
          const record = recordOf(path);
          assert.equal(records.set(record), known ?? null);
          model.set(path, record);
        } else if (known !== undefined) {
          records.delete(known);
          model.delete(path);
        }
        assert.equal(records.size, model.size);
      }
      assert.deepEqual(new Set(records.values()), new Set(model.values()));
    }),
  );
});
