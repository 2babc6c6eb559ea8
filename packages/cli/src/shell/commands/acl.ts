import { formatPerms } from '@meerkat/client';
import { parseAcl } from '../acl-text.ts';
import { isCodedError, keeperMessage } from '../cli-error.ts';
import { intOption, noOptions, type ShellCommand } from '../command.ts';
import { formatId, formatStat } from '../java-text.ts';
import { visitSubtree } from '../subtree.ts';
import { checkPath } from '../znode-path.ts';

export const getAclCommand: ShellCommand = {
  name: 'getAcl',
  syntax: '[-s] path',
  options: { options: [{ name: 's', description: 'stats' }] },
  argsMin: 1,
  async run({ args, options }, { client, out, write }) {
    const [, path = ''] = args;
    checkPath(path);
    const { acl, stat } = await client.getAcl(path);
    for (const { scheme, id, perms } of acl) out(`${formatId(scheme, id)}: ${formatPerms(perms)}`);
    if (options.has('s')) write(formatStat(stat));
  },
};

export const setAclCommand: ShellCommand = {
  name: 'setAcl',
  syntax: '[-s] [-v version] [-R] path acl',
  options: {
    options: [
      { name: 's', description: 'stats' },
      { name: 'v', takesValue: true, description: 'version' },
      { name: 'R', description: 'recursive' },
    ],
  },
  argsMin: 2,
  async run(parsed, { client, write, err }) {
    const [, path = '', text = ''] = parsed.args;
    const acl = parseAcl(text, err);
    const version = intOption(parsed, 'v', -1);
    checkPath(path);
    if (!parsed.options.has('R')) {
      const stat = await client.setAcl(path, acl, { version });
      if (parsed.options.has('s')) write(formatStat(stat));
      return;
    }
    await visitSubtree(client, path, {}, async (each) => {
      try {
        await client.setAcl(each, acl, { version });
      } catch (error) {
        if (!isCodedError(error)) throw error;
        write(keeperMessage(error.code, error.path));
      }
    });
  },
};

export const addAuthCommand: ShellCommand = {
  name: 'addauth',
  syntax: 'scheme auth',
  options: noOptions,
  argsMin: 1,
  async run({ args }, { client }) {
    const [, scheme = '', auth = ''] = args;
    await client.addAuth(scheme, auth);
  },
};

export const whoAmICommand: ShellCommand = {
  name: 'whoami',
  syntax: '',
  options: noOptions,
  argsMin: 0,
  async run(_parsed, { client, out }) {
    const identities = await client.whoAmI();
    out('Auth scheme: User');
    for (const { scheme, user } of identities) out(`${scheme}: ${user}`);
  },
};
