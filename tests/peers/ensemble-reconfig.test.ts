import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@meerkat/client';
import type { EnsembleMember, MemberKind } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { assertSameTrees } from './support/trees.ts';

/*
 * Members leave and come back while the ensemble runs, and the files that say so are understood by both kinds of
 * server after a restart.
 */
const onlyJava = process.env.ENSEMBLE_KINDS === 'java';

for (const [first, second] of onlyJava
  ? ([['java', 'java']] as const)
  : ([
      ['meerkat', 'meerkat'],
      ['meerkat', 'java'],
      ['java', 'meerkat'],
    ] as const)) {
  peerTest(
    `what ${first} members wrote down of a reconfiguration, ${second} members start with`,
    peersOf(first, second),
    async (t) => {
      const config = { reconfigEnabled: 'true', skipACL: 'yes' };
      const ensemble = await Ensemble.of(t, { voters: [first, first, first], config });
      await ensemble.start(3);
      const [one, two] = ensemble.members;
      assert.ok(one !== undefined && two !== undefined);
      const own = one.place.lines.find((line) => line.startsWith('server.1=')) ?? '';

      const zk = await connect(`${two.connectString},${ensemble.member(3).connectString}`);
      await zk.create('/before', 'yes');
      const without = await zk.reconfig({ leaving: '1' });
      assert.doesNotMatch(textOf(without.data), /server\.1=/);
      const again = await zk.reconfig({
        joining: `${own};127.0.0.1:${one.place.clientPort}`,
      });
      const version = /^version=([0-9a-f]+)$/m.exec(textOf(again.data))?.[1] ?? '';
      assert.match(textOf(again.data), /server\.1=.*:participant;127\.0\.0\.1:/);
      await zk.close();

      for (const member of ensemble.members) {
        await member.until('has the members in a file', () => {
          return Promise.resolve(zooCfg(member).includes(`zoo.cfg.dynamic.${version}`));
        });
        const text = zooCfg(member);
        assert.doesNotMatch(text, /^server\./m);
        assert.equal(/^clientPort=/m.test(text), member !== one, text);
        assert.match(text, /^tickTime=500$/m);
        assert.match(
          readFileSync(join(member.place.directory, 'zoo.cfg.bak'), 'utf8'),
          /^server\.1=/m,
        );
      }
      await Promise.all(ensemble.members.map((member) => member.stop()));
      for (const member of ensemble.members) member.kind = second;
      await ensemble.start();
      const reader = await connect(ensemble.connectString);
      await reader.sync('/');
      assert.match(textOf((await reader.getConfig()).data), new RegExp(`version=${version}$`));
      assert.equal(textOf((await reader.getData('/before')).data), 'yes');
      await reader.close();
      await assertSameTrees(ensemble);
    },
  );
}

function zooCfg({ place }: EnsembleMember): string {
  return readFileSync(join(place.directory, 'zoo.cfg'), 'utf8');
}

function textOf(data: Uint8Array | null): string {
  return Buffer.from(data ?? []).toString();
}

function peersOf(...kinds: readonly MemberKind[]): readonly PeerName[] {
  return kinds.includes('java') ? ['java', 'zookeeper.jar'] : [];
}
