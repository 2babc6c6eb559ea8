import { CliError } from './cli-error.ts';

/** One option of a command. */
export interface OptionDescription {
  /** Without the hyphen. */
  readonly name: string;
  readonly takesValue?: boolean;
  readonly description: string;
}

/** The options of a command. */
export interface OptionTable {
  readonly options: readonly OptionDescription[];
  /** Only one of them may be given. */
  readonly isExclusive?: boolean;
  /** One of them must be given. */
  readonly isRequired?: boolean;
}

/** A command line taken apart. */
export interface ParsedCommandLine {
  /** What is neither an option nor its value; first the command itself. */
  readonly args: readonly string[];
  /** The options given, with the first value of each (`''` for one that takes none). */
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Takes the words of a command apart by the rules of zkCli's parser (commons-cli, `DefaultParser`):
 * options may stand anywhere, `-se` is `-s -e`, `-v5` and `-v=5` are `-v 5`, and `--` ends the options.
 *
 * @throws CliError for an option that is unknown, lacks its value, or excludes another
 */
export function parseCommandLine(table: OptionTable, words: readonly string[]): ParsedCommandLine {
  const parser = new Parser(table);
  for (const word of words) parser.take(word);
  return parser.finish();
}

/** The descriptions of options as commons-cli's `HelpFormatter` prints them, a line each. */
export function describeOptions({ options }: OptionTable): string {
  const rows = options
    .toSorted((a, b) => compareNames(a.name, b.name))
    .map(({ name, takesValue, description }) => {
      return { left: ` -${name}${takesValue === true ? ' <arg>' : ''}`, description };
    });
  const width = Math.max(...rows.map(({ left }) => left.length)) + 3;
  return rows.map(({ left, description }) => `${left.padEnd(width)}${description}\n`).join('');
}

class Parser {
  readonly #table: OptionTable;
  readonly #args: string[] = [];
  readonly #options = new Map<string, string>();
  /** The option whose value comes next. */
  #awaiting: OptionDescription | undefined;
  #onlyArgs = false;
  #chosen: string | undefined;

  constructor(table: OptionTable) {
    this.#table = table;
  }

  take(word: string): void {
    const awaiting = this.#awaiting;
    if (this.#onlyArgs) this.#args.push(word);
    else if (word === '--') this.#onlyArgs = true;
    else if (awaiting !== undefined && !this.#isOption(word)) this.#setValue(awaiting, word);
    else if (word.startsWith('-') && word !== '-') this.#takeOption(word);
    else this.#args.push(word);
  }

  finish(): ParsedCommandLine {
    this.#refuseMissingValue();
    const { isRequired, options } = this.#table;
    if (isRequired === true && this.#chosen === undefined) {
      const choices = options.map(({ name, description }) => `-${name} ${description}`).join(', ');
      throw usageError('MissingOption', `Missing required option: [${choices}]`);
    }
    return { args: this.#args, options: this.#options };
  }

  #takeOption(word: string): void {
    const text = word.startsWith('--') ? '' : word.slice(1);
    const equals = text.indexOf('=');
    const whole = this.#find(text);
    if (whole !== undefined) {
      this.#choose(whole);
      return;
    }
    if (equals === -1) {
      this.#takeConcatenated(word, text);
      return;
    }
    const option = this.#find(text.slice(0, equals));
    if (option?.takesValue !== true || equals !== 1) throw unrecognized(word);
    this.#choose(option);
    this.#setValue(option, text.slice(equals + 1));
  }

  /** Several one-letter options in one word; the rest after one that takes a value is the value. */
  #takeConcatenated(word: string, text: string): void {
    if (text === '') throw unrecognized(word);
    for (let i = 0; i < text.length; i++) {
      const option = this.#find(text[i] as string);
      if (option === undefined) throw unrecognized(word);
      this.#choose(option);
      if (option.takesValue === true && i + 1 < text.length) {
        this.#setValue(option, text.slice(i + 1));
        return;
      }
    }
  }

  #choose(option: OptionDescription): void {
    this.#refuseMissingValue();
    const { name } = option;
    if (this.#table.isExclusive === true && this.#chosen !== undefined && this.#chosen !== name) {
      throw usageError(
        'AlreadySelected',
        `The option '${name}' was specified but an option from this group has already been ` +
          `selected: '${this.#chosen}'`,
      );
    }
    this.#chosen = name;
    if (option.takesValue === true) this.#awaiting = option;
    else this.#options.set(name, '');
  }

  /** The first value counts when an option is repeated. */
  #setValue(option: OptionDescription, value: string): void {
    this.#awaiting = undefined;
    const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    if (!this.#options.has(option.name)) {
      this.#options.set(option.name, isQuoted ? value.slice(1, -1) : value);
    }
  }

  #refuseMissingValue(): void {
    if (this.#awaiting === undefined) return;
    throw usageError('MissingArgument', `Missing argument for option: ${this.#awaiting.name}`);
  }

  /** A word that begins like an option is not taken for a value; a negative number is. */
  #isOption(word: string): boolean {
    if (!word.startsWith('-') || word.length === 1) return false;
    if (Number.isFinite(Number(word))) return false;
    const name = word.slice(1).split('=')[0] ?? '';
    return this.#find(name) !== undefined || this.#find(name.slice(0, 1)) !== undefined;
  }

  #find(name: string): OptionDescription | undefined {
    return this.#table.options.find((option) => option.name === name);
  }
}

function unrecognized(word: string): CliError {
  return usageError('UnrecognizedOption', `Unrecognized option: ${word}`);
}

/** zkCli shows the class of the parser's exception, and scripts have been written against that. */
function usageError(kind: string, message: string): CliError {
  return new CliError(`org.apache.commons.cli.${kind}Exception: ${message}`);
}

function compareNames(a: string, b: string): number {
  const [lowerA, lowerB] = [a.toLowerCase(), b.toLowerCase()];
  return lowerA < lowerB ? -1 : lowerA > lowerB ? 1 : 0;
}
