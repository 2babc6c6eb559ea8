import { CliError, isCodedError } from '../cli-error.ts';
import { intOption, parseWhole, type ShellClient, type ShellCommand } from '../command.ts';
import { listSubtree } from '../subtree.ts';
import { checkPath } from '../znode-path.ts';

/** Transactions in flight while a subtree is deleted. */
const batchesInFlight = 10;

export const deleteCommand: ShellCommand = {
  name: 'delete',
  syntax: '[-v version] path',
  options: { options: [{ name: 'v', takesValue: true, description: 'version' }] },
  argsMin: 1,
  async run(parsed, { client, err }) {
    if (parsed.args.length > 2) {
      err(
        "'delete path [version]' has been deprecated. " +
          "Please use 'delete [-v version] path' instead.",
      );
    }
    const version = intOption(parsed, 'v', -1);
    const [, path = ''] = parsed.args;
    checkPath(path);
    await client.delete(path, { version });
  },
};

export const deleteAllCommand: ShellCommand = {
  name: 'deleteall',
  syntax: 'path [-b batch size]',
  options: { options: [{ name: 'b', takesValue: true, description: 'batch size' }] },
  argsMin: 1,
  async run(parsed, { client, err }) {
    const batchSize = parseWhole(parsed.options.get('b') ?? '1000');
    if (batchSize === undefined) throw new CliError('-b argument must be an int value');
    const [, path = ''] = parsed.args;
    checkPath(path);
    const tree = await listSubtree(client, path);
    // Leaves first: a znode with children cannot go.
    tree.reverse();
    if (batchSize <= 0) {
      for (const each of tree) await client.delete(each);
    } else if (!(await deleteInBatches(client, tree, batchSize))) {
      err('Failed to delete some node(s) in the subtree!');
    }
  },
};

/** Deletes in transactions, some at the same time; stops at the first that fails, and says so. */
async function deleteInBatches(
  client: ShellClient,
  paths: readonly string[],
  batchSize: number,
): Promise<boolean> {
  let succeeded = true;
  const running = new Set<Promise<void>>();
  for (let start = 0; start < paths.length && succeeded; start += batchSize) {
    const operations = paths
      .slice(start, start + batchSize)
      .map((path) => ({ op: 'delete' as const, path }));
    const batch: Promise<void> = client.multi(operations).then(
      () => void running.delete(batch),
      (error: unknown) => {
        running.delete(batch);
        if (!isCodedError(error)) throw error;
        succeeded = false;
      },
    );
    running.add(batch);
    if (running.size >= batchesInFlight) await Promise.race(running);
  }
  await Promise.all(running);
  return succeeded;
}
