import assert from 'node:assert/strict';
import { connect } from '@meerkat/client';
import type { MemberKind } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { Load } from './support/load-client.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { quietPort } from './support/quiet-port.ts';
import { assertSameTrees } from './support/trees.ts';

/*
 * Ensembles of three with members of both kinds, led by each: they serve, agree, and survive the loss of their leader.
 * ENSEMBLE_KINDS=java runs everything with Java members alone, to show that a test asks nothing that ZooKeeper does not do.
 */
const onlyJava = process.env.ENSEMBLE_KINDS === 'java';

/** The voters by id, and the observer; the last voter leads. */
const mixes: readonly (readonly [MemberKind, MemberKind, MemberKind, MemberKind])[] = onlyJava
  ? [['java', 'java', 'java', 'java']]
  : [
      ['meerkat', 'meerkat', 'meerkat', 'meerkat'],
      ['java', 'java', 'meerkat', 'meerkat'],
      ['java', 'meerkat', 'java', 'meerkat'],
      ['java', 'meerkat', 'meerkat', 'java'],
      ['meerkat', 'meerkat', 'java', 'java'],
      ['java', 'java', 'java', 'meerkat'],
      ['meerkat', 'meerkat', 'meerkat', 'java'],
    ];

for (const [one, two, three, observer] of mixes) {
  const peers = peersOf([one, two, three, observer]);
  peerTest(
    `${one}, ${two} and ${three}, which leads, with a ${observer} observer: all agree, also after the leader is killed`,
    peers,
    async (t) => {
      const ensemble = await Ensemble.of(t, { voters: [one, two, three], observers: [observer] });
      await ensemble.start(3);
      const modes = await Promise.all(ensemble.members.map((member) => member.mode()));
      assert.deepEqual(modes, ['follower', 'follower', 'leader', 'observer']);

      const load = await Load.begin(ensemble.connectString, 4);
      load.run();
      await load.untilProgress();
      await ensemble.leader().then((leader) => leader.kill());
      await load.untilProgress();
      await ensemble.untilServing();
      ensemble.member(3).start();
      await ensemble.member(3).untilMode('follower');
      await load.untilProgress();
      await load.pauseAndCheck(ensemble.connectString);
      await load.close();
      const tree = await assertSameTrees(ensemble);
      t.diagnostic(`${load.acknowledged} writes acknowledged, ${tree.length} znodes`);
    },
  );
}

for (const kind of onlyJava ? (['java'] as const) : (['meerkat', 'java'] as const)) {
  peerTest(
    `what one client wrote through one ${kind} member, another reads through the others after sync`,
    peersOf([kind]),
    async (t) => {
      const ensemble = await Ensemble.of(t, { voters: [kind, kind, kind] });
      await ensemble.start(3);
      const clients = await Promise.all(
        ensemble.members.map(({ connectString }) => connect(connectString)),
      );
      const [first] = clients;
      assert.ok(first !== undefined);
      for (let n = 0; n < 20; n++) {
        await first.create(`/n-${n}`, String(n));
        for (const zk of clients) {
          await zk.sync('/');
          const { data } = await zk.getData(`/n-${n}`);
          assert.equal(Buffer.from(data ?? []).toString(), String(n));
        }
      }
      await Promise.all(clients.map((zk) => zk.close()));
    },
  );
}

for (const [voter, observer] of onlyJava
  ? ([['java', 'java']] as const)
  : ([
      ['meerkat', 'meerkat'],
      ['meerkat', 'java'],
      ['java', 'meerkat'],
    ] as const)) {
  peerTest(
    `a ${observer} observer follows a ${voter} follower where there is an observerMasterPort`,
    peersOf([voter, observer]),
    async (t) => {
      const ensemble = await Ensemble.of(t, {
        voters: [voter, voter, voter],
        observers: [observer],
        hasOwnHosts: true,
        config: { observerMasterPort: await quietPort() },
      });
      await ensemble.start(3);
      const load = await Load.begin(ensemble.connectString, 4);
      load.run();
      await load.untilProgress();
      // Not the leader, whom nobody but the two followers follows.
      assert.match(await ensemble.member(4).word('mntr'), /^zk_observer_master_id\t[12]$/m);
      assert.match(await ensemble.member(3).word('mntr'), /^zk_learners\t2$/m);
      for (const id of [1, 2]) {
        await ensemble.member(id).kill();
        await load.untilProgress();
        ensemble.member(id).start();
        await ensemble.untilServing();
      }
      await load.untilProgress();
      await load.pauseAndCheck(ensemble.connectString);
      await load.close();
      await ensemble.untilEqual();
      await assertSameTrees(ensemble);
    },
  );
}

function peersOf(kinds: readonly MemberKind[]): readonly PeerName[] {
  return kinds.includes('java') ? ['java', 'zookeeper.jar'] : [];
}
