import {
  type Acl,
  asZxid,
  CreateFlag,
  type JuteReader,
  type JuteWriter,
  OpCode,
  openAclUnsafe,
  readAcl,
  readMultiHeader,
  readStat,
  type Stat,
  utf8,
  writeAcl,
  writeMultiHeader,
  writeSetWatches2,
} from '@meerkat/protocol';
import type { Reply } from '../scripted-client.ts';

/**
 * Requests as `ScriptedClient.send` and `call` take them, and as parts of a multi: the operation's code and
 * what writes its record.
 */
export type Operation = readonly [type: number, write: (writer: JuteWriter) => void];

/** What a create may say beyond its path. */
export interface CreateOptions {
  readonly data?: string | Uint8Array | null;
  readonly acl?: readonly Acl[] | null;
  readonly flags?: number;
  /** create unless given: create2, createContainer, createTTL. */
  readonly type?: number;
  readonly ttlMs?: number;
}

export function create(path: string, options: CreateOptions = {}): Operation {
  const { data = 'x', acl = openAclUnsafe, ttlMs } = options;
  const type = options.type ?? OpCode.create;
  return [
    type,
    (writer) => {
      writer.writeString(path);
      writer.writeBuffer(typeof data === 'string' ? utf8(data) : data);
      writeAcls(writer, acl);
      writer.writeInt(options.flags ?? CreateFlag.persistent);
      if (type === OpCode.createTTL) writer.writeLongFromDouble(ttlMs ?? 0);
    },
  ];
}

export function create2(path: string, options: CreateOptions = {}): Operation {
  return create(path, { ...options, type: OpCode.create2 });
}

export function ephemeral(path: string, options: CreateOptions = {}): Operation {
  return create(path, { flags: CreateFlag.ephemeral, ...options });
}

export function sequential(path: string, options: CreateOptions = {}): Operation {
  return create(path, { flags: CreateFlag.persistentSequential, ...options });
}

export function remove(path: string, version = -1): Operation {
  return withVersion(OpCode.delete, path, version);
}

export function check(path: string, version = -1): Operation {
  return withVersion(OpCode.check, path, version);
}

export function setData(path: string, data: string | Uint8Array | null, version = -1): Operation {
  return [
    OpCode.setData,
    (writer) => {
      writer.writeString(path);
      writer.writeBuffer(typeof data === 'string' ? utf8(data) : data);
      writer.writeInt(version);
    },
  ];
}

export function setAcl(path: string, acl: readonly Acl[] | null, version = -1): Operation {
  return [
    OpCode.setACL,
    (writer) => {
      writer.writeString(path);
      writeAcls(writer, acl);
      writer.writeInt(version);
    },
  ];
}

export function exists(path: string, watch = false): Operation {
  return watched(OpCode.exists, path, watch);
}

export function getData(path: string, watch = false): Operation {
  return watched(OpCode.getData, path, watch);
}

export function getChildren(path: string, watch = false): Operation {
  return watched(OpCode.getChildren, path, watch);
}

export function getChildren2(path: string, watch = false): Operation {
  return watched(OpCode.getChildren2, path, watch);
}

/** getACL, sync, getEphemerals, getAllChildrenNumber, deleteContainer: a path and nothing else. */
export function onPath(type: number, path: string): Operation {
  return [type, (writer) => writer.writeString(path)];
}

/** addWatch, removeWatches, checkWatches: a path and a number. */
export function onPathWith(type: number, path: string, value: number): Operation {
  return withVersion(type, path, value);
}

export function auth(scheme: string, credentials: string): Operation {
  return [
    OpCode.auth,
    (writer) => {
      writer.writeInt(0);
      writer.writeString(scheme);
      writer.writeBuffer(utf8(credentials));
    },
  ];
}

/** A multi, or with `OpCode.multiRead` a multiRead. */
export function multi(parts: readonly Operation[], type: number = OpCode.multi): Operation {
  return [
    type,
    (writer) => {
      for (const [partType, write] of parts) {
        writeMultiHeader(writer, { type: partType, done: false, err: -1 });
        write(writer);
      }
      writeMultiHeader(writer, { type: -1, done: true, err: -1 });
    },
  ];
}

