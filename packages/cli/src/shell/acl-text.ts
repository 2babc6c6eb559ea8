import type { AclEntry } from '@meerkat/client';
import { Perms } from '@meerkat/protocol';

const bits: Readonly<Record<string, number>> = {
  r: Perms.read,
  w: Perms.write,
  c: Perms.create,
  d: Perms.delete,
  a: Perms.admin,
};

/**
 * Reads `scheme:id:perms,…` (`AclParser.java`). What cannot be read is reported and left out; the id
 * may contain colons.
 */
export function parseAcl(text: string, err: (line: string) => void): AclEntry[] {
  const entries: AclEntry[] = [];
  for (const part of text.split(',')) {
    const first = part.indexOf(':');
    const last = part.lastIndexOf(':');
    if (first === last) {
      err(`${part} does not have the form scheme:id:perm`);
      continue;
    }
    const scheme = part.slice(0, first);
    const id = part.slice(first + 1, last);
    entries.push({ perms: parsePermissions(part.slice(last + 1), err), scheme, id });
  }
  return entries;
}

function parsePermissions(text: string, err: (line: string) => void): number {
  let perms = 0;
  for (const letter of text) {
    const bit = bits[letter];
    if (bit === undefined) err(`Unknown perm type: ${letter}`);
    else perms |= bit;
  }
  return perms;
}
