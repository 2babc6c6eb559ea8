import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorCode, JuteReader, JuteWriter, utf8 } from '@meerkat/protocol';
import { EphemeralOwnerError } from './ephemeral-type.ts';
import { worldAcl } from './testing/model-tree.ts';
import {
  applyTo,
  defaultOptions,
  digestOf,
  loadRecord,
  loadSnapshot,
  snapshotOf,
} from './testing/tree-testing.ts';
import { noNode, rootNode, Tree, TreeLoadError } from './tree.ts';

const sessionHi = 0x100000a;
const sessionLo = 0x1b0610000 | 0;

interface Creation {
  readonly data?: Uint8Array | null;
  readonly ownerHi?: number;
  readonly ownerLo?: number;
  readonly parentCVersion?: number;
  readonly time?: number;
}

function create(tree: Tree, path: string, zxid: number, creation: Creation = {}): ErrorCode {
  const { data = null, ownerHi = 0, ownerLo = 0, parentCVersion = -1, time = zxid } = creation;
  return applyTo(
    tree,
    { type: 'create', path, data, acl: worldAcl, ownerHi, ownerLo, parentCVersion },
    zxid,
    time,
  );
}

test('a new server has 5 znodes, no change yet, and the digest of Java (ZB 2, Special paths)', () => {
  const tree = new Tree(defaultOptions);
  assert.equal(tree.nodeCount, 5);
  assert.equal(digestOf(tree), 0x51c6d660n);
  assert.equal(tree.approximateDataBytes, 44);
  assert.equal(tree.pathOf(rootNode), '/');
  assert.equal(tree.find(utf8('/'), 0, 1), rootNode);
  assert.equal(tree.allChildrenCount(rootNode), 3);
  const config = tree.findString('/zookeeper/config');
  assert.deepEqual(tree.acls.get(tree.aclId(config)), [
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
  ]);
  assert.equal(tree.aversion(config), -1);
  assert.deepEqual(tree.copyData(config), new Uint8Array(0));
});

test('a creation moves cversion and pzxid of the parent on only (ZB 2, On create child)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/p', 10);
  create(tree, '/p/a', 11, { parentCVersion: 1 });
  create(tree, '/p/b', 12, { parentCVersion: 5 });
  const parent = tree.findString('/p');
  assert.deepEqual([tree.createCounter(parent), tree.pzxid(parent)], [5, 12]);
  create(tree, '/p/c', 13, { parentCVersion: 5 });
  assert.deepEqual([tree.createCounter(parent), tree.pzxid(parent)], [5, 12]);
  create(tree, '/p/d', 14, { parentCVersion: -1 });
  assert.deepEqual([tree.createCounter(parent), tree.pzxid(parent)], [6, 14]);
  assert.deepEqual([tree.mzxid(parent), tree.mtime(parent)], [10, 10]);
  assert.equal(tree.reportedCVersion(parent), 2 * 6 - 4);
});

test('a replayed creation brings the ACL and the parent up to date (ZB 7.5, Fuzzy snapshot)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/p', 10);
  create(tree, '/p/a', 11, { data: utf8('new') });
  const acl = [{ perms: 1, id: { scheme: 'ip', id: '::1' } }];
  const replayed = {
    type: 'create' as const,
    path: '/p/a',
    data: utf8('old'),
    acl,
    ownerHi: 0,
    ownerLo: 0,
    parentCVersion: 4,
  };
  assert.equal(applyTo(tree, replayed, 20, 20), ErrorCode.nodeExists);
  const node = tree.findString('/p/a');
  assert.deepEqual(tree.acls.get(tree.aclId(node)), acl);
  assert.deepEqual(tree.copyData(node), utf8('new'));
  const parent = tree.findString('/p');
  assert.deepEqual([tree.createCounter(parent), tree.pzxid(parent)], [4, 20]);
});

