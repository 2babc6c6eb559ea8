import type { ShellCommand } from './command.ts';
import { addAuthCommand, getAclCommand, setAclCommand, whoAmICommand } from './commands/acl.ts';
import { createCommand } from './commands/create.ts';
import { deleteAllCommand, deleteCommand } from './commands/delete.ts';
import { getCommand, statCommand } from './commands/get.ts';
import { lsCommand } from './commands/ls.ts';
import { delQuotaCommand, listQuotaCommand, setQuotaCommand } from './commands/quota.ts';
import { configCommand, reconfigCommand } from './commands/reconfig.ts';
import {
  closeCommand,
  getAllChildrenNumberCommand,
  getEphemeralsCommand,
  syncCommand,
  versionCommand,
} from './commands/session.ts';
import { setCommand } from './commands/set.ts';
import { addWatchCommand, removeWatchesCommand } from './commands/watches.ts';

const connectedCommands: readonly ShellCommand[] = [
  addAuthCommand,
  addWatchCommand,
  closeCommand,
  configCommand,
  createCommand,
  deleteAllCommand,
  deleteCommand,
  delQuotaCommand,
  getAclCommand,
  getAllChildrenNumberCommand,
  getCommand,
  getEphemeralsCommand,
  listQuotaCommand,
  lsCommand,
  reconfigCommand,
  removeWatchesCommand,
  setAclCommand,
  setCommand,
  setQuotaCommand,
  statCommand,
  syncCommand,
  versionCommand,
  whoAmICommand,
];

/** The commands that need a connection, by name. */
export const shellCommands: ReadonlyMap<string, ShellCommand> = new Map(
  connectedCommands.map((command) => [command.name, command]),
);

/** The commands of the shell itself, with what follows each in the usage text. */
export const ownCommands: ReadonlyMap<string, string> = new Map([
  ['connect', 'host:port'],
  ['exit', ''],
  ['history', ''],
  ['printwatches', 'on|off'],
  ['quit', ''],
  ['redo', 'cmdno'],
]);

/** All names, sorted. */
export const commandNames: readonly string[] = [
  ...shellCommands.keys(),
  ...ownCommands.keys(),
].sort();

/** All commands with their syntax, as zkCli lists them. */
export function usageText(): string {
  const lines = commandNames.map((name) => {
    return `\t${name} ${shellCommands.get(name)?.syntax ?? ownCommands.get(name)}`;
  });
  const first = 'ZooKeeper -server host:port -client-configuration properties-file cmd args';
  return [first, ...lines].join('\n');
}
