import { type RunServerOptions, runServer } from '@meerkat/server';

/**
 * `meerkat server`: takes its two options from among the arguments by hand, since the parser of the
 * other commands would cost the server a tenth of its start.
 *
 * @param args what follows `server` on the command line
 * @returns the exit code
 */
export async function runServerCommand(args: readonly string[]): Promise<number> {
  const rest: string[] = [];
  let options: RunServerOptions = {};
  for (const [i, arg] of args.entries()) {
    const [name, value = args[i + 1]] = arg.split('=', 2);
    if (args[i - 1] === '--log-format' || args[i - 1] === '--log-level') continue;
    if (name === '--log-format' && (value === 'json' || value === 'pretty')) {
      options = { ...options, logFormat: value };
    } else if (name === '--log-level' && isLevel(value)) {
      options = { ...options, logLevel: value };
    } else if (arg.startsWith('-')) {
      process.stderr.write(`Cannot start a server: current argument is ${arg}\n${usage}\n`);
      return 2;
    } else {
      rest.push(arg);
    }
  }
  return runServer(rest, options);
}

const usage =
  'usage: meerkat server <zoo.cfg> | <port> <dataDir> [tickTimeMs] [maxClientCnxns]\n' +
  '       [--log-format json|pretty] [--log-level debug|info|warn|error]';

type Level = NonNullable<RunServerOptions['logLevel']>;

function isLevel(value: string | undefined): value is Level {
  return value === 'debug' || value === 'info' || value === 'warn' || value === 'error';
}
