import { ErrorCode, errorTable } from '@meerkat/protocol';

/** What an error may carry besides its code. */
export interface ZooKeeperErrorDetails {
  /** What was being done, as in "get the data of". */
  readonly doing?: string;
  /** The path as the caller gave it. */
  readonly path?: string;
  /** Replaces the message that is made of `doing`, `path` and the code. */
  readonly message?: string;
  /** What led to it: for a lost connection, why it was lost. */
  readonly cause?: unknown;
  /** True when the request never left this client. */
  readonly neverSent?: boolean;
  /** For a failed `multi`: which operation failed, and the code of each. */
  readonly multi?: FailedMulti;
}

/** How the operations of a failed `multi` ended. */
export interface FailedMulti {
  /** The operation that failed, counted from 0; the error's code is its code. */
  readonly index: number;
  /** Before `index` 0 (would have succeeded), at `index` the reason, after it -2 (not run). */
  readonly codes: readonly number[];
}

/**
 * An operation failed. There is one subclass per code of ZooKeeper's error table, so a failure is told by
 * class (`error instanceof NoNodeError`) or by code (`error.code === ErrorCode.noNode`), never by its text.
 */
export class ZooKeeperError extends Error {
  override readonly name: string = 'ZooKeeperError';
  /** ZooKeeper's code, `KeeperException.Code`. */
  readonly code: number;
  /** The path of the failed operation as the caller gave it, null when it has none. */
  readonly path: string | null;
  /**
   * True when the operation may have happened although it failed: nobody knows until one looks. So it is when the
   * connection was lost, or the time was up, after the request had left.
   */
  readonly mayHaveHappened: boolean;
  /** For a failed `multi`, how each operation ended; else null. */
  readonly multi: FailedMulti | null;

  constructor(code: number, details: ZooKeeperErrorDetails = {}) {
    super(messageOf(code, details), details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.path = details.path ?? null;
    this.mayHaveHappened = ambiguousCodes.has(code) && details.neverSent !== true;
    this.multi = details.multi ?? null;
  }
}

/** SYSTEMERROR (-1): the server failed in a way that has no code of its own. */
export class SystemError extends ZooKeeperError {
  override readonly name: string = 'SystemError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-1, details);
  }
}

/** RUNTIMEINCONSISTENCY (-2): an operation of a transaction was not run since another failed. */
export class RuntimeInconsistencyError extends ZooKeeperError {
  override readonly name: string = 'RuntimeInconsistencyError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-2, details);
  }
}

/** DATAINCONSISTENCY (-3): the server found its data inconsistent. */
export class DataInconsistencyError extends ZooKeeperError {
  override readonly name: string = 'DataInconsistencyError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-3, details);
  }
}

/** CONNECTIONLOSS (-4): the connection was lost; the operation may or may not have happened. */
export class ConnectionLossError extends ZooKeeperError {
  override readonly name: string = 'ConnectionLossError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-4, details);
  }
}

/** MARSHALLINGERROR (-5): the bytes of a request or a reply do not decode. */
export class MarshallingError extends ZooKeeperError {
  override readonly name: string = 'MarshallingError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-5, details);
  }
}

/** UNIMPLEMENTED (-6): the server does not offer this operation. */
export class UnimplementedError extends ZooKeeperError {
  override readonly name: string = 'UnimplementedError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-6, details);
  }
}

/** OPERATIONTIMEOUT (-7): the operation took too long. */
export class OperationTimeoutError extends ZooKeeperError {
  override readonly name: string = 'OperationTimeoutError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-7, details);
  }
}

/** BADARGUMENTS (-8): an argument of the request is not valid. */
export class BadArgumentsError extends ZooKeeperError {
  override readonly name: string = 'BadArgumentsError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-8, details);
  }
}

/** UNKNOWNSESSION (-12): the session is not known to this server. */
export class UnknownSessionError extends ZooKeeperError {
  override readonly name: string = 'UnknownSessionError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-12, details);
  }
}

