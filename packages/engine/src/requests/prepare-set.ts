import { checkPath, ErrorCode, Perms } from '@meerkat/protocol';
import { prefixStateOf } from '../tree/digest.ts';
import { fixupAcl, isPermitted, openAcl } from './access.ts';
import { readAclVector, writeAclVector } from './acl-wire.ts';
import { exceedsQuota } from './quota-check.ts';
import type { WriteContext } from './replica-state.ts';
import { type PathRange, readPath } from './request-path.ts';

/**
 * setData, setACL and check: from the request to the transaction (`PrepRequestProcessor.pRequest2Txn`).
 * Owns the rule of versions; all three throw JuteError, with nothing changed, when the request does not
 * decode.
 */
export function prepareSetData(context: WriteContext): ErrorCode {
  const { reader, writer, state } = context;
  readPath(reader, path);
  const dataLength = reader.skipBuffer();
  const dataStart = reader.position - Math.max(0, dataLength);
  const version = reader.readInt();
  const bytes = reader.bytes;
  const { start, end } = path;
  if (checkPath(bytes, start, end) !== 0) return ErrorCode.badArguments;
  const record = state.outstanding.find(bytes, start, end);
  if (record === null) return ErrorCode.noNode;
  if (!state.config.skipAcl && !isPermitted(record.acl, Perms.write, context.authIds)) {
    return ErrorCode.noAuth;
  }
  const growth = Math.max(0, dataLength) - Math.max(0, record.dataLength);
  if (exceedsQuota(state, bytes, start, end, growth, 0)) return ErrorCode.quotaExceeded;
  if (version !== -1 && version !== record.version) return ErrorCode.badVersion;
  const nextVersion = versionAfter(record.version);
  writer.writeInt(end - start);
  writer.writeBytes(bytes, start, end);
  writer.writeInt(dataLength);
  if (dataLength > 0) writer.writeBytes(bytes, dataStart, dataStart + dataLength);
  writer.writeInt(nextVersion);
  state.outstanding.touch(record, context.zxid);
  record.version = nextVersion;
  record.mtime = context.timeMs;
  record.mzxid = context.zxid;
  record.dataLength = dataLength;
  if (state.outstanding.digestEnabled && record.digested) {
    const dataEnd = dataStart + Math.max(0, dataLength);
    record.prefixState = prefixStateOf(
      bytes,
      start,
      end,
      dataLength > 0 ? bytes : null,
      dataStart,
      dataEnd,
    );
  }
  state.outstanding.changed(record);
  // A record of a znode of the tree stands for it until this transaction is applied: whatever is
  // pending before it does not delete it, or there would be no such record.
  context.known.node = record.node;
  context.known.prefixState = record.prefixState;
  context.known.digest = record.digest;
  return ErrorCode.ok;
}

/** setACL: the version is that of the ACL, and only it goes up. */
export function prepareSetAcl(context: WriteContext): ErrorCode {
  const { reader, writer, state } = context;
  readPath(reader, path);
  let acl = readAclVector(reader);
  const version = reader.readInt();
  const bytes = reader.bytes;
  const { start, end } = path;
  if (checkPath(bytes, start, end) !== 0) return ErrorCode.badArguments;
  if (acl !== openAcl) {
    const fixed = fixupAcl(acl, context.authIds, state.config.digestAuth.enabled);
    if (fixed.error !== ErrorCode.ok) return fixed.error;
    acl = fixed.acl;
  }
  const record = state.outstanding.find(bytes, start, end);
  if (record === null) return ErrorCode.noNode;
  if (!state.config.skipAcl && !isPermitted(record.acl, Perms.admin, context.authIds)) {
    return ErrorCode.noAuth;
  }
  if (version !== -1 && version !== record.aversion) return ErrorCode.badVersion;
  const nextVersion = versionAfter(record.aversion);
  writer.writeInt(end - start);
  writer.writeBytes(bytes, start, end);
  writeAclVector(writer, acl);
  writer.writeInt(nextVersion);
  state.outstanding.touch(record, context.zxid);
  record.aversion = nextVersion;
  record.acl = acl;
  state.outstanding.changed(record);
  return ErrorCode.ok;
}

/** check: only within a multi; its transaction says which version the znode would get. */
export function prepareCheck(context: WriteContext): ErrorCode {
  const { reader, writer, state } = context;
  readPath(reader, path);
  const version = reader.readInt();
  const bytes = reader.bytes;
  const { start, end } = path;
  if (checkPath(bytes, start, end) !== 0) return ErrorCode.badArguments;
  const record = state.outstanding.find(bytes, start, end);
  if (record === null) return ErrorCode.noNode;
  if (!state.config.skipAcl && !isPermitted(record.acl, Perms.read, context.authIds)) {
    return ErrorCode.noAuth;
  }
  if (version !== -1 && version !== record.version) return ErrorCode.badVersion;
  writer.writeInt(end - start);
  writer.writeBytes(bytes, start, end);
  writer.writeInt(versionAfter(record.version));
  return ErrorCode.ok;
}

/** The next version, which is never -1: that means "any" (ZOOKEEPER-4743). */
export function versionAfter(version: number): number {
  const next = (version + 1) | 0;
  return next === -1 ? 0 : next;
}

const path: PathRange = { start: 0, end: 0 };
