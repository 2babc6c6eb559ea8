import { type Acl, ErrorCode, type Id } from '@meerkat/protocol';
import { defaultLimits } from '../limits.ts';
import { openAcl } from '../tree/acl-table.ts';

export { openAcl } from '../tree/acl-table.ts';

/**
 * Who may do what (ZB section 4). Owns the evaluation of ACLs and the fix-up of ACLs that clients
 * send; keeps no state, so it can be asked anywhere.
 */

/**
 * Whether one of `ids` has one of the permissions `perms` (`ZooKeeperServer.checkACL`). An empty
 * list lets everybody in, as in ZooKeeper.
 */
export function isPermitted(acl: readonly Acl[], perms: number, ids: readonly Id[]): boolean {
  if (acl === openAcl || acl.length === 0) return true;
  if (ids.some((id) => id.scheme === 'super')) return true;
  if (acl.length > shortAclEntries) return (permissionsOf(acl, ids) & perms) !== 0;
  return acl.some((entry) => (entry.perms & perms) !== 0 && entryMatches(entry.id, ids));
}

/** An ACL of more entries is evaluated once for the same identities: it may have tens of thousands. */
const shortAclEntries = 16;

/** What long ACLs let whom do. Neither list is ever changed: a connection that proves more gets a new one. */
const knownPermissions = new WeakMap<readonly Acl[], WeakMap<readonly Id[], number>>();

function permissionsOf(acl: readonly Acl[], ids: readonly Id[]): number {
  let byIds = knownPermissions.get(acl);
  if (byIds === undefined) {
    byIds = new WeakMap();
    knownPermissions.set(acl, byIds);
  }
  const known = byIds.get(ids);
  if (known !== undefined) return known;
  let perms = 0;
  for (const entry of acl) if (entryMatches(entry.id, ids)) perms |= entry.perms;
  byIds.set(ids, perms);
  return perms;
}

function entryMatches(entry: Id, ids: readonly Id[]): boolean {
  if (entry.scheme === 'world' && entry.id === 'anyone') return true;
  for (const id of ids) {
    if (id.scheme !== entry.scheme) continue;
    if (entry.scheme === 'ip' ? addressMatches(id.id, entry.id) : id.id === entry.id) return true;
  }
  return false;
}

/** What `fixupAcl` made of an ACL. */
export type FixedAcl =
  | { readonly error: typeof ErrorCode.invalidAcl }
  | { readonly error: typeof ErrorCode.ok; readonly acl: readonly Acl[] };

const invalid: FixedAcl = { error: ErrorCode.invalidAcl };

/**
 * The ACL that is stored for the one a client sent: duplicates removed, `auth` replaced by the
 * caller's proved identities, unknown schemes and malformed ids refused
 * (`PrepRequestProcessor.fixupACL`).
 */
export function fixupAcl(
  acl: readonly Acl[] | null,
  ids: readonly Id[],
  digestEnabled: boolean,
): FixedAcl {
  if (acl === null || acl.length === 0) return invalid;
  const fixed: Acl[] = [];
  let characters = 0;
  for (const entry of withoutDuplicates(acl)) {
    const { scheme, id } = entry.id;
    if (scheme === 'auth') {
      const proved = ids.filter((own) => own.scheme === 'digest' && digestEnabled);
      if (proved.length === 0) return invalid;
      for (const own of proved) {
        fixed.push({ perms: entry.perms, id: own });
        characters += own.scheme.length + own.id.length;
      }
      // A few bytes stand for all that the caller has proved, so this could be repeated without end.
      if (characters > defaultLimits.aclCharactersMax) return invalid;
    } else if (isValidId(scheme, id, digestEnabled)) {
      fixed.push(entry);
    } else {
      return invalid;
    }
  }
  return { error: ErrorCode.ok, acl: fixed };
}

function withoutDuplicates(acl: readonly Acl[]): readonly Acl[] {
  if (acl.length === 1) return acl;
  const seen = new Set<string>();
  return acl.filter((entry) => {
    const key = `${entry.perms}\0${entry.id.scheme}\0${entry.id.id}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function isValidId(scheme: string, id: string, digestEnabled: boolean): boolean {
  if (scheme === 'world') return id === 'anyone';
  if (scheme === 'ip') return isValidAddressExpression(id);
  if (scheme === 'digest') return digestEnabled && id.split(':').length === 2;
  return false;
}

/**
 * `address` or `address/bits` for the `ip` scheme, IPv4 or IPv6
 * (`IPAuthenticationProvider.isValid`, ZOOKEEPER-4240).
 */
export function isValidAddressExpression(expression: string): boolean {
  const [address = '', bits, rest] = expression.split('/');
  if (rest !== undefined) return false;
  const bytes = parseAddress(address);
  if (bytes === null) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bytes.length * 8);
}

/** Whether a client at `address` is meant by `expression`; what is malformed matches nobody. */
export function addressMatches(address: string, expression: string): boolean {
  const [network = '', bitsText, rest] = expression.split('/');
  if (rest !== undefined) return false;
  const own = parseAddress(address);
  const wanted = parseAddress(network);
  if (own === null || wanted === null || own.length !== wanted.length) return false;
  const bits = bitsText === undefined ? own.length * 8 : Number(bitsText);
  if (!Number.isInteger(bits) || bits < 0 || bits > own.length * 8) return false;
  return samePrefix(own, wanted, bits);
}

function samePrefix(a: readonly number[], b: readonly number[], bits: number): boolean {
  for (let i = 0; i < a.length && i * 8 < bits; i++) {
    const mask = bits - i * 8 >= 8 ? 0xff : (0xff << (8 - (bits - i * 8))) & 0xff;
    if ((((a[i] as number) ^ (b[i] as number)) & mask) !== 0) return false;
  }
  return true;
}

function parseAddress(text: string): readonly number[] | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): readonly number[] | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = parts.map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256));
  return bytes.every((byte) => byte <= 255) ? bytes : null;
}

function parseIpv6(text: string): readonly number[] | null {
  const withoutZone = text.split('%')[0] ?? text;
  const halves = withoutZone.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (head === null || tail === null) return null;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return null;
  const bytes = [...head, ...new Array<number>(missing).fill(0), ...tail];
  // An IPv4 client of a dual-stack socket is that IPv4 address.
  const mapped =
    bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;
  return mapped ? bytes.slice(12) : bytes;
}

function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const ipv4 = i === groups.length - 1 ? parseIpv4(group) : null;
      if (ipv4 === null) return null;
      bytes.push(...ipv4);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else {
      return null;
    }
  }
  return bytes;
}
