import assert from 'node:assert/strict';
import { type Acl, ErrorCode, JuteReader, JuteWriter, readStat, utf8 } from '@meerkat/protocol';
import { NodeKind } from '../ephemeral-type.ts';
import { noNode, rootNode, type Tree, type TreeOptions } from '../tree.ts';
import type { Change, ModelNode, ModelTree } from './model-tree.ts';

export const defaultOptions: TreeOptions = {
  digestEnabled: true,
  extendedTypesEnabled: true,
  emulate353TtlNodes: false,
};

/** Applies a change to a tree. */
export function applyTo(tree: Tree, change: Change, zxid: number, time: number): ErrorCode {
  if (change.type === 'kill') {
    tree.killSession(change.sessionHi, change.sessionLo, zxid);
    return ErrorCode.ok;
  }
  const path = utf8(change.path);
  const end = path.length;
  if (change.type === 'delete') return tree.deleteNode(path, 0, end, zxid);
  if (change.type === 'setAcl') {
    return tree.setAcl(path, 0, end, tree.acls.convertAcls(change.acl), change.version);
  }
  const { data } = change;
  const dataEnd = data?.length ?? 0;
  if (change.type === 'setData') {
    return tree.setData(path, 0, end, data, 0, dataEnd, change.version, zxid, time);
  }
  const aclId = tree.acls.convertAcls(change.acl);
  const { ownerHi, ownerLo, parentCVersion } = change;
  return tree.createNode(
    path,
    0,
    end,
    data,
    0,
    dataEnd,
    aclId,
    ownerHi,
    ownerLo,
    parentCVersion,
    zxid,
    time,
  );
}

/** All there is to say about a tree, znodes by path, to be compared. */
export function contentOf(tree: Tree): Map<string, ModelNode> {
  const content = new Map<string, ModelNode>();
  for (let node = rootNode; node !== noNode; node = tree.nextInSubtree(node, rootNode)) {
    const path = tree.pathOf(node);
    content.set(path, {
      data: tree.copyData(node),
      acl: tree.acls.get(tree.aclId(node)),
      czxid: tree.czxid(node),
      mzxid: tree.mzxid(node),
      pzxid: tree.pzxid(node),
      ctime: tree.ctime(node),
      mtime: tree.mtime(node),
      version: tree.version(node),
      createCounter: tree.createCounter(node),
      aversion: tree.aversion(node),
      ownerHi: tree.ownerHi(node),
      ownerLo: tree.ownerLo(node),
    });
  }
  return content;
}

/** The digest of a tree as one number. */
export function digestOf(tree: Tree): bigint {
  return (BigInt(tree.digestHi) << 32n) | BigInt(tree.digestLo >>> 0);
}

/** Asserts that a tree is what the model says, in everything that can be asked of it. */
export function assertSame(tree: Tree, model: ModelTree): void {
  const content = contentOf(tree);
  assert.deepEqual([...content.keys()].sort(), [...model.nodes.keys()].sort());
  for (const [path, node] of model.nodes) {
    assert.deepEqual(content.get(path), node, path);
    assertNode(tree, model, path, node);
  }
  assert.equal(tree.nodeCount, model.nodes.size + 1);
  assert.equal(digestOf(tree), model.digest());
  const kinds = [...model.nodes.keys()].map((path) => model.kindOf(path));
  const countOf = (kind: NodeKind) => kinds.filter((other) => other === kind).length;
  assert.equal(tree.ephemeralCount, countOf(NodeKind.ephemeral));
  assert.equal(tree.containerCount, countOf(NodeKind.container));
  assert.equal(tree.ttlCount, countOf(NodeKind.ttl));
  const sessions = [...tree.sessionsWithEphemerals()];
  assert.equal(tree.sessionsWithEphemeralsCount, sessions.length);
  const names = sessions.map(({ hi, lo }) => `${hi}:${lo}`);
  assert.deepEqual(names.sort(), [...model.sessions].sort());
  for (const { hi, lo } of sessions) {
    const paths = tree.ephemeralsOf(hi, lo).map((node) => tree.pathOf(node));
    assert.deepEqual(paths.sort(), model.ephemeralsOf(hi, lo).sort());
  }
  assertAcls(tree);
}

