import type { ClientConnection } from '../listener/client-connection.ts';
import type { Log } from '../logging/log.ts';
import type { WordListener } from '../ports/node-network.ts';
import { conf, dirs, envi, gtmk, hash, isro, ruok } from './machine-words.ts';
import { mntr } from './monitor-word.ts';
import { cons, crst, peerText, srst, srvr, stat } from './status-words.ts';
import { dump, wchc, wchp, wchs } from './watch-words.ts';
import { readWhitelist } from './whitelist.ts';
import type { Word, WordAnswer, WordContext } from './word-context.ts';

const wordsByName: Readonly<Record<string, Word>> = {
  conf,
  cons,
  crst,
  dirs,
  dump,
  envi,
  gtmk,
  hash,
  isro,
  mntr,
  ruok,
  srst,
  srvr,
  stat,
  stmk: ({ traceMask }) => String(traceMask),
  wchc,
  wchp,
  wchs,
};

/** What telnet sends when it is told to quit: known only to say nothing about it. */
const telnetClose = 0xfff4fffd | 0;
const telnetCloseName = 'telnet close';
const setTraceMask = codeOf('stmk');

const names = new Map<number, string>(Object.keys(wordsByName).map((name) => [codeOf(name), name]));
names.set(telnetClose, telnetCloseName);

/** Answers the words that stand in the first four bytes of a connection. */
export class FourLetterWords implements WordListener {
  readonly #context: WordContext;
  readonly #log: Log;
  readonly #isAllowed: (word: string) => boolean;

  constructor(context: WordContext, log: Log) {
    this.#context = context;
    this.#log = log;
    const { words, replica } = context.config;
    this.#isAllowed = readWhitelist(words.whitelist, replica.readOnlyModeEnabled);
  }

  isWord(code: number): boolean {
    return names.has(code);
  }

  argumentBytes(code: number): number {
    return code === setTraceMask && this.#isAllowed('stmk') ? 8 : 0;
  }

  onWord(connection: ClientConnection, code: number, argument: bigint): WordAnswer | null {
    const name = names.get(code) ?? '';
    this.#context.view.onWordReceived();
    if (!this.#isAllowed(name)) {
      return `${name} is not executed because it is not in the whitelist.\n`;
    }
    const word = wordsByName[name];
    if (word === undefined) return null;
    this.#log.debug('four-letter word', { word: name, peer: peerText(connection) });
    if (code === setTraceMask) this.#context.traceMask = argument;
    try {
      const answer = word(this.#context);
      return typeof answer === 'string' ? answer : this.#guarded(name, answer);
    } catch (error) {
      this.#remarkFailure(name, error);
      return null;
    }
  }

  /** Lines as they come; the answer ends where one cannot be told. */
  *#guarded(name: string, lines: Iterable<string>): Iterable<string> {
    try {
      yield* lines;
    } catch (error) {
      this.#remarkFailure(name, error);
    }
  }

  #remarkFailure(name: string, error: unknown): void {
    this.#log.remark('word-failed', 'a four-letter word could not be answered', {
      word: name,
      error: error instanceof Error ? error.message : String(error),
    });
  }
}

/** The four bytes of a word as an int. */
export function codeOf(word: string): number {
  return Buffer.from(word, 'latin1').readInt32BE(0);
}
