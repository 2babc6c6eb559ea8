import { readFileSync } from 'node:fs';
import type { ConnectOptions } from '@meerkat/client';
import { CliError } from './cli-error.ts';
import { parseWhole } from './command.ts';
import { parseProperties } from './properties.ts';

/** The exit code for a command line that cannot be used (`ExitCode.INVALID_INVOCATION`). */
const invalidInvocation = 2;

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
  -client-configuration <file>     properties of the client
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
 * @throws CliError with exit code 2 when one is unknown or lacks its value
 */
export function parseStartOptions(args: readonly string[]): StartOptions {
  let connectString = 'localhost:2181';
  let waitForConnection = false;
  let showHelp = false;
  let client: ConnectOptions = {};
  let at = 0;
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
    else if (name === 'client-configuration')
      client = { ...client, ...configured(valueOf(option)) };
    else if (name === 'waitforconnection') waitForConnection = true;
    else if (name === 'h' || name === 'help') showHelp = true;
    else throw refuse(`Error: unknown option ${option}. Try meerkat shell --help.`);
  }
  return { connectString, client, waitForConnection, showHelp, words: args.slice(at) };
}

function sessionTimeout(text: string): ConnectOptions {
  const sessionTimeoutMs = parseWhole(text);
  if (sessionTimeoutMs === undefined || sessionTimeoutMs < 1 || sessionTimeoutMs > 2 ** 31 - 1) {
    throw refuse(`Cannot use -timeout: current value is "${text}", and it must be milliseconds`);
  }
  return { sessionTimeoutMs };
}

/** What a file for Java's client (`ZKClientConfig`) says, as far as it means something here. */
function configured(file: string): ConnectOptions {
  let properties: Map<string, string>;
  try {
    properties = parseProperties(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw refuse(`Cannot read the client configuration: ${reason}`);
  }
  let options: ConnectOptions = {};
  for (const [key, value] of properties) {
    if (key === 'zookeeper.client.secure' && value === 'true') {
      // To connect in the clear after all would betray whoever asked for this.
      throw refuse(`Cannot use ${file}: ${key} is true, and this client does not speak TLS yet`);
    }
    if (key === 'zookeeper.request.timeout' && Number(value) > 0) {
      options = { ...options, requestTimeoutMs: Number(value) };
    } else if (key === 'zookeeper.disableAutoWatchReset') {
      options = { ...options, rearmWatches: value !== 'true' };
    }
  }
  return options;
}

function refuse(message: string): CliError {
  return new CliError(message, invalidInvocation);
}
