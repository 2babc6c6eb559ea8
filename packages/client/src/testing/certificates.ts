import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { isIP } from 'node:net';

/** A key and its certificate, PEM. */
export interface Certified {
  readonly key: string;
  readonly cert: string;
}

/** What a certificate says. */
export interface CertificateOptions {
  /** The common name of its subject. */
  readonly name: string;
  /** Who signs it; by default its own key, which makes it an authority. */
  readonly issuer?: Certified & { readonly name: string };
  /** Names and addresses that it vouches for. */
  readonly hosts?: readonly string[];
}

/** Makes a key (P-256) and an X.509 certificate for it, good for the years 2000 to 2049. For tests alone. */
export function certify(options: CertificateOptions): Certified & { readonly name: string } {
  const { name, issuer, hosts = [] } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension([0x55, 0x1d, 0x13], issuer === undefined ? sequence(der(0x01, [0xff])) : sequence()),
    ...(hosts.length === 0 ? [] : [extension([0x55, 0x1d, 0x11], sequence(...hosts.map(sanOf)))]),
  ];
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [1 + (name.length % 100)]),
    ecdsaWithSha256,
    nameOf(issuer?.name ?? name),
    sequence(der(0x17, ascii('000101000000Z')), der(0x17, ascii('491231235959Z'))),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions)),
  );
  const signer: KeyObject | string = issuer === undefined ? privateKey : issuer.key;
  const signature = sign('sha256', body, signer);
  const cert = sequence(body, ecdsaWithSha256, der(0x03, [0], signature));
  return {
    name,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: pem('CERTIFICATE', cert),
  };
}

/** A key, encrypted. */
export function encryptKey(key: string, passphrase: string): string {
  const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase } as const;
  return createPrivateKey(key).export(format).toString();
}

const ecdsaWithSha256 = sequence(der(0x06, [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));

function nameOf(commonName: string): Uint8Array {
  const attribute = sequence(der(0x06, [0x55, 0x04, 0x03]), der(0x0c, ascii(commonName)));
  return sequence(der(0x31, attribute));
}

function sanOf(host: string): Uint8Array {
  if (isIP(host) === 4) return der(0x87, host.split('.').map(Number));
  return der(0x82, ascii(host));
}

function extension(id: readonly number[], value: Uint8Array): Uint8Array {
  return sequence(der(0x06, id), der(0x04, value));
}

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

function der(tag: number, ...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const content = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  return Buffer.concat([Uint8Array.of(tag, ...lengthOf(content.length)), content]);
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'ascii');
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
