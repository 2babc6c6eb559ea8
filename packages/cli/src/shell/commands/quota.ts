import { ErrorCode } from '@meerkat/protocol';
import { CliError, isCodedError, isNoNode } from '../cli-error.ts';
import {
  type CommandContext,
  noOptions,
  parseWhole,
  type ShellClient,
  type ShellCommand,
} from '../command.ts';
import type { OptionDescription, ParsedCommandLine } from '../command-line.ts';
import { limitName, limitPath, QuotaLimits, quotaRoot, usagePath } from '../quota-limits.ts';
import { visitSubtree } from '../subtree.ts';
import { checkPath } from '../znode-path.ts';

/** The options of a quota and the limits they stand for. */
const limits: readonly (OptionDescription & { readonly limit: string })[] = [
  { name: 'n', description: 'num soft quota', limit: 'count' },
  { name: 'b', description: 'bytes soft quota', limit: 'bytes' },
  { name: 'N', description: 'num hard quota', limit: 'countHardLimit' },
  { name: 'B', description: 'bytes hard quota', limit: 'byteHardLimit' },
];

export const setQuotaCommand: ShellCommand = {
  name: 'setquota',
  syntax: '-n|-b|-N|-B val path',
  options: {
    options: limits.map((option) => ({ ...option, takesValue: true })),
    isExclusive: true,
    isRequired: true,
  },
  argsMin: 1,
  async run(parsed, context) {
    const [, path = ''] = parsed.args;
    if (path.startsWith(quotaRoot)) {
      context.err(`cannot set a quota under the path: ${quotaRoot}`);
      return;
    }
    const quota = requestedQuota(parsed, context);
    if (quota !== undefined) await createQuota(context, path, quota);
  },
};

export const listQuotaCommand: ShellCommand = {
  name: 'listquota',
  syntax: 'path',
  options: noOptions,
  argsMin: 1,
  async run({ args }, { client, out, err }) {
    const [, path = ''] = args;
    err(`absolute path is ${limitPath(path)}`);
    checkPath(limitPath(path));
    try {
      const quota = QuotaLimits.parse((await client.getData(limitPath(path))).data);
      const used = QuotaLimits.parse((await client.getData(usagePath(path))).data);
      out(`Output quota for ${path} ${quota.toString()}`);
      out(`Output stat for ${path} ${used.toString()}`);
    } catch (error) {
      if (!isNoNode(error)) throw error;
      err(`quota for ${path} does not exist.`);
    }
  },
};

export const delQuotaCommand: ShellCommand = {
  name: 'delquota',
  syntax: '[-n|-b|-N|-B] path',
  options: { options: limits, isExclusive: true },
  argsMin: 1,
  async run({ args, options }, { client, out, err }) {
    const [, path = ''] = args;
    checkPath(limitPath(path));
    try {
      if ((await client.exists(limitPath(path))) === null) {
        out(`Quota does not exist for ${path}`);
        return;
      }
      const chosen = limits.find(({ name }) => options.has(name));
      if (chosen === undefined) {
        await removeQuota(client, path);
        return;
      }
      const quota = QuotaLimits.parse((await client.getData(limitPath(path))).data);
      await client.setData(limitPath(path), quota.set(chosen.limit, -1).toString());
    } catch (error) {
      if (!isNoNode(error)) throw error;
      err(`quota for ${path} does not exist.`);
    }
  },
};

/** The quota that the options ask for; undefined when a value is wrong, which is reported. */
function requestedQuota(
  { options }: ParsedCommandLine,
  { err }: CommandContext,
): QuotaLimits | undefined {
  const quota = QuotaLimits.none();
  for (const { name, limit } of limits) {
    const text = options.get(name);
    if (text === undefined) continue;
    const value = parseWhole(text);
    const countsNodes = limit.startsWith('count');
    if (value === undefined || (countsNodes && value !== (value | 0))) {
      err('NumberFormatException happens when parsing the option value');
      return undefined;
    }
    if (countsNodes && value <= 0) {
      err('the num quota must be greater than zero');
      return undefined;
    }
    if (value < 0) {
      err('the bytes quota must be greater than or equal to zero');
      return undefined;
    }
    quota.set(limit, value);
  }
  return quota;
}

