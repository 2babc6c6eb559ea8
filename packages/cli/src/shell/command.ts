import type { WatchEvent, ZooKeeper } from '@meerkat/client';
import { CliError, describeError } from './cli-error.ts';
import {
  describeOptions,
  type OptionTable,
  type ParsedCommandLine,
  parseCommandLine,
} from './command-line.ts';

/** What commands use of the client. */
export type ShellClient = Pick<
  ZooKeeper,
  | 'addAuth'
  | 'addWatch'
  | 'close'
  | 'connected'
  | 'create'
  | 'delete'
  | 'exists'
  | 'getAcl'
  | 'getAllChildrenNumber'
  | 'getChildren'
  | 'getChildrenWithStat'
  | 'getConfig'
  | 'getData'
  | 'getEphemerals'
  | 'multi'
  | 'onState'
  | 'reconfig'
  | 'removeWatches'
  | 'setAcl'
  | 'setData'
  | 'state'
  | 'sync'
  | 'whoAmI'
>;

/** What a command runs with. */
export interface CommandContext {
  readonly client: ShellClient;
  /** Prints a watch event; commands hand it to the client when they are asked to watch. */
  readonly watcher: (event: WatchEvent) => void;
  /** Writes a line to stdout. */
  readonly out: (line: string) => void;
  /** Writes to stdout as it is. */
  readonly write: (text: string) => void;
  /** Writes a line to stderr. */
  readonly err: (line: string) => void;
  /** Remembers that the session owns ephemeral znodes. */
  readonly noteEphemeral: () => void;
}

/** A command of the shell that needs a connection. */
export interface ShellCommand {
  readonly name: string;
  /** What follows the name in the usage text. */
  readonly syntax: string;
  readonly options: OptionTable;
  /** Whether the usage text explains the options. */
  readonly explainsOptions?: boolean;
  /** Arguments that must be there, the name not counted. */
  readonly argsMin: number;
  /** Checks the words beyond what the fields above say, and may change them: old forms are accepted. */
  readonly adjust?: (
    words: string[],
    parsed: ParsedCommandLine,
    context: CommandContext,
  ) => string[];
  readonly run: (parsed: ParsedCommandLine, context: CommandContext) => Promise<void> | void;
}

/** A table without options. */
export const noOptions: OptionTable = { options: [] };

/** The usage text of a command (`CommandUsageHelper.java`). */
export function usageOf(command: ShellCommand): string {
  const line = `${command.name} ${command.syntax}`;
  return command.explainsOptions === true ? `${line}\n${describeOptions(command.options)}` : line;
}

/**
 * Takes the words of a command apart, runs it, and turns every failure into a CliError.
 *
 * @throws CliError
 */
export async function runCommand(
  command: ShellCommand,
  words: readonly string[],
  context: CommandContext,
): Promise<void> {
  try {
    await command.run(parseFor(command, words, context), context);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(describeError(error));
  }
}

function parseFor(
  command: ShellCommand,
  words: readonly string[],
  context: CommandContext,
): ParsedCommandLine {
  const parsed = parseCommandLine(command.options, words);
  if (parsed.args.length - 1 < command.argsMin) throw new CliError(usageOf(command));
  if (command.adjust === undefined) return parsed;
  return parseCommandLine(command.options, command.adjust([...words], parsed, context));
}

/** Accepts `path true` for `-w path`, as zkCli still does, with its warning. */
export function acceptOldWatch(form: string) {
  return (words: string[], parsed: ParsedCommandLine, { err }: CommandContext): string[] => {
    if (parsed.args.length <= 2) return words;
    err(`'${words[0]} path [watch]' has been deprecated. Please use '${form}' instead.`);
    words[2] = '-w';
    return words;
  };
}

/**
 * The value of an option that is a whole number of 32 bits, or `absent` when it was not given.
 *
 * @throws CliError when it is something else
 */
export function intOption(parsed: ParsedCommandLine, name: string, absent: number): number {
  const text = parsed.options.get(name);
  if (text === undefined) return absent;
  const value = parseWhole(text);
  if (value === undefined || value !== (value | 0)) {
    throw new CliError(`Cannot use -${name}: current value is "${text}", and it must be a number`);
  }
  return value;
}

/** A whole number in decimal digits, with a sign or without; undefined for anything else. */
export function parseWhole(text: string): number | undefined {
  const value = Number(text);
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}
