import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { benchCommand } from './bench/bench-command.ts';

/** The `meerkat` command line, for everything but the quick way to `server` that main.ts takes. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  const program = new Command('meerkat')
    .description('Apache ZooKeeper, in TypeScript')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this, or with a command its own help')
    .showHelpAfterError('Try meerkat --help.')
    .addCommand(benchCommand());
  await program.parseAsync([...argv]);
}

function version(): string {
  const description = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(description) as { version: string }).version;
}
