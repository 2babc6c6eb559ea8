import type { ServerConfig } from '../configuration/server-config.ts';
import type { ClientConnection } from '../listener/client-connection.ts';
import type { ListenerCounters } from '../listener/listener-counters.ts';
import type { ServerView } from './server-view.ts';

/** What a word can look at when it is answered. */
export interface WordContext {
  readonly view: ServerView;
  readonly config: ServerConfig;
  /** The port in use, which the system may have chosen. */
  readonly clientPort: () => number;
  readonly connections: () => ReadonlyMap<number, ClientConnection>;
  readonly listenerCounters: () => Readonly<ListenerCounters>;
  /** `ConnectionThrottle.dropProbability`. */
  readonly dropProbability: () => number;
  /** `gtmk`, `stmk`: kept and told, as ZooKeeper does; nothing here is traced by it. */
  traceMask: bigint;
}

/**
 * What is said to a word: a text, or one that may be long in lines, which are asked for a few at a
 * time with other work in between.
 */
export type WordAnswer = string | Iterable<string>;

/** Answers one word. The text goes out as it is. */
export type Word = (context: WordContext) => WordAnswer;

/** What most words say when there is nothing to look at. */
export const notServing = 'This ZooKeeper instance is not currently serving requests';

/** The word, or `notServing` with the end of a line. */
export function whenServing(word: Word): Word {
  return (context) => (context.view.serving ? word(context) : `${notServing}\n`);
}
