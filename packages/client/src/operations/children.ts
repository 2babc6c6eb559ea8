import { type JuteReader, OpCode } from '@meerkat/protocol';
import { toClientPath } from '../paths.ts';
import { type Stat, takeStat } from '../stat.ts';
import { encodePath, encodePathAndWatch } from './data.ts';
import type { Operation, WatchFlag } from './operation.ts';

/** A znode's children and its Stat. */
export interface ChildrenAndStat {
  /** Names, not paths, in no particular order. */
  readonly children: string[];
  readonly stat: Stat;
}

export const getChildren: Operation<WatchFlag, string[]> = {
  opcode: OpCode.getChildren,
  doing: 'get the children of',
  isRead: true,
  encode: encodePathAndWatch,
  decode: decodeStrings,
  watchKind: 'child',
};

export const getChildrenWithStat: Operation<WatchFlag, ChildrenAndStat> = {
  opcode: OpCode.getChildren2,
  doing: 'get the children of',
  isRead: true,
  encode: encodePathAndWatch,
  decode(reader) {
    const children = decodeStrings(reader);
    return { children, stat: takeStat(reader) };
  },
  watchKind: 'child',
};

export const getAllChildrenNumber: Operation<null, number> = {
  opcode: OpCode.getAllChildrenNumber,
  doing: 'count the descendants of',
  isRead: true,
  encode: encodePath,
  decode: (reader) => reader.readInt(),
};

export const getEphemerals: Operation<null, string[]> = {
  opcode: OpCode.getEphemerals,
  doing: 'list the ephemeral znodes under',
  isRead: true,
  encode: encodePath,
  decode: (reader, context) =>
    decodeStrings(reader).map((path) => toClientPath(context.chroot, path)),
};

/** Reads a vector of strings; null reads as empty. */
export function decodeStrings(reader: JuteReader): string[] {
  const count = reader.readVectorCount(4);
  const strings: string[] = [];
  for (let i = 0; i < count; i++) strings.push(reader.readString());
  return strings;
}
