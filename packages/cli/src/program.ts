import type { RunServerOptions } from '@meerkat/server';
import { Command, Option } from 'commander';
import { benchCommand } from './bench/bench-command.ts';
import { ensembleCommand } from './ensemble/ensemble-command.ts';
import { packageVersion } from './package-version.ts';
import { importServer } from './server-module.ts';
import { testServerCommand } from './test-server/test-server-command.ts';

const examples = `
Examples:
  meerkat server conf/standalone.cfg       a server, with ZooKeeper's configuration file
  meerkat ensemble                         three servers on this machine, to try things out
  meerkat shell                            a prompt on the server at localhost:2181
  meerkat shell -server zoo1:2181 ls /     one command
  meerkat bench --mix set --depth 50       how many durable writes a second?
  meerkat test-server                      a server for tests in any language
`;

const serverHelp = `
Arguments are those of ZooKeeper's own server: a configuration file (zoo.cfg), or the
port for clients and the directory for data, then optionally tickTime and maxClientCnxns.

SIGTERM and SIGINT (Ctrl-C) stop the server. Exit status: 0 stopped, 1 unexpected failure,
2 arguments or configuration, 3 data directory.

Examples:
  meerkat server conf/standalone.cfg
  meerkat server 2181 ./data
`;

/** The `meerkat` command line, for everything but the quick way to `server` that main.ts takes. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('meerkat')
    .description('Apache ZooKeeper, in TypeScript: its protocols and files, several times faster')
    .usage('<command> [options]')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this; after a command, its own help')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', examples)
    .showHelpAfterError('Try: meerkat --help')
    .enablePositionalOptions()
    .addCommand(serverCommand())
    .addCommand(ensembleCommand())
    .addCommand(shellCommand())
    .addCommand(benchCommand())
    .addCommand(testServerCommand());
  await program.parseAsync([...argv]);
}

function serverCommand(): Command {
  return new Command('server')
    .description('Run a server')
    .usage('[options] <zoo.cfg> | <port> <dataDir> [tickTime] [maxClientCnxns]')
    .argument('[arguments...]')
    .addOption(
      new Option(
        '--log-format <format>',
        'by default pretty on a terminal, otherwise json',
      ).choices(['json', 'pretty']),
    )
    .addOption(
      new Option('--log-level <level>', 'by default warn when pretty, otherwise info').choices([
        'silent',
        'fatal',
        'error',
        'warn',
        'info',
        'debug',
      ]),
    )
    .addHelpText('after', serverHelp)
    .action(async (args: string[], options: RunServerOptions) => {
      const { runServer } = await importServer();
      process.exit(await runServer(args, options));
    });
}

/** zkCli's options have one hyphen and long names: the shell reads its arguments itself. */
function shellCommand(): Command {
  return new Command('shell')
    .description("Run ZooKeeper's command line, zkCli: a prompt, a script, or one command")
    .usage('[options] [command [argument...]]')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => {
      const { runShell } = await import('./shell/run-shell.ts');
      const exitCode = await runShell(args);
      // What is still open, such as stdin, must not keep the process alive; what was written must leave.
      process.stdout.write('', () => process.exit(exitCode));
    });
}
