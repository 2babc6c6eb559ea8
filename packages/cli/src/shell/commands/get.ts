import { CliError } from '../cli-error.ts';
import { acceptOldWatch, type ShellCommand } from '../command.ts';
import { formatHexDump, formatStat } from '../java-text.ts';
import { checkPath } from '../znode-path.ts';

export const getCommand: ShellCommand = {
  name: 'get',
  syntax: '[-s] [-w] [-b] [-x] path',
  options: {
    options: [
      { name: 's', description: 'Print znode stats additionally' },
      { name: 'w', description: 'Watch for changes on the znode' },
      { name: 'b', description: 'Output data in base64 format' },
      { name: 'x', description: 'Output data in hexdump format' },
    ],
  },
  explainsOptions: true,
  argsMin: 1,
  adjust: acceptOldWatch('get [-s] [-w] path'),
  async run({ args, options }, { client, watcher, out, write }) {
    const [, path = ''] = args;
    checkPath(path);
    const { data, stat } = await client.getData(path, options.has('w') ? { watch: watcher } : {});
    const bytes = Buffer.from(data ?? 'null');
    if (options.has('x')) out(formatHexDump(bytes));
    else out(bytes.toString(options.has('b') ? 'base64' : 'utf8'));
    if (options.has('s')) write(formatStat(stat));
  },
};

export const statCommand: ShellCommand = {
  name: 'stat',
  syntax: '[-w] path',
  options: { options: [{ name: 'w', description: 'watch' }] },
  argsMin: 1,
  adjust: acceptOldWatch('stat [-w] path'),
  async run({ args, options }, { client, watcher, write }) {
    const [, path = ''] = args;
    checkPath(path);
    const stat = await client.exists(path, options.has('w') ? { watch: watcher } : {});
    if (stat === null) throw new CliError(`Node does not exist: ${path}`);
    write(formatStat(stat));
  },
};
