import { ErrorCode, JuteError, type JuteReader, type JuteWriter, OpCode } from '@meerkat/protocol';
import type { Acl } from '../acl.ts';
import { BadArgumentsError, errorOf, type ZooKeeperError } from '../errors.ts';
import { toClientPath, toServerPath, validatePath, validateSequentialPath } from '../paths.ts';
import { type Stat, takeStat } from '../stat.ts';
import { decodeStrings } from './children.ts';
import {
  type CreateMode,
  createBody,
  createOperation,
  encodeCreate,
  isSequential,
  validateCreate,
} from './create.ts';
import { decodeNodeData } from './data.ts';
import type { Operation } from './operation.ts';
import { anyVersion, type Data, toBytes, validateData, validateVersion } from './values.ts';

/** One write of a transaction. `version` defaults to any. */
export type MultiOperation =
  | {
      readonly op: 'create';
      readonly path: string;
      readonly data?: Data;
      readonly mode?: CreateMode;
      readonly acl?: Acl;
      readonly ttlMs?: number;
      /** Asks for the Stat of the new znode too. Servers before 3.10 leave it out but for containers and TTLs. */
      readonly withStat?: boolean;
    }
  | { readonly op: 'delete'; readonly path: string; readonly version?: number }
  | {
      readonly op: 'setData';
      readonly path: string;
      readonly data: Data;
      readonly version?: number;
    }
  | { readonly op: 'check'; readonly path: string; readonly version?: number };

/** What a write of a transaction gave, in the order of the operations. */
export type MultiResult =
  | { readonly op: 'create'; readonly path: string; readonly stat: Stat | null }
  | { readonly op: 'delete' }
  | { readonly op: 'setData'; readonly stat: Stat }
  | { readonly op: 'check' };

/** One read of a `multiRead`. */
export type MultiReadOperation =
  | { readonly op: 'getData'; readonly path: string }
  | { readonly op: 'getChildren'; readonly path: string };

/** What a read of a `multiRead` gave: each fails or succeeds by itself. */
export type MultiReadResult =
  | { readonly op: 'getData'; readonly data: Uint8Array | null; readonly stat: Stat }
  | { readonly op: 'getChildren'; readonly children: string[] }
  | { readonly op: 'error'; readonly error: ZooKeeperError };

/** What multi carries: the operations, and the chroot that their paths get. */
export interface MultiBody<Op> {
  readonly operations: readonly Op[];
  readonly chroot: string;
}

export const multi: Operation<MultiBody<MultiOperation>, MultiResult[]> = {
  opcode: OpCode.multi,
  doing: 'run a transaction',
  validate: (body) => body.operations.forEach(validateWrite),
  encode(writer, _serverPath, { operations, chroot }) {
    for (const operation of operations) encodeWrite(writer, operation, chroot);
    writeHeader(writer, -1, true);
  },
  decode(reader, { body }) {
    return decodeWrites(reader, body.operations, body.chroot);
  },
};

export const multiRead: Operation<MultiBody<MultiReadOperation>, MultiReadResult[]> = {
  opcode: OpCode.multiRead,
  doing: 'read several znodes',
  isRead: true,
  validate: (body) => body.operations.forEach(validateRead),
  encode(writer, _serverPath, { operations, chroot }) {
    for (const operation of operations) {
      writeHeader(writer, readOpcodes[operation.op], false);
      writer.writeString(toServerPath(chroot, operation.path));
      writer.writeBoolean(false);
    }
    writeHeader(writer, -1, true);
  },
  decode(reader, { body }) {
    return decodeReads(reader, body.operations);
  },
};

const readOpcodes = { getData: OpCode.getData, getChildren: OpCode.getChildren } as const;

function validateWrite(operation: MultiOperation): void {
  const { path } = operation;
  switch (operation.op) {
    case 'create': {
      const body = createBody(operation.data, operation);
      if (isSequential(body.mode)) validateSequentialPath(path, 'create');
      else validatePath(path, 'create');
      validateCreate(body, path);
      return;
    }
    case 'setData':
      validatePath(path, 'set the data of');
      validateData(operation.data, 'set the data of', path);
      validateVersion(operation.version ?? anyVersion, 'set the data of', path);
      return;
    case 'delete':
    case 'check':
      validatePath(path, operation.op);
      validateVersion(operation.version ?? anyVersion, operation.op, path);
      return;
    default:
      throw unknownOperation('run a transaction', operation);
  }
}

function validateRead(operation: MultiReadOperation): void {
  if (!Object.hasOwn(readOpcodes, operation.op))
    throw unknownOperation('read several znodes', operation);
  validatePath(operation.path, 'read');
}

