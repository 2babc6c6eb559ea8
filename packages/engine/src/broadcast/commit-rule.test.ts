import assert from 'node:assert/strict';
import test from 'node:test';
import { asZxid, makeZxid, type Zxid } from '@meerkat/protocol';
import fc from 'fast-check';
import { parseQuorumConfig } from '../quorum/quorum-config.ts';
import { quorumVerifierOf } from '../quorum/quorum-verifier.ts';
import { QuorumView } from '../quorum/quorum-view.ts';
import { agreedZxid } from './commit-rule.ts';

/** Members 1 to n, those in `observers` not voting. */
function config(ids: readonly number[], version: number, more = ''): string {
  const lines = ids.map((id) => `server.${id}=host${id}:2888:3888`);
  return `${lines.join('\n')}\n${more}\nversion=${version.toString(16)}`;
}

function viewOf(current: string, next: string | null = null): QuorumView {
  const verifier = (text: string): ReturnType<typeof quorumVerifierOf> =>
    quorumVerifierOf(parseQuorumConfig(text));
  return new QuorumView(verifier(current), next === null ? null : verifier(next));
}

function agreed(
  acked: Readonly<Record<number, number>>,
  view: QuorumView,
  reconfigZxid: number | null = null,
): number {
  const map = new Map(Object.entries(acked).map(([sid, zxid]) => [Number(sid), asZxid(zxid)]));
  return agreedZxid(map, view, reconfigZxid === null ? null : asZxid(reconfigZxid));
}

const three = viewOf(config([1, 2, 3], 1));
const five = viewOf(config([1, 2, 3, 4, 5], 1));

test('what a majority has is agreed on, and no more', () => {
  assert.equal(agreed({ 1: 9, 2: 7, 3: 5 }, three), 7);
  assert.equal(agreed({ 1: 9, 2: 9, 3: 0 }, three), 9);
  assert.equal(agreed({ 1: 9, 2: 8, 3: 7, 4: 6, 5: 5 }, five), 7);
});

test('a minority agrees on nothing, however far it is', () => {
  assert.equal(agreed({ 1: 9 }, three), -1);
  assert.equal(agreed({ 1: 9, 2: 9 }, five), -1);
  assert.equal(agreed({}, three), -1);
});

test('those that do not vote are not counted', () => {
  const view = viewOf(`${config([1, 2, 3], 1)}\nserver.4=host4:2888:3888:observer`);
  assert.equal(agreed({ 1: 9, 4: 9 }, view), -1);
  assert.equal(agreed({ 1: 9, 3: 4, 4: 9, 77: 9 }, view), 4);
});

test('with groups, a majority of the weight in a majority of the groups agrees', () => {
  const groups = 'group.1=1:2:3\ngroup.2=4:5:6\ngroup.3=7:8:9';
  const view = viewOf(config([1, 2, 3, 4, 5, 6, 7, 8, 9], 1, groups));
  assert.equal(agreed({ 1: 9, 2: 8, 4: 7, 5: 6 }, view), 6);
  assert.equal(agreed({ 1: 9, 2: 9, 3: 9, 4: 9, 7: 9 }, view), -1);
});

test('a weight of zero counts for nothing', () => {
  const weighted = 'group.1=1:2:3:4\nweight.1=1\nweight.2=1\nweight.3=1\nweight.4=0';
  const view = viewOf(config([1, 2, 3, 4], 1, weighted));
  assert.equal(agreed({ 1: 9, 4: 9 }, view), -1);
  assert.equal(agreed({ 1: 9, 2: 3, 4: 9 }, view), 3);
});

test('a reconfiguration, and what comes behind it, needs both configurations', () => {
  const view = viewOf(config([1, 2, 3], 1), config([3, 4, 5], 20));
  // The old one has all of it, the new one nothing: what was proposed before goes on.
  assert.equal(agreed({ 1: 30, 2: 30, 3: 30 }, view, 20), 19);
  assert.equal(agreed({ 1: 30, 2: 18, 3: 18 }, view, 20), 18);
  // The new one alone decides nothing.
  assert.equal(agreed({ 3: 30, 4: 30, 5: 30 }, view, 20), -1);
  assert.equal(agreed({ 1: 30, 3: 30, 4: 20 }, view, 20), 20);
  assert.equal(agreed({ 1: 30, 2: 30, 4: 30, 5: 25 }, view, 20), 25);
});

test('nothing is ever agreed on that some majority of either configuration lacks', () => {
  const view = viewOf(config([1, 2, 3], 1), config([2, 3, 4, 5, 6], 50));
  const has = (acked: ReadonlyMap<number, Zxid>, ids: readonly number[], zxid: number): boolean =>
    ids.filter((id) => (acked.get(id) ?? -1) >= zxid).length * 2 > ids.length;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 0, max: 100 }))),
      fc.constantFrom(null, 50),
      (entries, reconfigZxid) => {
        const acked = new Map(entries.map(([id, zxid]) => [id, asZxid(zxid)]));
        const zxid = agreedZxid(acked, view, reconfigZxid === null ? null : asZxid(50));
        if (zxid < 0) return;
        assert.ok(has(acked, [1, 2, 3], zxid));
        if (zxid >= 50 || reconfigZxid === null) assert.ok(has(acked, [2, 3, 4, 5, 6], zxid));
      },
    ),
  );
});

test('an epoch that nobody has written to is agreed on by nobody', () => {
  assert.equal(agreed({ 1: makeZxid(3, 0), 2: makeZxid(3, 0), 3: 0 }, three), makeZxid(3, 0));
});
