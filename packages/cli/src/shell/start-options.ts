import { readFileSync } from 'node:fs';
import type { ConnectOptions } from '@meerkat/client';
import { CliError, invalidInvocation } from './cli-error.ts';
import { clientOptionsOf } from './client-properties.ts';
import { parseWhole } from './command.ts';
import { parseProperties } from './properties.ts';

/** What `meerkat shell` is started with. */
export interface StartOptions {
  readonly connectString: string;
  readonly client: ConnectOptions;
  readonly waitForConnection: boolean;
  readonly showHelp: boolean;
  /** The command to run and its arguments; none for an interactive shell. */
  readonly words: readonly string[];
}

export const shellHelp = `Usage: meerkat shell [options] [command [argument...]]

ZooKeeper's command line, zkCli: runs one command, or those typed in or piped in.

Options:
  -server <host:port,...[/path]>   servers, and a path to stay below (default: localhost:2181)
  -timeout <ms>                    session timeout to ask for (default: 30000)
  -r                               accept a read-only server
  -client-configuration <file>     properties of the client, as of Java's
  -D<key>=<value>                  one such property; CLIENT_JVMFLAGS may hold some too
  -waitforconnection               wait for the connection first, and fail without one
  -h, -help                        print this

Two hyphens do as well as one. The exit status is that of the last command: 0, 1, or
127 when there is no such command; 2 when the command line cannot be used.

Examples:
  meerkat shell                                    a prompt
  meerkat shell -server zoo1:2181 ls -R /app       one command
  echo 'create /a 1' | meerkat shell               a script

Commands:
`;

/**
 * Reads the options before the command.
 *
 * @param environment `CLIENT_JVMFLAGS` and `JVMFLAGS` are read, as `zkCli.sh` does
 * @throws CliError with exit code 2 when one is unknown or lacks its value
 */
export function parseStartOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
): StartOptions {
  let connectString = 'localhost:2181';
  let waitForConnection = false;
  let showHelp = false;
  let client: ConnectOptions = {};
  let at = 0;
  const { CLIENT_JVMFLAGS = '', JVMFLAGS = '' } = environment;
  const flags = `${CLIENT_JVMFLAGS} ${JVMFLAGS}`.split(/\s+/);
  let configured: Map<string, string> = new Map();
  const valueOf = (option: string): string => {
    const value = args[++at];
    if (value === undefined) throw refuse(`Error: no argument found for option ${option}`);
    return value;
  };
  for (; at < args.length; at++) {
    const option = args[at] as string;
    if (!option.startsWith('-')) break;
    const name = option.replace(/^--?/, '');
    if (name === 'server') connectString = valueOf(option);
    else if (name === 'timeout') client = { ...client, ...sessionTimeout(valueOf(option)) };
    else if (name === 'r') client = { ...client, canBeReadOnly: true };
    else if (name === 'client-configuration') configured = propertiesOf(valueOf(option));
    else if (/^-D./.test(option)) flags.push(option);
    else if (name === 'waitforconnection') waitForConnection = true;
    else if (name === 'h' || name === 'help') showHelp = true;
    else throw refuse(`Error: unknown option ${option}. Try meerkat shell --help.`);
  }
  // As in Java, the file stands above what the machine was started with.
  const properties = new Map([...systemProperties(flags), ...configured]);
  client = { ...clientOptionsOf(properties), ...client };
  return { connectString, client, waitForConnection, showHelp, words: args.slice(at) };
}

function sessionTimeout(text: string): ConnectOptions {
  const sessionTimeoutMs = parseWhole(text);
  if (sessionTimeoutMs === undefined || sessionTimeoutMs < 1 || sessionTimeoutMs > 2 ** 31 - 1) {
    throw refuse(`Cannot use -timeout: current value is "${text}", and it must be milliseconds`);
  }
  return { sessionTimeoutMs };
}

/** The properties of a file for Java's client. */
function propertiesOf(file: string): Map<string, string> {
  try {
    return parseProperties(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse(`Cannot read the client configuration: ${reason}`);
  }
}

/** The properties among flags for a Java machine, `-Dkey=value`. */
function systemProperties(flags: readonly string[]): [string, string][] {
  return flags.flatMap((flag) => {
    const [, key, value = ''] = /^-D([^=]+)=?(.*)$/s.exec(flag) ?? [];
    return key === undefined ? [] : [[key, value]];
  });
}

function refuse(message: string): CliError {
  return new CliError(message, invalidInvocation);
}
