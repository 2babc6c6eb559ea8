import {
  type Acl,
  JuteError,
  type JuteReader,
  type JuteWriter,
  readAcl,
  writeAcl,
} from '@meerkat/protocol';
import { defaultLimits } from '../limits.ts';
import { openAcl, openAclBytes } from '../tree/acl-table.ts';

/**
 * ACL vectors on the wire. Owns the shortcut for the one ACL that nearly every znode has: it is
 * recognised and written as bytes, without objects.
 */

/** Reads an ACL vector; `openAcl` itself when the bytes are that one's. Null when the count is -1. */
export function readAclVector(reader: JuteReader): readonly Acl[] | null {
  if (startsWithOpenAcl(reader)) {
    reader.position += openAclBytes.length;
    return openAcl;
  }
  const count = reader.readVectorCount(12);
  if (count === -1) return null;
  if (count > defaultLimits.aclEntriesMax) {
    throw new JuteError(`Cannot read an ACL: current count is ${count}`);
  }
  const acl: Acl[] = [];
  for (let i = 0; i < count; i++) acl.push(readAcl(reader));
  return acl;
}

/** Moves past an ACL vector without making anything of it. */
export function skipAclVector(reader: JuteReader): void {
  if (startsWithOpenAcl(reader)) {
    reader.position += openAclBytes.length;
    return;
  }
  const count = reader.readVectorCount(12);
  for (let i = 0; i < count; i++) {
    reader.readInt();
    reader.skipBuffer();
    reader.skipBuffer();
  }
}

/** Writes an ACL vector. */
export function writeAclVector(writer: JuteWriter, acl: readonly Acl[]): void {
  if (acl === openAcl) {
    writer.writeBytes(openAclBytes, 0, openAclBytes.length);
    return;
  }
  writer.writeInt(acl.length);
  for (const entry of acl) writeAcl(writer, entry);
}

function startsWithOpenAcl(reader: JuteReader): boolean {
  const count = openAclBytes.length;
  if (reader.remaining < count) return false;
  const bytes = reader.bytes;
  const at = reader.position;
  for (let i = 0; i < count; i++) if (bytes[at + i] !== openAclBytes[i]) return false;
  return true;
}
