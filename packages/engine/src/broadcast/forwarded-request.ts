/**
 * Which requests of their clients learners may pass on (`LearnerHandler.run`). Owns the rule only: a leader keeps its
 * followers to it, and a follower the observers behind it, so that none of them costs it its own leader.
 */
import { OpCode } from '@meerkat/protocol';
import { isWrite } from '../requests/request-kinds.ts';

/**
 * Why a request is not one that a learner passes on, null when it is.
 *
 * @param sessionHi the upper half of the session's id
 * @param hasExtendedTypes `zookeeper.extendedTypesEnabled`
 */
export function forwardRefusal(
  type: OpCode,
  sessionHi: number,
  hasExtendedTypes: boolean,
): string | null {
  if (!isForwarded(type)) return `it forwards an operation with code ${type}`;
  if (type === OpCode.createSession && hasExtendedTypes && sessionHi >>> 24 === 0xff) {
    return 'it begins a session whose znodes would be of an extended type';
  }
  return null;
}

/** Requests of clients that a Java learner forwards and that no client has any business with: they fail. */
export function isUnanswerable(type: OpCode): boolean {
  return type === OpCode.check || type === OpCode.deleteContainer;
}

function isForwarded(type: OpCode): boolean {
  const isOfSession = type === OpCode.createSession || type === OpCode.sync;
  return isWrite(type) || isOfSession || isUnanswerable(type);
}
