import {
  CreateFlag,
  checkPath,
  ErrorCode,
  type JuteReader,
  OpCode,
  Perms,
  sequentialSuffixBytesMax,
  writeSequentialSuffix,
} from '@meerkat/protocol';
import { isDigestedPath, prefixStateOf } from '../tree/digest.ts';
import { containerOwner, isEphemeralOwner, ttlOwner } from '../tree/ephemeral-type.ts';
import { fixupAcl, isPermitted, openAcl } from './access.ts';
import { readAclVector, writeAclVector } from './acl-wire.ts';
import type { ChangeRecord } from './change-record.ts';
import { exceedsQuota } from './quota-check.ts';
import type { WriteContext } from './replica-state.ts';
import { lastSlash, type PathRange, readPath } from './request-path.ts';

/**
 * create, create2, createContainer and createTTL: from the request to the transaction
 * (`PrepRequestProcessor.pRequest2TxnCreate`; the order of the errors is ZB section 2, "Create errors").
 *
 * @returns ok with the transaction written, or the error
 * @throws JuteError when the request does not decode; nothing has changed then
 */
export function prepareCreate(context: WriteContext, type: OpCode): ErrorCode {
  readCreateRequest(context.reader, type);
  const modeError = checkMode(context);
  if (modeError !== ErrorCode.ok) return modeError;
  const bytes = context.reader.bytes;
  const slash = lastSlash(bytes, path.start, path.end);
  if (slash === -1) return ErrorCode.badArguments;
  const aclError = fixAcl(context);
  if (aclError !== ErrorCode.ok) return aclError;
  const { outstanding } = context.state;
  const parent = outstanding.find(bytes, path.start, slash);
  if (parent === null) return ErrorCode.noNode;
  if (!context.state.config.skipAcl && !isPermitted(parent.acl, Perms.create, context.authIds)) {
    return ErrorCode.noAuth;
  }
  nameZnode(bytes, parent.createCounter);
  if (checkPath(named.bytes, named.start, named.end) !== 0) return ErrorCode.badArguments;
  if (outstanding.find(named.bytes, named.start, named.end) !== null) return ErrorCode.nodeExists;
  if (isEphemeralOwner(parent.ownerHi, parent.ownerLo, context.state.config)) {
    return ErrorCode.noChildrenForEphemerals;
  }
  if (
    exceedsQuota(context.state, named.bytes, named.start, named.end, Math.max(0, dataLength), 1)
  ) {
    return ErrorCode.quotaExceeded;
  }
  writeTransaction(context, parent.createCounter + 1);
  recordChange(context, parent);
  return ErrorCode.ok;
}

// The request being prepared. The engine is one thread of events, so one of each is enough.
const path: PathRange = { start: 0, end: 0 };
let sequentialPath: Uint8Array = new Uint8Array(256);
const named = { bytes: sequentialPath, start: 0, end: 0 };
let dataStart = 0;
let dataLength = -1;
let flags = 0;
let opcode: OpCode = OpCode.create;
let ttlHi = -1;
let ttlLo = -1;
let acl: ReturnType<typeof readAclVector> = openAcl;
let ownerHi = 0;
let ownerLo = 0;

function readCreateRequest(reader: JuteReader, type: OpCode): void {
  opcode = type;
  readPath(reader, path);
  dataLength = reader.skipBuffer();
  dataStart = reader.position - Math.max(0, dataLength);
  acl = readAclVector(reader);
  flags = reader.readInt();
  ttlHi = type === OpCode.createTTL ? reader.readInt() : -1;
  ttlLo = type === OpCode.createTTL ? reader.readInt() : -1;
}

