import { Perms } from '@meerkat/protocol';
import { InvalidAclError } from './errors.ts';

/** One entry of a znode's access control list. */
export interface AclEntry {
  /** Bits of `Perms`, 1 to 31. */
  readonly perms: number;
  /** `world`, `auth`, `digest`, `ip`, `x509`, `sasl`, or one that the server was given. */
  readonly scheme: string;
  /** Who, in the words of the scheme: `anyone`, '', `user:base64hash`, `10.0.0.0/8`, … */
  readonly id: string;
}

/** A znode's access control list. */
export type Acl = readonly AclEntry[];

/** Anyone may do anything: the default of creates (`ZooDefs.Ids.OPEN_ACL_UNSAFE`). */
export const openAcl: Acl = [{ perms: Perms.all, scheme: 'world', id: 'anyone' }];

/** Anyone may read (`ZooDefs.Ids.READ_ACL_UNSAFE`). */
export const readAcl: Acl = [{ perms: Perms.read, scheme: 'world', id: 'anyone' }];

/** Those whom the session is authenticated as may do anything (`ZooDefs.Ids.CREATOR_ALL_ACL`). */
export const creatorAllAcl: Acl = [{ perms: Perms.all, scheme: 'auth', id: '' }];

/**
 * Refuses a list that no server takes.
 *
 * @throws InvalidAclError when it is empty, an entry lacks scheme or id, or its permissions are not 1 to 31
 */
export function validateAcl(acl: Acl, doing: string, path: string): void {
  const problem = aclProblem(acl);
  if (problem === null) return;
  throw new InvalidAclError({
    path,
    message: `Cannot ${doing} ${path}: current value is ${JSON.stringify(acl)}, and ${problem}`,
  });
}

/**
 * Permissions as zkCli writes them: letters of `cdrwa`.
 *
 * @returns the bits of `Perms`
 * @throws InvalidAclError on any other letter
 */
export function parsePerms(text: string): number {
  let perms = 0;
  for (const letter of text) {
    const bit = letters.find((entry) => entry.letter === letter);
    if (bit === undefined) {
      throw new InvalidAclError({
        message: `Cannot use permissions: current value is "${text}", and only the letters cdrwa have a meaning`,
      });
    }
    perms |= bit.bit;
  }
  return perms;
}

/** Permissions as zkCli prints them, in the order `cdrwa`. */
export function formatPerms(perms: number): string {
  return letters
    .filter((entry) => (perms & entry.bit) !== 0)
    .map((entry) => entry.letter)
    .join('');
}

const letters = [
  { letter: 'c', bit: Perms.create },
  { letter: 'd', bit: Perms.delete },
  { letter: 'r', bit: Perms.read },
  { letter: 'w', bit: Perms.write },
  { letter: 'a', bit: Perms.admin },
] as const;

function aclProblem(acl: Acl): string | null {
  if (!Array.isArray(acl) || acl.length === 0) return 'an ACL must have at least one entry';
  for (const entry of acl as Acl) {
    if (typeof entry?.scheme !== 'string' || entry.scheme === '')
      return 'an entry must have a scheme';
    if (typeof entry.id !== 'string') return 'an entry must have an id, if only an empty one';
    if (!Number.isInteger(entry.perms) || entry.perms < 1 || entry.perms > Perms.all) {
      return 'the permissions of an entry must be bits of Perms, 1 to 31';
    }
  }
  return null;
}
