/** The time given for waiting is up, and what was waited for has not come. Nothing is left behind on the server. */
export class WaitTimeoutError extends Error {
  override readonly name: string = 'WaitTimeoutError';
}

/**
 * What was held is held no more, or nobody can say that it is: the session ended, the connection was lost, or the
 * znode was deleted by someone else. The reason of a `lost` signal; `cause` says more.
 */
export class HoldLostError extends Error {
  override readonly name: string = 'HoldLostError';
}

/** There is no instance of a service that a call could go to. */
export class NoInstanceError extends Error {
  override readonly name: string = 'NoInstanceError';
}

/** Somebody else has the name. */
export class NameTakenError extends Error {
  override readonly name: string = 'NameTakenError';
}
