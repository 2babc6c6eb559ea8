import { decodeUtf8, ErrorCode, utf8 } from '@meerkat/protocol';
import { noNode } from '../tree/tree.ts';
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
  for (const node of tree.ephemeralsOf(context.sessionHi, context.sessionLo)) {
    const path = tree.pathOf(node);
    // What the tree shows may be deleted by a pending transaction, and there again as somebody else's.
    if (outstanding.count === 0 || isOwned(context, findPending(context, path))) paths.add(path);
  }
  for (const record of outstanding.all()) {
    if (record.exists && isOwned(context, record)) {
      const { node, path, pathLength } = record;
      paths.add(node === noNode ? decodeUtf8(path, 0, pathLength) : tree.pathOf(node));
    }
  }
  return [...paths];
}

function findPending(context: WriteContext, path: string): ChangeRecord | null {
  const bytes = utf8(path);
  context.state.outstanding.beginOperation();
  return context.state.outstanding.find(bytes, 0, bytes.length);
}

function isOwned({ sessionHi, sessionLo }: WriteContext, record: ChangeRecord | null): boolean {
  return record !== null && record.ownerHi === sessionHi && record.ownerLo === sessionLo;
}
