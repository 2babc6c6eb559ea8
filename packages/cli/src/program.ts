import { Command } from 'commander';
import { benchCommand } from './bench/bench-command.ts';
import { packageVersion } from './package-version.ts';

/** The `meerkat` command line, for everything but the quick way to `server` that main.ts takes. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('meerkat')
    .description('Apache ZooKeeper, in TypeScript')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or with a command its own help')
    .helpCommand(false)
    .showHelpAfterError('Try meerkat --help.')
    .enablePositionalOptions()
    .addCommand(shellCommand())
    .addCommand(benchCommand());
  await program.parseAsync([...argv]);
}

/** zkCli's options have one hyphen and long names: the shell reads its arguments itself. */
function shellCommand(): Command {
  return new Command('shell')
    .description("Run ZooKeeper's command line, zkCli: one command, a script, or a prompt")
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
