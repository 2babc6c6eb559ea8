import { type JuteReader, type JuteWriter, OpCode } from '@meerkat/protocol';
import { type Stat, takeStat } from '../stat.ts';
import { decodeNothing, type Operation, type WatchFlag } from './operation.ts';
import { type Data, toBytes, validateData, validateVersion } from './values.ts';

/** A znode's data and Stat. */
export interface NodeData {
  /**
   * The data; null when null was stored. A view of the bytes that arrived: copy it (`slice`) when it is
   * small and kept for long.
   */
  readonly data: Uint8Array | null;
  readonly stat: Stat;
}

/** What setData carries. */
export interface SetDataBody {
  readonly data: Data;
  readonly version: number;
}

export const getData: Operation<WatchFlag, NodeData> = {
  opcode: OpCode.getData,
  doing: 'get the data of',
  isRead: true,
  encode: encodePathAndWatch,
  decode: decodeNodeData,
  watchKind: 'data',
};

export const setData: Operation<SetDataBody, Stat> = {
  opcode: OpCode.setData,
  doing: 'set the data of',
  validate(body, path) {
    validateData(body.data, 'set the data of', path);
    validateVersion(body.version, 'set the data of', path);
  },
  encode(writer, serverPath, body) {
    writer.writeString(serverPath);
    writer.writeBuffer(toBytes(body.data));
    writer.writeInt(body.version);
  },
  decode: takeStat,
};

export const exists: Operation<WatchFlag, Stat | null> = {
  opcode: OpCode.exists,
  doing: 'look for',
  isRead: true,
  encode: encodePathAndWatch,
  decode: takeStat,
  watchKind: 'data',
  absent: true,
};

/** `body`: the version that must be met. */
export const remove: Operation<number, void> = {
  opcode: OpCode.delete,
  doing: 'delete',
  validate: (version, path) => validateVersion(version, 'delete', path),
  encode: encodePathAndInt,
  decode: decodeNothing,
};

export const sync: Operation<null, void> = {
  opcode: OpCode.sync,
  doing: 'sync',
  isRead: true,
  encode: encodePath,
  decode: decodeNothing,
};

/** Writes a record that is a path and a watch flag. */
export function encodePathAndWatch(writer: JuteWriter, serverPath: string, watch: boolean): void {
  writer.writeString(serverPath);
  writer.writeBoolean(watch);
}

/** Writes a record that is a path and a number. */
export function encodePathAndInt(writer: JuteWriter, serverPath: string, value: number): void {
  writer.writeString(serverPath);
  writer.writeInt(value);
}

/** Writes a record that is a path. */
export function encodePath(writer: JuteWriter, serverPath: string): void {
  writer.writeString(serverPath);
}

/** Reads a GetDataResponse. */
export function decodeNodeData(reader: JuteReader): NodeData {
  const data = reader.readBuffer();
  return { data, stat: takeStat(reader) };
}
