import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TestEnsemble } from '@meerkat/testing';
import { certify } from '../../../client/dist/testing/certificates.js';

/* `meerkat shell` against a secure port in this process: a real member behind TLS that asks for certificates. */

const authority = certify({ name: 'authority' });
const mine = certify({ name: 'alice', issuer: authority });
const program = fileURLToPath(new URL('../main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'meerkat-shell-tls-'));
const file = (name: string): string => join(folder, name);

let ensemble: TestEnsemble;
let front: Server;

before(async () => {
  writeFileSync(file('ca.pem'), authority.cert);
  writeFileSync(file('alice.pem'), `${mine.cert}${mine.key}`);
  ensemble = await TestEnsemble.start();
  const { cert, key } = certify({ name: 'server', issuer: authority, hosts: ['localhost'] });
  const asking = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
  const { hostname, port } = new URL(`tcp://${ensemble.connectString}`);
  front = createServer({ cert, key, ...asking }, (socket) => {
    const member = connect(Number(port), hostname);
    for (const [from, to] of [
      [socket, member],
      [member, socket],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  front.on('tlsClientError', () => {});
  front.listen(0, 'localhost');
  await once(front, 'listening');
});

after(async () => {
  front.close();
  await ensemble.close();
  rmSync(folder, { recursive: true });
});

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Runs `meerkat shell` with these options and environment, to list the root. */
async function list(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const server = ['-server', `localhost:${(front.address() as AddressInfo).port}`];
  const words = [program, 'shell', ...server, '-timeout', '4000', ...args, 'ls', '/'];
  const env = { ...process.env, ...environment };
  return await promisify(execFile)(process.execPath, words, { env }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => {
      return { code: error.code, out: error.stdout + error.stderr };
    },
  );
}

const properties = (keyStore: string): string[] => [
  'zookeeper.client.secure=true',
  `zookeeper.ssl.trustStore.location=${file('ca.pem')}`,
  `zookeeper.ssl.keyStore.location=${file(keyStore)}`,
];

test('a client certificate by -D options', async () => {
  const { code, out } = await list(properties('alice.pem').map((property) => `-D${property}`));
  assert.deepEqual([code, /\[zookeeper\]/.test(out)], [0, true], out);
});

test('... by a file for the client, and by the environment', async () => {
  writeFileSync(file('client.properties'), properties('alice.pem').join('\n'));
  const byFile = await list(['-client-configuration', file('client.properties')]);
  assert.deepEqual([byFile.code, /\[zookeeper\]/.test(byFile.out)], [0, true], byFile.out);
  const flags = properties('alice.pem').map((property) => `-D${property}`);
  const byFlags = await list([], { CLIENT_JVMFLAGS: flags.join(' ') });
  assert.deepEqual([byFlags.code, /\[zookeeper\]/.test(byFlags.out)], [0, true], byFlags.out);
});

test('a store that is not there is named, and nothing is sent in the clear', async () => {
  const flags = properties('nobody.pem').map((property) => `-D${property}`);
  const { code, out } = await list(flags);
  assert.notEqual(code, 0);
  assert.match(out, /nobody\.pem/);
});
