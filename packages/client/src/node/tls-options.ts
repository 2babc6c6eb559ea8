import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext } from 'node:tls';
import { BadArgumentsError } from '../errors.ts';
import { readKeyStore } from './key-store.ts';

/**
 * A file, or what would be in it: a path, the text of a PEM file (told by its `-----BEGIN`), or bytes. Files are read at each
 * dial, so a renewed certificate serves from the next connection on.
 */
export type TlsFile = string | URL | Uint8Array;

/** A key store or trust store: PKCS#12, JKS or PEM, told apart by its content. JKS takes the package `jks-js`. */
export interface TlsStore {
  readonly store: TlsFile;
  /** What it is locked with. */
  readonly passphrase?: string;
}

/** How to speak TLS with a server's `secureClientPort`. */
export interface TlsOptions {
  /** The authorities that may vouch for a server, PEM. Default: those that Node trusts. */
  readonly ca?: TlsFile | readonly TlsFile[];
  /** The same as a store, as in Java's `ssl.trustStore.location`. PKCS#12 takes the package `jks-js` here too. */
  readonly trustStore?: TlsStore;
  /** Our certificate and those that vouch for it, PEM: by it the server knows us (scheme `x509`). */
  readonly cert?: TlsFile;
  /** The private key of `cert`, PEM. */
  readonly key?: TlsFile;
  /** What `key` is encrypted with. */
  readonly passphrase?: string;
  /** Certificate and key as a store, as in Java's `ssl.keyStore.location`. */
  readonly keyStore?: TlsStore;
  /** The name that the server's certificate must bear, and that is sent to it. Default: the host of the connect string. */
  readonly servername?: string;
  /**
   * False: the certificate may bear any name (Java's `ssl.hostnameVerification`); an authority must vouch for it all the
   * same. Default true.
   */
  readonly hostnameVerification?: boolean;
  /** The oldest version of TLS to speak. Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** The cipher suites to offer, in OpenSSL's words. Default: Node's. */
  readonly ciphers?: string;
}

/**
 * Reads what the options name, and holds it against each other.
 *
 * @throws BadArgumentsError when a file cannot be read, a passphrase does not fit, or a key does not belong to its certificate
 */
export async function secureContextOf(options: TlsOptions): Promise<SecureContext> {
  const { minVersion = 'TLSv1.2', ciphers } = options;
  const material = await materialOf(options);
  try {
    return createSecureContext({
      ...material,
      minVersion,
      ...(ciphers === undefined ? {} : { ciphers }),
    });
  } catch (error) {
    throw bad('tls', namesOf(options), error);
  }
}

/** @throws BadArgumentsError when options contradict each other or are of no use */
export function validateTls(options: TlsOptions): void {
  const { ca, trustStore, cert, key, keyStore, servername } = options;
  if ((cert === undefined) !== (key === undefined))
    throw bad('tls', `${cert === undefined ? 'key' : 'cert'} alone`, 'cert and key go together');
  if (cert !== undefined && keyStore !== undefined)
    throw bad('tls', 'cert and keyStore', 'there can be only one of them');
  if (ca !== undefined && trustStore !== undefined)
    throw bad('tls', 'ca and trustStore', 'there can be only one of them');
  if (servername !== undefined && (typeof servername !== 'string' || servername === ''))
    throw bad('tls.servername', String(servername), 'it must be a name');
  const authorities: unknown[] = Array.isArray(ca) ? ca : [ca];
  const files = [...authorities, cert, key, keyStore?.store, trustStore?.store];
  for (const file of files) {
    if (file === undefined || typeof file === 'string') continue;
    if (file instanceof URL || file instanceof Uint8Array) continue;
    throw bad('tls', typeof file, 'a file is given as a path, a URL, PEM text or bytes');
  }
}

type Material = Partial<Record<'ca' | 'cert' | 'key', string | Buffer | string[] | Buffer[]>> & {
  pfx?: Buffer;
  passphrase?: string;
};

async function materialOf(options: TlsOptions): Promise<Material> {
  const { ca, trustStore, cert, key, passphrase, keyStore } = options;
  const material: Material = {};
  if (ca !== undefined) {
    const files = isList(ca) ? ca : [ca];
    material.ca = await Promise.all(files.map(readAuthority));
  }
  if (cert !== undefined) material.cert = await readTlsFile('cert', cert);
  if (key !== undefined) material.key = await readTlsFile('key', key);
  if (passphrase !== undefined) material.passphrase = passphrase;
  if (trustStore !== undefined) {
    material.ca = (await readStore('trustStore', trustStore, 'trust')).ca;
  }
  if (keyStore !== undefined) {
    const { ca: _, ...own } = await readStore('keyStore', keyStore, 'key');
    Object.assign(material, own);
  }
  return material;
}

async function readStore(
  name: string,
  { store, passphrase = '' }: TlsStore,
  purpose: 'key' | 'trust',
): Promise<Material & { ca: string[] }> {
  const bytes = await readTlsFile(name, store);
  try {
    return await readKeyStore(bytes, passphrase, purpose);
  } catch (error) {
    throw bad(`tls.${name}`, nameOf(store), error);
  }
}

/** Node takes an authority that is none without a word, and then trusts nobody. */
async function readAuthority(file: TlsFile): Promise<Buffer> {
  const bytes = await readTlsFile('ca', file);
  try {
    if (!isPem(bytes.toString())) throw new Error('it must be PEM');
    new X509Certificate(bytes);
  } catch (error) {
    throw bad('tls.ca', nameOf(file), error);
  }
  return bytes;
}

async function readTlsFile(name: string, file: TlsFile): Promise<Buffer> {
  if (file instanceof Uint8Array) return Buffer.from(file);
  if (typeof file === 'string' && isPem(file)) return Buffer.from(file);
  try {
    return await readFile(file);
  } catch (error) {
    throw bad(`tls.${name}`, nameOf(file), error);
  }
}

function isList(ca: TlsFile | readonly TlsFile[]): ca is readonly TlsFile[] {
  return Array.isArray(ca);
}

function isPem(text: string): boolean {
  return text.includes('-----BEGIN');
}

/** What the options name, without anything secret. */
function namesOf(options: TlsOptions): string {
  const { ca, trustStore, cert, key, keyStore } = options;
  const files = { ca, trustStore: trustStore?.store, cert, key, keyStore: keyStore?.store };
  const named = Object.entries(files).flatMap(([name, file]) => {
    if (file === undefined) return [];
    return [`${name} ${(isList(file) ? file : [file]).map(nameOf).join(', ')}`];
  });
  return named.length === 0 ? 'nothing' : named.join('; ');
}

function nameOf(file: TlsFile): string {
  if (file instanceof Uint8Array) return `${file.length} bytes`;
  if (file instanceof URL) return file.href;
  return isPem(file) ? 'PEM text' : file;
}

function bad(option: string, value: string, why: unknown): BadArgumentsError {
  const reason = why instanceof Error ? why.message : String(why);
  const message = `Cannot use option ${option}: current value is ${value}, and ${reason}`;
  return new BadArgumentsError(why instanceof Error ? { message, cause: why } : { message });
}
