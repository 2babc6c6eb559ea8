import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type WatchEvent, WatchRegistry } from './watches.ts';

const one = (_event: WatchEvent): void => {};
const two = (_event: WatchEvent): void => {};
const three = (_event: WatchEvent): void => {};

test('a change takes data and exist watchers, once', () => {
  const watches = new WatchRegistry();
  watches.add('data', '/a', one);
  watches.add('exist', '/a', two);
  watches.add('child', '/a', three);
  assert.deepEqual([...watches.take('nodeDataChanged', '/a')], [one, two]);
  assert.deepEqual([...watches.take('nodeDataChanged', '/a')], []);
  assert.deepEqual([...watches.take('nodeChildrenChanged', '/a')], [three]);
  assert.ok(watches.isEmpty);
});

test('a deletion takes all three lists and tells each watcher once', () => {
  const watches = new WatchRegistry();
  watches.add('data', '/a', one);
  watches.add('child', '/a', one);
  watches.add('exist', '/a', two);
  assert.deepEqual([...watches.take('nodeDeleted', '/a')], [one, two]);
  assert.ok(watches.isEmpty);
});

test('persistent watchers stay; recursive ones hear of all below, but not of lists of children', () => {
  const watches = new WatchRegistry();
  watches.add('persistent', '/a', one);
  watches.add('persistentRecursive', '/a', two);
  watches.add('persistentRecursive', '/', three);
  assert.deepEqual([...watches.take('nodeCreated', '/a')], [one, two, three]);
  assert.deepEqual([...watches.take('nodeCreated', '/a/b/c')], [two, three]);
  assert.deepEqual([...watches.take('nodeChildrenChanged', '/a')], [one]);
  assert.deepEqual([...watches.take('nodeDeleted', '/ab')], [three]);
});

test('remove() takes one watcher or all, from the lists named', () => {
  const watches = new WatchRegistry();
  watches.add('data', '/a', one);
  watches.add('data', '/a', two);
  watches.add('child', '/a', one);
  assert.ok(watches.hasOther(['data', 'child'], '/a', one));
  assert.deepEqual([...watches.remove(['data', 'child'], '/a', one)], [one]);
  assert.ok(!watches.has(['child'], '/a', null));
  assert.ok(!watches.hasOther(['data'], '/a', two));
  assert.deepEqual([...watches.remove(['data'], '/a', null)], [two]);
  assert.ok(watches.isEmpty);
});

test('remove() of one watcher leaves no trace of another list’s watchers', () => {
  const watches = new WatchRegistry();
  watches.add('data', '/a', one);
  watches.add('exist', '/a', two);
  assert.deepEqual([...watches.remove(['data', 'exist'], '/a', null)].length, 2);
});

test('portions() cuts the paths into pieces of about the size given', () => {
  const watches = new WatchRegistry();
  const paths = Array.from({ length: 10 }, (_, i) => `/node-${i}`);
  for (const path of paths) {
    watches.add('data', path, one);
    watches.add('persistent', path, one);
  }
  const portions = [...watches.portions(30)];
  assert.equal(portions.length, 4);
  assert.deepEqual(
    portions.flatMap((portion) => portion.data),
    paths,
  );
  assert.deepEqual(
    portions.flatMap((portion) => portion.persistent),
    paths,
  );
  assert.deepEqual([...new WatchRegistry().portions(30)], []);
});

test('portions() leaves out no path, not even the empty one', () => {
  const watches = new WatchRegistry();
  watches.add('data', '', one);
  assert.deepEqual(
    [...watches.portions(30)].map(({ data }) => data),
    [['']],
  );
});
