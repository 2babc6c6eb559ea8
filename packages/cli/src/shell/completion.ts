import type { ShellClient } from './command.ts';
import { commandNames, shellCommands } from './command-table.ts';
import { splitWords } from './words.ts';
import { childPath } from './znode-path.ts';

/**
 * What a line may go on with: paths when its last word begins with `/`, options of the command when
 * it begins with `-`, else commands. Returns the candidates and the part of the line that they
 * replace, as Node's readline wants it.
 */
export async function completeLine(
  line: string,
  client: ShellClient | undefined,
): Promise<[string[], string]> {
  const word = /\S*$/.exec(line)?.[0] ?? '';
  if (word.startsWith('-')) {
    const command = shellCommands.get(splitWords(line)[0] ?? '');
    const options = (command?.options.options ?? []).map(({ name }) => `-${name} `);
    return [options.filter((option) => option.startsWith(word)), word];
  }
  if (!word.startsWith('/')) {
    const names = commandNames.filter((name) => name.startsWith(word));
    return [names.map((name) => `${name} `), word];
  }
  const slash = word.lastIndexOf('/');
  const parent = slash === 0 ? '/' : word.slice(0, slash);
  try {
    const children = (await client?.getChildren(parent)) ?? [];
    const paths = children.map((name) => childPath(parent, name)).sort();
    return [paths.filter((path) => path.startsWith(word)), word];
  } catch {
    // No such znode, no permission, no connection: nothing to offer.
    return [[], word];
  }
}
