import { ErrorCode, errorName } from '@meerkat/protocol';

/** A command that failed: the message goes to stderr, the code becomes the shell's exit status. */
export class CliError extends Error {
  override readonly name: string = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What the errors of a ZooKeeper client have in common. */
export interface CodedError {
  readonly code: number;
  readonly path: string | null;
}

/** Whether a thrown value is an error of the client with one of ZooKeeper's codes. */
export function isCodedError(error: unknown): error is Error & CodedError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number';
}

/** Whether a thrown value says that a znode does not exist. */
export function isNoNode(error: unknown): boolean {
  return isCodedError(error) && error.code === ErrorCode.noNode;
}

/** What zkCli prints for an error of the client (`CliWrapperException.java`). */
export function describeError(error: unknown): string {
  if (!isCodedError(error)) return error instanceof Error ? error.message : String(error);
  const withPath = phrases.get(error.code);
  // What the client refuses by itself, such as a connect string, need not have a path.
  if (withPath !== undefined) return error.path === null ? error.message : withPath + error.path;
  const message = wholeMessages.get(error.code) ?? keeperMessage(error.code, error.path);
  const { cause } = error;
  const isLoss = error.code === ErrorCode.connectionLoss;
  return isLoss && cause instanceof Error ? `${message} (${reasonOf(cause)})` : message;
}

/** The message of Java's `KeeperException`. */
export function keeperMessage(code: number, path: string | null): string {
  const text = codeTexts.get(code) ?? `Unknown error ${errorName(code)}`;
  return path === null || path === '' || path === undefined
    ? `KeeperErrorCode = ${text}`
    : `KeeperErrorCode = ${text} for ${path}`;
}

/** Node's error for a name with several addresses has a code but no message of its own. */
function reasonOf(cause: Error): string {
  return cause.message || String('code' in cause ? cause.code : cause.name);
}

const phrases: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.noNode, 'Node does not exist: '],
  [ErrorCode.noChildrenForEphemerals, 'Ephemerals cannot have children: '],
  [ErrorCode.nodeExists, 'Node already exists: '],
  [ErrorCode.notEmpty, 'Node not empty: '],
  [ErrorCode.notReadOnly, 'Not a read-only call: '],
  [ErrorCode.invalidAcl, 'Acl is not valid : '],
  [ErrorCode.noAuth, 'Insufficient permission : '],
  [ErrorCode.badArguments, 'Arguments are not valid : '],
  [ErrorCode.badVersion, 'version No is not valid : '],
  [ErrorCode.quotaExceeded, 'Quota has exceeded : '],
]);

const wholeMessages: ReadonlyMap<number, string> = new Map<number, string>([
  [
    ErrorCode.reconfigInProgress,
    'Another reconfiguration is in progress -- concurrent reconfigs not supported (yet)',
  ],
  [
    ErrorCode.newConfigNoQuorum,
    'No quorum of new config is connected and up-to-date with the leader of last committed config' +
      ' - try invoking reconfiguration after new servers are connected and synced',
  ],
]);

const codeTexts: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.ok, 'ok'],
  [ErrorCode.systemError, 'SystemError'],
  [ErrorCode.runtimeInconsistency, 'RuntimeInconsistency'],
  [ErrorCode.dataInconsistency, 'DataInconsistency'],
  [ErrorCode.connectionLoss, 'ConnectionLoss'],
  [ErrorCode.marshallingError, 'MarshallingError'],
  [ErrorCode.newConfigNoQuorum, 'NewConfigNoQuorum'],
  [ErrorCode.reconfigInProgress, 'ReconfigInProgress'],
  [ErrorCode.unimplemented, 'Unimplemented'],
  [ErrorCode.operationTimeout, 'OperationTimeout'],
  [ErrorCode.badArguments, 'BadArguments'],
  [ErrorCode.apiError, 'APIError'],
  [ErrorCode.noNode, 'NoNode'],
  [ErrorCode.noAuth, 'NoAuth'],
  [ErrorCode.badVersion, 'BadVersion'],
  [ErrorCode.noChildrenForEphemerals, 'NoChildrenForEphemerals'],
  [ErrorCode.nodeExists, 'NodeExists'],
  [ErrorCode.invalidAcl, 'InvalidACL'],
  [ErrorCode.authFailed, 'AuthFailed'],
  [ErrorCode.notEmpty, 'Directory not empty'],
  [ErrorCode.sessionExpired, 'Session expired'],
  [ErrorCode.invalidCallback, 'Invalid callback'],
  [ErrorCode.sessionMoved, 'Session moved'],
  [ErrorCode.notReadOnly, 'Not a read-only call'],
  [ErrorCode.ephemeralOnLocalSession, 'Ephemeral node on local session'],
  [ErrorCode.noWatcher, 'No such watcher'],
  [ErrorCode.reconfigDisabled, 'Reconfig is disabled'],
  [ErrorCode.sessionClosedRequireSaslAuth, 'Session closed because client failed to authenticate'],
  [ErrorCode.quotaExceeded, 'Quota has exceeded'],
  [ErrorCode.throttledOp, 'Op throttled due to high load'],
]);

/** The exit code for a command line that cannot be used (`ExitCode.INVALID_INVOCATION`). */
export const invalidInvocation = 2;
