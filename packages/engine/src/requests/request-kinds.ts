/** What kinds of requests there are, as far as their order is concerned. Owns the two lists; knows no request. */
import { OpCode } from '@meerkat/protocol';

/** Requests that change something, and so go through the log. Internal ones no client may send. */
export function isWrite(type: OpCode): boolean {
  switch (type) {
    case OpCode.create:
    case OpCode.create2:
    case OpCode.createContainer:
    case OpCode.createTTL:
    case OpCode.delete:
    case OpCode.setData:
    case OpCode.setACL:
    case OpCode.multi:
    case OpCode.reconfig:
    case OpCode.closeSession:
      return true;
    default:
      return false;
  }
}

/**
 * Requests that do more the longer they are, or the more there is: they change nothing but watches, so they
 * can wait a turn.
 */
export function isLong(type: OpCode): boolean {
  switch (type) {
    case OpCode.setWatches:
    case OpCode.setWatches2:
    case OpCode.getChildren:
    case OpCode.getChildren2:
    case OpCode.getAllChildrenNumber:
    case OpCode.getEphemerals:
    case OpCode.multiRead:
      return true;
    default:
      return false;
  }
}
