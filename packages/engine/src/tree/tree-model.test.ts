import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Acl, ErrorCode, JuteWriter } from '@meerkat/protocol';
import fc from 'fast-check';
import { type Change, ModelTree, parentOf, worldAcl } from './testing/model-tree.ts';
import {
  applyTo,
  assertSame,
  contentOf,
  defaultOptions,
  digestOf,
  loadSnapshot,
  snapshotOf,
} from './testing/tree-testing.ts';
import { rootNode, Tree } from './tree.ts';

const segments = ['a', 'b', 'zookeeper', 'n0123456789', '猫', 'x'.repeat(300)];
const path = fc
  .array(fc.constantFrom(...segments), { minLength: 1, maxLength: 3 })
  .map((parts) => `/${parts.join('/')}`);
const data = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 40 }),
  fc.nat({ max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const acl = fc.constantFrom<readonly Acl[]>(
  worldAcl,
  [{ perms: 3, id: { scheme: 'ip', id: '10.0.0.1' } }],
  [
    { perms: 31, id: { scheme: 'digest', id: 'a:b' } },
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
  ],
);
const sessions = [
  { hi: 0x100000a, lo: 7 },
  { hi: 0x100000b, lo: 7 },
];
const owner = fc.constantFrom(
  { hi: 0, lo: 0 },
  { hi: 0, lo: 0 },
  ...sessions,
  { hi: -0x80000000, lo: 0 },
  { hi: 0xff000000 | 0, lo: 5000 },
);
const version = fc.integer({ min: -3, max: 1000 });

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ path, data, acl, owner, parentCVersion: fc.integer({ min: -1, max: 12 }) })
      .map(({ owner: { hi, lo }, ...rest }) => ({
        type: 'create' as const,
        ...rest,
        ownerHi: hi,
        ownerLo: lo,
      })),
  },
  { weight: 2, arbitrary: path.map((deleted) => ({ type: 'delete' as const, path: deleted })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ path: fc.oneof(path, fc.constant('/')), data, version })
      .map((set) => ({ type: 'setData' as const, ...set })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ path, acl, version })
      .map((set) => ({ type: 'setAcl' as const, ...set })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...sessions)
      .map(({ hi, lo }) => ({ type: 'kill' as const, sessionHi: hi, sessionLo: lo })),
  },
);

test('any changes, replays among them, do to the tree what they do to a Map of objects', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(change, fc.integer({ min: -5, max: 1 })), { maxLength: 60 }),
      (steps) => {
        const tree = new Tree(defaultOptions);
        const model = new ModelTree(defaultOptions);
        assertSame(tree, model);
        let zxid = 0x1_0000_0000;
        for (const [step, shift] of steps) {
          zxid += 5 + shift;
          const time = 1_700_000_000_000 + (zxid % 1000);
          const expected = model.apply(step, zxid, time);
          assert.equal(applyTo(tree, step, zxid, time), expected, JSON.stringify(step));
        }
        assertSame(tree, model);
        const { acls, nodes } = snapshotOf(tree);
        const loaded = new Tree(defaultOptions);
        loadSnapshot(loaded, acls, nodes);
        // A load counts the root's data under both its names, a change of it only once, as in ZooKeeper.
        const rootBytes = tree.copyData(rootNode)?.length ?? 0;
        assert.equal(loaded.approximateDataBytes, tree.approximateDataBytes + rootBytes);
        for (const { hi, lo } of sessions) {
          // A session without ephemerals is not in a snapshot's znodes.
          if (tree.ephemeralsOf(hi, lo).length === 0) model.sessions.delete(`${hi}:${lo}`);
        }
        assertSame(loaded, model);
      },
    ),
    { numRuns: 150 },
  );
});

/** Turns wishes into transactions that a server would have made: each valid when it is made. */
function historyOf(wishes: readonly Change[]): Change[] {
  const model = new ModelTree(defaultOptions);
  const history: Change[] = [];
  let zxid = 100;
  for (const wish of wishes) {
    const txns = validated(model, wish);
    for (const txn of txns) {
      assert.equal(model.apply(txn, ++zxid, zxid), ErrorCode.ok);
      history.push(txn);
    }
  }
  return history;
}

function validated(model: ModelTree, wish: Change): Change[] {
  if (wish.type === 'kill') {
    const paths = model.ephemeralsOf(wish.sessionHi, wish.sessionLo);
    return [...paths.map((deleted) => ({ type: 'delete' as const, path: deleted })), wish];
  }
  const node = model.nodes.get(wish.path);
  if (wish.type !== 'create') {
    if (node === undefined) return [];
    if (wish.type === 'delete') return model.childrenOf(wish.path).length > 0 ? [] : [wish];
    return [{ ...wish, version: wish.type === 'setData' ? node.version + 1 : node.aversion + 1 }];
  }
  const parent = model.nodes.get(parentOf(wish.path));
  if (node !== undefined || parent === undefined) return [];
  if (model.kindOf(parentOf(wish.path)) === 1) return [];
  return [{ ...wish, parentCVersion: parent.createCounter + 1 }];
}

test('a snapshot taken while the tree changes, and what was changed since it began, is the tree (ZB 7.5)', () => {
  const wishes = fc.array(change, { minLength: 20, maxLength: 150 });
  const pace = fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(wishes, fc.nat(), pace, (wished, startAt, steps) => {
      const history = historyOf(wished);
      const start = history.length === 0 ? 0 : startAt % history.length;
      const tree = new Tree(defaultOptions);
      let zxid = 100;
      for (const txn of history.slice(0, start)) applyTo(tree, txn, ++zxid, zxid);
      const startZxid = zxid;
      const acls = new JuteWriter();
      tree.acls.serialize(acls);
      const nodes = new JuteWriter();
      const cursor = tree.openCursor();
      const other = tree.openCursor();
      for (const [i, txn] of history.slice(start).entries()) {
        for (let n = steps[i % steps.length] ?? 0; n > 0; n--) cursor.writeNext(nodes);
        applyTo(tree, txn, ++zxid, zxid);
      }
      while (cursor.writeNext(nodes));
      cursor.close();
      other.close();
      const replayed = new Tree(defaultOptions);
      loadSnapshot(replayed, acls.toBytes(), nodes.toBytes());
      let replayZxid = startZxid;
      for (const txn of history.slice(start)) applyTo(replayed, txn, ++replayZxid, replayZxid);
      assert.deepEqual(sorted(contentOf(replayed)), sorted(contentOf(tree)));
      assert.equal(digestOf(replayed), digestOf(tree));
      assert.equal(replayed.ephemeralCount, tree.ephemeralCount);
    }),
    { numRuns: 300 },
  );
});

function sorted<T>(content: Map<string, T>): [string, T][] {
  return [...content].sort(([a], [b]) => (a < b ? -1 : 1));
}
