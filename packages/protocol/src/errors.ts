/**
 * The one table of ZooKeeper's error codes (`KeeperException.Code`): wire code, name, and what it
 * means. The server's replies, the client's classes and `docs/errors.md` all come from it.
 */
export const errorTable: readonly ErrorRow[] = [
  row(0, 'OK', 'The operation succeeded'),
  row(-1, 'SYSTEMERROR', 'The server failed in a way that has no code of its own'),
  row(-2, 'RUNTIMEINCONSISTENCY', 'An operation of a transaction was not run since another failed'),
  row(-3, 'DATAINCONSISTENCY', 'The server found its data inconsistent'),
  row(-4, 'CONNECTIONLOSS', 'The connection was lost; the operation may or may not have happened'),
  row(-5, 'MARSHALLINGERROR', 'The bytes of a request or a reply do not decode'),
  row(-6, 'UNIMPLEMENTED', 'The server does not offer this operation'),
  row(-7, 'OPERATIONTIMEOUT', 'The operation took too long'),
  row(-8, 'BADARGUMENTS', 'An argument of the request is not valid'),
  row(-12, 'UNKNOWNSESSION', 'The session is not known to this server'),
  row(-13, 'NEWCONFIGNOQUORUM', 'No quorum of the new configuration is connected and in step'),
  row(-14, 'RECONFIGINPROGRESS', 'Another reconfiguration is under way'),
  row(-100, 'APIERROR', 'The first of the errors that operations answer with'),
  row(-101, 'NONODE', 'The znode does not exist'),
  row(-102, 'NOAUTH', 'The session lacks the permission'),
  row(-103, 'BADVERSION', 'The version given is not that of the znode'),
  row(-108, 'NOCHILDRENFOREPHEMERALS', 'An ephemeral znode may not have children'),
  row(-110, 'NODEEXISTS', 'The znode exists already'),
  row(-111, 'NOTEMPTY', 'The znode has children'),
  row(-112, 'SESSIONEXPIRED', 'The session has expired'),
  row(-113, 'INVALIDCALLBACK', 'The callback is not valid'),
  row(-114, 'INVALIDACL', 'The ACL is not valid'),
  row(-115, 'AUTHFAILED', 'Authentication failed'),
  row(-118, 'SESSIONMOVED', 'The session has moved to another server'),
  row(-119, 'NOTREADONLY', 'A read-only server takes no writes'),
  row(-120, 'EPHEMERALONLOCALSESSION', 'A local session may not own ephemeral znodes'),
  row(-121, 'NOWATCHER', 'No such watch is set'),
  row(-122, 'REQUESTTIMEOUT', 'No reply arrived in time'),
  row(-123, 'RECONFIGDISABLED', 'Reconfiguration is disabled'),
  row(-124, 'SESSIONCLOSEDREQUIRESASLAUTH', 'The session was closed: it must authenticate first'),
  row(-125, 'QUOTAEXCEEDED', 'The quota of a subtree would be exceeded'),
  row(-127, 'THROTTLEDOP', 'The server is overloaded and dropped the request'),
];

/** A row of the error table. */
export interface ErrorRow {
  readonly code: number;
  readonly name: string;
  readonly meaning: string;
}

/** Wire codes by name. */
export const ErrorCode = {
  ok: 0,
  systemError: -1,
  runtimeInconsistency: -2,
  dataInconsistency: -3,
  connectionLoss: -4,
  marshallingError: -5,
  unimplemented: -6,
  operationTimeout: -7,
  badArguments: -8,
  unknownSession: -12,
  newConfigNoQuorum: -13,
  reconfigInProgress: -14,
  apiError: -100,
  noNode: -101,
  noAuth: -102,
  badVersion: -103,
  noChildrenForEphemerals: -108,
  nodeExists: -110,
  notEmpty: -111,
  sessionExpired: -112,
  invalidCallback: -113,
  invalidAcl: -114,
  authFailed: -115,
  sessionMoved: -118,
  notReadOnly: -119,
  ephemeralOnLocalSession: -120,
  noWatcher: -121,
  requestTimeout: -122,
  reconfigDisabled: -123,
  sessionClosedRequireSaslAuth: -124,
  quotaExceeded: -125,
  throttledOp: -127,
} as const;

/** One of the wire codes. */
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** The name ZooKeeper gives a code, or the number itself when it is not in the table. */
export function errorName(code: number): string {
  return errorTable.find((entry) => entry.code === code)?.name ?? String(code);
}

function row(code: number, name: string, meaning: string): ErrorRow {
  return { code, name, meaning };
}