test('a replayed deletion of what is gone moves pzxid on (ZB 7.5, Fuzzy snapshot)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/p', 10);
  assert.equal(applyTo(tree, { type: 'delete', path: '/p/x' }, 15, 0), ErrorCode.noNode);
  assert.equal(tree.pzxid(tree.findString('/p')), 15);
  assert.equal(applyTo(tree, { type: 'delete', path: '/p/x' }, 12, 0), ErrorCode.noNode);
  assert.equal(tree.pzxid(tree.findString('/p')), 15);
  assert.equal(applyTo(tree, { type: 'delete', path: '/q/x' }, 16, 0), ErrorCode.noNode);
});

test('a replayed deletion takes children of a later life along', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/a', 10);
  create(tree, '/a/b', 11);
  create(tree, '/a/b/c', 12, { ownerHi: sessionHi, ownerLo: sessionLo });
  assert.equal(applyTo(tree, { type: 'delete', path: '/a' }, 13, 0), ErrorCode.ok);
  assert.equal(tree.nodeCount, 5);
  assert.equal(tree.ephemeralCount, 0);
  assert.equal(tree.findString('/a/b/c'), noNode);
});

test('what cannot be a znode is refused, not asserted', () => {
  const tree = new Tree(defaultOptions);
  assert.equal(create(tree, 'a', 1), ErrorCode.badArguments);
  assert.equal(create(tree, '', 1), ErrorCode.badArguments);
  assert.equal(create(tree, '/', 1), ErrorCode.nodeExists);
  assert.equal(create(tree, '/a/b', 1), ErrorCode.noNode);
  assert.equal(applyTo(tree, { type: 'delete', path: '/' }, 1, 0), ErrorCode.badArguments);
  create(tree, '/a', 1);
  for (const path of ['a', 'x', '//', '//a', '/a/', '/a//', 'a/a', '/zookeeper/', 'zookeeper']) {
    assert.equal(tree.findString(path), noNode, path);
  }
  assert.equal(tree.findString(''), rootNode);
  const acl = [{ perms: 1, id: { scheme: 'ip', id: '::1' } }];
  assert.equal(
    applyTo(tree, { type: 'setAcl', path: '/b', acl, version: 1 }, 1, 0),
    ErrorCode.noNode,
  );
  assert.equal(tree.acls.size, 1);
});

test('killing a session tells each path before it goes, oldest first', () => {
  const tree = new Tree(defaultOptions);
  const owner = { ownerHi: sessionHi, ownerLo: sessionLo };
  create(tree, '/p', 10);
  create(tree, '/p/b', 11, owner);
  create(tree, '/a', 12, owner);
  create(tree, '/other', 13, { ownerHi: sessionHi, ownerLo: sessionLo + 1 });
  const told: string[] = [];
  const deleted = tree.killSession(sessionHi, sessionLo, 20, (path, start, end, node) => {
    told.push(Buffer.from(path.subarray(start, end)).toString());
    assert.equal(tree.find(path, start, end), node);
  });
  assert.equal(deleted, 2);
  assert.deepEqual(told, ['/p/b', '/a']);
  assert.equal(tree.pzxid(tree.findString('/p')), 20);
  assert.equal(tree.ephemeralCount, 1);
  assert.equal(tree.killSession(sessionHi, sessionLo, 21), 0);
});

test('a session that had ephemerals stays listed until it is killed (DataTree.getSessions)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/e', 10, { ownerHi: sessionHi, ownerLo: sessionLo });
  applyTo(tree, { type: 'delete', path: '/e' }, 11, 0);
  const [session] = [...tree.sessionsWithEphemerals()];
  assert.deepEqual([session?.hi, session?.lo, session?.nodes.count], [sessionHi, sessionLo, 0]);
  tree.killSession(sessionHi, sessionLo, 12);
  assert.equal(tree.sessionsWithEphemeralsCount, 0);
});

