import {
  AddWatchMode,
  OpCode,
  WatcherType,
  writeSetWatches,
  writeSetWatches2,
} from '@meerkat/protocol';
import type { WatchKind, WatchPaths } from '../watches.ts';
import { encodePathAndInt } from './data.ts';
import { decodeNothing, type Operation } from './operation.ts';

/** Modes of `addWatch`. */
export type PersistentWatchMode = keyof typeof AddWatchMode;

/** The kinds of watch that `removeWatches` and `checkWatches` name. */
export type WatchSelection = keyof typeof WatcherType;

/** What `setWatches` carries. */
export interface RearmBody {
  readonly lastZxid: number;
  readonly paths: WatchPaths;
}

/** The lists that a selection of watches means (`ZKWatchManager.removeWatcher`). */
export const selectedKinds: Readonly<Record<WatchSelection, readonly WatchKind[]>> = {
  children: ['child'],
  data: ['data', 'exist'],
  any: ['data', 'exist', 'child', 'persistent', 'persistentRecursive'],
  persistent: ['persistent'],
  persistentRecursive: ['persistentRecursive'],
};

/** The operation of `addWatch` in each mode. */
export const addWatch: Readonly<Record<PersistentWatchMode, Operation<null, void>>> = {
  persistent: addWatchOperation(AddWatchMode.persistent, 'persistent'),
  persistentRecursive: addWatchOperation(AddWatchMode.persistentRecursive, 'persistentRecursive'),
};

export const removeWatches: Operation<WatchSelection, void> = {
  opcode: OpCode.removeWatches,
  doing: 'remove watches from',
  encode: (writer, serverPath, selection) =>
    encodePathAndInt(writer, serverPath, WatcherType[selection]),
  decode: decodeNothing,
};

export const checkWatches: Operation<WatchSelection, void> = {
  ...removeWatches,
  opcode: OpCode.checkWatches,
  doing: 'look for watches on',
};

/** Re-arms watches on a new connection; the older form unless it holds persistent ones. */
export const setWatches: Operation<RearmBody, void> = {
  opcode: OpCode.setWatches,
  doing: 'set watches anew',
  encode(writer, _serverPath, { lastZxid, paths }) {
    const { data, exist, child } = paths;
    const oneShot = { dataWatches: data, existWatches: exist, childWatches: child };
    writeSetWatches(writer, { relativeZxid: lastZxid, ...oneShot });
  },
  decode: decodeNothing,
};

/** The form of `setWatches` that knows persistent watches (3.6 on). */
export const setWatches2: Operation<RearmBody, void> = {
  ...setWatches,
  opcode: OpCode.setWatches2,
  encode(writer, _serverPath, { lastZxid, paths }) {
    const { data, exist, child, persistent, persistentRecursive } = paths;
    const oneShot = { dataWatches: data, existWatches: exist, childWatches: child };
    const lasting = {
      persistentWatches: persistent,
      persistentRecursiveWatches: persistentRecursive,
    };
    writeSetWatches2(writer, { relativeZxid: lastZxid, ...oneShot, ...lasting });
  },
};

function addWatchOperation(mode: number, watchKind: WatchKind): Operation<null, void> {
  return {
    opcode: OpCode.addWatch,
    doing: 'add a watch on',
    encode: (writer, serverPath) => encodePathAndInt(writer, serverPath, mode),
    decode: decodeNothing,
    watchKind,
  };
}
