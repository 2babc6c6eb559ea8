import type { Random } from '../ports.ts';
import { md5, toHex } from './md5.ts';

/** Who a client is to SASL's DIGEST-MD5: what Java's client takes from a JAAS section `Client`. */
export interface SaslCredential {
  readonly username: string;
  readonly password: string;
}

/** The service and the host that ZooKeeper's servers and clients agree on, wherever they run (`SecurityUtils.java`). */
const digestUri = 'zookeeper/zk-sasl-md5';

/**
 * The client's side of one DIGEST-MD5 exchange (RFC 2831), as Java speaks it: nothing, a challenge, a response, and the
 * server's proof that it knows the password too.
 */
export class DigestMd5 {
  readonly #credential: SaslCredential;
  readonly #random: Random;
  #expectedProof: string | null = null;

  constructor(credential: SaslCredential, random: Random) {
    this.#credential = credential;
    this.#random = random;
  }

  /**
   * Takes what the server sent. Returns what to answer, null when the exchange is over.
   *
   * @throws SaslError when the server has no SASL, offers nothing that we have, or does not know the password
   */
  step(token: Uint8Array): Uint8Array | null {
    if (token.length === 0)
      throw new SaslError('the server answered without a challenge: it is not set up for SASL');
    const directives = parseDirectives(decodeLatin1(token));
    if (this.#expectedProof === null) return this.#respond(directives);
    if (directives.get('rspauth')?.[0] !== this.#expectedProof)
      throw new SaslError('the server does not know the password');
    return null;
  }

  #respond(challenge: Directives): Uint8Array {
    const nonce = challenge.get('nonce')?.[0];
    const isUtf8 = challenge.get('charset')?.[0] === 'utf-8';
    const algorithm = challenge.get('algorithm')?.[0];
    const qop = challenge.get('qop')?.[0] ?? 'auth';
    if (nonce === undefined || algorithm !== 'md5-sess' || !qop.split(/[ ,]+/).includes('auth'))
      throw new SaslError('the server offers no DIGEST-MD5 that this client speaks');
    const realm = challenge.get('realm')?.[0] ?? '';
    const { username, password } = this.#credential;
    const words = [0, 0, 0, 0].map(() => this.#random.below(0x1_0000_0000));
    const cnonce = words.map((word) => word.toString(16).padStart(8, '0')).join('');
    const secret = md5(
      concat(...[username, ':', realm, ':', password].map((part) => encode(part, isUtf8))),
    );
    const session = toHex(md5(concat(secret, latin1(`:${nonce}:${cnonce}`))));
    const proofOf = (action: string): string => {
      const target = toHex(md5(latin1(`${action}:${digestUri}`)));
      return toHex(md5(latin1(`${session}:${nonce}:00000001:${cnonce}:auth:${target}`)));
    };
    this.#expectedProof = proofOf('');
    const text = isUtf8 ? utf8 : latin1;
    return concat(
      latin1(isUtf8 ? 'charset=utf-8,' : ''),
      text(`username="${quoted(username)}",realm="${quoted(realm)}",`),
      latin1(`nonce="${quoted(nonce)}",nc=00000001,cnonce="${cnonce}",`),
      latin1(`digest-uri="${digestUri}",maxbuf=65536,response=${proofOf('AUTHENTICATE')},qop=auth`),
    );
  }
}

/** Authentication by SASL did not come about. The cause in the state `authFailed`. */
export class SaslError extends Error {
  override readonly name: string = 'SaslError';
}

/** The values of each directive, in the order they came. */
type Directives = ReadonlyMap<string, readonly string[]>;

/**
 * Takes a challenge apart: `name=value,name="quoted \" value"`.
 *
 * @throws SaslError when it is not of this form
 */
function parseDirectives(text: string): Directives {
  const directives = new Map<string, string[]>();
  const directive = /\s*([^=,\s"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"\s]*))\s*(?:,|$)/suy;
  while (directive.lastIndex < text.length) {
    const match = directive.exec(text);
    if (match === null) throw new SaslError('the server sent a challenge that is not one');
    const [, name = '', inQuotes, bare = ''] = match;
    const value = inQuotes?.replace(/\\(.)/gsu, '$1') ?? bare;
    const known = directives.get(name.toLowerCase());
    if (known === undefined) directives.set(name.toLowerCase(), [value]);
    else known.push(value);
  }
  return directives;
}

function quoted(text: string): string {
  return text.replace(/["\\]/gu, '\\$&');
}

/** The RFC's rule: what fits into Latin-1 is hashed as Latin-1, even where UTF-8 was agreed on. */
function encode(text: string, isUtf8: boolean): Uint8Array {
  return isUtf8 && /[\u0100-\u{10ffff}]/u.test(text) ? utf8(text) : latin1(text);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function decodeLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, challengeBytesMax));
}

/** RFC 2831 gives a challenge 2048 bytes at most. */
const challengeBytesMax = 2048;

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
