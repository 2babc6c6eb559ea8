import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';

const help = `
Every member is a process of its own, with a folder for its zoo.cfg and its data; what they log
comes in one stream, each line with the member it is from. A member that dies is started again
after a second: kill one to see how clients fare. One that cannot start three times in a row, or
whose configuration or data cannot be used, is left alone.

The data stays: the same command goes on with it. For an ensemble on machines of its own, which
needs a zoo.cfg and a myid on each, see docs/running-an-ensemble.md.

Ports: three for each member, from --port on: those for clients first (2181, 2182, 2183).
Exit status: 0 stopped, 1 no member was left, 2 it could not be started.

Examples:
  meerkat ensemble                              three members at 2181, 2182, 2183
  meerkat ensemble --members 5 --observers 1
  meerkat ensemble --folder /tmp/try --port 3000
`;

/** The options as commander hands them over. */
interface ParsedOptions {
  readonly members: number;
  readonly observers: number;
  readonly folder: string;
  readonly port: number;
}

/** `meerkat ensemble`: an ensemble on this machine, for trying things out. */
export function ensembleCommand(): Command {
  return new Command('ensemble')
    .description('Run an ensemble on this machine: three servers, for trying things out')
    .option('-m, --members <count>', 'servers that vote', wholeNumber(1, 15), 3)
    .option('-o, --observers <count>', 'servers that follow without a vote', wholeNumber(0, 15), 0)
    .option('-f, --folder <path>', 'where configurations and data lie', 'meerkat-ensemble')
    .option(
      '-p, --port <port>',
      'the first port; 0 takes any that are free',
      wholeNumber(0, 65_535),
      2181,
    )
    .addHelpText('after', help)
    .action(async ({ members, observers, folder, port }: ParsedOptions) => {
      const { runEnsemble } = await import('./run-ensemble.ts');
      process.exit(await runEnsemble({ members, observers, folder: resolve(folder), port }));
    });
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}
