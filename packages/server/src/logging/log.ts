/** What a log line carries beside its message. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The log of the server. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /**
   * Warns about something that a client can cause as often as it likes: the first of a kind is
   * written, the next ones are counted until a minute is over.
   */
  remark(kind: string, message: string, fields?: LogFields): void;
  /** Writes out what is still buffered. */
  flush(): void;
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
  remark: nothing,
  flush: nothing,
};

function nothing(): void {}
