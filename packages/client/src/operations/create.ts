import { CreateFlag, type JuteReader, type JuteWriter, OpCode } from '@meerkat/protocol';
import { type Acl, openAcl, validateAcl } from '../acl.ts';
import { BadArgumentsError } from '../errors.ts';
import { toClientPath } from '../paths.ts';
import { type Stat, takeStat } from '../stat.ts';
import type { Operation, ReplyContext } from './operation.ts';
import { type Data, toBytes, validateData } from './values.ts';

/**
 * Kinds of znode (`CreateMode.java`). An ephemeral one goes with its session; a sequential one gets ten digits
 * appended; a container goes some time after its last child; one with a TTL goes `ttlMs` after its last change
 * when it has no children (servers need `extendedTypesEnabled`).
 */
export type CreateMode = keyof typeof CreateFlag;

/** What is created. */
export interface CreateBody {
  readonly data: Data;
  readonly mode: CreateMode;
  readonly acl: Acl;
  readonly ttlMs: number | null;
}

/** What `createWithStat` returns. */
export interface Created {
  /** The path, with its number when the znode is sequential. */
  readonly path: string;
  readonly stat: Stat;
}

/** The body of a create from its parts. */
export function createBody(
  data: Data | undefined,
  options: { mode?: CreateMode; acl?: Acl; ttlMs?: number } | undefined,
): CreateBody {
  return {
    data: data === undefined ? noBytes : data,
    mode: options?.mode ?? 'persistent',
    acl: options?.acl ?? openAcl,
    ttlMs: options?.ttlMs ?? null,
  };
}

/** True when the server appends a number to the path. */
export function isSequential(mode: CreateMode): boolean {
  return sequentialModes.has(mode);
}

/** The operation that creates a znode of this mode; with `withStat` one that answers with the Stat too. */
export function createOperation(
  mode: CreateMode,
  withStat: boolean,
): Operation<CreateBody, Created | string> {
  if (mode === 'container') return withStat ? containerWithStat : container;
  if (isTtl(mode)) return withStat ? ttlWithStat : ttl;
  return withStat ? create2 : create;
}

/** @throws BadArgumentsError | InvalidAclError when the parts of a create do not fit */
export function validateCreate(body: CreateBody, path: string): void {
  if (!Object.hasOwn(CreateFlag, body.mode)) {
    throw bad(path, `mode ${JSON.stringify(body.mode)}`, 'it is not a create mode');
  }
  validateData(body.data, 'create', path);
  validateAcl(body.acl, 'create', path);
  const { ttlMs } = body;
  if (isTtl(body.mode)) {
    if (ttlMs === null || !Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > ttlMsMax) {
      throw bad(path, `ttlMs ${ttlMs}`, `this mode needs one from 1 to ${ttlMsMax}`);
    }
  } else if (ttlMs !== null) {
    throw bad(path, `ttlMs ${ttlMs}`, `mode ${body.mode} has none`);
  }
}

/** Writes a create's record: that of CreateTTLRequest when the mode has a TTL. */
export function encodeCreate(writer: JuteWriter, serverPath: string, body: CreateBody): void {
  writer.writeString(serverPath);
  writer.writeBuffer(toBytes(body.data));
  encodeAcl(writer, body.acl);
  writer.writeInt(CreateFlag[body.mode]);
  if (isTtl(body.mode)) writer.writeLongFromDouble(body.ttlMs ?? 0);
}

/** Writes an ACL as a vector. */
export function encodeAcl(writer: JuteWriter, acl: Acl): void {
  writer.writeInt(acl.length);
  for (const entry of acl) {
    writer.writeInt(entry.perms);
    writer.writeString(entry.scheme);
    writer.writeString(entry.id);
  }
}

/** The largest TTL that `EphemeralType.java` can store: 40 bits of ms. */
const ttlMsMax = 1_099_511_627_775;

const noBytes = new Uint8Array(0);

const sequentialModes: ReadonlySet<CreateMode> = new Set<CreateMode>([
  'persistentSequential',
  'ephemeralSequential',
  'persistentSequentialWithTtl',
]);

const create = operation(OpCode.create, decodePath);
const create2 = operation(OpCode.create2, decodeCreated);
const container = operation(OpCode.createContainer, decodePath);
const containerWithStat = operation(OpCode.createContainer, decodeCreated);
const ttl = operation(OpCode.createTTL, decodePath);
const ttlWithStat = operation(OpCode.createTTL, decodeCreated);

function operation<Result>(
  opcode: number,
  decode: (reader: JuteReader, context: ReplyContext<CreateBody>) => Result,
): Operation<CreateBody, Result> {
  return { opcode, doing: 'create', validate: validateCreate, encode: encodeCreate, decode };
}

function decodePath(reader: JuteReader, context: ReplyContext<CreateBody>): string {
  return toClientPath(context.chroot, reader.readString());
}

function decodeCreated(reader: JuteReader, context: ReplyContext<CreateBody>): Created {
  const path = decodePath(reader, context);
  return { path, stat: takeStat(reader) };
}

function isTtl(mode: CreateMode): boolean {
  return mode === 'persistentWithTtl' || mode === 'persistentSequentialWithTtl';
}

function bad(path: string, value: string, why: string): BadArgumentsError {
  return new BadArgumentsError({
    path,
    message: `Cannot create ${path}: current value is ${value}, and ${why}`,
  });
}
