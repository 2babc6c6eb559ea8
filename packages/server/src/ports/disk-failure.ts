import { DiskError } from '@meerkat/engine';

/**
 * The engine's name for a failure of `node:fs` or `node:zlib`.
 *
 * @param action what was tried, as in "Cannot <action> <path>"
 */
export function diskErrorOf(cause: unknown, path: string, action: string): DiskError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const error = new DiskError(code, path, action);
  error.cause = cause;
  return error;
}
