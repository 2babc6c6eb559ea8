import assert from 'node:assert/strict';
import { connect, type ZooKeeper } from '@meerkat/client';
import type { MemberKind } from './support/ensemble-member.ts';
import { Ensemble } from './support/ensemble-of.ts';
import { peerTest } from './support/peers.ts';

/*
 * A leader of ours answers a sync when a quorum has answered its PING, and Java's at once: what is read behind it is
 * current under either. The last voter leads.
 */
const mixes: readonly (readonly [MemberKind, MemberKind, MemberKind])[] = [
  ['java', 'java', 'meerkat'],
  ['meerkat', 'meerkat', 'java'],
];

for (const voters of mixes) {
  const name = `${voters.slice(0, 2).join(' and ')} under a leader that is ${voters[2]}`;

  peerTest(`a sync shows what others have written: ${name}`, ['java'], async (t) => {
    const ensemble = await Ensemble.of(t, { voters });
    await ensemble.start(3);
    const clients = await Promise.all(
      ensemble.members.map(({ connectString }) => connect(connectString)),
    );
    const writer = clients[0] as ZooKeeper;
    await writer.create('/n', '');
    for (let n = 0; n < 50; n++) {
      await writer.setData('/n', String(n));
      for (const zk of clients) {
        const [, { data }] = await Promise.all([zk.sync('/'), zk.getData('/n')]);
        assert.equal(Buffer.from(data ?? []).toString(), String(n));
      }
    }
    await Promise.all(clients.map((zk) => zk.close()));
  });
}
