import { AuthFailedError, ConnectionLossError, SessionExpiredError } from './errors.ts';
import type { Clock } from './ports.ts';
import type { RequestOptions } from './request.ts';
import type { Session } from './session.ts';
import { type ConnectionState, isConnected, isFinal } from './states.ts';

/**
 * Resolves once a server serves the session.
 *
 * @throws ConnectionLossError after `timeoutMs`, SessionExpiredError or AuthFailedError when the client has ended,
 *   or the signal's reason
 */
export function waitForConnection(
  session: Session,
  clock: Clock,
  options: RequestOptions,
): Promise<void> {
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => finish(() => reject(signal?.reason));
    const stopListening = session.feed.listen(look);
    signal?.addEventListener('abort', onAbort);
    const timer =
      timeoutMs === undefined
        ? null
        : clock.startTimer(timeoutMs, () => finish(() => reject(timedOut())));
    if (signal?.aborted === true) onAbort();
    else look(session.state);

    function look(state: ConnectionState): void {
      if (isConnected(state)) finish(resolve);
      else if (isFinal(state)) finish(() => reject(ended(state)));
    }

    function finish(settle: () => void): void {
      stopListening();
      signal?.removeEventListener('abort', onAbort);
      if (timer !== null) clock.cancelTimer(timer);
      settle();
    }
  });

  function timedOut(): ConnectionLossError {
    const cause = session.lastDialError;
    const reason = cause === null ? 'no server answered' : cause.message;
    const message = `Cannot connect: current value is ${session.state.status} after ${timeoutMs} ms, and ${reason}`;
    const details = { message, neverSent: true };
    return new ConnectionLossError(cause === null ? details : { ...details, cause });
  }
}

function ended(state: ConnectionState): AuthFailedError | SessionExpiredError {
  const message = `Cannot connect: current value is a client that is ${state.status}`;
  if (state.status !== 'authFailed') return new SessionExpiredError({ message });
  const { cause } = state;
  if (cause === undefined) return new AuthFailedError({ message });
  return new AuthFailedError({ message: `${message}, and ${cause.message}`, cause });
}
