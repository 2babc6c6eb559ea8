import { ErrorCode, utf8 } from '@meerkat/protocol';
import type { ChangeRecord } from './change-record.ts';
import type { WriteContext } from './replica-state.ts';
import { lastSlash } from './request-path.ts';

/**
 * createSession and closeSession: the transactions that a session begins and ends with
 * (`PrepRequestProcessor.pRequest2Txn`). Neither can fail.
 */
export function prepareCreateSession(context: WriteContext, timeoutMs: number): ErrorCode {
  context.writer.writeInt(timeoutMs);
  return ErrorCode.ok;
}

/**
 * closeSession: names the ephemerals to delete, those still to be created by pending transactions
 * among them, those that pending ones delete not.
 */
export function prepareCloseSession(context: WriteContext): ErrorCode {
  const paths = ephemeralPaths(context);
  if (context.state.config.closeSessionTxnEnabled) {
    context.writer.writeInt(paths.length);
    for (const path of paths) context.writer.writeString(path);
  }
  const { outstanding } = context.state;
  for (const path of paths) {
    outstanding.beginOperation();
    const bytes = utf8(path);
    const parent = outstanding.find(bytes, 0, lastSlash(bytes, 0, bytes.length));
    const record = outstanding.find(bytes, 0, bytes.length);
    if (parent === null || record === null) continue;
    outstanding.touch(parent, context.zxid);
    parent.childCount--;
    parent.pzxid = Math.max(parent.pzxid, context.zxid);
    outstanding.changed(parent);
    outstanding.touch(record, context.zxid);
    record.exists = false;
  }
  const session = context.state.sessions.get(context.sessionHi, context.sessionLo);
  if (session !== undefined) session.closing = true;
  return ErrorCode.ok;
}

function ephemeralPaths(context: WriteContext): string[] {
  const { tree, outstanding } = context.state;
  const paths = new Set<string>();
  for (const node of tree.ephemeralsOf(context.sessionHi, context.sessionLo))
    paths.add(tree.pathOf(node));
  if (outstanding.count === 0) return [...paths];
  const pathOf = (record: ChangeRecord): string => record.path || tree.pathOf(record.node);
  for (const record of outstanding.all()) {
    const owned = record.ownerHi === context.sessionHi && record.ownerLo === context.sessionLo;
    if (owned && !record.exists) paths.delete(pathOf(record));
  }
  for (const record of outstanding.all()) {
    const owned = record.ownerHi === context.sessionHi && record.ownerLo === context.sessionLo;
    if (owned && record.exists) paths.add(pathOf(record));
  }
  return [...paths];
}
