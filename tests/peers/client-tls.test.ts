import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { before } from 'node:test';
import { connect, NoAuthError, type TlsOptions, type ZooKeeper } from '@meerkat/client';
import { runProgramOk } from './support/child-processes.ts';
import { temporaryDirectory } from './support/paths.ts';
import { hasPeer, type PeerName, peerTest } from './support/peers.ts';
import { freePort, type ServerUnderTest, withServer } from './support/server-under-test.ts';
import { until } from './support/until.ts';

/* Our client over TLS to the Java server's secureClientPort: who it trusts, who it is, and in which formats. */

const peers: PeerName[] = ['java', 'zookeeper.jar', 'netty-codec.jar', 'openssl', 'keytool'];
const passphrase = 'changeit';
let keys = '';

before(async () => {
  if (peers.every(hasPeer)) keys = await makeKeys();
});

peerTest('a client certificate from PEM files is known to the server, by scheme x509', peers, () =>
  withSecureServer('require', async (connectString) => {
    const own = { cert: file('client.pem'), key: file('client.key') };
    await withClient(connectString, { ca: file('ca.pem'), ...own }, useAsAlice);
  }),
);

peerTest('... from an encrypted key, from a PKCS#12 store', peers, () =>
  withSecureServer('require', async (connectString) => {
    const ca = file('ca.pem');
    const encrypted = { cert: file('client.pem'), key: file('client.encrypted.key'), passphrase };
    await withClient(connectString, { ca, ...encrypted }, useAsAlice);
    const keyStore = { store: file('client.p12'), passphrase };
    await withClient(connectString, { ca, keyStore }, useAsAlice);
  }),
);

peerTest(
  '... from JKS stores, a PKCS#12 trust store, and a PKCS#12 store of Java 8',
  [...peers, 'jks-js'],
  () =>
    withSecureServer('require', async (connectString) => {
      // Java 8 encrypted its PKCS#12 stores in a way that OpenSSL 3 refuses.
      const ofJava8 = { store: file('client.java8.p12'), passphrase };
      await withClient(connectString, { ca: file('ca.pem'), keyStore: ofJava8 }, useAsAlice);
      const keyStore = { store: file('client.jks'), passphrase };
      for (const name of ['trust.jks', 'trust.p12']) {
        const trustStore = { store: file(name), passphrase };
        await withClient(connectString, { trustStore, keyStore }, useAsAlice);
      }
    }),
);

peerTest(
  'no certificate, or one of a stranger: the server refuses, and the client says why',
  peers,
  () =>
    withSecureServer('require', async (connectString) => {
      const ca = file('ca.pem');
      const stranger = { cert: file('stranger.pem'), key: file('stranger.key') };
      for (const tls of [{ ca }, { ca, ...stranger }]) {
        await assert.rejects(connectTls(connectString, tls), (error: Error) => {
          assert.equal(error.name, 'ConnectionLossError');
          assert.ok(error.cause instanceof Error);
          assert.match(error.message, /127\.0\.0\.1|alert|SSL|closed/i);
          return true;
        });
      }
    }),
);

peerTest('the client refuses a server of another authority or name', peers, () =>
  withSecureServer('none', async (connectString, server) => {
    const ca = file('ca.pem');
    await withClient(connectString, { ca }, async (zk) => {
      const schemes = (await zk.whoAmI()).map(({ scheme }) => scheme);
      assert.deepEqual(schemes, ['ip']);
    });
    const byStranger = { ca: file('stranger.pem') };
    await assert.rejects(connectTls(connectString, byStranger), /self-signed|unable to/);
    await assert.rejects(connectTls(connectString, { ca, servername: 'elsewhere' }), /elsewhere/);
    const lax = { ca, servername: 'elsewhere', hostnameVerification: false };
    await withClient(connectString, lax, async (zk) => {
      assert.equal(await zk.exists('/nothing'), null);
    });
    await assert.rejects(
      connectTls(server.connectString, { ca }),
      /secure TLS|wrong version|closed/,
      'TLS to the plain port',
    );
  }),
);

peerTest('watches, a megabyte and thousands of pipelined calls go through TLS', peers, () =>
  withSecureServer('none', async (connectString) => {
    await withClient(connectString, { ca: file('ca.pem') }, async (zk) => {
      const big = new Uint8Array(1_000_000).fill(7);
      await zk.create('/big', big);
      assert.deepEqual((await zk.getData('/big')).data, big);
      const changes = await zk.watch('/many', { lagMax: 5000 });
      await zk.create('/many');
      const creates = Array.from({ length: 3000 }, (_, i) => zk.create(`/many/${i}`, `${i}`));
      assert.equal((await Promise.all(creates)).length, 3000);
      assert.equal((await zk.getChildren('/many')).length, 3000);
      assert.equal((await changes.next()).value?.type, 'nodeCreated');
      assert.equal(changes.waiting, 3000);
      await changes.close();
    });
  }),
);

