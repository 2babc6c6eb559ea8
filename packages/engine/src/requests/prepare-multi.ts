import { CreateFlag, ErrorCode, JuteError, type JuteReader, OpCode } from '@meerkat/protocol';
import { readAclVector } from './acl-wire.ts';
import { prepareCreate } from './prepare-create.ts';
import { prepareDelete } from './prepare-delete.ts';
import { prepareCheck, prepareSetAcl, prepareSetData } from './prepare-set.ts';
import type { WriteContext } from './replica-state.ts';

/**
 * multi: several operations that happen at one zxid or not at all (`PrepRequestProcessor`, case
 * multi; encoding ZB 1.5). Owns the order of sub-transactions and the undoing of a failed one; what
 * each operation does is the business of its own file.
 *
 * A failed multi is a transaction too: the operation that failed carries its code, later ones
 * RUNTIMEINCONSISTENCY, and applying it changes nothing.
 *
 * @throws JuteError when the request does not decode or mixes reads and writes
 */
export function prepareMulti(context: WriteContext): ErrorCode {
  const { reader, writer, state } = context;
  const count = countOperations(reader, state.limits.multiOperationsMax);
  const transactionStart = writer.length;
  const bytesMax = state.limits.frameBytesMax + state.limits.extraBytesMax;
  writer.writeInt(count);
  state.outstanding.begin();
  let failed = false;
  for (let i = 0; i < count; i++) {
    const named = reader.readInt() as OpCode;
    reader.position += headerRestBytes;
    const before = reader.position;
    const type = skipOperation(reader, named);
    const after = reader.position;
    reader.position = before;
    state.outstanding.beginOperation();
    const start = writer.length;
    writer.writeInt(type);
    const lengthAt = writer.reserve(4);
    let error = failed ? ErrorCode.runtimeInconsistency : prepareOperation(context, type);
    // An `auth` entry stands for all that the caller has proved, so a short request can become long.
    if (!failed && writer.length - transactionStart > bytesMax) error = ErrorCode.marshallingError;
    if (error !== ErrorCode.ok) {
      writer.length = start;
      writeErrorTransaction(context, error);
      if (!failed) {
        failed = true;
        state.outstanding.rollBack();
      }
    } else {
      writer.view.setInt32(lengthAt, writer.length - lengthAt - 4);
    }
    reader.position = after;
  }
  if (!failed) state.outstanding.commit();
  return ErrorCode.ok;
}

/** One of the operations that change the tree: those that a multi may hold and a request may be. */
export function prepareOperation(context: WriteContext, type: OpCode): ErrorCode {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return prepareCreate(context, type);
    case OpCode.delete:
      return prepareDelete(context);
    case OpCode.setData:
      return prepareSetData(context);
    case OpCode.setACL:
      return prepareSetAcl(context);
    case OpCode.check:
      return prepareCheck(context);
    default:
      return ErrorCode.unimplemented;
  }
}

/** `done` and `err` of a MultiHeader, behind its type. */
const headerRestBytes = 5;

function writeErrorTransaction(context: WriteContext, error: ErrorCode): void {
  context.writer.writeInt(OpCode.error);
  context.writer.writeInt(4);
  context.writer.writeInt(error);
}

/** Walks over the whole request without doing anything, so that what follows cannot fail half-way. */
function countOperations(reader: JuteReader, countMax: number): number {
  const start = reader.position;
  let count = 0;
  for (;;) {
    const type = reader.readInt() as OpCode;
    const done = reader.readBoolean();
    reader.readInt();
    if (done) break;
    skipOperation(reader, type);
    count++;
    if (count > countMax)
      throw new JuteError(`Cannot run a multi: current count is over ${countMax}`);
  }
  reader.position = start;
  return count;
}

/**
 * Moves past one operation.
 *
 * @returns the operation it stands for: here, unlike in a request of its own, the flags of a create
 *   decide what it makes (`Op.Create.getOpcode`)
 */
function skipOperation(reader: JuteReader, type: OpCode): OpCode {
  reader.readString();
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
      return skipCreate(reader, type);
    case OpCode.delete:
    case OpCode.check:
      reader.readInt();
      return type;
    case OpCode.setData:
      reader.skipBuffer();
      reader.readInt();
      return type;
    default:
      throw new JuteError(`Cannot read a multi: current operation code is ${type}`);
  }
}

function skipCreate(reader: JuteReader, type: OpCode): OpCode {
  reader.skipBuffer();
  readAclVector(reader);
  const flags = reader.readInt();
  if (type === OpCode.createTTL) {
    reader.position += ttlBytes(reader);
    if (flags === CreateFlag.container) return OpCode.createContainer;
    return flags >= CreateFlag.persistentWithTtl ? OpCode.createTTL : OpCode.create;
  }
  // A kind with a TTL needs a createTTL.
  if (flags < CreateFlag.persistent || flags > CreateFlag.container) {
    throw new JuteError(`Cannot read a multi: current create flags are ${flags}`);
  }
  return flags === CreateFlag.container ? OpCode.createContainer : type;
}

function ttlBytes(reader: JuteReader): number {
  if (reader.remaining < 8) throw new JuteError('Cannot read a TTL: the bytes end');
  return 8;
}
