import { JuteWriter } from './jute/jute-writer.ts';
import { Perms } from './opcodes.ts';
import { type Acl, type Id, writeAcl } from './records/generated.ts';

/** Everybody (`ZooDefs.Ids.ANYONE_ID_UNSAFE`). */
export const anyoneIdUnsafe: Id = { scheme: 'world', id: 'anyone' };

/** Stands for the ids that the creator has (`ZooDefs.Ids.AUTH_IDS`); the server replaces it. */
export const authIds: Id = { scheme: 'auth', id: '' };

/** Everybody may do everything (`OPEN_ACL_UNSAFE`). */
export const openAclUnsafe: readonly Acl[] = [{ perms: Perms.all, id: anyoneIdUnsafe }];

/** The creator may do everything, nobody else anything (`CREATOR_ALL_ACL`). */
export const creatorAllAcl: readonly Acl[] = [{ perms: Perms.all, id: authIds }];

/** Everybody may read (`READ_ACL_UNSAFE`). */
export const readAclUnsafe: readonly Acl[] = [{ perms: Perms.read, id: anyoneIdUnsafe }];

/** `openAclUnsafe` as it stands on the wire: a vector. */
export const openAclUnsafeBytes: Uint8Array = encodeAcls(openAclUnsafe);

/** `creatorAllAcl` as it stands on the wire. */
export const creatorAllAclBytes: Uint8Array = encodeAcls(creatorAllAcl);

/** `readAclUnsafe` as it stands on the wire. */
export const readAclUnsafeBytes: Uint8Array = encodeAcls(readAclUnsafe);

/** An ACL as it stands on the wire: the count of its entries, then each. */
export function encodeAcls(acls: readonly Acl[]): Uint8Array {
  const writer = new JuteWriter(64);
  writer.writeInt(acls.length);
  for (const acl of acls) writeAcl(writer, acl);
  return writer.toBytes();
}

/** What `parseAcls` made of a text: the entries that it understood and what is wrong with the rest. */
export interface ParsedAcls {
  readonly acls: readonly Acl[];
  readonly problems: readonly string[];
}

/**
 * Reads `scheme:id:perms`, several with commas between them, as zkCli does (`AclParser.java`): the id
 * may have colons, an entry of another form is left out, an unknown letter too. Whether a problem
 * is an error or a warning is the caller's to say.
 */
export function parseAcls(text: string): ParsedAcls {
  const acls: Acl[] = [];
  const problems: string[] = [];
  for (const entry of text.replace(/,+$/, '').split(',')) {
    const schemeEnd = entry.indexOf(':');
    const idEnd = entry.lastIndexOf(':');
    if (schemeEnd === idEnd) {
      problems.push(`${entry} does not have the form scheme:id:perm`);
      continue;
    }
    const id = { scheme: entry.slice(0, schemeEnd), id: entry.slice(schemeEnd + 1, idEnd) };
    acls.push({ perms: parsePerms(entry.slice(idEnd + 1), problems), id });
  }
  return { acls, problems };
}

/** `scheme:id:perms`. */
export function formatAcl(acl: Acl): string {
  return `${acl.id.scheme}:${acl.id.id}:${formatPerms(acl.perms)}`;
}

/** The letters of permissions in ZooKeeper's order, `cdrwa` (`ZKUtil.getPermString`). */
export function formatPerms(perms: number): string {
  let letters = '';
  for (const [letter, perm] of permLetters) {
    if ((perms & perm) !== 0) letters += letter;
  }
  return letters;
}

const permLetters: readonly (readonly [string, number])[] = [
  ['c', Perms.create],
  ['d', Perms.delete],
  ['r', Perms.read],
  ['w', Perms.write],
  ['a', Perms.admin],
];

function parsePerms(letters: string, problems: string[]): number {
  let perms = 0;
  for (const letter of letters) {
    const known = permLetters.find(([name]) => name === letter);
    if (known === undefined) problems.push(`Unknown perm type: ${letter}`);
    else perms |= known[1];
  }
  return perms;
}
