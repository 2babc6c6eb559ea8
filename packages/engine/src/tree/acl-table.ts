import {
  type Acl,
  assert,
  JuteError,
  JuteReader,
  JuteWriter,
  readAcl,
  utf8,
  writeAcl,
} from '@meerkat/protocol';
import { crc32 } from '../checksums.ts';

/**
 * Every ACL of the tree once, under a number that znodes keep. Owns the lists and how many znodes
 * use each; one that nobody uses any more is forgotten. Numbers mean nothing outside one server.
 * Source: ZooKeeper's `ReferenceCountedACLCache.java`.
 *
 * `convertAcls` and `fromWire` count one use for the caller, which passes it on to
 * `Tree.createNode` or `Tree.setAcl`, or returns it with `removeUsage`.
 */
export class AclTable {
  readonly #byId = new Map<number, AclEntry>();
  /** By CRC-32 of the serialized list; lists that share it are in one array. */
  readonly #byHash = new Map<number, AclEntry[]>();
  #lastId = 0;

  /** Lists in the table; the open one is not. */
  get size(): number {
    return this.#byId.size;
  }

  /** The number of a list, with one more use counted. Null is the open one, as in ZooKeeper. */
  convertAcls(acls: readonly Acl[] | null): number {
    if (acls === null) return openAclId;
    scratch.clear();
    scratch.writeInt(acls.length);
    for (const acl of acls) writeAcl(scratch, acl);
    return this.fromWire(scratch.bytes, 0, scratch.length);
  }

  /**
   * The number of the list that `bytes[start, end)` holds as a jute vector, with one more use
   * counted. Makes no objects for a list that is known.
   *
   * @throws JuteError when the bytes are not such a vector
   */
  fromWire(bytes: Uint8Array, start: number, end: number): number {
    if (isSame(openAclBytes, bytes, start, end)) return openAclId;
    const hash = crc32(bytes, start, end);
    const known = this.#byHash.get(hash)?.find((entry) => isSame(entry.bytes, bytes, start, end));
    if (known !== undefined) {
      known.uses++;
      return known.id;
    }
    const acls = decode(bytes, start, end);
    if (acls === null) return openAclId;
    assert(this.#lastId < idMax, 'ACL numbers are left', this.#lastId);
    this.#lastId++;
    this.#put({ id: this.#lastId, acls, bytes: bytes.slice(start, end), hash, uses: 1 });
    return this.#lastId;
  }

  /** The list under a number. One that is not in the table lets nobody in. */
  get(id: number): readonly Acl[] {
    if (id === openAclId) return openAcl;
    return this.#byId.get(id)?.acls ?? nobodyAcl;
  }

  /** Whether the number has a list; a fuzzy snapshot may hold znodes that are older or newer than its table. */
  has(id: number): boolean {
    return id === openAclId || this.#byId.has(id);
  }

  /** Writes the list under a number as a jute vector. */
  write(writer: JuteWriter, id: number): void {
    const bytes = this.#byId.get(id)?.bytes ?? (id === openAclId ? openAclBytes : nobodyAclBytes);
    writer.writeBytes(bytes, 0, bytes.length);
  }

  /** Counts one more use. A number that is not in the table is passed over. */
  addUsage(id: number): void {
    const entry = this.#byId.get(id);
    if (entry !== undefined) entry.uses++;
  }

  /** Counts one use less; the last one takes the list out of the table. */
  removeUsage(id: number): void {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    entry.uses--;
    if (entry.uses <= 0) this.#forget(entry);
  }

  /** Takes out every list that nobody uses. */
  purgeUnused(): void {
    for (const entry of this.#byId.values()) if (entry.uses <= 0) this.#forget(entry);
  }

  /** Writes the table of a snapshot: a count, then numbers and lists. */
  serialize(writer: JuteWriter): void {
    writer.writeInt(this.#byId.size);
    for (const entry of this.#byId.values()) {
      writer.writeLongFromDouble(entry.id);
      writer.writeBytes(entry.bytes, 0, entry.bytes.length);
    }
  }

  /**
   * Reads the table of a snapshot in place of what is there. Uses are counted anew as znodes are
   * loaded; see `purgeUnused`.
   *
   * @throws JuteError when the bytes are not such a table
   */
  deserialize(reader: JuteReader): void {
    this.clear();
    const count = reader.readVectorCount(12);
    for (let i = 0; i < count; i++) {
      const id = reader.readLongAsDouble();
      if (id <= 0 || id > idMax) {
        throw new JuteError(`Cannot read the ACLs of a snapshot: current number of one is ${id}`);
      }
      const start = reader.position;
      const acls = readList(reader);
      if (acls === null) throw new JuteError('Cannot read the ACLs of a snapshot: one is null');
      const bytes = reader.bytes.slice(start, reader.position);
      this.#lastId = Math.max(this.#lastId, id);
      this.#put({ id, acls, bytes, hash: crc32(bytes), uses: 0 });
    }
  }

  /** Forgets all lists. Numbers go on from where they were. */
  clear(): void {
    this.#byId.clear();
    this.#byHash.clear();
  }

  #put(entry: AclEntry): void {
    this.#byId.set(entry.id, entry);
    const sharing = this.#byHash.get(entry.hash);
    // A snapshot may hold one list under two numbers: the later one is given out, as in ZooKeeper.
    if (sharing === undefined) this.#byHash.set(entry.hash, [entry]);
    else sharing.unshift(entry);
  }

  #forget(entry: AclEntry): void {
    this.#byId.delete(entry.id);
    const rest = this.#byHash.get(entry.hash)?.filter((other) => other !== entry) ?? [];
    if (rest.length === 0) this.#byHash.delete(entry.hash);
    else this.#byHash.set(entry.hash, rest);
  }
}

interface AclEntry {
  readonly id: number;
  readonly acls: readonly Acl[];
  /** The list as a jute vector. */
  readonly bytes: Uint8Array;
  readonly hash: number;
  uses: number;
}

/** The number of `world:anyone` with every permission, which is in no table. */
export const openAclId = -1;

/** A number that no list ever gets: what a loaded znode has whose number is not in its snapshot's table. */
export const unknownAclId = -2;

/** `world:anyone` with every permission. */
export const openAcl: readonly Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/** `openAcl` as a jute vector. */
export const openAclBytes: Uint8Array = encode(31);

const nobodyAcl: readonly Acl[] = [{ perms: 0, id: { scheme: 'world', id: 'anyone' } }];
const nobodyAclBytes: Uint8Array = encode(0);
const idMax = 0x7fff_ffff;
const scratch = new JuteWriter();

function encode(perms: number): Uint8Array {
  const writer = new JuteWriter(32);
  writer.writeInt(1);
  writer.writeInt(perms);
  writer.writeBuffer(utf8('world'));
  writer.writeBuffer(utf8('anyone'));
  return writer.toBytes();
}

function decode(bytes: Uint8Array, start: number, end: number): readonly Acl[] | null {
  const reader = new JuteReader(bytes, start, end);
  const acls = readList(reader);
  if (reader.remaining !== 0) {
    throw new JuteError(`Cannot read an ACL: ${reader.remaining} bytes are left behind it`);
  }
  return acls;
}

function readList(reader: JuteReader): readonly Acl[] | null {
  const count = reader.readVectorCount(12);
  if (count === -1) return null;
  const acls: Acl[] = [];
  for (let i = 0; i < count; i++) acls.push(readAcl(reader));
  return acls;
}

function isSame(a: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (a.length !== end - start) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== bytes[start + i]) return false;
  return true;
}
