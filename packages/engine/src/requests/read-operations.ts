import {
  type Acl,
  ErrorCode,
  type JuteReader,
  type JuteWriter,
  Perms,
  writeAcl,
} from '@meerkat/protocol';
import { type NodeId, noNode } from '../tree/tree.ts';
import { isPermitted } from './access.ts';
import { writeAclVector } from './acl-wire.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ReplicaState } from './replica-state.ts';
import { findZnode, type PathRange, readPath } from './request-path.ts';

/**
 * The reads: what a client is told of a znode, and the one-shot watches that come with it
 * (`FinalRequestProcessor.java`). Each reads its request, writes the body of its reply and returns
 * its error; a body begun before an error is dropped by the caller. Paths are looked up as they are:
 * one that is not valid names no znode.
 */
export type ReadOperation = (
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
  /** False within multiRead, which ignores the request's watch. */
  mayWatch?: boolean,
) => ErrorCode;

/** exists: a Stat, or NONODE; the watch is set either way. */
export function exists(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  readPath(reader, path);
  const watch = reader.readBoolean();
  if (holdsNul(reader.bytes)) return ErrorCode.badArguments;
  const node = findZnode(state.tree, reader.bytes, path.start, path.end);
  if (node !== noNode && !mayRead(state, connection, node)) return ErrorCode.noAuth;
  if (watch) {
    if (!state.watches.hasRoomFor(path.end - path.start)) return ErrorCode.systemError;
    state.watches.addData(connection.slot, reader.bytes, path.start, path.end);
  }
  if (node === noNode) return ErrorCode.noNode;
  state.tree.writeStat(reply, node);
  return ErrorCode.ok;
}

/** getData: data and Stat. */
export function getData(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
  mayWatch = true,
): ErrorCode {
  readPath(reader, path);
  const watch = reader.readBoolean();
  const error = findReadable(state, connection, reader);
  if (error !== ErrorCode.ok) return error;
  if (watch && mayWatch) {
    if (!state.watches.hasRoomFor(path.end - path.start)) return ErrorCode.systemError;
    state.watches.addData(connection.slot, reader.bytes, path.start, path.end);
  }
  state.tree.writeData(reply, found);
  state.tree.writeStat(reply, found);
  return ErrorCode.ok;
}

/** getChildren: names. */
export function getChildren(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
  mayWatch = true,
): ErrorCode {
  readPath(reader, path);
  const watch = reader.readBoolean();
  const error = findReadable(state, connection, reader);
  if (error !== ErrorCode.ok) return error;
  if (watch && mayWatch) {
    if (!state.watches.hasRoomFor(path.end - path.start)) return ErrorCode.systemError;
    state.watches.addChild(connection.slot, reader.bytes, path.start, path.end);
  }
  writeChildren(state, reply, found);
  return ErrorCode.ok;
}

/** getChildren2: names and Stat. */
export function getChildren2(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  const error = getChildren(state, connection, reader, reply);
  if (error === ErrorCode.ok) state.tree.writeStat(reply, found);
  return error;
}

/** getAllChildrenNumber: how many znodes lie below. */
export function getAllChildrenNumber(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  readPath(reader, path);
  const error = findReadable(state, connection, reader);
  if (error === ErrorCode.ok) reply.writeInt(state.tree.allChildrenCount(found));
  return error;
}

/** getACL: for those who may read or administer; without ADMIN the digests are masked. */
export function getAcl(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  readPath(reader, path);
  const node = findZnode(state.tree, reader.bytes, path.start, path.end);
  if (node === noNode) return ErrorCode.noNode;
  const acl = aclOf(state, node);
  const { authIds } = connection;
  if (!state.config.skipAcl && !isPermitted(acl, Perms.read | Perms.admin, authIds)) {
    return ErrorCode.noAuth;
  }
  if (state.config.skipAcl || isPermitted(acl, Perms.admin, authIds)) {
    writeAclVector(reply, acl);
  } else {
    reply.writeInt(acl.length);
    for (const entry of acl) writeAcl(reply, masked(entry));
  }
  state.tree.writeStat(reply, node);
  return ErrorCode.ok;
}

/** getEphemerals: the caller's own, below a prefix. */
export function getEphemerals(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  const prefix = reader.readNullableString() ?? '';
  const everything = prefix.trim() === '' || prefix.trim() === '/';
  const { session } = connection;
  const paths: string[] = [];
  if (session !== null) {
    for (const node of state.tree.ephemeralsOf(session.idHi, session.idLo)) {
      const owned = state.tree.pathOf(node);
      if (everything || owned.startsWith(prefix)) paths.push(owned);
    }
  }
  reply.writeInt(paths.length);
  for (const owned of paths) reply.writeString(owned);
  return ErrorCode.ok;
}

/** sync: standalone there is nobody to wait for; the path comes back, a null one too. */
export function sync(
  _state: ReplicaState,
  _connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  const start = reader.position;
  const length = reader.skipBuffer();
  const { bytes, position: end } = reader;
  if (isAscii(bytes, end - Math.max(0, length), end)) {
    reply.writeBytes(bytes, start, end);
  } else {
    // Java makes a string of it and writes that in its own way.
    reader.position = start;
    reply.writeString(reader.readString());
  }
  return ErrorCode.ok;
}

/** whoAmI: the connection's identities, without secrets (`AuthUtil.getClientInfos`). */
export function whoAmI(
  _state: ReplicaState,
  connection: ClientConnection,
  _reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  reply.writeInt(connection.authIds.length);
  for (const { scheme, id } of connection.authIds) {
    reply.writeString(scheme);
    reply.writeString(scheme === 'digest' ? (id.split(':')[0] ?? id) : id);
  }
  return ErrorCode.ok;
}

/** Whether the connection may read a znode. */
export function mayRead(state: ReplicaState, connection: ClientConnection, node: NodeId): boolean {
  if (state.config.skipAcl || state.tree.aclId(node) === -1) return true;
  return isPermitted(aclOf(state, node), Perms.read, connection.authIds);
}

const path: PathRange = { start: 0, end: 0 };
let found: NodeId = noNode;

/** Looks up what `path` names, once the whole request has been read. */
function findReadable(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
): ErrorCode {
  found = findZnode(state.tree, reader.bytes, path.start, path.end);
  if (found === noNode) return ErrorCode.noNode;
  return mayRead(state, connection, found) ? ErrorCode.ok : ErrorCode.noAuth;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if ((bytes[at] as number) > 0x7f) return false;
  return true;
}

function holdsNul(bytes: Uint8Array): boolean {
  for (let at = path.start; at < path.end; at++) if (bytes[at] === 0) return true;
  return false;
}

function aclOf(state: ReplicaState, node: NodeId): readonly Acl[] {
  return state.tree.acls.get(state.tree.aclId(node));
}

function masked(entry: Acl): Acl {
  if (entry.id.scheme !== 'digest') return entry;
  return { perms: entry.perms, id: { scheme: 'digest', id: entry.id.id.replace(/:.*/, ':x') } };
}

function writeChildren(state: ReplicaState, reply: JuteWriter, node: NodeId): void {
  const { tree } = state;
  reply.writeInt(tree.childCount(node));
  for (let child = tree.firstChild(node); child !== noNode; child = tree.nextSibling(child)) {
    tree.writeName(reply, child);
  }
}