/** NEWCONFIGNOQUORUM (-13): no quorum of the new configuration is connected and in step. */
export class NewConfigNoQuorumError extends ZooKeeperError {
  override readonly name: string = 'NewConfigNoQuorumError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-13, details);
  }
}

/** RECONFIGINPROGRESS (-14): another reconfiguration is under way. */
export class ReconfigInProgressError extends ZooKeeperError {
  override readonly name: string = 'ReconfigInProgressError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-14, details);
  }
}

/** APIERROR (-100): the first of the errors that operations answer with. */
export class ApiError extends ZooKeeperError {
  override readonly name: string = 'ApiError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-100, details);
  }
}

/** NONODE (-101): the znode does not exist. */
export class NoNodeError extends ZooKeeperError {
  override readonly name: string = 'NoNodeError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-101, details);
  }
}

/** NOAUTH (-102): the session lacks the permission. */
export class NoAuthError extends ZooKeeperError {
  override readonly name: string = 'NoAuthError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-102, details);
  }
}

/** BADVERSION (-103): the version given is not that of the znode. */
export class BadVersionError extends ZooKeeperError {
  override readonly name: string = 'BadVersionError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-103, details);
  }
}

/** NOCHILDRENFOREPHEMERALS (-108): an ephemeral znode may not have children. */
export class NoChildrenForEphemeralsError extends ZooKeeperError {
  override readonly name: string = 'NoChildrenForEphemeralsError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-108, details);
  }
}

/** NODEEXISTS (-110): the znode exists already. */
export class NodeExistsError extends ZooKeeperError {
  override readonly name: string = 'NodeExistsError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-110, details);
  }
}

/** NOTEMPTY (-111): the znode has children. */
export class NotEmptyError extends ZooKeeperError {
  override readonly name: string = 'NotEmptyError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-111, details);
  }
}

/** SESSIONEXPIRED (-112): the session has expired. */
export class SessionExpiredError extends ZooKeeperError {
  override readonly name: string = 'SessionExpiredError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-112, details);
  }
}

/** INVALIDCALLBACK (-113): the callback is not valid. */
export class InvalidCallbackError extends ZooKeeperError {
  override readonly name: string = 'InvalidCallbackError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-113, details);
  }
}

/** INVALIDACL (-114): the ACL is not valid. */
export class InvalidAclError extends ZooKeeperError {
  override readonly name: string = 'InvalidAclError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-114, details);
  }
}

/** AUTHFAILED (-115): authentication failed. */
export class AuthFailedError extends ZooKeeperError {
  override readonly name: string = 'AuthFailedError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-115, details);
  }
}

/** SESSIONMOVED (-118): the session has moved to another server. */
export class SessionMovedError extends ZooKeeperError {
  override readonly name: string = 'SessionMovedError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-118, details);
  }
}

/** NOTREADONLY (-119): a read-only server takes no writes. */
export class NotReadOnlyError extends ZooKeeperError {
  override readonly name: string = 'NotReadOnlyError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-119, details);
  }
}

/** EPHEMERALONLOCALSESSION (-120): a local session may not own ephemeral znodes. */
export class EphemeralOnLocalSessionError extends ZooKeeperError {
  override readonly name: string = 'EphemeralOnLocalSessionError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-120, details);
  }
}

/** NOWATCHER (-121): no such watch is set. */
export class NoWatcherError extends ZooKeeperError {
  override readonly name: string = 'NoWatcherError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-121, details);
  }
}

/** REQUESTTIMEOUT (-122): no reply arrived in time. */
export class RequestTimeoutError extends ZooKeeperError {
  override readonly name: string = 'RequestTimeoutError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-122, details);
  }
}

/** RECONFIGDISABLED (-123): reconfiguration is disabled. */
export class ReconfigDisabledError extends ZooKeeperError {
  override readonly name: string = 'ReconfigDisabledError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-123, details);
  }
}

