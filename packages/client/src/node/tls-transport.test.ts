import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer, type TLSSocket, type TlsOptions as TlsServerOptions } from 'node:tls';
import { pathToFileURL } from 'node:url';
import { connect, open } from '../connect.ts';
import { BadArgumentsError } from '../errors.ts';
import type { HostPort, Stream } from '../ports.ts';
import { certify, encryptKey } from '../testing/certificates.ts';
import { nodePorts } from './node-ports.ts';
import type { TlsOptions } from './tls-options.ts';
import { tlsTransport } from './tls-transport.ts';

const authority = certify({ name: 'authority' });
const stranger = certify({ name: 'stranger' });
const localhost = certify({
  name: 'server',
  issuer: authority,
  hosts: ['localhost', 'zk.example', '127.0.0.1'],
});
const elsewhere = certify({ name: 'elsewhere', issuer: authority, hosts: ['elsewhere.example'] });
const me = certify({ name: 'me', issuer: authority });

/** Runs `use` with a TLS server that echoes, after it has said whom it takes its client for. */
async function withServer(
  options: TlsServerOptions,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(options, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    const { CN = 'nobody' } = socket.getPeerCertificate().subject ?? {};
    socket.write(`you are ${String(CN)}; `);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

/** What a server answers to this text, in all; fails when the stream does not open. */
function ask(options: TlsOptions, server: HostPort, text: string, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const stream: Stream = tlsTransport(options).dial(server, {
      onOpen: () => void stream.write(Buffer.from(text)),
      onBytes(bytes) {
        heard += Buffer.from(bytes).toString();
        if (heard.length < length) return;
        stream.close();
        resolve(heard);
      },
      onDrained() {},
      onClosed: (cause) => reject(cause ?? new Error('closed in good order')),
    });
  });
}

function greet(options: TlsOptions, server: HostPort, who = 'nobody'): Promise<void> {
  const expected = `you are ${who}; hello`;
  return ask(options, server, 'hello', expected.length).then((heard) =>
    assert.equal(heard, expected),
  );
}

test('a server whose certificate bears its name or address is taken', () =>
  withServer({ ...localhost }, async (port) => {
    const ca = authority.cert;
    await greet({ ca }, { host: 'localhost', port });
    await greet({ ca }, { host: '127.0.0.1', port });
    await greet({ ca: [stranger.cert, Buffer.from(ca)] }, { host: 'localhost', port });
    await greet({ ca, servername: 'zk.example' }, { host: '127.0.0.1', port });
    await greet({ trustStore: { store: ca } }, { host: 'localhost', port });
  }));

test('a server that nobody vouches for is refused', () =>
  withServer({ ...localhost }, async (port) => {
    await assert.rejects(greet({ ca: stranger.cert }, { host: 'localhost', port }));
    await assert.rejects(greet({}, { host: 'localhost', port }));
    const lax = { ca: stranger.cert, hostnameVerification: false };
    await assert.rejects(greet(lax, { host: 'localhost', port }));
  }));

test('a server of another name is refused, unless names do not matter', () =>
  withServer({ ...elsewhere }, async (port) => {
    const ca = authority.cert;
    const wrongName = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' };
    await assert.rejects(greet({ ca }, { host: 'localhost', port }), wrongName);
    await assert.rejects(greet({ ca }, { host: '127.0.0.1', port }), wrongName);
    await greet({ ca, servername: 'elsewhere.example' }, { host: 'localhost', port });
    await greet({ ca, hostnameVerification: false }, { host: 'localhost', port });
  }));

test('the server knows us by our certificate, from text, bytes, files and an encrypted key', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'meerkat-tls-'));
  const certFile = join(directory, 'me.pem');
  const keyFile = join(directory, 'me.key');
  writeFileSync(certFile, me.cert);
  writeFileSync(keyFile, encryptKey(me.key, 'secret'));
  const ca = authority.cert;
  const strict = { ...localhost, ca, requestCert: true, rejectUnauthorized: true };
  try {
    await withServer(strict, async (port) => {
      const server = { host: 'localhost', port };
      await greet({ ca, cert: me.cert, key: me.key }, server, 'me');
      await greet({ ca, cert: Buffer.from(me.cert), key: Buffer.from(me.key) }, server, 'me');
      const cert = pathToFileURL(certFile);
      await greet({ ca, cert, key: keyFile, passphrase: 'secret' }, server, 'me');
      await greet({ ca, keyStore: { store: me.cert + me.key } }, server, 'me');
      await assert.rejects(greet({ ca }, server), 'without a certificate');
      const false_ = { ca, cert: stranger.cert, key: stranger.key };
      await assert.rejects(greet(false_, server), 'with a certificate of its own making');
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a megabyte goes through, and what was written before close() arrives', () =>
  withServer({ ...localhost }, async (port) => {
    const text = 'x'.repeat(1_000_000);
    const server = { host: 'localhost', port };
    const heard = await ask({ ca: authority.cert }, server, text, 1_000_000 + 16);
    assert.equal(heard.length, 1_000_000 + 16);
  }));

test('a stream closed before its files are read never dials', async () => {
  const transport = tlsTransport({ ca: authority.cert });
  const handler = { onOpen: fail, onBytes: fail, onDrained: fail, onClosed: fail };
  transport.dial({ host: 'localhost', port: 1 }, handler).close();
  const failing = tlsTransport({ ca: '/nowhere/ca.pem' });
  failing.dial({ host: 'localhost', port: 1 }, handler).close();
  await new Promise((resolve) => setImmediate(resolve));

  function fail(): void {
    assert.fail('the handler must hear nothing');
  }
});

for (const [name, tls] of Object.entries<TlsOptions>({
  'a file that is not there': { ca: '/nowhere/ca.pem' },
  'a key without its certificate': { key: me.key },
  'a certificate without its key': { cert: me.cert },
  'a key of another certificate': { cert: me.cert, key: stranger.key },
  'a key that is locked otherwise': {
    cert: me.cert,
    key: encryptKey(me.key, 'secret'),
    passphrase: 'wrong',
  },
  'two kinds of trust': { ca: authority.cert, trustStore: { store: authority.cert } },
  'two kinds of key': { cert: me.cert, key: me.key, keyStore: { store: me.cert + me.key } },
  'bytes that are no store': { keyStore: { store: Uint8Array.of(1, 2, 3, 4) } },
  'text that is no certificate': { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n' },
  'bytes that are no certificate': { ca: Uint8Array.of(1, 2, 3) },
  'a store that is cut short': { keyStore: { store: Uint8Array.of(0x30, 0x80), passphrase: 'x' } },
  'a file that is no file': { ca: 7 as unknown as string },
  'an empty name': { servername: '' },
})) {
  test(`connect() refuses ${name}`, async () => {
    const message = /^Cannot use option tls.*: current value is /;
    await assert.rejects(connect('localhost:1', { tls, connectTimeoutMs: 5000 }), (error) => {
      assert.ok(error instanceof BadArgumentsError);
      assert.match(error.message, message);
      assert.ok(!error.message.includes('BEGIN'), 'nothing secret');
      return true;
    });
  });
}

test('open() refuses tls beside ports that bring their own transport', () => {
  assert.throws(() => open('localhost', { tls: true, ports: nodePorts }), BadArgumentsError);
});
