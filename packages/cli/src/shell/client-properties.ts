import { readFileSync } from 'node:fs';
import type { ConnectOptions, TlsOptions, TlsStore } from '@meerkat/client';
import { CliError, invalidInvocation } from './cli-error.ts';

/**
 * What the properties of Java's client (`ZKClientConfig`) say, as far as they mean something here.
 *
 * TLS: `zookeeper.client.secure` and `zookeeper.ssl.*` with Java's names (`ClientX509Util`). Stores are told apart by their
 * content, so a `type` is not needed.
 *
 * @throws CliError with exit code 2 when they ask for what is not had: to connect with less would betray whoever asked
 */
export function clientOptionsOf(properties: ReadonlyMap<string, string>): ConnectOptions {
  const timeoutMs = Number(properties.get('zookeeper.request.timeout'));
  const watchReset = properties.get('zookeeper.disableAutoWatchReset');
  return {
    ...(timeoutMs > 0 ? { requestTimeoutMs: timeoutMs } : {}),
    ...(watchReset === undefined ? {} : { rearmWatches: watchReset !== 'true' }),
    ...(properties.get('zookeeper.client.secure') === 'true' ? { tls: tlsOf(properties) } : {}),
  };
}

function tlsOf(properties: ReadonlyMap<string, string>): TlsOptions {
  for (const name of ['crl', 'ocsp', 'context.supplier.class']) {
    const value = properties.get(prefix + name);
    if (value === undefined || value === 'false') continue;
    throw refuse(prefix + name, value, 'and this client has nothing like it');
  }
  const keyStore = storeOf(properties, 'keyStore');
  const trustStore = storeOf(properties, 'trustStore');
  const ciphers = properties.get(`${prefix}ciphersuites`);
  const hostnameVerification = properties.get(`${prefix}hostnameVerification`) !== 'false';
  return {
    hostnameVerification,
    minVersion: oldestProtocol(properties),
    ...(keyStore === null ? {} : { keyStore }),
    ...(trustStore === null ? {} : { trustStore }),
    ...(ciphers === undefined ? {} : { ciphers: cipherList(ciphers) }),
  };
}

function storeOf(properties: ReadonlyMap<string, string>, name: string): TlsStore | null {
  const store = properties.get(`${prefix}${name}.location`);
  if (store === undefined || store === '') return null;
  const passphrase = passphraseOf(properties, name);
  return passphrase === undefined ? { store } : { store, passphrase };
}

/** The password itself, or what the file that is named holds: the file wins, as in Java. */
function passphraseOf(properties: ReadonlyMap<string, string>, name: string): string | undefined {
  const key = `${prefix}${name}.passwordPath`;
  const file = properties.get(key);
  if (file === undefined || file === '') return properties.get(`${prefix}${name}.password`);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw refuse(key, file, error instanceof Error ? error.message : String(error));
  }
}

function oldestProtocol(properties: ReadonlyMap<string, string>): 'TLSv1.2' | 'TLSv1.3' {
  const key = [`${prefix}enabledProtocols`, `${prefix}protocol`].find((one) => properties.has(one));
  if (key === undefined) return 'TLSv1.2';
  const text = properties.get(key) ?? '';
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('TLSv1.2') || names.includes('TLS')) return 'TLSv1.2';
  if (names.includes('TLSv1.3')) return 'TLSv1.3';
  throw refuse(key, text, 'and it must name TLSv1.2 or TLSv1.3');
}

/** Java's names of cipher suites, in OpenSSL's words. Those of TLS 1.3 are the same. */
function cipherList(names: string): string {
  return names
    .split(',')
    .map((name) => openSslName(name.trim()))
    .join(':');
}

function openSslName(name: string): string {
  const [exchange = '', cipher] = name.replace(/^TLS_/, '').split('_WITH_');
  if (cipher === undefined) return name;
  const short = cipher
    .replace(/_(128|256)/, '$1')
    .replace('_CBC', '')
    .replace('POLY1305_SHA256', 'POLY1305')
    .replaceAll('_', '-');
  return exchange === 'RSA' ? short : `${exchange.replaceAll('_', '-')}-${short}`;
}

function refuse(key: string, value: string, reason: string): CliError {
  return new CliError(`Cannot use ${key}: current value is ${value}, ${reason}`, invalidInvocation);
}

const prefix = 'zookeeper.ssl.';
