/**
 * Bytes that do not decode as the record they should be. The answer to a client is
 * MARSHALLINGERROR or a closed connection; a file on disk is reported as damaged.
 */
export class JuteError extends Error {
  override readonly name: string = 'JuteError';
}
