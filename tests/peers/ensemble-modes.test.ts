import assert from 'node:assert/strict';
import { connect, NotReadOnlyError } from '@meerkat/client';
import { Ensemble } from './support/ensemble-of.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { until } from './support/until.ts';

/* What members do that are set up for less, or for more: reads without a quorum, sessions that only one member knows. */
const onlyJava = process.env.ENSEMBLE_KINDS === 'java';
const java: readonly PeerName[] = ['java', 'zookeeper.jar'];

if (!onlyJava) {
  peerTest('a member without a quorum serves reads where that is allowed', [], async (t) => {
    const ensemble = await Ensemble.of(t, {
      voters: ['meerkat', 'meerkat', 'meerkat'],
      // Without a quorum there is nobody who could answer for a global session.
      config: {
        'readonlymode.enabled': 'true',
        localSessionsEnabled: 'true',
        localSessionsUpgradingEnabled: 'true',
      },
    });
    await ensemble.start(3);
    const [one] = ensemble.members;
    assert.ok(one !== undefined);
    assert.equal(await one.word('isro'), 'rw');
    const writer = await connect(one.connectString, { sessionTimeoutMs: 20_000 });
    await writer.create('/there', 'yes');
    await writer.close();
    await Promise.all([ensemble.member(2).kill(), ensemble.member(3).kill()]);
    await one.untilMode('read-only');
    assert.equal(await one.word('isro'), 'ro');
    assert.match(await one.word('srvr'), /READ-ONLY mode; serving only read-only clients/);
    const zk = await connect(one.connectString, { canBeReadOnly: true, sessionTimeoutMs: 20_000 });
    assert.equal(zk.state.status, 'connectedReadOnly');
    assert.equal(Buffer.from((await zk.getData('/there')).data ?? []).toString(), 'yes');
    await assert.rejects(zk.create('/not-now'), NotReadOnlyError);
    ensemble.member(2).start();
    await one.untilMode('follower', 'leader');
    await until('the client may write again', () => zk.state.status === 'connected');
    await zk.create('/now');
    await zk.close();
  });
}

for (const kinds of onlyJava
  ? ([['java', 'java', 'java']] as const)
  : ([
      ['meerkat', 'meerkat', 'meerkat'],
      ['meerkat', 'java', 'meerkat'],
      ['java', 'meerkat', 'java'],
    ] as const)) {
  peerTest(
    `${kinds.join(', ')}: a local session is no transaction, and becomes a global one for an ephemeral`,
    kinds.some((kind) => (kind as string) === 'java') ? java : [],
    async (t) => {
      const ensemble = await Ensemble.of(t, {
        voters: kinds,
        config: { localSessionsEnabled: 'true', localSessionsUpgradingEnabled: 'true' },
      });
      await ensemble.start(3);
      // Until the first transaction a leader stands at the beginning of its epoch, and its followers do not.
      const first = await connect(ensemble.connectString, { sessionTimeoutMs: 20_000 });
      await first.create('/first');
      await first.close();
      for (const member of ensemble.members) {
        const before = await ensemble.untilEqual();
        const zk = await connect(member.connectString, { sessionTimeoutMs: 20_000 });
        await zk.exists('/');
        assert.equal(await member.zxid(), before, `${member.name}: a session of its own`);
        assert.match(await member.word('mntr'), /^zk_local_sessions\t1$/m);
        await zk.create(`/ephemeral-${member.id}`, 'here', { mode: 'ephemeral' });
        assert.match(await member.word('mntr'), /^zk_local_sessions\t0$/m);
        assert.match(await member.word('mntr'), /^zk_global_sessions\t1$/m);
        await zk.close();
        await ensemble.untilEqual();
      }
    },
  );
}