/** SESSIONCLOSEDREQUIRESASLAUTH (-124): the session was closed: it must authenticate first. */
export class SessionClosedRequireSaslAuthError extends ZooKeeperError {
  override readonly name: string = 'SessionClosedRequireSaslAuthError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-124, details);
  }
}

/** QUOTAEXCEEDED (-125): the quota of a subtree would be exceeded. */
export class QuotaExceededError extends ZooKeeperError {
  override readonly name: string = 'QuotaExceededError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-125, details);
  }
}

/** THROTTLEDOP (-127): the server is overloaded and dropped the request. */
export class ThrottledOpError extends ZooKeeperError {
  override readonly name: string = 'ThrottledOpError';
  constructor(details?: ZooKeeperErrorDetails) {
    super(-127, details);
  }
}

/** A class of the table. */
export type ZooKeeperErrorClass = new (details?: ZooKeeperErrorDetails) => ZooKeeperError;

/** The class of each code; a test holds it against the protocol's table. */
export const errorClasses: ReadonlyMap<number, ZooKeeperErrorClass> = new Map<
  number,
  ZooKeeperErrorClass
>([
  [-1, SystemError],
  [-2, RuntimeInconsistencyError],
  [-3, DataInconsistencyError],
  [-4, ConnectionLossError],
  [-5, MarshallingError],
  [-6, UnimplementedError],
  [-7, OperationTimeoutError],
  [-8, BadArgumentsError],
  [-12, UnknownSessionError],
  [-13, NewConfigNoQuorumError],
  [-14, ReconfigInProgressError],
  [-100, ApiError],
  [-101, NoNodeError],
  [-102, NoAuthError],
  [-103, BadVersionError],
  [-108, NoChildrenForEphemeralsError],
  [-110, NodeExistsError],
  [-111, NotEmptyError],
  [-112, SessionExpiredError],
  [-113, InvalidCallbackError],
  [-114, InvalidAclError],
  [-115, AuthFailedError],
  [-118, SessionMovedError],
  [-119, NotReadOnlyError],
  [-120, EphemeralOnLocalSessionError],
  [-121, NoWatcherError],
  [-122, RequestTimeoutError],
  [-123, ReconfigDisabledError],
  [-124, SessionClosedRequireSaslAuthError],
  [-125, QuotaExceededError],
  [-127, ThrottledOpError],
]);

/** The error of a code: its own class, or `ZooKeeperError` for a code that the table does not know. */
export function errorOf(code: number, details?: ZooKeeperErrorDetails): ZooKeeperError {
  const known = errorClasses.get(code);
  return known === undefined ? new ZooKeeperError(code, details) : new known(details);
}

/** The server sent what the protocol does not allow; the connection was dropped. The cause of a `ConnectionLossError`. */
export class ProtocolError extends Error {
  override readonly name: string = 'ProtocolError';
}

/** Nothing was heard from the server in time; the connection was dropped. The cause of a `ConnectionLossError`. */
export class ConnectionTimeoutError extends Error {
  override readonly name: string = 'ConnectionTimeoutError';
}

/** More requests are waiting than the client's limits allow; this one was not sent. Wait for `capacity()`. */
export class RequestQueueFullError extends Error {
  override readonly name: string = 'RequestQueueFullError';
}

const ambiguousCodes: ReadonlySet<number> = new Set<number>([
  ErrorCode.connectionLoss,
  ErrorCode.requestTimeout,
]);

function messageOf(code: number, details: ZooKeeperErrorDetails): string {
  if (details.message !== undefined) return details.message;
  const row = errorTable.find((entry) => entry.code === code);
  const meaning = details.neverSent === true ? 'it was not sent' : lowerFirst(row?.meaning ?? '');
  const reason = row === undefined ? `code ${code}` : `${row.name}, ${meaning}`;
  if (details.doing === undefined) return reason;
  return `Cannot ${details.doing}${details.path === undefined ? '' : ` ${details.path}`}: ${reason}`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