function unknownOperation(doing: string, operation: { op: unknown }): BadArgumentsError {
  return new BadArgumentsError({
    message: `Cannot ${doing}: current value is an operation ${JSON.stringify(operation.op)}, which it does not have`,
  });
}

function encodeWrite(writer: JuteWriter, operation: MultiOperation, chroot: string): void {
  const serverPath = toServerPath(chroot, operation.path);
  switch (operation.op) {
    case 'create': {
      const body = createBody(operation.data, operation);
      writeHeader(writer, createOperation(body.mode, operation.withStat ?? false).opcode, false);
      encodeCreate(writer, serverPath, body);
      return;
    }
    case 'delete':
      writeHeader(writer, OpCode.delete, false);
      writer.writeString(serverPath);
      writer.writeInt(operation.version ?? anyVersion);
      return;
    case 'setData':
      writeHeader(writer, OpCode.setData, false);
      writer.writeString(serverPath);
      writer.writeBuffer(toBytes(operation.data));
      writer.writeInt(operation.version ?? anyVersion);
      return;
    case 'check':
      writeHeader(writer, OpCode.check, false);
      writer.writeString(serverPath);
      writer.writeInt(operation.version ?? anyVersion);
      return;
  }
}

/** Reads the results of a transaction; a failed one is thrown as the error of the operation that failed. */
function decodeWrites(
  reader: JuteReader,
  operations: readonly MultiOperation[],
  chroot: string,
): MultiResult[] {
  const results: MultiResult[] = [];
  const codes: number[] = [];
  for (const operation of operations) {
    const type = readHeader(reader);
    if (type === OpCode.error) codes.push(reader.readInt());
    else results.push(decodeWrite(reader, type, operation, chroot));
  }
  readEnd(reader);
  if (codes.length === 0) return results;
  if (codes.length !== operations.length)
    throw new JuteError('Cannot read a multi: current value is half an error');
  throw failureOf(operations, codes);
}

function decodeWrite(
  reader: JuteReader,
  type: number,
  operation: MultiOperation,
  chroot: string,
): MultiResult {
  switch (type) {
    case OpCode.create:
    case OpCode.create2: {
      const path = toClientPath(chroot, reader.readString());
      return { op: 'create', path, stat: type === OpCode.create2 ? takeStat(reader) : null };
    }
    case OpCode.setData:
      return { op: 'setData', stat: takeStat(reader) };
    case OpCode.delete:
      return { op: 'delete' };
    case OpCode.check:
      return { op: 'check' };
    default:
      throw new JuteError(`Cannot read the result of a ${operation.op}: current type is ${type}`);
  }
}

/** The operation that failed is the first one that is neither fine nor "not run" (`ZooKeeper.multiInternal`). */
function failureOf(
  operations: readonly MultiOperation[],
  codes: readonly number[],
): ZooKeeperError {
  const failed = codes.findIndex(
    (code) => code !== ErrorCode.ok && code !== ErrorCode.runtimeInconsistency,
  );
  const index = failed === -1 ? codes.findIndex((code) => code !== ErrorCode.ok) : failed;
  const operation = operations[index];
  return errorOf(codes[index] ?? ErrorCode.systemError, {
    doing: `run a transaction, for its operation ${index} is to ${operation?.op ?? 'fail'}`,
    ...(operation === undefined ? {} : { path: operation.path }),
    multi: { index, codes },
  });
}

function decodeReads(
  reader: JuteReader,
  operations: readonly MultiReadOperation[],
): MultiReadResult[] {
  const results = operations.map((operation): MultiReadResult => {
    const type = readHeader(reader);
    if (type === OpCode.error) {
      const doing = operation.op === 'getData' ? 'get the data of' : 'get the children of';
      return { op: 'error', error: errorOf(reader.readInt(), { doing, path: operation.path }) };
    }
    if (type === OpCode.getData) return { op: 'getData', ...decodeNodeData(reader) };
    if (type === OpCode.getChildren) return { op: 'getChildren', children: decodeStrings(reader) };
    throw new JuteError(`Cannot read the result of a ${operation.op}: current type is ${type}`);
  });
  readEnd(reader);
  return results;
}

function writeHeader(writer: JuteWriter, type: number, done: boolean): void {
  writer.writeInt(type);
  writer.writeBoolean(done);
  writer.writeInt(-1);
}

function readHeader(reader: JuteReader): number {
  const type = reader.readInt();
  const done = reader.readBoolean();
  reader.readInt();
  if (done) throw new JuteError('Cannot read the results of a multi: current list is too short');
  return type;
}

function readEnd(reader: JuteReader): void {
  reader.readInt();
  const done = reader.readBoolean();
  reader.readInt();
  if (!done) throw new JuteError('Cannot read the results of a multi: current list is too long');
}
