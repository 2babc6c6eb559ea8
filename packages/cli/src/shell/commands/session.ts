import { packageVersion } from '../../package-version.ts';
import { CliError, isCodedError } from '../cli-error.ts';
import { noOptions, type ShellCommand, usageOf } from '../command.ts';
import { formatList } from '../java-text.ts';
import { checkPath } from '../znode-path.ts';

/** How long `sync` waits. */
const syncTimeoutMs = 30_000;

export const closeCommand: ShellCommand = {
  name: 'close',
  syntax: '',
  options: noOptions,
  argsMin: 0,
  async run(_parsed, { client }) {
    await client.close();
  },
};

export const syncCommand: ShellCommand = {
  name: 'sync',
  syntax: 'path',
  options: noOptions,
  argsMin: 1,
  async run({ args }, { client, out }) {
    const [, path = ''] = args;
    checkPath(path);
    try {
      await client.sync(path, { timeoutMs: syncTimeoutMs });
      out('Sync is OK');
    } catch (error) {
      if (!isCodedError(error)) throw error;
      out(`Sync has failed. rc=${error.code}`);
    }
  },
};

export const getEphemeralsCommand: ShellCommand = {
  name: 'getEphemerals',
  syntax: 'path',
  options: noOptions,
  argsMin: 0,
  async run({ args }, { client, out }) {
    const [, path] = args;
    if (path !== undefined) checkPath(path);
    out(formatList(await client.getEphemerals(path)));
  },
};

export const getAllChildrenNumberCommand: ShellCommand = {
  name: 'getAllChildrenNumber',
  syntax: 'path',
  options: noOptions,
  argsMin: 1,
  async run({ args }, { client, out }) {
    const [, path = ''] = args;
    checkPath(path);
    out(String(await client.getAllChildrenNumber(path)));
  },
};

export const versionCommand: ShellCommand = {
  name: 'version',
  syntax: '',
  options: noOptions,
  argsMin: 0,
  run({ args }, { out }) {
    if (args.length > 1) throw new CliError(usageOf(versionCommand));
    out(`ZooKeeper CLI version: Meerkat ${packageVersion()}`);
  },
};
