import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, utf8 } from '@meerkat/protocol';
import { StatsTrack } from './stats-track.ts';
import { defaultOptions, digestOf, loadSnapshot, snapshotOf } from './testing/tree-testing.ts';
import { noNode, Tree } from './tree.ts';

let zxid = 0;

function create(tree: Tree, path: string, data = ''): void {
  const bytes = utf8(path);
  const content = utf8(data);
  zxid++;
  const error = tree.createNode(
    bytes,
    0,
    bytes.length,
    content,
    0,
    content.length,
    -1,
    0,
    0,
    -1,
    zxid,
    zxid,
  );
  assert.equal(error, ErrorCode.ok, path);
}

function remove(tree: Tree, path: string): void {
  const bytes = utf8(path);
  assert.equal(tree.deleteNode(bytes, 0, bytes.length, ++zxid), ErrorCode.ok, path);
}

function setData(tree: Tree, path: string, data: string | null): void {
  const bytes = utf8(path);
  const content = data === null ? null : utf8(data);
  tree.setData(bytes, 0, bytes.length, content, 0, content?.length ?? 0, 1, ++zxid, zxid);
}

function textOf(tree: Tree, path: string): string {
  return Buffer.from(tree.copyData(tree.findString(path)) ?? []).toString();
}

/** What `setquota` does. */
function setQuota(tree: Tree, path: string, limits: string): void {
  let at = '/zookeeper/quota';
  for (const part of path.split('/').slice(1)) {
    at += `/${part}`;
    if (tree.findString(at) === noNode) create(tree, at);
  }
  create(tree, `${at}/zookeeper_limits`, limits);
  create(tree, `${at}/zookeeper_stats`, 'count=0,bytes=0');
}

function rootOf(tree: Tree, path: string): string | undefined {
  const bytes = utf8(path);
  const root = tree.quotaRoot(bytes, 0, bytes.length);
  return root === undefined ? undefined : Buffer.from(root.path).toString();
}

test('sums count the quota root and follow every change in place (ZB 2, Quota accounting)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/app', '12345');
  create(tree, '/app/a', '67');
  create(tree, '/apple', 'not counted');
  setQuota(tree, '/app', 'count=10,bytes=-1');
  const stats = '/zookeeper/quota/app/zookeeper_stats';
  assert.equal(textOf(tree, stats), 'count=2,bytes=7');
  const node = tree.findString(stats);
  const [version, mzxid] = [tree.version(node), tree.mzxid(node)];
  create(tree, '/app/b', 'abc');
  create(tree, '/app/b/c', '');
  assert.equal(textOf(tree, stats), 'count=4,bytes=10');
  setData(tree, '/app/b', 'x'.repeat(100));
  assert.equal(textOf(tree, stats), 'count=4,bytes=107');
  setData(tree, '/app/b', null);
  setData(tree, '/apple', '');
  assert.equal(textOf(tree, stats), 'count=4,bytes=7');
  remove(tree, '/app/a');
  assert.equal(textOf(tree, stats), 'count=3,bytes=5');
  assert.deepEqual([tree.version(node), tree.mzxid(node)], [version, mzxid]);
});

test('the nearest ancestor with limits counts, whole segments only (PathTrie)', () => {
  const tree = new Tree(defaultOptions);
  setQuota(tree, '/a', 'count=1,bytes=1');
  setQuota(tree, '/a/b/c', 'count=5,bytes=5=;byteHardLimit=6;countHardLimit=7');
  assert.equal(rootOf(tree, '/a'), '/a');
  assert.equal(rootOf(tree, '/a/b'), '/a');
  assert.equal(rootOf(tree, '/ab'), undefined);
  assert.equal(rootOf(tree, '/a/b/c/d'), '/a/b/c');
  assert.equal(rootOf(tree, '/'), undefined);
  const bytes = utf8('/a/b/c/d');
  const root = tree.quotaRoot(bytes, 0, bytes.length);
  assert(root !== undefined);
  const limits = tree.quotaLimits(root);
  assert.deepEqual(
    [limits?.count, limits?.bytes, limits?.byteHardLimit, limits?.countHardLimit],
    [5, 5, 6, 7],
  );
  assert.equal(tree.quotaStats(root)?.count, 0);
  assert.equal([...tree.quotaRoots()].length, 2);
  remove(tree, '/zookeeper/quota/a/b/c/zookeeper_limits');
  assert.equal(rootOf(tree, '/a/b/c/d'), '/a');
  remove(tree, '/zookeeper/quota/a/zookeeper_limits');
  assert.equal(rootOf(tree, '/a/b/c/d'), undefined);
});

test('a load finds the quotas and sums them up anew, outside the digest (DataTree.setupQuota)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/app', '12345');
  setQuota(tree, '/app', 'count=10,bytes=-1');
  const digest = digestOf(tree);
  setData(tree, '/zookeeper/quota/app/zookeeper_stats', 'count=77,bytes=77');
  assert.equal(digestOf(tree), digest);
  const { acls, nodes } = snapshotOf(tree);
  const loaded = new Tree(defaultOptions);
  loadSnapshot(loaded, acls, nodes);
  assert.equal(textOf(loaded, '/zookeeper/quota/app/zookeeper_stats'), 'count=1,bytes=5');
  assert.equal(rootOf(loaded, '/app/x'), '/app');
  assert.equal(digestOf(loaded), digest);
});

test('limits without sums, sums without limits, and limits of the root harm nobody', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/zookeeper/quota/zookeeper_limits', 'count=1,bytes=1');
  create(tree, '/zookeeper/quota/zookeeper_stats', '');
  create(tree, '/zookeeper/quota/a');
  create(tree, '/zookeeper/quota/a/zookeeper_limits', 'no quota at all');
  create(tree, '/a', 'data');
  create(tree, '/zookeeper/quota/b');
  create(tree, '/zookeeper/quota/b/zookeeper_stats', 'x=,=5,bytes=abc,,');
  assert.equal(textOf(tree, '/zookeeper/quota/b/zookeeper_stats'), 'count=0,bytes=0');
  assert.equal(rootOf(tree, '/b'), undefined);
  const { acls, nodes } = snapshotOf(tree);
  loadSnapshot(new Tree(defaultOptions), acls, nodes);
});

test('the text of limits and sums is that of StatsTrack.java (ZB 2, Quota layout)', () => {
  const track = StatsTrack.parse(utf8('count=4,bytes=5=;countHardLimit=10;byteHardLimit='));
  assert.deepEqual(
    [track.count, track.bytes, track.countHardLimit, track.byteHardLimit],
    [4, 5, 10, -1],
  );
  assert.equal(track.toString(), 'count=4,bytes=5=;byteHardLimit=-1;countHardLimit=10');
  const empty = StatsTrack.parse(null);
  assert.equal(empty.toString(), 'count=-1,bytes=-1');
  empty.count = 3;
  empty.byteHardLimit = 9;
  assert.equal(empty.toString(), 'count=3,bytes=-1=;byteHardLimit=9');
  assert.equal(StatsTrack.parse(new Uint8Array([0xff, 0xfe])).count, -1);
});
