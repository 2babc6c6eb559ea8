/** Something about the election port that whoever runs the server should know: one line in the log. */
export interface ElectionNotice {
  readonly kind:
    | 'listening'
    | 'cannot listen'
    | 'refused stream'
    | 'unknown server'
    | 'own id'
    | 'malformed notification'
    | 'malformed configuration'
    | 'other configuration';
  /** The server that it is about, null when that is not known. */
  readonly sid: number | null;
  /** What happened, in words. */
  readonly text: string;
}
