import { ErrorCode, isSpecialPath, Perms } from '@meerkat/protocol';
import { NodeKind, nodeKindOf, ttlMsOf } from '../tree/ephemeral-type.ts';
import { isPermitted } from './access.ts';
import type { ChangeRecord } from './change-record.ts';
import type { WriteContext } from './replica-state.ts';
import { lastSlash, type PathRange, readPath } from './request-path.ts';

/**
 * delete: from the request to the transaction (`PrepRequestProcessor.pRequest2Txn`; the order of the
 * errors is ZB section 2, "Delete errors").
 *
 * @throws JuteError when the request does not decode; nothing has changed then
 */
export function prepareDelete(context: WriteContext): ErrorCode {
  const { reader, state } = context;
  readPath(reader, path);
  const version = reader.readInt();
  const bytes = reader.bytes;
  const slash = lastSlash(bytes, path.start, path.end);
  if (slash === -1 || isSpecialPath(bytes, path.start, path.end)) return ErrorCode.badArguments;
  const parent = state.outstanding.find(bytes, path.start, slash);
  if (parent === null) return ErrorCode.noNode;
  if (!state.config.skipAcl && !isPermitted(parent.acl, Perms.delete, context.authIds)) {
    return ErrorCode.noAuth;
  }
  const record = state.outstanding.find(bytes, path.start, path.end);
  if (record === null) return ErrorCode.noNode;
  if (version !== -1 && version !== record.version) return ErrorCode.badVersion;
  if (record.childCount > 0) return ErrorCode.notEmpty;
  writeDelete(context, bytes, path.start, path.end, parent, record);
  return ErrorCode.ok;
}

/**
 * deleteContainer: the server's own request for a container or TTL znode that nobody needs. Checks again, with what is
 * not committed yet: children may have come meanwhile, or a change, or another znode in its place. Java looks for
 * children alone.
 */
export function prepareDeleteContainer(context: WriteContext): ErrorCode {
  const { reader, state } = context;
  readPath(reader, path);
  const bytes = reader.bytes;
  const slash = lastSlash(bytes, path.start, path.end);
  if (slash === -1 || isSpecialPath(bytes, path.start, path.end)) return ErrorCode.badArguments;
  const record = state.outstanding.find(bytes, path.start, path.end);
  if (record === null) return ErrorCode.noNode;
  if (record.childCount > 0) return ErrorCode.notEmpty;
  if (!isUseless(record, context)) return ErrorCode.badVersion;
  const parent = state.outstanding.find(bytes, path.start, slash);
  if (parent === null) return ErrorCode.noNode;
  writeDelete(context, bytes, path.start, path.end, parent, record);
  return ErrorCode.ok;
}

/** The same as `TreeStore.expiredContainers` finds. */
function isUseless(record: ChangeRecord, { state: { config }, timeMs }: WriteContext): boolean {
  const { ownerHi, ownerLo, createCounter, mtime } = record;
  const kind = nodeKindOf(ownerHi, ownerLo, config);
  if (kind === NodeKind.ttl) {
    const ttlMs = ttlMsOf(ownerHi, ownerLo);
    return ttlMs !== 0 && timeMs - mtime > ttlMs;
  }
  if (kind !== NodeKind.container) return false;
  const { maxNeverUsedIntervalMs } = config.container;
  return (
    createCounter > 0 || (maxNeverUsedIntervalMs !== 0 && timeMs - mtime > maxNeverUsedIntervalMs)
  );
}

const path: PathRange = { start: 0, end: 0 };

function writeDelete(
  context: WriteContext,
  bytes: Uint8Array,
  start: number,
  end: number,
  parent: ChangeRecord,
  record: ChangeRecord,
): void {
  context.writer.writeInt(end - start);
  context.writer.writeBytes(bytes, start, end);
  const { outstanding } = context.state;
  outstanding.touch(parent, context.zxid);
  parent.childCount--;
  parent.pzxid = Math.max(parent.pzxid, context.zxid);
  outstanding.changed(parent);
  outstanding.touch(record, context.zxid);
  record.exists = false;
}