test('containers and TTL znodes are candidates when nobody needs them (ZB 2, Containers, TTL)', () => {
  const tree = new Tree(defaultOptions);
  const container = { ownerHi: -0x80000000, ownerLo: 0 };
  create(tree, '/unused', 10, { ...container, time: 1000 });
  create(tree, '/used', 11, { ...container, time: 1000 });
  create(tree, '/used/child', 12);
  create(tree, '/ttl', 13, { ownerHi: 0xff000000 | 0, ownerLo: 500, time: 1000 });
  create(tree, '/parent', 14, { ownerHi: 0xff000000 | 0, ownerLo: 500, time: 1000 });
  create(tree, '/parent/child', 15);
  assert.deepEqual(tree.expiredContainers(1300, 300, 10), []);
  assert.deepEqual(tree.expiredContainers(1301, 300, 10), ['/unused']);
  assert.deepEqual(tree.expiredContainers(9999, 0, 10), ['/ttl']);
  assert.deepEqual(tree.expiredContainers(1500, 0, 10), []);
  applyTo(tree, { type: 'delete', path: '/used/child' }, 16, 0);
  assert.deepEqual(tree.expiredContainers(1000, 0, 10), ['/used']);
  assert.deepEqual(tree.expiredContainers(9999, 1, 2), ['/unused', '/used']);
  const writer = new JuteWriter();
  tree.writeStat(writer, tree.findString('/ttl'));
  assert.deepEqual(writer.toBytes().subarray(44, 52), new Uint8Array(8));
});

test('null, empty and replaced data of any size keep the name', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/name', 10, { data: null });
  const node = tree.findString('/name');
  for (const length of [-1, 0, 5, 20, 15_000, 17_000, 100_000, 90_000, 12, -1, 300]) {
    const data = length === -1 ? null : new Uint8Array(length).fill(length);
    applyTo(tree, { type: 'setData', path: '/name', data, version: 1 }, 11, 11);
    assert.equal(tree.dataLength(node), length);
    assert.deepEqual(tree.copyData(node), data);
    assert.equal(tree.findString('/name'), node);
    const writer = new JuteWriter();
    tree.writeData(writer, node);
    assert.deepEqual(new JuteReader(writer.toBytes()).readBuffer(), data);
  }
});

test('paths and names are written as they came', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/猫', 10);
  create(tree, '/猫/b', 11);
  const writer = new JuteWriter();
  tree.writePath(writer, tree.findString('/猫/b'));
  tree.writeName(writer, tree.findString('/猫'));
  tree.writePath(writer, rootNode);
  const reader = new JuteReader(writer.toBytes());
  assert.deepEqual(
    [reader.readString(), reader.readString(), reader.readString()],
    ['/猫/b', '猫', '/'],
  );
  assert.equal(tree.nameOf(tree.findString('/猫')), '猫');
  // Java counts characters: "/猫" and "/猫/b" are 2 and 4.
  assert.equal(tree.approximateDataBytes, 44 + 2 + 4);
});

test('a node number is given out again, and the old name does not find it', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/a', 10);
  const node = tree.findString('/a');
  applyTo(tree, { type: 'delete', path: '/a' }, 11, 0);
  assert(!tree.isLive(node));
  create(tree, '/b', 12);
  assert.equal(tree.findString('/b'), node);
  assert.equal(tree.findString('/a'), noNode);
  assert.equal(tree.childCount(node), 0);
});

test('many znodes are all found, before and after most are deleted', () => {
  const tree = new Tree({ ...defaultOptions, digestEnabled: false, hashSeed: 7 });
  create(tree, '/many', 1);
  const count = 60_000;
  for (let i = 0; i < count; i++) create(tree, `/many/${i}`, i + 2);
  for (let i = 0; i < count; i++) assert.equal(tree.czxid(tree.findString(`/many/${i}`)), i + 2);
  for (let i = 0; i < count; i++) {
    if (i % 10 !== 0) applyTo(tree, { type: 'delete', path: `/many/${i}` }, count + i, 0);
  }
  for (let i = 0; i < count; i++) {
    assert.equal(tree.findString(`/many/${i}`) !== noNode, i % 10 === 0, `${i}`);
  }
  assert.equal(tree.childCount(tree.findString('/many')), count / 10);
  assert.equal(tree.findString('/many/'), noNode);
  assert.equal(tree.findString('/many/1/'), noNode);
});

