import { OpCode } from '@meerkat/protocol';
import { multiRead } from './multi-read.ts';
import {
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  type ReadOperation,
  sync,
  whoAmI,
} from './read-operations.ts';
import { addWatch, checkWatches, removeWatches } from './watch-operations.ts';

/** The operation behind an opcode that is answered from what is applied; undefined for all others. */
export function findReadOperation(type: number): ReadOperation | undefined {
  return type >= 0 && type < byType.length ? byType[type] : undefined;
}

const byType: (ReadOperation | undefined)[] = new Array<ReadOperation | undefined>(
  OpCode.whoAmI + 1,
).fill(undefined);
byType[OpCode.exists] = exists;
byType[OpCode.getData] = getData;
byType[OpCode.getACL] = getAcl;
byType[OpCode.getChildren] = getChildren;
byType[OpCode.sync] = sync;
byType[OpCode.getChildren2] = getChildren2;
byType[OpCode.checkWatches] = checkWatches;
byType[OpCode.removeWatches] = removeWatches;
byType[OpCode.multiRead] = multiRead;
byType[OpCode.getEphemerals] = getEphemerals;
byType[OpCode.getAllChildrenNumber] = getAllChildrenNumber;
byType[OpCode.addWatch] = addWatch;
byType[OpCode.whoAmI] = whoAmI;
