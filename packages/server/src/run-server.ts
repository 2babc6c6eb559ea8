import { DiskError, StorageError } from '@meerkat/engine';
import { ConfigurationError } from './configuration/configuration-error.ts';
import { idsOf } from './configuration/membership.ts';
import {
  configurationOfArguments,
  type ReadConfiguration,
  readConfigurationFile,
} from './configuration/read-configuration.ts';
import type { ServerConfig } from './configuration/server-config.ts';
import { DirectoryLockedError } from './data-directory-lock.ts';
import { withDiskAdvice } from './disk-advice.ts';
import { ExitCode } from './exit-codes.ts';
import { raiseInliningBudget } from './inlining.ts';
import { shellLimits } from './limits.ts';
import { createLog, type LogFormat, type LogLevel } from './logging/create-log.ts';
import { type Log, silentLog } from './logging/log.ts';
import { type RunningServer, startServer } from './start-server.ts';

/** How the server shows itself; what is left out follows from whether a person is looking. */
export interface RunServerOptions {
  /** `pretty` on a terminal, otherwise `json`. */
  readonly logFormat?: LogFormat;
  /** `warn` when pretty and not in an ensemble, otherwise `info`. */
  readonly logLevel?: LogLevel;
}

/**
 * Runs a server until SIGTERM or SIGINT, or until it cannot go on: `meerkat server`.
 *
 * @param args `<zoo.cfg>`, or `<port> <dataDir> [tickTime] [maxClientCnxns]`
 * @returns the exit code; the caller ends the process with it
 */
export async function runServer(
  args: readonly string[],
  options: RunServerOptions = {},
): Promise<ExitCode> {
  const format = options.logFormat ?? (process.stdout.isTTY ? 'pretty' : 'json');
  let log = silentLog;
  raiseInliningBudget();
  // Whoever has started the server may have gone: that nobody reads is no reason to end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  try {
    const { config, remarks } = readConfiguration(args);
    // A person wants to see who leads; of a server that is alone there is nothing to see.
    const isQuiet = format === 'pretty' && config.replica.ensemble === null;
    log = createLog({ format, level: options.logLevel ?? (isQuiet ? 'warn' : 'info') });
    for (const { level: remarkLevel, message } of remarks) log[remarkLevel](message);
    const signal = stopSignal();
    process.once('uncaughtException', (error) => endAtOnce(error, log));
    const server = await startServer(config, log);
    announce(server, config, format, log);
    return await serve(server, signal, log);
  } catch (error) {
    log.flush();
    process.stderr.write(`${messageOf(error)}\n`);
    return exitCodeOf(error);
  } finally {
    log.flush();
  }
}

async function serve(
  server: RunningServer,
  signal: Promise<NodeJS.Signals>,
  log: Log,
): Promise<ExitCode> {
  const cause = await Promise.race([signal, server.failed]);
  if (typeof cause === 'number') return cause;
  log.info('stopping', { signal: cause });
  // A disk that does not answer shall not keep a process from ending; the log is sound at any moment.
  const deadline = setTimeout(() => process.exit(ExitCode.unexpected), shellLimits.stopMs);
  await server.stop();
  clearTimeout(deadline);
  log.info('stopped');
  return ExitCode.ok;
}

function readConfiguration(args: readonly string[]): ReadConfiguration {
  const [path] = args;
  if (path === undefined) {
    throw new ConfigurationError(
      { file: 'arguments', line: 0 },
      'Cannot start without a configuration; give the path of a zoo.cfg, or <port> <dataDir>',
    );
  }
  return args.length === 1 ? readConfigurationFile(path) : configurationOfArguments(args);
}

/** The first of the signals that stop a server; a second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        resolve(signal);
        process.once(signal, () => process.exit(ExitCode.unexpected));
      });
    }
  });
}

/** A broken invariant or a fault of our own: nothing can be trusted any more, the log is sound. */
function endAtOnce(error: Error, log: Log): never {
  const isDisk = error instanceof DiskError || error instanceof StorageError;
  if (isDisk) log.fatal(`the server ends: ${withDiskAdvice(error.message)}`);
  else log.fatal('the server ends because of a fault of its own', { error: error.stack });
  log.flush();
  process.exit(ExitCode.unexpected);
}

/** The one line that says where it listens and what to type next. */
function announce(server: RunningServer, config: ServerConfig, format: LogFormat, log: Log): void {
  const host = config.listener.host ?? '0.0.0.0';
  const address = `${host.includes(':') ? `[${host}]` : host}:${server.port}`;
  const isUsual = server.port === 2181 && ['0.0.0.0', '127.0.0.1', 'localhost'].includes(host);
  const shellHost = host === '0.0.0.0' ? `127.0.0.1:${server.port}` : address;
  const next = isUsual ? 'npx meerkat shell' : `npx meerkat shell -server ${shellHost}`;
  const { ensemble, dataDir } = config.replica;
  const where = `listens on ${address}, data in ${dataDir}`;
  const line =
    ensemble === null
      ? `Meerkat ${where}. Next: ${next}`
      : `Meerkat ${where}, and looks for the other servers of its ensemble: it is ${ensemble.myId} of ${idsOf(ensemble.members.members)}. Next, when it has a leader: ${next}`;
  if (format === 'pretty') process.stdout.write(`${line}\n`);
  else log.info(line, { host, port: server.port, dataDir: config.replica.dataDir });
}

function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ConfigurationError) return ExitCode.invocation;
  const aboutData =
    error instanceof StorageError ||
    error instanceof DiskError ||
    error instanceof DirectoryLockedError ||
    isFileSystemError(error);
  return aboutData ? ExitCode.dataDirectory : ExitCode.unexpected;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') {
    return `Cannot listen on port ${port}: another program does; stop it, or set another clientPort`;
  }
  const isKnown = error instanceof ConfigurationError || error instanceof DirectoryLockedError;
  if (error instanceof DiskError) return withDiskAdvice(error.message);
  if (isKnown || error instanceof StorageError) return error.message;
  return isFileSystemError(error) || code !== undefined
    ? `Cannot start: ${error.message}`
    : (error.stack ?? error.message);
}

/** Failures of `node:fs` name a path, those of the network do not. */
function isFileSystemError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && 'path' in error;
}
