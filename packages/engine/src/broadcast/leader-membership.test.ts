import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asZxid, type Zxid } from '@meerkat/protocol';
import { defaultEnsembleConfig } from '../ensemble-config.ts';
import { parseQuorumConfig, type QuorumConfig } from '../quorum/quorum-config.ts';
import { LeaderMembership } from './leader-membership.ts';
import type { MemberContext, RoleEvents } from './member-context.ts';
import { Membership } from './membership.ts';
import { SmallFiles } from './testing/small-files.ts';

function configOf(ids: readonly number[], version: number): QuorumConfig {
  const lines = ids.map((id) => `server.${id}=host${id}:2888:3888:participant`);
  return parseQuorumConfig([...lines, `version=${version.toString(16)}`].join('\n'));
}

/** Who leads when server 5 commits that it is no member any more. */
function leaderAfter(acked: readonly (readonly [number, number])[]): number {
  const ensemble = { ...defaultEnsembleConfig, myId: 5, members: configOf([1, 2, 3, 4, 5], 0x10) };
  const membership = new Membership(ensemble, new SmallFiles().disk, true);
  const events = { onMembersChanged: () => {} } as unknown as RoleEvents;
  const context = { ensemble, membership } as unknown as MemberContext;
  membership.propose(configOf([1, 2, 3, 4], 0x20));
  const last = new Map(acked.map(([sid, zxid]): [number, Zxid] => [sid, asZxid(zxid)]));
  return new LeaderMembership(context, events).activate(last, asZxid(0x20));
}

test('a leader that leaves gives way to a voter that has acknowledged the change', () => {
  assert.equal(
    leaderAfter([
      [5, 0x20],
      [1, 0x1f],
      [2, 0x20],
      [3, 0x20],
    ]),
    2,
  );
});

test('of those to the one that has acknowledged the most of what was proposed after it', () => {
  assert.equal(
    leaderAfter([
      [5, 0x25],
      [1, 0x20],
      [2, 0x22],
      [3, 0x24],
      [4, 0x21],
    ]),
    3,
  );
  assert.equal(
    leaderAfter([
      [5, 0x25],
      [1, 0x20],
      [2, 0x24],
      [3, 0x24],
    ]),
    2,
  );
  assert.equal(
    leaderAfter([
      [5, 0x25],
      [1, 0x20],
      [2, 0x20],
    ]),
    1,
  );
});
