import { CliError } from '../cli-error.ts';
import { acceptOldWatch, type ShellCommand, usageOf } from '../command.ts';
import { describeOptions } from '../command-line.ts';
import { formatList, formatStat } from '../java-text.ts';
import { visitSubtree } from '../subtree.ts';
import { checkPath } from '../znode-path.ts';

export const lsCommand: ShellCommand = {
  name: 'ls',
  syntax: '[-s] [-w] [-R] path',
  options: {
    options: [
      { name: '?', description: 'help' },
      { name: 's', description: 'stat' },
      { name: 'w', description: 'watch' },
      { name: 'R', description: 'recurse' },
    ],
  },
  argsMin: 0,
  adjust: acceptOldWatch('ls [-w] path'),
  async run({ args, options }, { client, watcher, out, write }) {
    if (options.has('?')) {
      write(`usage: ls [options] path\n${describeOptions(lsCommand.options)}`);
    }
    const [, path] = args;
    if (path === undefined) throw new CliError(usageOf(lsCommand));
    checkPath(path);
    const watch = options.has('w') ? { watch: watcher } : {};
    if (options.has('R')) {
      await visitSubtree(client, path, watch, out);
    } else {
      const { children, stat } = await client.getChildrenWithStat(path, watch);
      out(formatList(children.toSorted()));
      if (options.has('s')) write(formatStat(stat));
    }
  },
};
