import type { CreateMode } from '@meerkat/client';
import { ErrorCode } from '@meerkat/protocol';
import { parseAcl } from '../acl-text.ts';
import { CliError, isCodedError, keeperMessage } from '../cli-error.ts';
import { type CommandContext, parseWhole, type ShellCommand } from '../command.ts';
import type { ParsedCommandLine } from '../command-line.ts';
import { checkPath, checkSequentialPath } from '../znode-path.ts';

/** 40 bits: what a server can store (`EphemeralType.java`). */
const ttlMsMax = 1099511627775;

export const createCommand: ShellCommand = {
  name: 'create',
  syntax: '[-s] [-e] [-c] [-t ttl] path [data] [acl]',
  options: {
    options: [
      { name: 'e', description: 'ephemeral' },
      { name: 's', description: 'sequential' },
      { name: 'c', description: 'container' },
      { name: 't', takesValue: true, description: 'ttl' },
    ],
  },
  argsMin: 1,
  async run(parsed, context) {
    const ttlMs = ttlOf(parsed);
    const mode = modeOf(parsed);
    const [, path = '', data = null, aclText] = parsed.args;
    const isSequential = parsed.options.has('s');
    if (isSequential) checkSequentialPath(path);
    else checkPath(path);
    const acl = aclText === undefined ? undefined : parseAcl(aclText, context.err);
    const options = {
      mode,
      ...(acl === undefined ? {} : { acl }),
      ...(ttlMs === undefined ? {} : { ttlMs }),
    };
    try {
      const created = await context.client.create(path, data, options);
      if (parsed.options.has('e')) context.noteEphemeral();
      context.err(`Created ${created}`);
    } catch (error) {
      explain(error, context);
      throw error;
    }
  },
};

function ttlOf({ options }: ParsedCommandLine): number | undefined {
  const text = options.get('t');
  if (options.has('c') && (options.has('e') || options.has('s'))) {
    throw new CliError(
      '-c cannot be combined with -s or -e. Containers cannot be ephemeral or sequential.',
    );
  }
  if (text === undefined) return undefined;
  const ttlMs = parseWhole(text);
  if (ttlMs === undefined) throw new CliError('-t argument must be a long value');
  if (options.has('e')) throw new CliError('TTLs cannot be used with Ephemeral znodes');
  if (options.has('c')) throw new CliError('TTLs cannot be used with Container znodes');
  if (ttlMs <= 0 || ttlMs > ttlMsMax) {
    throw new CliError(`ttl must be positive and cannot be larger than: ${ttlMsMax}`);
  }
  return ttlMs;
}

function modeOf({ options }: ParsedCommandLine): CreateMode {
  const isSequential = options.has('s');
  if (options.has('e')) return isSequential ? 'ephemeralSequential' : 'ephemeral';
  if (options.has('c')) return 'container';
  if (options.has('t')) {
    return isSequential ? 'persistentSequentialWithTtl' : 'persistentWithTtl';
  }
  return isSequential ? 'persistentSequential' : 'persistent';
}

function explain(error: unknown, { err }: CommandContext): void {
  if (!isCodedError(error)) return;
  if (error.code === ErrorCode.ephemeralOnLocalSession) {
    err('Unable to create ephemeral node on a local session');
  } else if (error.code === ErrorCode.invalidAcl) {
    err(keeperMessage(error.code, error.path));
  }
}
