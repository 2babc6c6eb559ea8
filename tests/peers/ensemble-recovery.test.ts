import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { connect } from '@meerkat/client';
import type { EnsembleMember, MemberKind } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { assertSameTrees } from './support/trees.ts';

/*
 * A member of one kind that was away, wiped or diverged takes its state from a leader of the other kind: DIFF, SNAP, TRUNC.
 * The member is number 1, so that it never leads; 2 and 3 are of the leader's kind, except where it must have led before.
 */
const onlyJava = process.env.ENSEMBLE_KINDS === 'java';

const pairs: readonly (readonly [learner: MemberKind, leader: MemberKind])[] = onlyJava
  ? [['java', 'java']]
  : [
      ['java', 'meerkat'],
      ['meerkat', 'java'],
      ['meerkat', 'meerkat'],
    ];

for (const [learner, leader] of pairs) {
  const peers: readonly PeerName[] = [learner, leader].includes('java')
    ? ['java', 'zookeeper.jar']
    : [];

  peerTest(
    `a ${learner} member that lagged behind catches up with a ${leader} leader`,
    peers,
    async (t) => {
      const ensemble = await Ensemble.of(t, { voters: [learner, leader, leader] });
      await ensemble.start(3);
      await write(ensemble, '/before', 30);
      await ensemble.member(1).kill();
      await write(ensemble, '/meanwhile', 30);
      ensemble.member(1).start();
      await ensemble.member(1).untilMode('follower');
      assert.equal(await ensemble.member(1).untilSync(), 'DIFF');
      await write(ensemble, '/after', 5);
      await ensemble.untilEqual();
      await assertSameTrees(ensemble);
    },
  );

  peerTest(
    `a wiped ${learner} member takes everything from a ${leader} leader`,
    peers,
    async (t) => {
      const ensemble = await Ensemble.of(t, {
        voters: [learner, leader, leader],
        // Neither the logs on disk nor those in memory go back far enough for a difference.
        config: { snapCount: 100, snapshotSizeFactor: -1 },
      });
      await ensemble.start(3);
      await write(ensemble, '/before', 700);
      await ensemble.member(1).kill();
      ensemble.member(1).wipe();
      await write(ensemble, '/meanwhile', 50);
      ensemble.member(1).start();
      await ensemble.member(1).untilMode('follower');
      assert.equal(await ensemble.member(1).untilSync(), 'SNAP');
      await write(ensemble, '/after', 5);
      await ensemble.untilEqual();
      await assertSameTrees(ensemble);
      // What it was sent is on its disk: it comes back with it.
      await ensemble.member(1).kill();
      ensemble.member(1).start();
      await ensemble.member(1).untilMode('follower');
      await assertSameTrees(ensemble);
    },
  );

  // A Java member refuses to start then.
  if (learner === 'meerkat') {
    peerTest(
      `a ${learner} member whose log is damaged takes everything from a ${leader} leader`,
      peers,
      async (t) => {
        const ensemble = await Ensemble.of(t, { voters: [learner, leader, leader] });
        await ensemble.start(3);
        await write(ensemble, '/before', 50);
        await ensemble.untilEqual();
        const member = ensemble.member(1);
        await member.kill();
        damageLog(member);
        await write(ensemble, '/meanwhile', 10);
        member.start();
        await member.untilMode('follower');
        assert.match(member.log, /cannot trust its own disk: it asks the leader for everything/);
        assert.equal(await member.untilSync(), 'SNAP');
        await write(ensemble, '/after', 5);
        await ensemble.untilEqual();
        await assertSameTrees(ensemble);
        await member.kill();
        member.start();
        await member.untilMode('follower');
        await assertSameTrees(ensemble);
      },
    );
  }

  for (const sync of ['TRUNC', 'SNAP'] as const) {
    peerTest(
      `a ${learner} member gives up what a ${leader} leader never heard of, by ${sync}`,
      peers,
      (t) => giveUp(t, learner, leader, sync),
    );
  }
}

/**
 * The member leads at first, having the highest id, and logs what no other member gets to see. Once the others have
 * gone on, in a new epoch, there is no transaction of theirs that it could be cut back to: it is sent everything.
 */
async function giveUp(
  t: TestContext,
  learner: MemberKind,
  leader: MemberKind,
  sync: 'TRUNC' | 'SNAP',
): Promise<void> {
  const ensemble = await Ensemble.of(t, { voters: [leader, leader, learner] });
  await ensemble.start(3);
  await write(ensemble, '/before', 10);
  const [one, two, three] = [ensemble.member(1), ensemble.member(2), ensemble.member(3)];
  const zk = await connect(three.connectString, { sessionTimeoutMs: 30_000 });
  await ensemble.untilEqual();
  await Promise.all([one.pause(), two.pause()]);
  // Proposed, logged by the leader alone, and acknowledged to nobody.
  const secret = 'nobody shall see this';
  const lost = zk.create('/lost', secret).then(
    () => 'acknowledged',
    () => 'not acknowledged',
  );
  await three.until('logs what it proposed', () => {
    const logs = three.dataFiles().filter((name) => name.startsWith('log.'));
    const folder = join(three.dataDirectory, 'version-2');
    return Promise.resolve(logs.some((log) => readFileSync(join(folder, log)).includes(secret)));
  });
  await three.kill();
  // What waits in their sockets they would still log; so they end, too, before they can read it.
  await Promise.all([one.kill(), two.kill()]);
  assert.equal(await lost, 'not acknowledged');
  await zk.close();
  one.start();
  two.start();
  await Promise.all([one.untilServing(), two.untilServing()]);
  if (sync === 'SNAP') await write(ensemble, '/other', 10);
  three.start();
  await three.untilMode('follower');
  assert.equal(await three.untilSync(), sync);
  await write(ensemble, '/after', 5);
  await ensemble.untilEqual();
  const tree = await assertSameTrees(ensemble);
  assert.ok(!tree.some((line) => line.startsWith('/lost ')), '/lost is gone');
}

/** Flips a bit of a transaction in the middle of the member's newest log. */
function damageLog(member: EnsembleMember): void {
  const name =
    member
      .dataFiles()
      .filter((file) => file.startsWith('log.'))
      .at(-1) ?? '';
  const path = join(member.dataDirectory, 'version-2', name);
  const bytes = readFileSync(path);
  const at = bytes.indexOf('/before/n-20');
  assert.ok(at > 0, 'the log has the transaction');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
}

/** Creates so many znodes under a new one, through any member that runs. */
async function write(ensemble: Ensemble, path: string, count: number): Promise<void> {
  const running = ensemble.members.filter(({ isRunning }) => isRunning);
  const zk = await connect(running.map(({ connectString }) => connectString).join(','), {
    sessionTimeoutMs: 10_000,
  });
  try {
    await zk.create(path);
    const names = Array.from({ length: count }, (_, n) => `${path}/n-${n}`);
    await Promise.all(names.map((name) => zk.create(name, name)));
  } finally {
    await zk.close();
  }
}
