import { CliError } from '../cli-error.ts';
import { intOption, type ShellCommand } from '../command.ts';
import { formatStat } from '../java-text.ts';
import { checkPath } from '../znode-path.ts';

export const setCommand: ShellCommand = {
  name: 'set',
  syntax: 'path data [-s] [-v version] [-b]',
  options: {
    options: [
      { name: 's', description: 'Print znode stats additionally' },
      { name: 'v', takesValue: true, description: 'Set with an expected version' },
      { name: 'b', description: 'Supply data in base64 format' },
    ],
  },
  explainsOptions: true,
  argsMin: 2,
  async run(parsed, { client, write }) {
    const [, path = '', text = ''] = parsed.args;
    const data = parsed.options.has('b') ? decodeBase64(text) : text;
    const version = intOption(parsed, 'v', -1);
    checkPath(path);
    const stat = await client.setData(path, data, { version });
    if (parsed.options.has('s')) write(formatStat(stat));
  },
};

/** As strict as Java's decoder: no white space, no character of another alphabet, no half group. */
function decodeBase64(text: string): Uint8Array {
  const isBase64 = /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1;
  if (!isBase64) throw new CliError('Cannot decode the data: it is not in base64 format');
  return Buffer.from(text, 'base64');
}
