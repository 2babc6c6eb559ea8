import { createInterface } from 'node:readline';
import { open } from '@meerkat/client';
import { CliError } from './cli-error.ts';
import { usageText } from './command-table.ts';
import { Shell } from './shell.ts';
import { parseStartOptions, type StartOptions, shellHelp } from './start-options.ts';
import { Terminal } from './terminal.ts';

/** `meerkat shell`: runs to the end and returns the exit code. */
export async function runShell(args: readonly string[]): Promise<number> {
  // A reader that has seen enough, such as `head`, is no failure.
  process.stdout.on('error', () => process.exit(0));
  try {
    const options = parseStartOptions(args, process.env);
    if (options.showHelp) {
      const [, ...commands] = usageText().split('\n');
      process.stdout.write(`${shellHelp}${commands.join('\n').replaceAll('\t', '  ')}\n`);
      return 0;
    }
    return await start(options);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

async function start(options: StartOptions): Promise<number> {
  const { connectString, client, waitForConnection, words } = options;
  const isInteractive =
    words.length === 0 && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const terminal = isInteractive ? new Terminal(process.stdin, process.stdout) : undefined;
  const write = (text: string): void => {
    if (terminal === undefined) process.stdout.write(text);
    else terminal.write(text);
  };
  write(`Connecting to ${connectString}\n`);
  const shell = new Shell(connectString, {
    open: (target) => open(target, client),
    ...(waitForConnection ? { waitForConnectionMs: client.sessionTimeoutMs ?? 30_000 } : {}),
    write,
    writeError: (text) => {
      if (terminal !== undefined && process.stderr.isTTY === true) terminal.write(text);
      else process.stderr.write(text);
    },
    ...(isColoured() ? { emphasize: (message) => `\u001b[31m${message}\u001b[39m` } : {}),
  });
  await shell.connect();
  if (words.length > 0) {
    await shell.execute(words);
  } else {
    write('Welcome to ZooKeeper!\n');
    if (terminal === undefined) await runScript(shell);
    else await terminal.run(shell);
  }
  await leave(shell, isInteractive);
  return shell.exitCode;
}

/** Runs the lines of stdin. */
async function runScript(shell: Shell): Promise<void> {
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    await shell.executeLine(line);
    if (shell.isOver) return;
  }
}

/**
 * Ends the session, silently. As with zkCli, ephemeral znodes that a script or a single command has
 * created stay until the session times out.
 */
async function leave(shell: Shell, isInteractive: boolean): Promise<void> {
  if (shell.isOver) return;
  shell.muteWatches();
  const keepSession = shell.ownsEphemerals && !isInteractive;
  await shell.client?.close(keepSession ? { keepSession } : {});
}

function isColoured(): boolean {
  return process.stderr.isTTY === true && !('NO_COLOR' in process.env);
}
