import { createSecureContext } from 'node:tls';

/** What a store holds, as `tls.createSecureContext` takes it. */
export interface KeyStoreContent {
  /** The certificates it trusts, PEM. */
  readonly ca: string[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly pfx?: Buffer;
  readonly passphrase?: string;
}

/** What this file needs of the package `jks-js`. */
interface JksReader {
  toPem(store: Buffer, passphrase: string): Record<string, JksEntry>;
}

interface JksEntry {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads a store. Which kind it is its first bytes say.
 *
 * @param purpose `key`: for what proves who we are; `trust`: for whom we trust
 * @throws Error that says what is wrong, or which package is missing
 */
export async function readKeyStore(
  bytes: Buffer,
  passphrase: string,
  purpose: 'key' | 'trust',
): Promise<KeyStoreContent> {
  if (bytes.includes('-----BEGIN')) {
    const text = bytes.toString();
    return purpose === 'trust' ? { ca: [text] } : { ca: [], cert: text, key: text, passphrase };
  }
  const isJks = bytes.length >= 4 && bytes.readUInt32BE(0) === jksMagic;
  if (!isJks && bytes[0] !== derSequence)
    throw new Error('it is neither a PKCS#12 store, a JKS store nor PEM');
  if (!isJks && purpose === 'key' && isKnownToNode(bytes, passphrase))
    return { ca: [], pfx: bytes, passphrase };
  const kind = purpose === 'trust' ? 'trust store' : 'store encrypted as by Java 8';
  const reader = await importJksReader(isJks ? 'a JKS store' : `a PKCS#12 ${kind}`);
  const entries = Object.values(reader.toPem(bytes, passphrase));
  if (purpose === 'trust') {
    const ca = entries.flatMap((entry) => entry.ca ?? []);
    if (ca.length === 0) throw new Error('it holds no trusted certificate');
    return { ca };
  }
  const own = entries.find((entry) => entry.key !== undefined && entry.cert !== undefined);
  if (own?.cert === undefined || own.key === undefined) throw new Error('it holds no private key');
  return { ca: [], cert: own.cert, key: own.key };
}

/**
 * Node reads a PKCS#12 store when there is a key in it, but not when it is encrypted as Java 8 did: OpenSSL 3 has dropped that.
 *
 * @throws Error when the passphrase does not fit
 */
function isKnownToNode(pfx: Buffer, passphrase: string): boolean {
  try {
    createSecureContext({ pfx, passphrase });
    return true;
  } catch (error) {
    if (error instanceof Error && /unsupported/iu.test(error.message)) return false;
    throw error;
  }
}

const jksMagic = 0xfeedfeed;
const derSequence = 0x30;

/** An optional peer dependency: the name stands in a variable so that no bundler and no checker asks for it. */
const jksPackage: string = 'jks-js';

async function importJksReader(what: string): Promise<JksReader> {
  try {
    return (await import(jksPackage)) as JksReader;
  } catch (error) {
    throw new Error(`${what} takes the package jks-js (npm install jks-js)`, { cause: error });
  }
}