test('a cursor leaves out what was created after its parent was written (DataTree.serializeNode)', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/p', 10);
  create(tree, '/p/old', 11);
  create(tree, '/p/gone', 12);
  const cursor = tree.openCursor();
  const writer = new JuteWriter();
  const paths: string[] = [];
  for (;;) {
    writer.clear();
    if (!cursor.writeNext(writer)) break;
    const path = new JuteReader(writer.toBytes()).readString();
    paths.push(path);
    if (path !== '/p') continue;
    create(tree, '/p/new', 13);
    create(tree, '/late', 14);
    applyTo(tree, { type: 'delete', path: '/p/gone' }, 15, 0);
  }
  assert(!cursor.writeNext(writer));
  cursor.close();
  assert.deepEqual(paths.sort(), [
    '',
    '/p',
    '/p/old',
    '/zookeeper',
    '/zookeeper/config',
    '/zookeeper/quota',
  ]);
});

test('a snapshot that is no tree is refused by name', () => {
  const tree = new Tree(defaultOptions);
  create(tree, '/a', 10);
  create(tree, '/a/b', 11, { ownerHi: 0xff000000 | 0, ownerLo: 5 });
  const { acls, nodes } = snapshotOf(tree);
  const loaded = new Tree(defaultOptions);
  loadSnapshot(loaded, acls, nodes);
  const records: Uint8Array[] = [];
  const cursor = tree.openCursor();
  const writer = new JuteWriter();
  while (cursor.writeNext(writer.clear())) records.push(writer.toBytes());
  const [root = nodes, a = nodes, b = nodes] = records;
  const load = (...loads: Uint8Array[]) => {
    loaded.beginLoad();
    for (const bytes of loads) loadRecord(loaded, new JuteReader(bytes));
    loaded.finishLoad();
  };
  load(root, a, b);
  assert.throws(() => load(), TreeLoadError);
  assert.throws(() => load(a), TreeLoadError);
  assert.throws(() => load(root, b), TreeLoadError);
  assert.throws(() => load(root, a, a), TreeLoadError);
  assert.throws(() => load(root, root), TreeLoadError);
  const unknown = b.slice();
  unknown[b.length - 15] = 1;
  assert.throws(() => load(root, a, unknown), EphemeralOwnerError);
  load(root, a, b);
  assert.equal(loaded.nodeCount, 4);
});

test('a znode whose ACL is not in the table waits for its transaction (ZB 7.5, ACL ordering)', () => {
  const tree = new Tree(defaultOptions);
  const acl = [{ perms: 1, id: { scheme: 'ip', id: '::1' } }];
  const { acls } = snapshotOf(tree);
  const creation = { path: '/a', data: null, acl, ownerHi: 0, ownerLo: 0, parentCVersion: 1 };
  applyTo(tree, { type: 'create', ...creation }, 10, 10);
  const { nodes } = snapshotOf(tree);
  const loaded = new Tree(defaultOptions);
  loadSnapshot(loaded, acls, nodes);
  const node = loaded.findString('/a');
  assert.equal(loaded.acls.get(loaded.aclId(node))[0]?.perms, 0);
  // A list that gets the number which the znode had must not be taken for its own.
  applyTo(loaded, { type: 'create', ...creation, path: '/b', acl: [] }, 11, 11);
  assert.equal(loaded.acls.get(loaded.aclId(node))[0]?.perms, 0);
  applyTo(loaded, { type: 'create', ...creation }, 10, 10);
  assert.deepEqual(loaded.acls.get(loaded.aclId(node)), acl);
});

test('digests can be switched off', () => {
  const tree = new Tree({ ...defaultOptions, digestEnabled: false });
  create(tree, '/a', 10, { data: utf8('x') });
  applyTo(tree, { type: 'setData', path: '/a', data: utf8('y'), version: 1 }, 11, 11);
  assert.equal(digestOf(tree), 0n);
});
