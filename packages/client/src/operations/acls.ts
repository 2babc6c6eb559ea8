import { type JuteReader, OpCode } from '@meerkat/protocol';
import { type Acl, type AclEntry, validateAcl } from '../acl.ts';
import { type Stat, takeStat } from '../stat.ts';
import { encodeAcl } from './create.ts';
import { encodePath } from './data.ts';
import type { Operation } from './operation.ts';
import { validateVersion } from './values.ts';

/** A znode's ACL and Stat. */
export interface AclAndStat {
  /** Without the permission ADMIN, digests read as `user:x`. */
  readonly acl: Acl;
  readonly stat: Stat;
}

/** What setACL carries. */
export interface SetAclBody {
  readonly acl: Acl;
  readonly version: number;
}

/** Who a connection is to the server. */
export interface ClientIdentity {
  readonly scheme: string;
  /** The user; for digest without the hash. */
  readonly user: string;
}

export const getAcl: Operation<null, AclAndStat> = {
  opcode: OpCode.getACL,
  doing: 'get the ACL of',
  isRead: true,
  encode: encodePath,
  decode(reader) {
    const acl = decodeAcl(reader);
    return { acl, stat: takeStat(reader) };
  },
};

export const setAcl: Operation<SetAclBody, Stat> = {
  opcode: OpCode.setACL,
  doing: 'set the ACL of',
  validate(body, path) {
    validateAcl(body.acl, 'set the ACL of', path);
    validateVersion(body.version, 'set the ACL of', path);
  },
  encode(writer, serverPath, body) {
    writer.writeString(serverPath);
    encodeAcl(writer, body.acl);
    writer.writeInt(body.version);
  },
  decode: takeStat,
};

export const whoAmI: Operation<null, ClientIdentity[]> = {
  opcode: OpCode.whoAmI,
  doing: 'ask who we are',
  isRead: true,
  encode() {},
  decode(reader) {
    const count = reader.readVectorCount(8);
    const identities: ClientIdentity[] = [];
    for (let i = 0; i < count; i++) {
      const scheme = reader.readString();
      identities.push({ scheme, user: reader.readString() });
    }
    return identities;
  },
};

function decodeAcl(reader: JuteReader): Acl {
  const count = reader.readVectorCount(12);
  const acl: AclEntry[] = [];
  for (let i = 0; i < count; i++) {
    const perms = reader.readInt();
    const scheme = reader.readString();
    acl.push({ perms, scheme, id: reader.readString() });
  }
  return acl;
}
