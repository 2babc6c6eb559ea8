import { createHash, getHashes } from 'node:crypto';
import type { DigestHash } from '@meerkat/engine';

/**
 * The hash that Java knows by this name (`MessageDigest.getInstance`): `SHA1`, `SHA-256`,
 * `SHA3-512`, `MD5`, …
 *
 * @returns null when node does not have it
 */
export function digestHashOf(javaName: string): DigestHash | null {
  const lower = javaName.toLowerCase();
  const name = lower.startsWith('sha3-') ? lower : lower.replace(/^sha-/, 'sha');
  if (!getHashes().includes(name)) return null;
  return (bytes) => createHash(name).update(bytes).digest();
}