/** Sets a quota, or changes those of its limits that `quota` has (`SetQuotaCommand.createQuota`). */
async function createQuota(
  { client, out }: CommandContext,
  path: string,
  quota: QuotaLimits,
): Promise<void> {
  checkPath(path);
  if ((await client.exists(path)) === null) throw new CliError(`${path} does not exist.`);
  await refuseQuotaBelow(client, path);
  await refuseQuotaAbove(client, path);
  for (const each of ['/zookeeper', quotaRoot, ...ancestorsAndSelf(path)]) {
    if ((await client.exists(each)) === null) await createIfAbsent(client, each);
  }
  const isNew = (await client.exists(limitPath(path))) === null;
  if (isNew) {
    await client.create(limitPath(path), quota.toString());
    const nothing = new QuotaLimits().set('count', 0).set('bytes', 0);
    await client.create(usagePath(path), nothing.toString());
  }
  const stored = QuotaLimits.parse((await client.getData(limitPath(path))).data);
  for (const { limit } of limits) if (quota.get(limit) > -1) stored.set(limit, quota.get(limit));
  const used = QuotaLimits.parse((await client.getData(usagePath(path))).data);
  warnWhenExceeded(stored, used, out);
  if (!isNew) await client.setData(limitPath(path), stored.toString());
}

async function refuseQuotaBelow(client: ShellClient, path: string): Promise<void> {
  const start = quotaRoot + path;
  checkPath(start);
  try {
    await visitSubtree(client, start, {}, (each) => {
      const owner = each.slice(0, each.lastIndexOf('/'));
      if (!each.endsWith(`/${limitName}`) || owner === start) return;
      throw new CliError(`${path} has a child ${owner.slice(quotaRoot.length)} which has a quota`);
    });
  } catch (error) {
    if (!isNoNode(error)) throw error;
  }
}

async function refuseQuotaAbove(client: ShellClient, path: string): Promise<void> {
  for (const ancestor of ancestorsAndSelf(path).slice(0, -1)) {
    if ((await client.exists(ancestor)) === null) return;
    if ((await client.exists(`${ancestor}/${limitName}`)) !== null) {
      throw new CliError(
        `${path} has a parent ${ancestor.slice(quotaRoot.length)} which has a quota`,
      );
    }
  }
}

async function createIfAbsent(client: ShellClient, path: string): Promise<void> {
  try {
    await client.create(path, null);
  } catch (error) {
    if (!isCodedError(error) || error.code !== ErrorCode.nodeExists) throw error;
  }
}

function warnWhenExceeded(
  quota: QuotaLimits,
  used: QuotaLimits,
  out: (line: string) => void,
): void {
  for (const [what, soft, hard] of [
    ['count', 'count', 'countHardLimit'],
    ['bytes', 'bytes', 'byteHardLimit'],
  ] as const) {
    const usage = used.get(what);
    const isExceeded = [soft, hard].some((name) => quota.get(name) > -1 && quota.get(name) < usage);
    if (isExceeded) {
      out(`[Warning]: the ${what} quota you create is less than the existing ${what}:${usage}`);
    }
  }
}

/** Removes the znodes of a quota, and those above that only led to it. */
async function removeQuota(client: ShellClient, path: string): Promise<void> {
  let at = quotaRoot + path;
  for (const child of await client.getChildren(at)) await client.delete(`${at}/${child}`);
  while (at !== quotaRoot && (await client.getChildren(at)).length === 0) {
    await client.delete(at);
    at = at.slice(0, at.lastIndexOf('/'));
  }
}

/** `/a/b` -> `/zookeeper/quota/a`, `/zookeeper/quota/a/b`. */
function ancestorsAndSelf(path: string): string[] {
  const names = path.split('/').slice(1);
  return names.map((_, i) => `${quotaRoot}/${names.slice(0, i + 1).join('/')}`);
}