/** What only the holder of the client's certificate may do. */
async function useAsAlice(zk: ZooKeeper): Promise<void> {
  const identities = await zk.whoAmI();
  assert.deepEqual(
    identities.filter(({ scheme }) => scheme === 'x509').map(({ user }) => user),
    ['CN=alice,O=Meerkat'],
  );
  const acl = [{ perms: 31, scheme: 'x509', id: 'CN=alice,O=Meerkat' }];
  const path = await zk.create('/alices-', 'hers', { mode: 'persistentSequential', acl });
  assert.equal(Buffer.from((await zk.getData(path)).data ?? []).toString(), 'hers');
  const others = [{ perms: 31, scheme: 'x509', id: 'CN=bob,O=Meerkat' }];
  const bobs = await zk.create('/bobs-', 'his', { mode: 'persistentSequential', acl: others });
  await assert.rejects(zk.getData(bobs), NoAuthError);
}

/** @param connectTimeoutMs a refusal is not final for a client: it is the time that ends the wait */
function connectTls(
  connectString: string,
  tls: TlsOptions,
  connectTimeoutMs = 3000,
): Promise<ZooKeeper> {
  return connect(connectString, { tls, connectTimeoutMs, retryDelayMs: 100 });
}

/** Runs `use` with a client over TLS. */
async function withClient(
  connectString: string,
  tls: TlsOptions,
  use: (zk: ZooKeeper) => Promise<void>,
): Promise<void> {
  const zk = await connectTls(connectString, tls, 60_000);
  try {
    await use(zk);
  } finally {
    await zk.close();
  }
}

/** A Java server with a secure port; whether it asks for certificates is `clientAuth`. */
async function withSecureServer(
  clientAuth: 'require' | 'none',
  use: (connectString: string, server: ServerUnderTest) => Promise<void>,
): Promise<void> {
  const port = await freePort();
  const netty = 'org.apache.zookeeper.server.NettyServerCnxnFactory';
  const x509 = 'org.apache.zookeeper.server.auth.X509AuthenticationProvider';
  const options = {
    target: 'java',
    config: { secureClientPort: port, secureClientPortAddress: '127.0.0.1' },
    systemProperties: {
      'zookeeper.serverCnxnFactory': netty,
      'zookeeper.ssl.keyStore.location': file('server.p12'),
      'zookeeper.ssl.keyStore.password': passphrase,
      'zookeeper.ssl.trustStore.location': file('trust.p12'),
      'zookeeper.ssl.trustStore.password': passphrase,
      'zookeeper.ssl.hostnameVerification': 'false',
      'zookeeper.ssl.clientAuth': clientAuth === 'require' ? 'need' : 'none',
      'zookeeper.authProvider.1': x509,
    },
  } as const;
  await withServer(options, async (server) => {
    await until('the secure port is open', () => isOpen(port));
    await use(`127.0.0.1:${port}`, server);
  });
}

/** Whether somebody listens. */
function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function file(name: string): string {
  return join(keys, name);
}

/** An authority, a server, a client, a stranger; each as PEM, and as the stores that Java has. */
async function makeKeys(): Promise<string> {
  const cwd = temporaryDirectory('tls');
  const openssl = (...args: string[]): Promise<unknown> => runProgramOk('openssl', args, { cwd });
  const pass = `pass:${passphrase}`;
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const selfSigned = ['req', '-x509', ...newKey, '-days', '30'];
  for (const name of ['ca', 'stranger'])
    await openssl(
      ...selfSigned,
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.pem`,
    );
  writeFileSync(join(cwd, 'server.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  writeFileSync(join(cwd, 'client.ext'), 'extendedKeyUsage=clientAuth\n');
  for (const [name, subject] of [
    ['server', '/CN=localhost'],
    ['client', '/O=Meerkat/CN=alice'],
  ] as const) {
    await openssl(
      'req',
      ...newKey,
      '-subj',
      subject,
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
    );
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30'];
    const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`];
    await openssl('x509', '-req', ...files, ...signed);
    const own = ['-inkey', `${name}.key`, '-in', `${name}.pem`, '-certfile', 'ca.pem'];
    await openssl('pkcs12', '-export', ...own, '-out', `${name}.p12`, '-passout', pass);
  }
  const encrypted = ['-topk8', '-v2', 'aes256', '-passout', pass];
  await openssl('pkcs8', ...encrypted, '-in', 'client.key', '-out', 'client.encrypted.key');
  const storepass = ['-storepass', passphrase, '-noprompt'];
  const trusted = ['-importcert', '-alias', 'ca', '-file', 'ca.pem', ...storepass];
  for (const [type, name] of [
    ['PKCS12', 'trust.p12'],
    ['JKS', 'trust.jks'],
  ] as const)
    await runProgramOk('keytool', [...trusted, '-storetype', type, '-keystore', name], { cwd });
  const from = [
    '-srckeystore',
    'client.p12',
    '-srcstoretype',
    'PKCS12',
    '-srcstorepass',
    passphrase,
  ];
  for (const [type, name, ...asBefore] of [
    ['JKS', 'client.jks'],
    ['PKCS12', 'client.java8.p12', '-J-Dkeystore.pkcs12.legacy'],
  ] as const) {
    const to = ['-destkeystore', name, '-deststoretype', type, '-deststorepass', passphrase];
    const args = [...asBefore, '-importkeystore', '-noprompt', ...from, ...to];
    await runProgramOk('keytool', args, { cwd });
  }
  return cwd;
}
