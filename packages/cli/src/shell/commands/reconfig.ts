import { readFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import { type ShellCommand, usageOf } from '../command.ts';
import type { ParsedCommandLine } from '../command-line.ts';
import { formatStat } from '../java-text.ts';
import { parseProperties } from '../properties.ts';

export const configCommand: ShellCommand = {
  name: 'config',
  syntax: '[-c] [-w] [-s]',
  options: {
    options: [
      { name: 's', description: 'stats' },
      { name: 'w', description: 'watch' },
      { name: 'c', description: 'client connection string' },
    ],
  },
  argsMin: 0,
  async run({ options }, { client, watcher, out, write }) {
    const { data, stat } = await client.getConfig(options.has('w') ? { watch: watcher } : {});
    const text = Buffer.from(data ?? 'null').toString('utf8');
    out(options.has('c') ? clientConnectString(text) : text);
    if (options.has('s')) write(formatStat(stat));
  },
};

export const reconfigCommand: ShellCommand = {
  name: 'reconfig',
  syntax:
    '[-s] [-v version] [[-file path] | [-members serverID=host:port1:port2;port3[,...]*]] | ' +
    '[-add serverId=host:port1:port2;port3[,...]]* [-remove serverId[,...]*]',
  options: {
    options: [
      { name: 's', description: 'stats' },
      { name: 'v', takesValue: true, description: 'required current config version' },
      { name: 'file', takesValue: true, description: 'path of config file to parse' },
      { name: 'members', takesValue: true, description: 'non-incremental reconfig' },
      { name: 'add', takesValue: true, description: 'new servers' },
      { name: 'remove', takesValue: true, description: 'server IDs to remove' },
    ],
  },
  argsMin: 0,
  async run(parsed, { client, out, write }) {
    const { options } = parsed;
    const joining = options.get('add')?.toLowerCase();
    const leaving = options.get('remove')?.toLowerCase();
    const newMembers = membersOf(parsed);
    const { data, stat } = await client.reconfig({
      ...(joining === undefined ? {} : { joining }),
      ...(leaving === undefined ? {} : { leaving }),
      ...(newMembers === undefined ? {} : { newMembers }),
      fromConfig: versionOf(parsed),
    });
    out(`Committed new configuration:\n${Buffer.from(data ?? []).toString('utf8')}`);
    if (options.has('s')) write(formatStat(stat));
  },
};

/** The whole new membership, from the command line or a file; undefined when the change is by steps. */
function membersOf({ options }: ParsedCommandLine): string | undefined {
  const file = options.get('file');
  const isWhole = file !== undefined || options.has('members');
  const isBySteps = options.has('add') || options.has('remove');
  if (!isWhole && !isBySteps) throw new CliError(usageOf(reconfigCommand));
  versionOf({ args: [], options });
  if (isWhole && isBySteps) {
    throw new CliError(
      "Can't use -file or -members together with -add or -remove (mixing incremental" +
        ' and non-incremental modes is not allowed)',
    );
  }
  if (file === undefined) return options.get('members')?.toLowerCase();
  if (options.has('members')) {
    throw new CliError("Can't use -file and -members together (conflicting non-incremental modes)");
  }
  return membersInFile(file);
}

function membersInFile(file: string): string {
  try {
    const entries = [...parseProperties(readFileSync(file, 'utf8'))];
    return entries
      .filter(([key]) => /^(server|group|weight)\./.test(key))
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`Error processing ${file}${reason}`);
  }
}

/** The version of the configuration that must be in force, in hexadecimal digits; -1 for any. */
function versionOf({ options }: ParsedCommandLine): bigint {
  const text = options.get('v');
  if (text === undefined) return -1n;
  if (!/^[+-]?[0-9a-f]{1,15}$/i.test(text)) {
    throw new CliError('-v must be followed by a long (configuration version)');
  }
  const digits = BigInt(`0x${text.replace(/^[+-]/, '')}`);
  return text.startsWith('-') ? -digits : digits;
}

/** The version and the addresses for clients in a configuration (`ConfigUtils.getClientConfigStr`). */
function clientConnectString(text: string): string {
  const entries = [...parseProperties(text)];
  const version = entries.find(([key]) => key === 'version')?.[1] ?? '';
  const addresses = entries
    .filter(([key]) => key.startsWith('server.'))
    .map(([, value]) => value.split(';')[1]?.trim() ?? '')
    .filter((address) => address !== '')
    .map((address) => (address.includes(':') ? address : `0.0.0.0:${address}`));
  return `${version} ${addresses.join(',')}`;
}
