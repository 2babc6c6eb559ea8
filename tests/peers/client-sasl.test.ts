import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AuthFailedError, connect, NoAuthError, SaslError, type ZooKeeper } from '@meerkat/client';
import { temporaryDirectory } from './support/paths.ts';
import { type PeerName, peerTest } from './support/peers.ts';
import { type ServerUnderTest, withServer } from './support/server-under-test.ts';

/* Our client's SASL (DIGEST-MD5) against the Java server, which takes its users from a JAAS file. */

const peers: PeerName[] = ['java', 'zookeeper.jar'];

peerTest(
  'a user of the JAAS file is known to the server, by scheme sasl, and after a reconnect',
  peers,
  () =>
    withSaslServer({}, async (server) => {
      await withClient(server, 'bob', 'bobs "secret", \\ ü', async (zk) => {
        const identities = await zk.whoAmI();
        assert.deepEqual(
          identities.filter(({ scheme }) => scheme === 'sasl').map(({ user }) => user),
          ['bob'],
        );
        const acl = [{ perms: 31, scheme: 'sasl', id: 'bob' }];
        await zk.create('/bobs', 'his', { acl });
        await zk.setData('/bobs', 'changed');
        const reconnected = new Promise<void>((resolve) => {
          const stop = zk.onState(({ status }) => {
            if (status !== 'connected') return;
            stop();
            resolve();
          });
        });
        await server.kill();
        await server.restart();
        await reconnected;
        assert.equal(Buffer.from((await zk.getData('/bobs')).data ?? []).toString(), 'changed');
      });
      await withClient(server, '小王', '密码', async (zk) => {
        await assert.rejects(zk.getData('/bobs'), NoAuthError);
      });
      const anonymous = await connect(server.connectString);
      await assert.rejects(anonymous.getData('/bobs'), NoAuthError);
      await anonymous.close();
    }),
);

peerTest('a wrong password and an unknown user are refused for good', peers, () =>
  withSaslServer({}, async (server) => {
    for (const [username, password] of [
      ['bob', 'wrong'],
      ['eve', 'secret'],
    ] as const) {
      const sasl = { username, password };
      await assert.rejects(connect(server.connectString, { sasl }), (error) => {
        assert.ok(error instanceof AuthFailedError);
        assert.ok(error.cause instanceof SaslError);
        return true;
      });
    }
  }),
);

peerTest('where SASL is mandatory, only who authenticates gets in', peers, () =>
  withSaslServer({ 'zookeeper.sessionRequireClientSASLAuth': 'true' }, async (server) => {
    await withClient(server, 'bob', 'bobs "secret", \\ ü', async (zk) => {
      await zk.create('/in');
    });
    const sasl = { username: 'bob', password: 'wrong' };
    await assert.rejects(connect(server.connectString, { sasl }), AuthFailedError);
  }),
);

peerTest('a server without users says so', peers, () =>
  withServer({ target: 'java' }, async (server) => {
    const sasl = { username: 'bob', password: 'secret' };
    await assert.rejects(connect(server.connectString, { sasl }), /not set up for SASL/);
  }),
);

async function withClient(
  server: ServerUnderTest,
  username: string,
  password: string,
  use: (zk: ZooKeeper) => Promise<void>,
): Promise<void> {
  const zk = await connect(server.connectString, { sasl: { username, password } });
  try {
    await use(zk);
  } finally {
    await zk.close();
  }
}

async function withSaslServer(
  systemProperties: Readonly<Record<string, string>>,
  use: (server: ServerUnderTest) => Promise<void>,
): Promise<void> {
  const jaas = join(temporaryDirectory('sasl'), 'jaas.conf');
  const users = String.raw`user_bob="bobs \"secret\", \\ ü" user_小王="密码"`;
  writeFileSync(
    jaas,
    `Server { org.apache.zookeeper.server.auth.DigestLoginModule required ${users}; };\n`,
  );
  const options = {
    target: 'java',
    systemProperties: {
      'java.security.auth.login.config': jaas,
      'file.encoding': 'UTF-8',
      'zookeeper.fips-mode': 'false',
      'zookeeper.authProvider.1': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider',
      ...systemProperties,
    },
  } as const;
  await withServer(options, use);
}