/** The lists of a setWatches. */
export interface WatchLists {
  readonly data?: readonly string[];
  readonly exist?: readonly string[];
  readonly child?: readonly string[];
  readonly persistent?: readonly string[];
  readonly recursive?: readonly string[];
}

/** setWatches2; setWatches when no persistent list is given. */
export function setWatches(relativeZxid: number, lists: WatchLists): Operation {
  const isOld = lists.persistent === undefined && lists.recursive === undefined;
  return [
    isOld ? OpCode.setWatches : OpCode.setWatches2,
    (writer) => {
      const start = writer.length;
      writeSetWatches2(writer, {
        relativeZxid: asZxid(relativeZxid),
        dataWatches: lists.data ?? [],
        existWatches: lists.exist ?? [],
        childWatches: lists.child ?? [],
        persistentWatches: lists.persistent ?? [],
        persistentRecursiveWatches: lists.recursive ?? [],
      });
      // The older record is the newer one without its last two lists, which are empty.
      if (isOld) writer.length = Math.max(start, writer.length - 8);
    },
  ];
}

/** One result of a multi. */
export interface MultiResult {
  readonly type: number;
  readonly err: number;
  readonly path?: string;
  readonly stat?: Stat;
  readonly data?: string | null;
  readonly children?: readonly string[];
}

/** The results of a multi or a multiRead. */
export function readMultiResults({ body }: Reply): MultiResult[] {
  const results: MultiResult[] = [];
  for (;;) {
    const { type, done, err } = readMultiHeader(body);
    if (done) break;
    results.push({ type, err, ...readResultBody(body, type) });
  }
  return results;
}

function readResultBody(body: JuteReader, type: number): Partial<MultiResult> {
  switch (type) {
    case OpCode.create:
      return { path: body.readString() };
    case OpCode.create2:
      return { path: body.readString(), stat: readStat(body) };
    case OpCode.setData:
      return { stat: readStat(body) };
    case OpCode.getData:
      return { data: readText(body), stat: readStat(body) };
    case OpCode.getChildren:
      return { children: readStrings(body) };
    case OpCode.error:
      return { err: body.readInt() };
    default:
      return {};
  }
}

/** A vector of strings, sorted. */
export function readStrings(body: JuteReader): string[] {
  const count = body.readVectorCount(4);
  return Array.from({ length: count }, () => body.readString()).sort();
}

/** A vector of ACL entries. */
export function readAcls(body: JuteReader): Acl[] {
  const count = body.readVectorCount(12);
  return Array.from({ length: count }, () => readAcl(body));
}

/** A change of the members; `fromConfig` is the version that it is meant for. */
export function reconfig(request: {
  readonly joining: string | null;
  readonly leaving: string | null;
  readonly newMembers: string | null;
  readonly fromConfig: number;
}): Operation {
  return [
    OpCode.reconfig,
    (writer) => {
      writer.writeString(request.joining);
      writer.writeString(request.leaving);
      writer.writeString(request.newMembers);
      writer.writeLongFromDouble(request.fromConfig);
    },
  ];
}

/** A buffer as text. */
export function readText(body: JuteReader): string | null {
  const bytes = body.readBuffer();
  return bytes === null ? null : Buffer.from(bytes).toString();
}

/** An ACL of one entry. */
export function acl(scheme: string, id: string, perms = 31): readonly Acl[] {
  return [{ perms, id: { scheme, id } }];
}

function writeAcls(writer: JuteWriter, acls: readonly Acl[] | null): void {
  writer.writeInt(acls === null ? -1 : acls.length);
  for (const entry of acls ?? []) writeAcl(writer, entry);
}

function watched(type: number, path: string, watch: boolean): Operation {
  return [
    type,
    (writer) => {
      writer.writeString(path);
      writer.writeBoolean(watch);
    },
  ];
}

function withVersion(type: number, path: string, version: number): Operation {
  return [
    type,
    (writer) => {
      writer.writeString(path);
      writer.writeInt(version);
    },
  ];
}
