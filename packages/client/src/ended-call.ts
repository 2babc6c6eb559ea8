import { AuthFailedError, SessionExpiredError } from './errors.ts';
import type { PendingRequest } from './request.ts';
import type { ConnectionState } from './states.ts';

/**
 * Fails a call for which there is no session any more.
 *
 * @param isClosed whether the caller has closed the client
 */
export function failEnded(
  request: PendingRequest,
  state: ConnectionState,
  isClosed: boolean,
): void {
  const { doing } = request.operation;
  const { path } = request;
  const status = isClosed ? 'closed' : state.status;
  const message = `Cannot ${doing}${path === '' ? '' : ` ${path}`}: current value is a client that is ${status}`;
  const cause = state.status === 'authFailed' ? state.cause : undefined;
  const details = { message, ...(path === '' ? {} : { path }), ...(cause ? { cause } : {}) };
  // After close ZooKeeper's own clients say SESSIONEXPIRED too.
  request.reject(
    status === 'authFailed' ? new AuthFailedError(details) : new SessionExpiredError(details),
  );
}