/** Flags and TTL (`CreateMode.fromFlag`, `validateCreateRequest`); settles who will own the znode. */
function checkMode(context: WriteContext): ErrorCode {
  if (flags < CreateFlag.persistent || flags > CreateFlag.persistentSequentialWithTtl) {
    return ErrorCode.badArguments;
  }
  const hasTtl = flags >= CreateFlag.persistentWithTtl;
  if (hasTtl && !context.state.config.extendedTypesEnabled) return ErrorCode.unimplemented;
  ownerHi = 0;
  ownerLo = 0;
  const ephemeral = flags === CreateFlag.ephemeral || flags === CreateFlag.ephemeralSequential;
  if (opcode === OpCode.createTTL) {
    const owner = hasTtl ? ttlOwner(ttlHi, ttlLo) : null;
    if (owner === null) return ErrorCode.badArguments;
    ownerHi = owner.hi;
    ownerLo = owner.lo;
  } else if (hasTtl) {
    return ErrorCode.badArguments;
  } else if (opcode === OpCode.createContainer) {
    ownerHi = containerOwner.hi;
    ownerLo = containerOwner.lo;
  } else if (ephemeral) {
    if (context.ephemeralError !== ErrorCode.ok) return context.ephemeralError;
    ownerHi = context.sessionHi;
    ownerLo = context.sessionLo;
  }
  return ErrorCode.ok;
}

function fixAcl(context: WriteContext): ErrorCode {
  if (acl === openAcl) return ErrorCode.ok;
  const fixed = fixupAcl(acl, context.authIds, context.state.config.digestAuth.enabled);
  if (fixed.error === ErrorCode.ok) acl = fixed.acl;
  return fixed.error;
}

/** The path itself, or with ten digits of the parent's counter behind it (`%010d`). */
function nameZnode(bytes: Uint8Array, counter: number): void {
  const sequential =
    flags === CreateFlag.persistentSequential ||
    flags === CreateFlag.ephemeralSequential ||
    flags === CreateFlag.persistentSequentialWithTtl;
  if (!sequential) {
    named.bytes = bytes;
    named.start = path.start;
    named.end = path.end;
    return;
  }
  const length = path.end - path.start;
  if (sequentialPath.length < length + sequentialSuffixBytesMax) {
    sequentialPath = new Uint8Array(2 * length + sequentialSuffixBytesMax);
  }
  sequentialPath.set(bytes.subarray(path.start, path.end));
  named.bytes = sequentialPath;
  named.start = 0;
  named.end = writeSequentialSuffix(counter, sequentialPath, length);
}

function writeTransaction(context: WriteContext, parentCVersion: number): void {
  const { writer } = context;
  writer.writeInt(named.end - named.start);
  writer.writeBytes(named.bytes, named.start, named.end);
  writer.writeInt(dataLength);
  if (dataLength > 0) writer.writeBytes(context.reader.bytes, dataStart, dataStart + dataLength);
  writeAclVector(writer, acl ?? openAcl);
  if (opcode === OpCode.createTTL) {
    writer.writeInt(parentCVersion);
    writer.writeLong(ttlHi, ttlLo);
  } else if (opcode === OpCode.createContainer) {
    writer.writeInt(parentCVersion);
  } else {
    writer.writeBoolean(ownerHi !== 0 || ownerLo !== 0);
    writer.writeInt(parentCVersion);
  }
}

function recordChange(context: WriteContext, parent: ChangeRecord): void {
  const { outstanding } = context.state;
  const { zxid } = context;
  outstanding.touch(parent, zxid);
  parent.childCount++;
  parent.createCounter = (parent.createCounter + 1) | 0;
  parent.pzxid = zxid;
  outstanding.changed(parent);
  const record = outstanding.create(named.bytes, named.start, named.end, zxid);
  record.czxid = record.mzxid = record.pzxid = zxid;
  record.ctime = record.mtime = context.timeMs;
  record.version = record.createCounter = record.aversion = 0;
  record.ownerHi = ownerHi;
  record.ownerLo = ownerLo;
  record.childCount = 0;
  record.dataLength = dataLength;
  record.acl = acl ?? openAcl;
  record.digested = isDigestedPath(named.bytes, named.start, named.end);
  if (outstanding.digestEnabled && record.digested) {
    const data = dataLength > 0 ? context.reader.bytes : null;
    record.prefixState = prefixStateOf(
      named.bytes,
      named.start,
      named.end,
      data,
      dataStart,
      dataStart + Math.max(0, dataLength),
    );
  }
  outstanding.changed(record);
  // A parent that is in the tree is there until this transaction is applied; see prepareSetData.
  context.known.node = parent.node;
  context.known.prefixState = record.prefixState;
  context.known.digest = record.digest;
  context.known.hash = record.key;
  context.known.parentDigest = parent.digest;
}
