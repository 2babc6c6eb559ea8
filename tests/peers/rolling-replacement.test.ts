import type { EnsembleMember, MemberKind } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { Load } from './support/load-client.ts';
import { peerTest } from './support/peers.ts';
import { assertSameTrees } from './support/trees.ts';

/*
 * Three Java members become three Meerkats one by one, and Java again, on the same directories and ports, while clients
 * write: no acknowledged write, session, ephemeral or watch is lost. The leader goes last, as the recipe in
 * docs/running-an-ensemble.md has it. ENSEMBLE_KINDS=java restarts Java members as they are.
 */
const replacement: MemberKind = process.env.ENSEMBLE_KINDS === 'java' ? 'java' : 'meerkat';

peerTest(
  'three Java members become three Meerkats under load, and Java again',
  ['java', 'zookeeper.jar'],
  async (t) => {
    const ensemble = await Ensemble.of(t, { voters: ['java', 'java', 'java'] });
    await ensemble.start(3);
    const load = await Load.begin(ensemble.connectString, 6);
    load.run();
    await load.untilProgress();
    for (const kind of [replacement, 'java'] as const) {
      await replaceAll(ensemble, load, kind);
      await load.pauseAndCheck(ensemble.connectString);
      await assertSameTrees(ensemble);
      t.diagnostic(
        `all ${kind}: ${load.acknowledged} writes acknowledged, ${load.losses} answers lost, the slowest write took ${Math.round(load.slowestMs)} ms`,
      );
      load.run();
    }
    await load.untilProgress();
    await load.pauseAndCheck(ensemble.connectString);
    await load.close();
    await ensemble.untilEqual();
    await assertSameTrees(ensemble);
  },
  { timeoutMs: 300_000 },
);

/** Followers first, then the leader; each serves again, and so do all clients, before the next one goes. */
async function replaceAll(ensemble: Ensemble, load: Load, kind: MemberKind): Promise<void> {
  const leader = await ensemble.leader();
  const followers = ensemble.members.filter((member) => member !== leader);
  for (const member of [...followers, leader]) {
    await replace(member, kind);
    await ensemble.untilServing();
    await load.untilProgress();
  }
}

async function replace(member: EnsembleMember, kind: MemberKind): Promise<void> {
  await member.stop();
  member.kind = kind;
  member.start();
  await member.untilServing();
}
