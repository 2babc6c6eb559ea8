import type { WatchSelection } from '@meerkat/client';
import { CliError } from '../cli-error.ts';
import { type ShellCommand, usageOf } from '../command.ts';
import { checkPath } from '../znode-path.ts';

export const addWatchCommand: ShellCommand = {
  name: 'addWatch',
  syntax:
    '[-m mode] path # optional mode is one of [PERSISTENT, PERSISTENT_RECURSIVE]' +
    ' - default is PERSISTENT_RECURSIVE',
  options: { options: [{ name: 'm', takesValue: true, description: '' }] },
  argsMin: 1,
  async run({ args, options }, { client, watcher }) {
    const [, path = '', ...rest] = args;
    const name = (options.get('m') ?? 'PERSISTENT_RECURSIVE').toUpperCase();
    const mode = modes.get(name);
    if (mode === undefined || rest.length > 0) throw new CliError(usageOf(addWatchCommand));
    checkPath(path);
    await client.addWatch(path, watcher, { mode });
  },
};

export const removeWatchesCommand: ShellCommand = {
  name: 'removewatches',
  syntax: 'path [-c|-d|-a] [-l]',
  options: {
    options: [
      { name: 'c', description: 'child watcher type' },
      { name: 'd', description: 'data watcher type' },
      { name: 'p', description: 'persistent watcher type' },
      { name: 'r', description: 'persistent recursive watcher type' },
      { name: 'a', description: 'any watcher type' },
      { name: 'l', description: 'remove locally when there is no server connection' },
    ],
  },
  argsMin: 1,
  async run({ args, options }, { client }) {
    const [, path = ''] = args;
    checkPath(path);
    const [, type = 'any'] = selections.find(([option]) => options.has(option)) ?? [];
    await client.removeWatches(path, { type, local: options.has('l') });
  },
};

const modes = new Map([
  ['PERSISTENT', 'persistent'],
  ['PERSISTENT_RECURSIVE', 'persistentRecursive'],
] as const) as ReadonlyMap<string, 'persistent' | 'persistentRecursive'>;

/** In the order in which they win when several are given. */
const selections: readonly (readonly [string, WatchSelection])[] = [
  ['c', 'children'],
  ['d', 'data'],
  ['p', 'persistent'],
  ['r', 'persistentRecursive'],
  ['a', 'any'],
];
