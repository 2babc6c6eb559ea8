import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, utf8 } from '@meerkat/protocol';
import { defaultOptions } from './testing/tree-testing.ts';
import { noNode, Tree } from './tree.ts';

const count = 40_000;

function create(tree: Tree, path: string, zxid: number): void {
  const bytes = utf8(path);
  const error = tree.createNode(bytes, 0, bytes.length, null, 0, 0, -1, 0, 0, -1, zxid, 1);
  assert.equal(error, ErrorCode.ok);
}

function remove(tree: Tree, path: string, zxid: number): void {
  const bytes = utf8(path);
  assert.equal(tree.deleteNode(bytes, 0, bytes.length, zxid), ErrorCode.ok);
}

/** The numbers whose znodes the tree finds. */
function foundIn(tree: Tree, numbers: Iterable<number>): Set<number> {
  const found = new Set<number>();
  for (const number of numbers) {
    const node = tree.findString(`/n${number}`);
    if (node === noNode) continue;
    assert.equal(tree.pathOf(node), `/n${number}`);
    found.add(number);
  }
  return found;
}

// So many that buckets are split and run over, and that what ran over is given back.
test('every znode is found while the table grows, and none that is gone', () => {
  const tree = new Tree({ ...defaultOptions, hashSeed: 12345 });
  const there = new Set<number>();
  let zxid = 1;
  for (let number = 0; number < count; number++) {
    create(tree, `/n${number}`, ++zxid);
    there.add(number);
    // One in three goes, in an order of its own.
    const gone = (number * 7919) % (number + 1);
    if (number % 3 === 0 && there.delete(gone)) remove(tree, `/n${gone}`, ++zxid);
  }
  const numbers = Array.from({ length: count }, (_, number) => number);
  assert.deepEqual(foundIn(tree, numbers), there);
  for (const number of there) remove(tree, `/n${number}`, ++zxid);
  assert.equal(foundIn(tree, numbers).size, 0);
  for (const number of numbers) create(tree, `/n${number}`, ++zxid);
  assert.equal(foundIn(tree, numbers).size, count);
});
