import { type DestinationStream, type Logger, pino } from 'pino';
import { shellLimits } from '../limits.ts';
import type { Log, LogFields } from './log.ts';
import { LogOutput } from './log-output.ts';
import { prettyLine } from './pretty-line.ts';

/** How log lines look: one JSON object each, or for people. */
export type LogFormat = 'json' | 'pretty';

/** Which lines are written: this level and those above. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Where log lines go and how. */
export interface LogOptions {
  readonly format: LogFormat;
  readonly level: LogLevel;
  /** Takes whole lines; standard output unless given. */
  readonly write?: (line: string) => void;
  /** Milliseconds on a clock that only goes forward. */
  readonly monotonicMs?: () => number;
}

/** Makes a log. */
export function createLog(options: LogOptions): Log {
  const { format, level, write, monotonicMs = () => performance.now() } = options;
  const out = write === undefined ? standardOutput() : null;
  const sink: DestinationStream = out ?? { write: write ?? (() => {}) };
  const stream =
    format === 'json' ? sink : { write: (line: string) => sink.write(prettyLine(line)) };
  const logger = pino({ level, base: null, timestamp: () => `,"time":${Date.now()}` }, stream);
  return new PinoLog(logger, monotonicMs, () => out?.flush());
}

/** Our own, since the last flush of pino's destination never returns when nobody reads it any more. */
function standardOutput(): LogOutput {
  const { logWaitingBytesMax, logFlushMs } = shellLimits;
  const out = new LogOutput({
    fd: 1,
    waitingBytesMax: logWaitingBytesMax,
    flushMs: logFlushMs,
  });
  process.once('exit', () => out.flush());
  return out;
}

class PinoLog implements Log {
  readonly #logger: Logger;
  readonly #monotonicMs: () => number;
  readonly #flush: () => void;
  /** Since when a kind is only counted, and how often it came since. */
  readonly #remarks = new Map<string, { sinceMs: number; unsaid: number }>();

  constructor(logger: Logger, monotonicMs: () => number, flush: () => void) {
    this.#logger = logger;
    this.#monotonicMs = monotonicMs;
    this.#flush = flush;
  }

  debug(message: string, fields: LogFields = {}): void {
    this.#logger.debug(fields, message);
  }

  info(message: string, fields: LogFields = {}): void {
    this.#logger.info(fields, message);
  }

  warn(message: string, fields: LogFields = {}): void {
    this.#logger.warn(fields, message);
  }

  error(message: string, fields: LogFields = {}): void {
    this.#logger.error(fields, message);
  }

  fatal(message: string, fields: LogFields = {}): void {
    this.#logger.fatal(fields, message);
  }

  remark(kind: string, message: string, fields: LogFields = {}): void {
    const nowMs = this.#monotonicMs();
    const last = this.#remarks.get(kind);
    if (last !== undefined && nowMs - last.sinceMs < shellLimits.remarkIntervalMs) {
      last.unsaid += 1;
      return;
    }
    const unsaid = last?.unsaid ?? 0;
    this.#remarks.set(kind, { sinceMs: nowMs, unsaid: 0 });
    this.#logger.warn(unsaid > 0 ? { ...fields, alsoSinceLast: unsaid } : fields, message);
  }

  flush(): void {
    this.#flush();
  }
}
