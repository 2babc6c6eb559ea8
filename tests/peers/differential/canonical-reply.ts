import {
  type Acl,
  JuteReader,
  OpCode,
  readCreate2Response,
  readCreateResponse,
  readErrorResponse,
  readGetACLResponse,
  readGetAllChildrenNumberResponse,
  readGetChildren2Response,
  readGetChildrenResponse,
  readGetDataResponse,
  readGetEphemeralsResponse,
  readMultiHeader,
  readSetDataResponse,
  readSyncResponse,
  readWhoAmIResponse,
  type Stat,
} from '@meerkat/protocol';
import type { ServerFrame } from '../support/wire.ts';

/**
 * A frame as plain data in which only what must be equal on both servers is left: times are gone, session ids have
 * become the name of the session, and lists that Java hands out in hash order are sorted.
 */
export type CanonicalFrame =
  | {
      readonly event: number;
      readonly state: number;
      readonly path: string;
      readonly zxid: number;
      readonly err: number;
    }
  | {
      readonly xid: number;
      readonly type: number;
      readonly zxid: number;
      readonly err: number;
      readonly body: unknown;
    };

/** Gives a session id, in two halves, the name that both servers share. */
export type SessionNamer = (hi: number, lo: number) => string;

/** Reads `frame`, the answer to a request of opcode `type` when it is a reply. */
export function canonicalFrame(
  frame: ServerFrame,
  type: number,
  sessionName: SessionNamer,
): CanonicalFrame {
  if (frame.kind === 'event') {
    const { type: event, state, path } = frame.event;
    return { event, state, path, zxid: frame.zxid, err: frame.err };
  }
  const { xid, zxid, err } = frame;
  return { xid, type, zxid, err, body: canonicalBody(frame.body, type, sessionName) };
}

function canonicalBody(bytes: Uint8Array, type: number, sessionName: SessionNamer): unknown {
  if (bytes.length === 0) return null;
  const reader = new JuteReader(bytes);
  try {
    const body = readBody(reader, type, sessionName);
    if (reader.remaining === 0) return body;
  } catch {
    // Whatever it is, both servers must send the same bytes then.
  }
  return { raw: Buffer.from(bytes).toString('hex') };
}

function readBody(reader: JuteReader, type: number, sessionName: SessionNamer): unknown {
  switch (type) {
    case OpCode.create:
      return readCreateResponse(reader).path;
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL: {
      const { path, stat } = readCreate2Response(reader);
      return { path, stat: canonicalStat(stat, sessionName) };
    }
    case OpCode.exists:
    case OpCode.setData:
    case OpCode.setACL:
      return canonicalStat(readSetDataResponse(reader).stat, sessionName);
    case OpCode.getData: {
      const { data, stat } = readGetDataResponse(reader);
      return { data: hex(data), stat: canonicalStat(stat, sessionName) };
    }
    case OpCode.getACL: {
      const { acl, stat } = readGetACLResponse(reader);
      return { acl: canonicalAcl(acl), stat: canonicalStat(stat, sessionName) };
    }
    case OpCode.getChildren:
      return sorted(readGetChildrenResponse(reader).children);
    case OpCode.getChildren2: {
      const { children, stat } = readGetChildren2Response(reader);
      return { children: sorted(children), stat: canonicalStat(stat, sessionName) };
    }
    case OpCode.sync:
      return readSyncResponse(reader).path;
    case OpCode.getEphemerals:
      return sorted(readGetEphemeralsResponse(reader).ephemerals);
    case OpCode.getAllChildrenNumber:
      return readGetAllChildrenNumberResponse(reader).totalNumber;
    case OpCode.whoAmI:
      return sorted(
        readWhoAmIResponse(reader).clientInfo?.map((id) => `${id.authScheme}:${id.user}`) ?? null,
      );
    case OpCode.addWatch:
      return readErrorResponse(reader).err;
    case OpCode.multi:
    case OpCode.multiRead:
      return readMultiResults(reader, sessionName);
    default:
      return undefined;
  }
}

function readMultiResults(reader: JuteReader, sessionName: SessionNamer): unknown[] {
  const results: unknown[] = [];
  for (;;) {
    const { type, done, err } = readMultiHeader(reader);
    if (done) return results;
    const body =
      type === OpCode.error
        ? readErrorResponse(reader).err
        : readMultiBody(reader, type, sessionName);
    results.push({ type, err, body });
  }
}

function readMultiBody(reader: JuteReader, type: number, sessionName: SessionNamer): unknown {
  if (type === OpCode.delete || type === OpCode.check) return null;
  return readBody(reader, type, sessionName);
}

/** A Stat without its times, its owner named. */
export function canonicalStat(stat: Stat, sessionName: SessionNamer): unknown {
  const { czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren } = stat;
  const owner = sessionName(stat.ephemeralOwnerHi, stat.ephemeralOwnerLo);
  return { czxid, mzxid, pzxid, version, cversion, aversion, dataLength, numChildren, owner };
}

/** Java expands `auth` in the order of a hash set of ids. */
function canonicalAcl(acl: readonly Acl[] | null): unknown {
  return sorted(acl?.map((entry) => `${entry.id.scheme}:${entry.id.id}:${entry.perms}`) ?? null);
}

function sorted(items: readonly string[] | null): readonly string[] | null {
  return items === null ? null : [...items].sort();
}

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('hex');
}
