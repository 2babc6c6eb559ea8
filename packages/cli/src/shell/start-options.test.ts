import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseStartOptions } from './start-options.ts';

test('nothing given', () => {
  assert.deepEqual(parseStartOptions([]), {
    connectString: 'localhost:2181',
    client: {},
    waitForConnection: false,
    showHelp: false,
    words: [],
  });
});

test('options end where the command begins', () => {
  const args = '-server a:1,b:2/c -timeout 5000 -r -waitforconnection get -s /x'.split(' ');
  assert.deepEqual(parseStartOptions(args), {
    connectString: 'a:1,b:2/c',
    client: { sessionTimeoutMs: 5000, canBeReadOnly: true },
    waitForConnection: true,
    showHelp: false,
    words: ['get', '-s', '/x'],
  });
  assert.equal(parseStartOptions(['--server', 'a']).connectString, 'a');
});

test('what cannot be used ends with 2', () => {
  for (const [args, message] of [
    [['-server'], /no argument found for option -server/],
    [['-timeout', 'soon'], /Cannot use -timeout: current value is "soon"/],
    [['-timeout', '0'], /Cannot use -timeout/],
    [['-bogus', 'ls'], /unknown option -bogus/],
    [['-client-configuration', '/no/such/file'], /Cannot read the client configuration/],
  ] as const) {
    assert.throws(() => parseStartOptions(args), { message, exitCode: 2 });
  }
});

test('the file for the client', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-shell-'));
  const file = join(folder, 'client.properties');
  try {
    writeFileSync(
      file,
      '# ours\nzookeeper.request.timeout=750\nzookeeper.disableAutoWatchReset: true\n',
    );
    const { client } = parseStartOptions(['-client-configuration', file]);
    assert.deepEqual(client, { requestTimeoutMs: 750, rearmWatches: false });
    writeFileSync(file, 'zookeeper.client.secure=false\n');
    const started = parseStartOptions([secure, '-client-configuration', file]);
    assert.equal(started.client.tls, undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

const secure = '-Dzookeeper.client.secure=true';

/** The options for TLS that come of properties. */
function tlsOf(...properties: string[]): unknown {
  const flags = properties.map((property) => `-Dzookeeper.ssl.${property}`);
  return parseStartOptions([secure, ...flags]).client.tls;
}

test('TLS by the properties of Java, from options and from the environment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'meerkat-shell-'));
  try {
    const passwordPath = join(folder, 'password');
    writeFileSync(passwordPath, 'from a file\n');
    const stores = [
      'keyStore.location=/k.p12',
      `keyStore.passwordPath=${passwordPath}`,
      'trustStore.location=/t.jks',
      'trustStore.password=pass=word',
    ];
    const expected = {
      hostnameVerification: true,
      minVersion: 'TLSv1.2',
      keyStore: { store: '/k.p12', passphrase: 'from a file' },
      trustStore: { store: '/t.jks', passphrase: 'pass=word' },
    };
    assert.deepEqual(tlsOf(...stores), expected);
    const flags = stores.map((property) => `-Dzookeeper.ssl.${property}`).join('  ');
    const { client } = parseStartOptions(['ls', '/'], { CLIENT_JVMFLAGS: `${secure} ${flags}` });
    assert.deepEqual(client.tls, expected);
    assert.equal(parseStartOptions([], { JVMFLAGS: flags }).client.tls, undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('protocols and ciphers in the words of OpenSSL', () => {
  const plain = { hostnameVerification: false, minVersion: 'TLSv1.3' };
  assert.deepEqual(tlsOf('hostnameVerification=false', 'enabledProtocols=TLSv1.3'), plain);
  const suites = [
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_RSA_WITH_AES_256_CBC_SHA256',
    'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'TLS_AES_256_GCM_SHA384',
  ];
  const { ciphers } = tlsOf(`ciphersuites=${suites.join()}`) as { ciphers: string };
  assert.deepEqual(ciphers.split(':'), [
    'ECDHE-RSA-AES128-GCM-SHA256',
    'AES256-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'TLS_AES_256_GCM_SHA384',
  ]);
});

test('what TLS cannot be had with ends with 2', () => {
  for (const [property, message] of [
    ['crl=true', /Cannot use zookeeper.ssl.crl: current value is true/],
    ['context.supplier.class=org.example.Own', /nothing like it/],
    ['protocol=TLSv1.1', /it must name TLSv1.2 or TLSv1.3/],
    ['keyStore.passwordPath=/no/such/file', /passwordPath: current value is \/no\/such\/file/],
  ] as const) {
    const key = property.startsWith('keyStore') ? ['keyStore.location=/k.p12'] : [];
    assert.throws(() => tlsOf(...key, property), { message, exitCode: 2 });
  }
});