/** Loads what `snapshotOf` wrote. */
export function loadSnapshot(tree: Tree, acls: Uint8Array, nodes: Uint8Array): void {
  tree.beginLoad();
  tree.acls.deserialize(new JuteReader(acls));
  const reader = new JuteReader(nodes);
  while (reader.remaining > 0) loadRecord(tree, reader);
  tree.finishLoad();
}

/** Loads the znode that a reader stands at. */
export function loadRecord(tree: Tree, reader: JuteReader): void {
  const pathLength = reader.skipBuffer();
  const pathEnd = reader.position;
  const dataLength = reader.skipBuffer();
  const dataStart = reader.position - Math.max(0, dataLength);
  const hi = reader.readInt();
  const lo = reader.readInt();
  const { bytes } = reader;
  const pathStart = pathEnd - pathLength;
  tree.loadNode(bytes, pathStart, pathEnd, dataStart, dataLength, hi, lo, reader.position);
  reader.position += 60;
}

/** The ACLs and the znodes of a tree as a snapshot holds them. */
export function snapshotOf(tree: Tree): { acls: Uint8Array; nodes: Uint8Array } {
  const acls = new JuteWriter();
  tree.acls.serialize(acls);
  const nodes = new JuteWriter();
  const cursor = tree.openCursor();
  while (cursor.writeNext(nodes));
  cursor.close();
  return { acls: acls.toBytes(), nodes: nodes.toBytes() };
}

function assertNode(tree: Tree, model: ModelTree, path: string, expected: ModelNode): void {
  const bytes = utf8(`..${path}..`);
  const node = tree.find(bytes, 2, bytes.length - 2);
  assert.notEqual(node, noNode, path);
  assert.equal(tree.kind(node), model.kindOf(path), path);
  const children: string[] = [];
  for (let at = tree.firstChild(node); at !== noNode; at = tree.nextSibling(at)) {
    assert.equal(tree.parentOf(at), node);
    children.push(tree.pathOf(at));
  }
  const expectedChildren = model.childrenOf(path);
  assert.deepEqual(children.sort(), expectedChildren.sort(), path);
  assert.equal(tree.childCount(node), expectedChildren.length);
  const prefix = path === '/' ? '/' : `${path}/`;
  const below = [...model.nodes.keys()].filter(
    (other) => other.startsWith(prefix) && other !== path,
  );
  assert.equal(tree.allChildrenCount(node), below.length, path);
  const writer = new JuteWriter(1);
  tree.writeStat(writer, node);
  const stat = readStat(new JuteReader(writer.toBytes()));
  const isEphemeral = model.kindOf(path) === NodeKind.ephemeral;
  assert.deepEqual(stat, {
    czxid: expected.czxid,
    mzxid: expected.mzxid,
    ctime: expected.ctime,
    mtime: expected.mtime,
    version: expected.version,
    cversion: 2 * expected.createCounter - expectedChildren.length,
    aversion: expected.aversion,
    ephemeralOwnerHi: isEphemeral ? expected.ownerHi : 0,
    ephemeralOwnerLo: isEphemeral ? expected.ownerLo : 0,
    dataLength: expected.data?.length ?? 0,
    numChildren: expectedChildren.length,
    pzxid: expected.pzxid,
  });
}

/** Every list in the table is used, and every list that is used is in it. */
function assertAcls(tree: Tree): void {
  const used = new Set<number>();
  const count = new Map<readonly Acl[], number>();
  for (let node = rootNode; node !== noNode; node = tree.nextInSubtree(node, rootNode)) {
    const id = tree.aclId(node);
    assert(tree.acls.has(id), `the list ${id} is in the table`);
    if (id !== -1) used.add(id);
    count.set(tree.acls.get(id), id);
  }
  assert.equal(tree.acls.size, used.size);
}
