import {
  AddWatchMode,
  ErrorCode,
  EventType,
  JuteError,
  type JuteReader,
  type JuteWriter,
  WatcherType,
} from '@meerkat/protocol';
import { noNode } from '../tree/tree.ts';
import type { ClientConnection } from './client-connection.ts';
import { writeNotification } from './notification.ts';
import type { ReplicaState } from './replica-state.ts';
import { findZnode, type PathRange, readPath } from './request-path.ts';

/**
 * The requests that are about watches alone: addWatch, removeWatches, checkWatches and the setWatches
 * of a client that comes back (ZB 1.7 and section 3). Owns the comparison with what the client has seen.
 */

/** addWatch: a persistent watch on a path, which need not exist. */
export function addWatch(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  reply: JuteWriter,
): ErrorCode {
  readPath(reader, path);
  const mode = reader.readInt();
  const { slot } = connection;
  if (mode !== AddWatchMode.persistent && mode !== AddWatchMode.persistentRecursive) {
    throw new JuteError(`Cannot add a watch: current mode is ${mode}`);
  }
  if (!state.watches.hasRoomFor(path.end - path.start)) return ErrorCode.systemError;
  if (mode === AddWatchMode.persistent) {
    state.watches.addPersistent(slot, reader.bytes, path.start, path.end);
  } else {
    state.watches.addPersistentRecursive(slot, reader.bytes, path.start, path.end);
  }
  reply.writeInt(ErrorCode.ok);
  return ErrorCode.ok;
}

/** removeWatches: NOWATCHER when there was none of the kind. */
export function removeWatches(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
): ErrorCode {
  readPath(reader, path);
  const type = readWatcherType(reader);
  const removed = state.watches.remove(connection.slot, reader.bytes, path.start, path.end, type);
  return removed ? ErrorCode.ok : ErrorCode.noWatcher;
}

/** checkWatches: NOWATCHER when there is none of the kind. */
export function checkWatches(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
): ErrorCode {
  readPath(reader, path);
  const type = readWatcherType(reader);
  const has = state.watches.has(connection.slot, reader.bytes, path.start, path.end, type);
  return has ? ErrorCode.ok : ErrorCode.noWatcher;
}

/**
 * setWatches and setWatches2: a client that lost its connection sets its watches again; what happened
 * since it last heard is told at once (`DataTree.setWatches`). Events go to `events`, which leaves
 * before the reply. Watches for which there is no room are left out; the reply then is SYSTEMERROR.
 */
export function setWatches(
  state: ReplicaState,
  connection: ClientConnection,
  reader: JuteReader,
  events: JuteWriter,
  listCount: 3 | 5,
): ErrorCode {
  const relativeZxid = reader.readLongAsDouble();
  checkLists(reader, listCount);
  const { slot } = connection;
  const { watches } = state;
  let isFull = false;
  /** Whether a watch on a path can be set. */
  const fits = (start: number, end: number): boolean => {
    if (watches.hasRoomFor(end - start)) return true;
    isFull = true;
    return false;
  };
  const result = (): ErrorCode => (isFull ? ErrorCode.systemError : ErrorCode.ok);
  forEachPath(reader, (bytes, start, end) => {
    const event = dataEvent(state, bytes, start, end, relativeZxid);
    if (event !== EventType.none) writeNotification(events, event, bytes, start, end, -1);
    else if (fits(start, end)) watches.addData(slot, bytes, start, end);
  });
  forEachPath(reader, (bytes, start, end) => {
    const exists = find(state, bytes, start, end) !== noNode;
    if (exists) writeNotification(events, EventType.nodeCreated, bytes, start, end, -1);
    else if (fits(start, end)) watches.addData(slot, bytes, start, end);
  });
  forEachPath(reader, (bytes, start, end) => {
    const event = childEvent(state, bytes, start, end, relativeZxid);
    if (event !== EventType.none) writeNotification(events, event, bytes, start, end, -1);
    else if (fits(start, end)) watches.addChild(slot, bytes, start, end);
  });
  if (listCount === 3) return result();
  forEachPath(reader, (bytes, start, end) => {
    if (fits(start, end)) watches.addPersistent(slot, bytes, start, end);
  });
  forEachPath(reader, (bytes, start, end) => {
    if (fits(start, end)) watches.addPersistentRecursive(slot, bytes, start, end);
  });
  return result();
}

const path: PathRange = { start: 0, end: 0 };

function readWatcherType(reader: JuteReader): WatcherType {
  const type = reader.readInt();
  if (type < WatcherType.children || type > WatcherType.persistentRecursive) {
    throw new JuteError(`Cannot name a kind of watch: current value is ${type}`);
  }
  return type as WatcherType;
}

/** Walks over the lists once, so that a malformed one is refused before anything is set. */
function checkLists(reader: JuteReader, listCount: number): void {
  const start = reader.position;
  for (let list = 0; list < listCount; list++) forEachPath(reader, () => undefined);
  reader.position = start;
}

function forEachPath(
  reader: JuteReader,
  visit: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  const count = reader.readVectorCount(4);
  for (let i = 0; i < count; i++) {
    readPath(reader, path);
    visit(reader.bytes, path.start, path.end);
  }
}

function find(state: ReplicaState, bytes: Uint8Array, start: number, end: number): number {
  return findZnode(state.tree, bytes, start, end);
}

function dataEvent(
  state: ReplicaState,
  bytes: Uint8Array,
  start: number,
  end: number,
  relativeZxid: number,
): EventType {
  const node = find(state, bytes, start, end);
  if (node === noNode) return EventType.nodeDeleted;
  return state.tree.mzxid(node) > relativeZxid ? EventType.nodeDataChanged : EventType.none;
}

function childEvent(
  state: ReplicaState,
  bytes: Uint8Array,
  start: number,
  end: number,
  relativeZxid: number,
): EventType {
  const node = find(state, bytes, start, end);
  if (node === noNode) return EventType.nodeDeleted;
  return state.tree.pzxid(node) > relativeZxid ? EventType.nodeChildrenChanged : EventType.none;
}
